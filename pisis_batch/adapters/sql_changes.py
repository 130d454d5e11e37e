"""Applying a file's changes: rows are staged, then closed and opened by set; nothing is asked or written row by row.

History is never rewritten. Where a row is replaced, what it said stays in a closed copy, with the receipt and line that
ended it, and the open row itself says the new: its keys stay, so that no index is touched but those of the copy.
"""

from functools import cache
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_bulk
from pisis_batch.adapters.sql_ready import at_most, execute
from pisis_batch.adapters.sql_tables import entity, grant, link
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.frames import Few
from pisis_batch.model import Changes, Id

_LINK = ["primer_nombre", "primer_apellido", "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo"]
_STAGED = sa.Table(
    "staged",
    sa.MetaData(),
    sa.Column("line", sa.Integer),
    sa.Column("entity_id", sa.Integer),
    *(sa.Column(name, sa.Text) for name in ("tipo_id", "num_id", *_LINK, "aplicacion", "perfil")),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_WHO = ("tipo_id", "num_id")
#: Statements are made once, with places for what changes: to put one together takes ten times as long as to run it.
_KEY = (
    sa.select(entity.c.id)
    .where(entity.c.tipo_id == sa.bindparam("kind"), entity.c.num_id == sa.bindparam("number"))
    .with_for_update(read=True, key_share=True)  # nobody takes the entity away from under the rows that name it
)
_ANY_OPEN = {
    table: sa.select(table.c.id)
    .where(table.c.entity_id == sa.bindparam("key"), table.c.valid_to.is_(None))
    .limit(at_most(1))
    for table in (link, grant)
}
#: The least and the greatest keys of what is staged, as the database orders them.
_ENDS: dict[str, Any] = {"from": sa.func.min, "to": sa.func.max}
_STRETCH = sa.select(*(told(_STAGED.c[name]).label(f"{end}_{name}") for end, told in _ENDS.items() for name in _WHO))


def apply(connection: sa.Connection, changes: Changes, who: Id, trail: Trail) -> None:
    """Write the changes of one receipt, with an entry of its trail for each, within the caller's transaction.

    Rows come in the order of their keys, so that the indexes grow at their end, some at a time.
    """
    key = execute(connection, _KEY, {"kind": who.type, "number": who.number}).scalar()
    if key is None:
        raise LookupError("the entity of an accepted file has left the registry")
    work = _Work(connection, key, trail)
    with sql_bulk.room(connection, _rows(changes)), sql_bulk.staging(connection, _STAGED):
        for rows in changes.ordered("withdrawn"):
            work.stage(rows, "retirar")
            work.close(grant, (*_WHO, "aplicacion"))
        for rows in changes.ordered("unlinked"):
            work.stage(rows, "desvincular")
            work.close(grant, _WHO)  # also what was granted after the file was judged: no profile outlives its link
            work.close(link, _WHO)
        for rows in changes.ordered("updated"):
            work.stage(rows, "actualizar")
            work.replace(link)
        for rows in changes.ordered("linked"):
            work.open(link, rows, "vincular")
        held = work.any_open(grant)
        for rows in changes.ordered("assigned"):
            if not held:
                work.open(grant, rows, "asignar")
                continue
            work.stage(rows, "asignar")
            work.replace(grant)


def _rows(changes: Changes) -> int:
    return sum(changes.counts().values())


class _Work:
    """The statements of one receipt, with what they have in common."""

    def __init__(self, connection: sa.Connection, key: int, trail: Trail) -> None:
        self.connection, self.key, self.trail = connection, key, trail
        self.guid, self.at = trail.guid, trail.at
        self.staged = 0
        self.stretch: dict[str, Any] = {}

    def stage(self, rows: Few | pl.DataFrame, action: str) -> None:
        """Replace the staged rows, and write their audit."""
        sql_bulk.emptied(self.connection, _STAGED, self.staged)
        sql_bulk.insert(self.connection, _STAGED, rows, entity_id=self.key)
        self.staged = rows.height
        many = sql_bulk.is_stretch(self.connection, rows.height)
        self.stretch = {"of": self.key, **execute(self.connection, _STRETCH).one()._asdict()} if many else {}
        self.trail.tell_lines(rows["line"], action)

    def any_open(self, table: sa.Table) -> bool:
        """Whether the entity has an open row at all."""
        return execute(self.connection, _ANY_OPEN[table], {"key": self.key}).scalar() is not None

    def close(self, table: sa.Table, keys: tuple[str, ...]) -> None:
        """End the open rows that the staged ones name."""
        values = {"at": self.at, "mine": self.guid, **self.stretch}
        execute(self.connection, _closing(table, keys, stretched=bool(self.stretch)), values)

    def open(self, table: sa.Table, rows: Few | pl.DataFrame, action: str) -> None:
        """Begin a row for each, with its audit."""
        begun = rows.rename({"line": "from_line"})
        same: dict[str, str | int] = {"entity_id": self.key, "valid_from": self.at, "from_guid": self.guid}
        sql_bulk.insert(self.connection, table, begun, **same)
        self.trail.tell_lines(rows["line"], action)

    def replace(self, table: sa.Table) -> None:
        """Have the open rows say what is staged, with a closed copy of what each said; begin those that are missing."""
        values = {"at": self.at, "mine": self.guid, **self.stretch}
        stretched = bool(self.stretch)
        copied = execute(self.connection, _copying(table, stretched=stretched), values).rowcount
        if copied:
            execute(self.connection, _restating(table, stretched=stretched), values)
        if copied < self.staged:
            execute(self.connection, _opening(table, stretched=stretched), {**values, "key": self.key})


def _same(table: sa.Table, keys: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[key] == _STAGED.c[key] for key in keys))


