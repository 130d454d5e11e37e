"""The part of the registry that others can hold to account (`ports.Keeping`)."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from pisis_batch.adapters import sql_chain, sql_retention, sql_trail, sql_unnaming
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_accounts import gone
from pisis_batch.adapters.sql_again import again as retried
from pisis_batch.adapters.sql_engine import Transactions, settle
from pisis_batch.adapters.sql_tables import document, receipt, run
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.model import Id
from pisis_batch.ports import Audited, AuditHead, Erasing, Traced, UnavailableError

ORIGIN, RESTORED = "retencion", "restauracion"  # stand where a receipt's guid would
_EMPTIED = ("finding", "document", "mail", "link", "profile_grant", "stored", "audit", "person", "receipt")


class SqlKeeping:
    """Fulfils `ports.Keeping` for the registry that inherits it."""

    engine: sa.Engine
    _writer: Transactions
    _reader: Transactions
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

    @retried
    def due(self, kind: str, before: date) -> tuple[int, str]:
        """How many are over."""
        with self._reader.begin() as connection:
            return sql_retention.count(connection, kind, str(before))

    @retried
    def let_go(
        self, kind: str, before: date, at: datetime, *, by: str | None = None, guids: Collection[str] | None = None
    ) -> int:
        """A part of what is due, in one transaction."""
        with self._writer.begin() as connection:
            trail = Trail(connection, self.keys, ORIGIN, at.isoformat())
            many = self._take(connection, trail, kind, str(before), guids)
            if many and kind != "auditoria":
                trail.tell(f"borrar {kind} anteriores a {before}: {many}", by)
            trail.close()
        return many

    def _take(
        self, connection: sa.Connection, trail: Trail, kind: str, before: str, guids: Collection[str] | None
    ) -> int:
        if kind == "historia":
            return sql_retention.history(connection, before)
        if kind == "auditoria":
            until = sql_retention.thin(connection, before, sql_chain.thinned_to(connection))
            if until is not None:
                trail.tell(f"{sql_chain.THINNED}{until}")
            return int(until is not None)
        taken = sql_retention.take(connection, self.keys, kind, before, trail.at, guids=guids)
        many = len(taken)
        if kind == "cartas" and guids is None:
            many += sql_retention.empty_mails(connection, self.keys, sql_retention.old_notices(before))
        return many

    @retried
    def unfinished(self) -> list[Erasing]:
        """What may still lie outside."""
        with self._reader.begin() as connection:
            found = list(sql_retention.unfinished(connection))
        if found:
            settle(self._writer)
        return found

    @retried
    def finish(self, erasing: Erasing, remove: Callable[[], None]) -> bool:
        """Remove under the lock of the lane."""
        with self._writer.begin() as connection:
            if not sql_retention.still(connection, erasing):
                return False
            remove()
            sql_retention.done(connection, erasing)
        return True

    @retried
    def wanted(self, sha256: str) -> bool:
        """Whether an original is needed."""
        with self._reader.begin() as connection:
            return sql_retention.wanted(connection, sha256)

    @retried
    def unpublish(self, at: datetime, by: str) -> int:
        """Documents are to be written again."""
        held = sa.exists().where(document.c.run_id == run.c.id)
        with self._writer.begin() as connection:
            many = connection.execute(run.update().where(run.c.latest, held).values(published=False)).rowcount
            trail = Trail(connection, self.keys, RESTORED, at.isoformat())
            trail.tell("restaurar una copia", by)
            trail.close()
        return many

    def compact(self) -> None:
        """SQLite: the file is written anew and its log emptied. PostgreSQL: dead rows are given back.

        Raises UnavailableError when others use it all the time.
        """
        if self.engine.dialect.name == "sqlite":
            raw = self.engine.raw_connection()
            try:
                held: Any = raw.driver_connection
                held.execute("VACUUM")
                held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except Exception as error:  # noqa: BLE001 the driver's own, which depends on where it came from
                raise UnavailableError(type(error).__name__) from None
            finally:
                raw.close()
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM {', '.join(_EMPTIED)}")

    @retried
    def trace(self, id_: Id) -> Traced:
        """Where a person stands."""
        with self._reader.begin() as connection:
            return sql_unnaming.trace(connection, id_)

    @retried
    def originals(self) -> list[tuple[str, str]]:
        """Receipts whose original is kept."""
        kept = sa.select(receipt.c.sha256, receipt.c.guid).where(
            receipt.c.unread == "", ~gone(receipt.c.guid, "originales")
        )
        with self._reader.begin() as connection:
            return [(row.sha256, row.guid) for row in connection.execute(kept.order_by(receipt.c.seq))]

    @retried
    def unname(self, id_: Id, at: datetime, by: str) -> int:
        """Pseudonyms in the place of a person."""
        with self._writer.begin() as connection:
            many = sql_unnaming.unname(connection, self.keys, id_)
            if many:
                trail = Trail(connection, self.keys, ORIGIN, at.isoformat())
                trail.tell(f"suprimir una persona ({self.keys.pseudonym(str(id_))}): {many} filas", by)
                trail.close()
        return many
