"""Some rows in one statement on PostgreSQL: a statement for each would cost more than the rows do.

Texts, numbers and truths travel as one JSON value, which costs the least to make and to read; bytes as an array.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, overload

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters.sql_dialects import dialect
from pisis_batch.frames import Few

#: PostgreSQL's text cannot hold the character NUL; this is how it is shown there.
_NUL, _SHOWN = "\x00", "\N{SYMBOL FOR NULL}"
_ESCAPED = "\\u0000"


def inserting(table: Any, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    """The statement that inserts some rows, which all name the same columns, in their order; and its values."""
    names = tuple(rows[0])
    of_bytes = tuple(name for name in names if isinstance(table.c[name].type, sa.LargeBinary))
    others = tuple(name for name in names if name not in of_bytes)
    said = json.dumps([{name: row[name] for name in others} for row in rows])
    return _inserting(table, others, of_bytes), [said, *([row[name] for row in rows] for name in of_bytes)]


def inserting_table(table: Any, rows: Few | pl.DataFrame, fixed: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The same of a table, whose columns are named as the table's; `fixed`: columns of one value."""
    return _inserting(table, tuple(rows.columns), (), tuple(fixed)), [told(rows), *fixed.values()]


def told(rows: Few | pl.DataFrame) -> str:
    """A table as one JSON value, each row by its columns' names."""
    if isinstance(rows, Few):
        return json.dumps([dict(zip(rows.columns, row, strict=True)) for row in without_nul(rows).rows()])
    said = rows.write_json()
    return without_nul(rows).write_json() if _ESCAPED in said else said


@overload
def without_nul(rows: Few) -> Few: ...
@overload
def without_nul(rows: pl.DataFrame) -> pl.DataFrame: ...
def without_nul(rows: Few | pl.DataFrame) -> Few | pl.DataFrame:
    """Texts as PostgreSQL can hold them, with a sign in the place of each NUL."""
    if isinstance(rows, Few):
        return Few(rows.columns, [tuple(map(_shown, row)) for row in rows.rows()])
    return rows.with_columns(pl.col(pl.String).str.replace_all(_NUL, _SHOWN, literal=True))


def _shown(value: object) -> object:
    return value.replace(_NUL, _SHOWN) if isinstance(value, str) else value


@lru_cache(maxsize=128)
def _inserting(table: Any, names: tuple[str, ...], of_bytes: tuple[str, ...], fixed: tuple[str, ...] = ()) -> str:
    told = ", ".join(f"{_quoted(name)} {_type(table, name)}" for name in names)
    arrays = "".join(f", unnest(${place}::bytea[])" for place, _ in enumerate(of_bytes, 2))
    same = "".join(f", ${place}::{_type(table, name)}" for place, name in enumerate(fixed, 2 + len(of_bytes)))
    columns = ", ".join(map(_quoted, (*names, *of_bytes, *fixed)))
    source = f"ROWS FROM (json_to_recordset($1::json) AS ({told}){arrays})"
    return f"INSERT INTO {_quoted(table.name)} ({columns}) SELECT told.*{same} FROM {source} told"  # noqa: S608 ours


def _type(table: Any, name: str) -> str:
    return str(table.c[name].type.compile(dialect=dialect("postgresql")))


def _quoted(name: str) -> str:
    return str(dialect("postgresql").identifier_preparer.quote(name))
