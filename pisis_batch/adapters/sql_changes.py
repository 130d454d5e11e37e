"""Applying a file's changes: rows are staged, then closed and opened by set; nothing is asked or written row by row.

History is never rewritten: an update closes the open row and opens another, both with the receipt and line that did it.
"""

from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_bulk
from pisis_batch.adapters.sql_tables import audit, entity, grant, link
from pisis_batch.model import Changes, Id

_LINK = ["primer_nombre", "primer_apellido", "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo"]
_STAGED = sa.Table(
    "staged",
    sa.MetaData(),
    sa.Column("line", sa.Integer),
    *(sa.Column(name, sa.Text) for name in ("tipo_id", "num_id", *_LINK, "aplicacion", "perfil")),
    prefixes=["TEMPORARY"],
)
_WHO = ["tipo_id", "num_id"]


def apply(connection: sa.Connection, changes: Changes, who: Id, guid: str, at: str) -> None:
    """Write the changes of one receipt, with an audit row for each, within the caller's transaction."""
    key = connection.scalar(sa.select(entity.c.id).where(entity.c.tipo_id == who.type, entity.c.num_id == who.number))
    if key is None:
        raise LookupError("the entity of an accepted file has left the registry")
    work = _Work(connection, key, guid, at)
    _STAGED.create(connection, checkfirst=False)
    connection.execute(sa.text("CREATE INDEX ix_staged ON staged (tipo_id, num_id)"))
    work.stage(changes.withdrawn, "retirar")
    work.close(grant, [*_WHO, "aplicacion"])
    work.stage(changes.unlinked, "desvincular")
    work.close(grant, _WHO)  # also what was granted after the file was judged: no profile outlives its link
    work.close(link, _WHO)
    work.stage(changes.updated, "actualizar")
    work.close(link, _WHO)
    work.open_links()
    work.stage(changes.linked, "vincular")
    work.open_links()
    work.stage(changes.assigned, "asignar")
    work.close(grant, [*_WHO, "aplicacion"])
    work.open(grant, [*_WHO, "aplicacion", "perfil"])
    _STAGED.drop(connection, checkfirst=False)


class _Work:
    """The statements of one receipt, with what they have in common."""

    def __init__(self, connection: sa.Connection, key: int, guid: str, at: str) -> None:
        self.connection, self.key, self.guid, self.at = connection, key, guid, at

    def stage(self, rows: pl.DataFrame, action: str) -> None:
        """Replace the staged rows, and write their audit."""
        self.connection.execute(_STAGED.delete())
        if rows.is_empty():
            return
        ordered = rows.sort(_WHO)  # in key order the indexes grow at their end
        sql_bulk.insert(self.connection, _STAGED, ordered)
        told = rows.select("line", at=pl.lit(self.at), guid=pl.lit(self.guid), action=pl.lit(action))
        sql_bulk.insert(self.connection, audit, told)

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

    def open(self, table: sa.Table, columns: list[str], **more: sa.ColumnElement[Any]) -> None:
        """Begin a row for each staged one."""
        fixed = {"entity_id": self.key, "valid_from": self.at, "from_guid": self.guid}
        values = {
            **{name: sa.literal(value) for name, value in fixed.items()},
            "from_line": _STAGED.c.line,
            **{name: _STAGED.c[name] for name in columns},
            **more,
        }
        chosen = sa.select(*(value.label(name) for name, value in values.items()))
        self.connection.execute(table.insert().from_select(list(values), chosen))

    def open_links(self) -> None:
        """Begin links; an address stays confirmed when the row just closed had the same one confirmed."""
        confirmed = sa.exists(
            sa.select(link.c.id).where(
                self._same(link, _WHO),
                link.c.entity_id == self.key,
                link.c.to_guid == self.guid,
                link.c.correo_confirmado,
                sa.func.lower(link.c.correo) == sa.func.lower(_STAGED.c.correo),
            )
        )
        self.open(link, [*_WHO, *_LINK], correo_confirmado=confirmed)