def _within(table: sa.Table) -> sa.ColumnElement[bool]:
    """The people of the entity `of` from the first to the last of those that are staged: a stretch of the index.

    The server does not know how many rows this transaction has written: it takes them for few and looks through all.
    """
    who = sa.tuple_(*(table.c[name] for name in _WHO))
    least, most = (sa.tuple_(*(sa.bindparam(f"{end}_{name}", type_=sa.Text) for name in _WHO)) for end in _ENDS)
    return sa.and_(table.c.entity_id == sa.bindparam("of", type_=sa.Integer), who >= least, who <= most)


@cache
def _closing(table: sa.Table, keys: tuple[str, ...], *, stretched: bool) -> sa.Update:
    """End the open rows that the staged ones name: at `at`, by the receipt `mine`.

    The entity is staged too, so that the open rows are found by their index: else every part would look through all.
    """
    return (
        table.update()
        .where(table.c.valid_to.is_(None), _same(table, ("entity_id", *keys)), *([_within(table)] if stretched else []))
        .values(valid_to=sa.bindparam("at"), to_guid=sa.bindparam("mine"), to_line=_STAGED.c.line)
    )


#: What is staged of a row to be opened.
_SAID = {link: _LINK, grant: ("perfil",)}
_OPENED = {link: _WHO, grant: (*_WHO, "aplicacion")}


def _open(table: sa.Table, *, stretched: bool) -> sa.ColumnElement[bool]:
    """The open row of a staged one."""
    found = [table.c.valid_to.is_(None), _same(table, ("entity_id", *_OPENED[table]))]
    return sa.and_(*found, _within(table)) if stretched else sa.and_(*found)


@cache
def _copying(table: sa.Table, *, stretched: bool) -> sa.Insert:
    """A copy of the open row of each staged one, closed at `at` by the receipt `mine`."""
    ended = {
        "valid_to": sa.bindparam("at", type_=sa.Text),
        "to_guid": sa.bindparam("mine", type_=sa.Text),
        "to_line": _STAGED.c.line,
    }
    values = {name: ended.get(name, column) for name, column in table.c.items() if name != "id"}
    chosen = sa.select(*(value.label(name) for name, value in values.items())).join(
        _STAGED, _open(table, stretched=stretched)
    )
    return table.insert().from_select(list(values), chosen)


@cache
def _restating(table: sa.Table, *, stretched: bool) -> sa.Update:
    """Have the open row of each staged one say what is staged, from `at` on, by the receipt `mine`."""
    said: dict[str, Any] = {name: _STAGED.c[name] for name in _SAID[table]}
    if table is link:  # an address is confirmed as long as it stays the same
        same = sa.func.lower(link.c.correo) == sa.func.lower(_STAGED.c.correo)
        said["correo_confirmado"] = sa.and_(link.c.correo_confirmado, same)
    begun = {"valid_from": sa.bindparam("at"), "from_guid": sa.bindparam("mine"), "from_line": _STAGED.c.line}
    return table.update().where(_open(table, stretched=stretched)).values(**said, **begun)


@cache
def _opening(table: sa.Table, *, stretched: bool) -> sa.Insert:
    """Begin a row of the entity `key` for each staged one that has none open; at `at`, by the receipt `mine`."""
    values: dict[str, sa.ColumnElement[Any]] = {
        "entity_id": sa.bindparam("key", type_=sa.Integer),
        "valid_from": sa.bindparam("at", type_=sa.Text),
        "from_guid": sa.bindparam("mine", type_=sa.Text),
        "from_line": _STAGED.c.line,
        **{name: _STAGED.c[name] for name in (*_OPENED[table], *_SAID[table])},
    }
    chosen = sa.select(*(value.label(name) for name, value in values.items()))
    return table.insert().from_select(list(values), chosen.where(~sa.exists().where(_open(table, stretched=stretched))))
