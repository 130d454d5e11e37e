"""Many rows at once: COPY on PostgreSQL, one prepared statement elsewhere."""

from typing import Any

import polars as pl
import sqlalchemy as sa

_SLICE = 50_000
_MANY = 10_000
#: PostgreSQL's text cannot hold the character NUL; this is how it is shown there.
_NUL, _SHOWN = "\x00", "\N{SYMBOL FOR NULL}"


def insert(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    """Insert the rows of a frame, whose columns are named as the table's, within the caller's transaction."""
    if rows.is_empty():
        return
    if connection.dialect.name != "postgresql":
        connection.execute(table.insert(), rows.to_dicts())
        return
    _copy(connection, table, rows)
    if rows.height >= _MANY and "TEMPORARY" in table._prefixes:  # noqa: SLF001 there is no other way to ask
        connection.exec_driver_sql(f"ANALYZE {table.name}")  # nobody else tells the planner about a temporary table


def _copy(connection: sa.Connection, table: sa.Table, rows: pl.DataFrame) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(name) for name in rows.columns)
    raw: Any = connection.connection.driver_connection
    clean = rows.with_columns(pl.col(pl.String).str.replace_all(_NUL, _SHOWN, literal=True))
    with (
        raw.cursor() as cursor,
        cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN WITH (FORMAT csv)") as copy,
    ):
        for part in clean.iter_slices(_SLICE):  # a null is nothing, an empty text is "": so quotes are for every text
            copy.write(part.write_csv(include_header=False, quote_style="non_numeric").encode())
