"""Statements of a small file, made once and given to the database's driver as they are.

What SQLAlchemy does around a statement each time costs ten times what SQLite takes to run it, and five times what
psycopg and PostgreSQL take together for one that is prepared; there are fifty for a file.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import chain, compress
from typing import TYPE_CHECKING, Any

from pisis_batch.adapters import sql_values
from pisis_batch.adapters.sql_text import Plain, Session, Text

if TYPE_CHECKING:
    import sqlalchemy as sa

Values = dict[str, Any]
_Change = Callable[[Any], Any]
_NONE: Values = {}
_HEAVY = 1024 * 1024  # bytes of the contents of some rows together


def at_most(many: int) -> sa.ColumnElement[int]:
    """A limit that is written out: with one that is a value SQLite and PostgreSQL plan the statement anew each time."""
    import sqlalchemy as sa  # noqa: PLC0415 a text needs none

    return sa.literal_column(str(many), sa.Integer)


class _Made:
    """A statement's text, where each of its values goes, and how values and rows are turned."""

    def __init__(self, statement: sa.Executable | Text, names: tuple[str, ...], dialect: str) -> None:
        self._into: str | None = None
        self._bytes: list[int] = []
        if isinstance(statement, Text):
            self._of_text(statement, names, dialect)
        else:
            self._compiled(statement, names, dialect)

    def _of_text(self, statement: Text, names: tuple[str, ...], dialect: str) -> None:
        self.text = statement.numbered("?" if dialect == "sqlite" else "$")
        self._given: dict[str, Any] = {}
        self._places: list[tuple[str, _Change | None]] = [(name, None) for name in statement.places]
        self._as_given = statement.places == names
        self._named: _Change = _row(statement.columns)
        truths = [] if dialect == "postgresql" else [statement.columns.index(name) for name in statement.truths]
        self._changes: list[tuple[int, _Change]] = [(place, bool) for place in truths]

    def _compiled(self, statement: sa.Executable, names: tuple[str, ...], dialect: str) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 a text needs none

        from pisis_batch.adapters import sql_dialects  # noqa: PLC0415 as above

        spoken = sql_dialects.dialect(dialect)
        compiled: Any = statement.compile(dialect=spoken, column_keys=list(names) or None)  # type: ignore[attr-defined]  # every one has it
        asked = dict.fromkeys(name for name, bind in compiled.binds.items() if bind.required)
        state = compiled.construct_expanded_state(asked)  # a list of its own is written out, place by place
        known = {**compiled.construct_params(asked), **state.additional_parameters}
        self.text = state.statement
        self._given = {name: value for name, value in known.items() if name not in asked}
        turn = {**compiled._bind_processors, **state.processors}  # noqa: SLF001 nobody else knows how
        self._places = [(name, turn.get(name)) for name in state.positiontup or ()]
        self._as_given = [name for name, _ in self._places] == list(names) and not any(map(turn.get, names))
        columns = compiled._result_columns or ()  # noqa: SLF001 as above
        self._named = _row([column.keyname for column in columns])
        if dialect == "postgresql":
            columns = []  # psycopg gives values as they are wanted
        changes = [column.type.dialect_impl(spoken).result_processor(spoken, None) for column in columns]
        self._changes = [(n, change) for n, change in enumerate(changes) if change]
        into, values, rest = self.text.partition(f" VALUES ({', '.join('?' * len(self._places))})")
        if values and not rest:
            self._into = into
            is_bytes = [isinstance(compiled.binds[name].type, sa.LargeBinary) for name, _ in self._places]
            self._bytes = list(compress(range(len(is_bytes)), is_bytes))

    def bound(self, values: Values) -> list[Any]:
        """Values in the order of the text."""
        if self._as_given:
            return list(values.values())
        given = {**self._given, **values}
        return [change(given[name]) if change else given[name] for name, change in self._places]

    def into(self, rows: list[list[Any]]) -> str | None:
        """The part before its values of an insert of which SQLite is given several rows at once; None of any other.

        The driver holds a copy of what a statement was given until it is given something else: much goes row by row.
        """
        heavy = self._bytes and sum([len(row[place] or b"") for row in rows for place in self._bytes]) > _HEAVY
        return None if heavy else self._into

    def row(self, raw: Sequence[Any]) -> Any:
        """A row of the driver with names."""
        return self._named(self.plain(raw))

    def plain(self, raw: Sequence[Any]) -> Sequence[Any]:
        """A row of the driver, without names."""
        if not self._changes:
            return raw
        changed = list(raw)
        for place, change in self._changes:
            changed[place] = change(changed[place])
        return changed


def _row(columns: Sequence[str]) -> _Change:
    row: Any = namedtuple("Row", columns, rename=True)  # type: ignore[misc]  # noqa: PYI024 names are known only now
    make: _Change = row._make
    return make


