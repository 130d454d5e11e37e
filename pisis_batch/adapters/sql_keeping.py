"""The part of the registry that others can hold to account (`ports.Keeping`)."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from pisis_batch.adapters import sql_chain, sql_trail
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_again import again as retried
from pisis_batch.ports import Audited, AuditHead


class SqlKeeping:
    """Fulfils `ports.Keeping` for the registry that inherits it."""

    engine: sa.Engine
    _reader: sa.Engine
    keys: Keyring

    @retried
    def audit_head(self) -> AuditHead:
        """The end of the chain."""
        with self._reader.begin() as connection:
            last = sql_trail.head(connection)
        return AuditHead(last[0], last[1]) if last else AuditHead(0, "")

    def audit_verify(self, known: AuditHead | None = None) -> Audited:
        """Every link and every entry."""
        with self._reader.begin() as connection:
            return sql_chain.verify(connection, self.keys, known)

    @retried
    def audit_entries(self, guid: str) -> Iterable[Any]:
        """What happened to a receipt."""
        with self._reader.begin() as connection:
            return sql_trail.actions(connection, guid)
