"""Applying a file's changes: rows are staged, then closed and opened by set; nothing is asked or written row by row.

History is never rewritten: an update closes the open row and opens another, both with the receipt and line that did it.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_bulk
from pisis_batch.adapters.sql_tables import entity, grant, link
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.model import Changes, Id

_LINK = ["primer_nombre", "primer_apellido", "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo"]
_STAGED = sa.Table(
    "staged",
    sa.MetaData(),
    sa.Column("line", sa.Integer),
    *(sa.Column(name, sa.Text) for name in ("tipo_id", "num_id", *_LINK, "aplicacion", "perfil")),
    prefixes=["TEMPORARY"],
)
sa.Index("ix_staged", _STAGED.c.tipo_id, _STAGED.c.num_id)
_WHO = ["tipo_id", "num_id"]
_PART = 100_000  # rows staged at a time


def apply(connection: sa.Connection, changes: Changes, who: Id, trail: Trail) -> None:
    """Write the changes of one receipt, with an entry of its trail for each, within the caller's transaction."""
    key = connection.scalar(sa.select(entity.c.id).where(entity.c.tipo_id == who.type, entity.c.num_id == who.number))
    if key is None:
        raise LookupError("the entity of an accepted file has left the registry")
    work = _Work(connection, key, trail)
    _STAGED.create(connection, checkfirst=False)
    for rows in _parts(changes.withdrawn):
        work.stage(rows, "retirar")
        work.close(grant, [*_WHO, "aplicacion"])
    for rows in _parts(changes.unlinked):
        work.stage(rows, "desvincular")
        work.close(grant, _WHO)  # also what was granted after the file was judged: no profile outlives its link
        work.close(link, _WHO)
    for rows in _parts(changes.updated):
        work.stage(rows, "actualizar")
        work.close(link, _WHO)
        work.open_links()
    for rows in _parts(changes.linked):
        work.open(link, rows.with_columns(correo_confirmado=pl.lit(value=False)), "vincular")
    held = work.any_open(grant)
    for rows in _parts(changes.assigned):
        if held:
            work.stage(rows)
            work.close(grant, [*_WHO, "aplicacion"])
        work.open(grant, rows, "asignar")
    _STAGED.drop(connection, checkfirst=False)


def _parts(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows in the order of their keys, so that the indexes grow at their end, a part at a time."""
    return rows.sort(_WHO).iter_slices(_PART) if rows.height else iter(())


class _Work:
    """The statements of one receipt, with what they have in common."""

    def __init__(self, connection: sa.Connection, key: int, trail: Trail) -> None:
        self.connection, self.key, self.trail = connection, key, trail
        self.guid, self.at = trail.guid, trail.at

    def stage(self, rows: pl.DataFrame, action: str | None = None) -> None:
        """Replace the staged rows, and write their audit."""
        self.connection.execute(_STAGED.delete())
        sql_bulk.insert(self.connection, _STAGED, rows)
        if action:
            self.trail.tell_lines(rows["line"], action)

    def any_open(self, table: sa.Table) -> bool:
        """Whether the entity has an open row at all."""
        found = sa.select(table.c.id).where(table.c.entity_id == self.key, table.c.valid_to.is_(None)).limit(1)
        return self.connection.scalar(found) is not None

    def _same(self, table: sa.Table, keys: list[str]) -> sa.ColumnElement[bool]:
        return sa.and_(*(table.c[key] == _STAGED.c[key] for key in keys))

    def close(self, table: sa.Table, keys: list[str]) -> None:
        """End the open rows that the staged ones name."""
        line = sa.select(_STAGED.c.line).where(self._same(table, keys)).limit(1).scalar_subquery()
        named = sa.exists(sa.select(_STAGED.c.line).where(self._same(table, keys)))
        self.connection.execute(
            table.update()
            .where(table.c.entity_id == self.key, table.c.valid_to.is_(None), named)
            .values(valid_to=self.at, to_guid=self.guid, to_line=line)
        )

    def open(self, table: sa.Table, rows: pl.DataFrame, action: str) -> None:
        """Begin a row for each, with its audit."""
        begun = rows.rename({"line": "from_line"})
        same: dict[str, str | int] = {"entity_id": self.key, "valid_from": self.at, "from_guid": self.guid}
        sql_bulk.insert(self.connection, table, begun, **same)
        self.trail.tell_lines(rows["line"], action)

    def open_links(self) -> None:
        """Begin a link for each staged row; an address stays confirmed when the row just closed had it confirmed."""
        confirmed = sa.exists(
            sa.select(link.c.id).where(
                self._same(link, _WHO),
                link.c.entity_id == self.key,
                link.c.to_guid == self.guid,
                link.c.correo_confirmado,
                sa.func.lower(link.c.correo) == sa.func.lower(_STAGED.c.correo),
            )
        )
        fixed = {"entity_id": self.key, "valid_from": self.at, "from_guid": self.guid}
        values: dict[str, sa.ColumnElement[Any]] = {
            **{name: sa.literal(value) for name, value in fixed.items()},
            "from_line": _STAGED.c.line,
            **{name: _STAGED.c[name] for name in [*_WHO, *_LINK]},
            "correo_confirmado": confirmed,
        }
        chosen = sa.select(*(value.label(name) for name, value in values.items()))
        self.connection.execute(link.insert().from_select(list(values), chosen))
