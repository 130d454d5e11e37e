"""Many rows at once: COPY on PostgreSQL, one prepared statement elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from pisis_batch.adapters.sql_ready import driven

_SLICE = 50_000
_BOUND = 1_000  # rows that exist as Python objects at once: more no longer fit the processor's cache
_MANY = 10_000
_ROOM = -65_536  # KiB of pages: else SQLite writes and reads again what a large change touches more than once
#: PostgreSQL's text cannot hold the character NUL; this is how it is shown there.
_NUL, _SHOWN = "\x00", "\N{SYMBOL FOR NULL}"


@contextmanager
def staging(connection: sa.Connection, table: sa.Table) -> Iterator[None]:
    """A temporary table, empty at the start, for as long as the block runs within the caller's transaction.

    On SQLite it stays with its connection: making and dropping one has every prepared statement prepared anew.
    """
    if connection.dialect.name == "sqlite":
        for made in _made(table):
            driven(connection, made)
        yield
        driven(connection, _emptied(table))
        return
    table.create(connection, checkfirst=False)
    yield
    table.drop(connection, checkfirst=False)


@contextmanager
def room(connection: sa.Connection, rows: int) -> Iterator[None]:
    """More memory for SQLite's pages while many rows are written in the caller's transaction; then as before."""
    if connection.dialect.name != "sqlite" or rows < _MANY:
        yield
        return
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = {_ROOM}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")


@cache
def _made(table: sa.Table) -> tuple[str, ...]:
    """What makes a temporary table on SQLite when it is not there yet."""
    indexes = [sa.schema.CreateIndex(index, if_not_exists=True) for index in table.indexes]
    every: list[sa.schema.ExecutableDDLElement] = [sa.schema.CreateTable(table, if_not_exists=True), *indexes]
    return (*(str(one.compile(dialect=sqlite.dialect())) for one in every), _emptied(table))


@cache
def _emptied(table: sa.Table) -> str:
    return str(table.delete().compile(dialect=sqlite.dialect()))


def insert(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame, **fixed: str | int) -> None:
    """Insert the rows of a frame, whose columns are named as the table's, within the caller's transaction.

    `fixed`: columns that have the same value in every row.
    """
    if rows.is_empty():
        return
    if connection.dialect.name == "sqlite":
        _prepared(connection, table, rows, fixed)
        return
    rows = rows.with_columns(**{name: pl.lit(value) for name, value in fixed.items()})
    if connection.dialect.name != "postgresql":
        connection.execute(table.insert(), rows.to_dicts())
        return
    _copy(connection, table, rows)
    if rows.height >= _MANY and "TEMPORARY" in table._prefixes:  # noqa: SLF001 there is no other way to ask
        connection.exec_driver_sql(f"ANALYZE {table.name}")  # nobody else tells the planner about a temporary table


def _prepared(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame, fixed: Mapping[str, str | int]) -> None:
    """Rows as they come out of the frame: no dictionary is made of any of them, and nothing is bound twice."""
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, [*rows.columns, *fixed]))
    values = ", ".join(["?"] * rows.width + [_literal(value) for value in fixed.values()])
    raw: Any = connection.connection.driver_connection
    for part in rows.iter_slices(_BOUND):
        raw.executemany(f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({values})", part.rows())  # noqa: S608 ours


def without_nul(rows: pl.DataFrame) -> pl.DataFrame:
    """Texts as PostgreSQL can hold them, with a sign in the place of each NUL."""
    return rows.with_columns(pl.col(pl.String).str.replace_all(_NUL, _SHOWN, literal=True))


def _literal(value: str | int) -> str:
    return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _copy(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(name) for name in rows.columns)
    raw: Any = connection.connection.driver_connection
    clean = without_nul(rows)
    with (
        raw.cursor() as cursor,
        cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN WITH (FORMAT csv)") as copy,
    ):
        for part in clean.iter_slices(_SLICE):  # a null is nothing, an empty text is "": so quotes are for every text
            copy.write(part.write_csv(include_header=False, quote_style="non_numeric").encode())
