"""Statements written in SQL that both databases read: what a check asks, for which SQLAlchemy need not be loaded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

_PLACE = re.compile(r":(\w+)")


class Session(Protocol):
    """What a text is given to: a connection of SQLAlchemy's, or `Plain`."""

    @property
    def dialect(self) -> Any:
        """Has the database's name: "sqlite" or "postgresql"."""
        ...

    @property
    def connection(self) -> Any:
        """Has the driver's own connection."""
        ...


class TooPlainError(RuntimeError):
    """What is asked needs SQLAlchemy, and the session has only a driver behind it."""


class Plain:
    """A connection of SQLite's driver alone, as a session; it is in a transaction already."""

    name = "sqlite"

    def __init__(self, raw: Any) -> None:
        self.dbapi_connection = self.driver_connection = raw
        self.dialect = self.connection = self


@dataclass(frozen=True, eq=False)
class Text:
    """A statement. Each place for a value is written `:name`; `columns` are the names of its answer's.

    `truths`: columns of truth values, which SQLite keeps as numbers.
    """

    sql: str
    columns: tuple[str, ...] = ()
    truths: frozenset[str] = frozenset()

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The names of its values, in the order of their numbers."""
        return tuple(dict.fromkeys(_PLACE.findall(self.sql)))

    @cached_property
    def gathered(self) -> "Text":
        """The same answer as one JSON text, a list of lists. No truth values, and nothing but texts and numbers."""
        return Text(f"SELECT json_group_array(json_array({', '.join(self.columns)})) FROM ({self.sql})", ("rows",))  # noqa: S608 ours

    def numbered(self, sign: str) -> str:
        """The same with its places numbered."""
        return _PLACE.sub(lambda found: f"{sign}{self.places.index(found[1]) + 1}", self.sql)


def select(columns: Sequence[str], rest: str, truths: Sequence[str] = ()) -> Text:
    """SELECT these columns, each named without its table, and the rest of the statement."""
    names = tuple(column.rpartition(".")[2] for column in columns)
    return Text(f"SELECT {', '.join(columns)} {rest}", names, frozenset(truths))


def of(table: str, columns: Sequence[str]) -> list[str]:
    """Columns with their table."""
    return [f"{table}.{column}" for column in columns]