class Answer:
    """The part of `sa.CursorResult` that is needed, over the driver's own cursor."""

    def __init__(self, cursor: Any, made: _Made) -> None:
        self._cursor, self._made = cursor, made

    @property
    def rowcount(self) -> int:
        """Rows that were changed; of an insert of several nobody asks."""
        return int(self._cursor.rowcount)

    def __iter__(self) -> Iterator[Any]:
        """Rows, each a named tuple."""
        return map(self._made.row, self._cursor)

    def all(self) -> list[Any]:
        """All rows."""
        return list(self)

    def plain(self, size: int) -> Iterator[list[Sequence[Any]]]:
        """All rows, so many at a time, as sequences without names."""
        while rows := self._cursor.fetchmany(size):
            yield [self._made.plain(row) for row in rows]

    def first(self) -> Any:
        """The first row, or None; the others are not looked at."""
        found = next(iter(self), None)
        self._cursor.close()
        return found

    def one_or_none(self) -> Any:
        """The only row, or None. Raises MultipleResultsFound when there are others."""
        rows = self.all()
        if len(rows) > 1:
            from sqlalchemy.exc import MultipleResultsFound  # noqa: PLC0415 it hardly ever happens

            raise MultipleResultsFound
        return rows[0] if rows else None

    def one(self) -> Any:
        """The only row. Raises NoResultFound when there is none."""
        found = self.one_or_none()
        if found is None:
            from sqlalchemy.exc import NoResultFound  # noqa: PLC0415 it hardly ever happens

            raise NoResultFound
        return found

    def scalar(self) -> Any:
        """The first cell of the first row, or None."""
        found = self.first()
        return None if found is None else found[0]

    def scalar_one(self) -> Any:
        """The first cell of the only row."""
        return self.one()[0]

    def scalars(self) -> Iterator[Any]:
        """The first cell of each row."""
        return (row[0] for row in self)


class _Gathered(Answer):
    """An answer that came as one JSON text (`Text.gathered`)."""

    def plain(self, size: int) -> Iterator[list[Sequence[Any]]]:
        """As of any answer."""
        rows = json.loads(self.scalar())
        for start in range(0, len(rows), size):
            yield rows[start : start + size]


@lru_cache(maxsize=512)
def _made(statement: sa.Executable | Text, names: tuple[str, ...], dialect: str) -> _Made:
    return _Made(statement, names, dialect)


def execute(connection: Session, statement: sa.Executable | Text, values: Values | list[Values] = _NONE) -> Answer:
    """Run a statement that is kept somewhere, with its values, or once for each of several sets of them.

    Raises what SQLAlchemy raises. Only on PostgreSQL may a value be a list: an array.
    """
    dialect = connection.dialect.name
    if isinstance(values, dict):
        made = _made(statement, tuple(values), dialect)
        return Answer(driven(connection, made.text, made.bound(values)), made)
    made = _made(statement, tuple(values[0]), dialect)
    if dialect == "postgresql" and getattr(statement, "is_insert", False):
        from pisis_batch.adapters import sql_rows  # noqa: PLC0415 it loads what a text does not need

        text, arrays = sql_rows.inserting(statement.table, values)  # type: ignore[union-attr]  # an insert has one
        return Answer(driven(connection, text, arrays), made)
    rows = [made.bound(one) for one in values]
    into = made.into(rows) if dialect == "sqlite" else None
    if into is not None:
        return Answer(inserted(connection, into, rows), made)
    return Answer(driven(connection, made.text, rows, many=True), made)


def inserted(connection: Session, into: str, rows: Sequence[Sequence[Any]], same: Sequence[Any] = ()) -> Any:
    """Insert rows into SQLite in their order, in a few statements; the last one's cursor.

    `into`: "INSERT INTO" a table with its columns, those of the `same` value in all rows first.
    """
    raw: Any = connection.connection.dbapi_connection
    cursor: Any = None
    try:
        for text, start, end in sql_values.texts(into, len(same), len(rows[0]), len(rows)) if rows else ():
            cursor = raw.execute(text, [*same, *chain.from_iterable(rows[start:end])])
    except raw.Error as error:
        raise _wrapped(connection, into, error) from error
    return cursor


def gather(connection: Session, text: Text, values: Values = _NONE) -> Answer:
    """As `execute`, for an answer of some rows that only `plain` is asked of.

    From SQLite they come in one step: its driver lets other threads in at each row, and then waits for its turn.
    """
    if connection.dialect.name != "sqlite":
        return execute(connection, text, values)
    made = _made(text.gathered, tuple(values), "sqlite")
    return _Gathered(driven(connection, made.text, made.bound(values)), made)


@contextmanager
def together(connection: Session) -> Iterator[None]:
    """On PostgreSQL the block's statements go out one behind the other: none waits for the answer to the one before.

    Only `execute` within, and no `rowcount`; what fails is raised at the end of the block, or where it is looked at.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    raw: Any = connection.connection.driver_connection
    try:
        with raw.pipeline():
            yield
    except raw.Error as error:
        raise _wrapped(connection, "", error) from error


def driven(connection: Session, text: str, values: Sequence[Any] = (), *, many: bool = False) -> Any:
    """Give the driver a text and its values, or many sets of them; its cursor. Raises what SQLAlchemy raises."""
    raw: Any = connection.connection.dbapi_connection  # the driver's own: none of ours is asynchronous
    on_server = connection.dialect.name == "postgresql"
    try:
        if not on_server:
            return raw.executemany(text, values) if many else raw.execute(text, values)
        cursor = _cursor()(raw)
        return cursor.executemany(text, values) if many else cursor.execute(text, values, prepare=True)
    except raw.Error as error:
        raise _wrapped(connection, text, error) from error


def _wrapped(connection: Session, text: str, error: Exception) -> Exception:
    """An error of the driver as SQLAlchemy would raise it; a session that broke is given up."""
    if isinstance(connection, Plain):
        return error
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 it hardly ever happens

    raw: Any = connection.connection.driver_connection
    lost = connection.dialect.name == "postgresql" and bool(raw.closed or raw.broken)
    if lost:
        connection.invalidate(error)  # type: ignore[attr-defined]  # only SQLAlchemy speaks to PostgreSQL
    made: Exception = DBAPIError.instance(
        text, None, error, raw.Error, hide_parameters=True, connection_invalidated=lost, dialect=connection.dialect
    )
    return made


@cache
def _cursor() -> Any:
    """Psycopg's cursor for texts with places as the server numbers them."""
    from psycopg import RawCursor  # noqa: PLC0415 only who has a PostgreSQL has its driver

    return RawCursor
