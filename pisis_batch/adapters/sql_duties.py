"""The part of the registry that looks at the calendar: ended contracts, reports that are due, what need not be kept."""

from collections.abc import Sequence
from datetime import date, datetime

from pisis_batch.adapters import (
    sql_calendar,
    sql_runs,
)
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_again import again as retried
from pisis_batch.adapters.sql_engine import Transactions, take_back
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.model import EndedContracts, Rendered, Unreported


class SqlDuties:
    """What falls due, for the registry that inherits it."""

    _writer: Transactions
    _reader: Transactions
    keys: Keyring

    @retried
    def ended_contracts(self, before: date) -> list[EndedContracts]:
        """Contracts that came to their end."""
        with self._reader.begin() as connection:
            return list(sql_calendar.ended(connection, before))

    @retried
    def expire(
        self, ended: EndedContracts, guid: str, mails: Sequence[Rendered], at: datetime, by: str | None = None
    ) -> bool:
        """End their links, and tell it."""
        with self._writer.begin() as connection:
            trail = Trail(connection, self.keys, sql_calendar.ORIGIN, at.isoformat())
            if not sql_calendar.expire(connection, ended, at.isoformat(), trail, by):
                take_back(connection)
                return False
            sql_runs.insert_mails(connection, guid, mails, at.isoformat())
            trail.close()
        return True

    @retried
    def unreported(self, today: date, days: int) -> list[Unreported]:
        """Who has not reported yet."""
        with self._reader.begin() as connection:
            return list(sql_calendar.unreported(connection, today, days))

    @retried
    def forget(self, before: date) -> int:
        """Drop what need not be kept longer."""
        with self._writer.begin() as connection:
            return sql_calendar.forget(connection, before)
