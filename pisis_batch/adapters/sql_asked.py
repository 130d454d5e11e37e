"""The people a file asks about, as a table that statements are joined with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from pisis_batch.adapters.sql_ready import driven, inserted
from pisis_batch.adapters.sql_text import Session
from pisis_batch.frames import Few, pl

if TYPE_CHECKING:
    import sqlalchemy as sa

#: A few people, as PostgreSQL reads them out of one value; more, or on SQLite, are staged.
_STAGED = "asked"
_FEW = "json_to_recordset(CAST(:people AS JSON)) AS asked(tipo_id TEXT, num_id TEXT)"
WAYS = (_STAGED, _FEW)
_BOUND = 1_000  # rows that exist as Python objects at once
_MADE = "CREATE TEMPORARY TABLE IF NOT EXISTS asked (tipo_id TEXT NOT NULL, num_id TEXT NOT NULL)"
_EMPTIED = "DELETE FROM asked"
_ADDED = "INSERT INTO asked (tipo_id, num_id)"


@contextmanager
def asking(connection: Session, people: Few | pl.DataFrame) -> Iterator[tuple[str, dict[str, str]]]:
    """What stands for these people in a statement, one of `WAYS`, and the values it needs."""
    if connection.dialect.name == "postgresql":
        with _on_server(connection, people) as told:
            yield told
        return
    driven(connection, _MADE)
    driven(connection, _EMPTIED)
    for part in [people] if isinstance(people, Few) else people.iter_slices(_BOUND):
        inserted(connection, _ADDED, part.rows())
    yield _STAGED, {}
    driven(connection, _EMPTIED)


@contextmanager
def _on_server(connection: Any, people: Few | pl.DataFrame) -> Iterator[tuple[str, dict[str, str]]]:
    from pisis_batch.adapters import sql_bulk, sql_rows  # noqa: PLC0415 SQLite needs nothing that they load

    if people.height <= sql_bulk.SOME:
        yield _FEW, {"people": sql_rows.told(people)}
        return
    with sql_bulk.staging(connection, _table()):
        sql_bulk.insert(connection, _table(), people)
        yield _STAGED, {}


@cache
def _table() -> sa.Table:
    import sqlalchemy as sa  # noqa: PLC0415 see above

    names = [sa.Column(name, sa.Text, nullable=False) for name in ("tipo_id", "num_id")]
    return sa.Table(_STAGED, sa.MetaData(), *names, prefixes=["TEMPORARY"], postgresql_on_commit="DELETE ROWS")
