"""Rows at once: a statement or, many of them, COPY on PostgreSQL; one prepared statement on SQLite."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from functools import cache
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_dialects, sql_rows
from pisis_batch.adapters.sql_ready import driven, inserted
from pisis_batch.frames import Few

_SLICE = 50_000
_BOUND = 1_000  # rows that exist as Python objects at once: more no longer fit the processor's cache
_FEW = 200  # rows whose fixed values are given with each of them
_MANY = 10_000
_ROOM = -65_536  # KiB of pages: else SQLite writes and reads again what a large change touches more than once
#: PostgreSQL joins a part with the table in memory and never row by row, for it knows the number of neither's rows.
_SET = (("work_mem", "'64MB'"), ("enable_nestloop", "off"))
SOME = 1_000  # rows that PostgreSQL is given with a statement; more of them by COPY


@contextmanager
def staging(connection: sa.Connection, table: sa.Table) -> Iterator[None]:
    """A temporary table, empty at the start, for as long as the block runs within the caller's transaction.

    It stays with its connection: making and dropping one has every prepared statement prepared anew. On PostgreSQL its
    rows go with the transaction.
    """
    dialect = connection.dialect.name
    for made in _made(table, dialect):
        driven(connection, made)
    yield
    if dialect == "sqlite":
        driven(connection, _emptied(table))


def is_small(rows: Sized) -> bool:
    """Whether rows are so few that PostgreSQL is given them with a statement."""
    return len(rows) <= SOME


def is_stretch(connection: sa.Connection, rows: int) -> bool:
    """Whether PostgreSQL should be told between which keys rows are: so many that it reads an index by stretches."""
    return rows >= _MANY and connection.dialect.name == "postgresql"


def emptied(connection: sa.Connection, table: sa.Table, rows: int) -> None:
    """Empty a temporary table of so many rows; what PostgreSQL deletes it would go on reading."""
    if rows >= _MANY and connection.dialect.name == "postgresql":
        driven(connection, f"TRUNCATE {table.name}")
    elif rows:
        driven(connection, _emptied(table))


@contextmanager
def room(connection: sa.Connection, rows: int) -> Iterator[None]:
    """More memory for SQLite's pages or PostgreSQL's joins while many rows are written in the caller's transaction."""
    if rows >= _MANY and connection.dialect.name == "postgresql":
        for name, value in _SET:
            driven(connection, f"SET LOCAL {name} = {value}")
        yield
        for name, _ in _SET:
            driven(connection, f"SET LOCAL {name} TO DEFAULT")
        return
    if rows < _MANY:
        yield
        return
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = {_ROOM}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")


@cache
def _made(table: sa.Table, dialect: str) -> tuple[str, ...]:
    """What makes a temporary table when it is not there yet, and empties it."""
    spoken = sql_dialects.dialect(dialect)
    indexes = [sa.schema.CreateIndex(index, if_not_exists=True) for index in table.indexes]
    every: list[sa.schema.ExecutableDDLElement] = [sa.schema.CreateTable(table, if_not_exists=True), *indexes]
    return (*(str(one.compile(dialect=spoken)) for one in every), _emptied(table))


@cache
def _emptied(table: sa.Table) -> str:
    return str(table.delete().compile(dialect=sql_dialects.dialect("sqlite")))


def insert(connection: sa.Connection, table: sa.Table, rows: Few | pl.DataFrame, **fixed: str | int) -> None:
    """Insert the rows of a table, whose columns are named as the table's, within the caller's transaction.

    `fixed`: columns that have the same value in every row.
    """
    if rows.is_empty():
        return
    if connection.dialect.name == "sqlite":
        _prepared(connection, table, rows, fixed)
        return
    if isinstance(rows, Few) or rows.height <= SOME:
        driven(connection, *sql_rows.inserting_table(table, rows, fixed))
        return
    rows = rows.with_columns(**{name: pl.lit(value) for name, value in fixed.items()})
    _copy(connection, table, rows)
    if rows.height >= _MANY and "TEMPORARY" in table._prefixes:  # noqa: SLF001 there is no other way to ask
        connection.exec_driver_sql(f"ANALYZE {table.name} (tipo_id, num_id)")  # nobody else tells the planner of it


def _prepared(
    connection: sa.Connection, table: sa.Table, rows: Few | pl.DataFrame, fixed: Mapping[str, str | int]
) -> None:
    """Rows as they come out of the table: no dictionary is made of any of them, and nothing is bound twice."""
    if isinstance(rows, Few) or rows.height <= _FEW:  # one text whatever the values are: it is prepared once
        insert_few(connection, table, tuple(rows.columns), rows.rows(), fixed)
        return
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, [*rows.columns, *fixed]))
    values = ", ".join(["?"] * rows.width + [_literal(value) for value in fixed.values()])
    raw: Any = connection.connection.driver_connection
    for part in rows.iter_slices(_BOUND):
        raw.executemany(f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({values})", part.rows())  # noqa: S608 ours


def insert_few(
    connection: sa.Connection,
    table: sa.Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    fixed: Mapping[str, str | int],
) -> None:
    """Insert some rows into SQLite as they are, values in the order of the columns; `fixed`: columns of one value."""
    inserted(connection, _into(table, (*fixed, *columns)), rows, tuple(fixed.values()))


@cache
def _into(table: sa.Table, columns: tuple[str, ...]) -> str:
    quote = sql_dialects.dialect("sqlite").identifier_preparer.quote
    return f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, columns))})"


def _literal(value: str | int) -> str:
    return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _copy(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(name) for name in rows.columns)
    raw: Any = connection.connection.driver_connection
    clean = sql_rows.without_nul(rows)
    with (
        raw.cursor() as cursor,
        cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN WITH (FORMAT csv)") as copy,
    ):
        for part in clean.iter_slices(_SLICE):  # a null is nothing, an empty text is "": so quotes are for every text
            copy.write(part.write_csv(include_header=False, quote_style="non_numeric").encode())
