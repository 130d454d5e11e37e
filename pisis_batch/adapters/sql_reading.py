"""The part of the registry that is only looked at: runs, findings, people, stored records and accounts."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

import polars as pl

from pisis_batch.adapters import (
    sql_accounts,
    sql_attempts,
    sql_facts,
    sql_held,
    sql_people,
    sql_runs,
    sql_stored,
    sql_traces,
)
from pisis_batch.adapters.sql_again import again as retried
from pisis_batch.adapters.sql_engine import Transactions
from pisis_batch.model import Id, RegisteredEntity, Traces
from pisis_batch.ports import Accounts, Held, Origin, Outside, Receipt, Series


class SqlReading:
    """What is only read, for the registry that inherits it."""

    _reader: Transactions
    _looks: Transactions

    @retried
    def entitled(self, pairs: Collection[tuple[str, Id]]) -> set[tuple[str, Id]]:
        """Of logins and entities those of whom the one may send for the other now."""
        with self._reader.begin() as connection:
            return sql_facts.entitled(connection, pairs)

    @retried
    def runs(
        self,
        *,
        verdict: str | None = None,
        entity: Id | None = None,
        code: str | None = None,
        since: date | None = None,
        limit: int | None = 50,
    ) -> list[dict[str, Any]]:
        """Latest run of each receipt."""
        with self._reader.begin() as connection:
            return sql_runs.listed(connection, verdict=verdict, entity=entity, code=code, since=since, limit=limit)

    @retried
    def findings(self, guid: str) -> pl.DataFrame:
        """The findings of a receipt's latest run."""
        with self._reader.begin() as connection:
            return sql_runs.findings(connection, guid)

    @retried
    def previous(self, guid: str, series: Series) -> tuple[Receipt, pl.DataFrame] | None:
        """The rejected attempt before a receipt."""
        with self._looks.begin() as connection:
            return sql_attempts.previous(connection, guid, series)

    @retried
    def origins(self, guids: Collection[str]) -> dict[str, Origin]:
        """Receipts as causes."""
        with self._reader.begin() as connection:
            return sql_traces.origins(connection, guids)

    def traces(self, guid: str, size: int = 100_000) -> Iterator[Traces]:
        """What a receipt did, from one consistent state."""
        with self._reader.begin() as connection:
            yield from sql_traces.traces(connection, guid, size)

    @retried
    def held(self, guid: str) -> Held | None:
        """What a held receipt waits with."""
        with self._reader.begin() as connection:
            return sql_held.held(connection, guid)

    def accounts(self) -> Accounts:
        """The accounting invariant."""
        with self._reader.begin() as connection:
            return Accounts(sql_accounts.totals(connection), tuple(sql_accounts.offenders(connection)))

    def kept(self) -> Iterator[Outside]:
        """Originals and documents that must be there."""
        with self._reader.begin() as connection:
            yield from sql_accounts.kept(connection)

    @retried
    def stored(self, annex: str) -> dict[str, bool]:
        """Records of an annex that have anything stored."""
        with self._reader.begin() as connection:
            return sql_stored.summary(connection, annex)

    def data(
        self,
        annex: str,
        record: str,
        *,
        entity: Id | None = None,
        period: date | None = None,
        as_of: date | None = None,
        history: bool = False,
    ) -> Iterator[pl.DataFrame]:
        """Stored records, a frame at a time."""
        with self._reader.begin() as connection:
            yield from sql_stored.rows(
                connection, annex, record, entity=entity, period=period, as_of=as_of, history=history
            )

    @retried
    def user(self, id_: Id, as_of: date | None = None) -> dict[str, Any] | None:
        """A person with links and profiles."""
        with self._reader.begin() as connection:
            return sql_people.user(connection, id_, as_of)

    @retried
    def entity(self, id_: Id, as_of: date | None = None) -> tuple[RegisteredEntity, list[dict[str, Any]]] | None:
        """An entity with its users."""
        with self._reader.begin() as connection:
            return sql_people.entity_with_users(connection, id_, as_of)
