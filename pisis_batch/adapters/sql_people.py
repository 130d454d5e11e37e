"""People and entities as `pisis registry show` tells them, today or on another day."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from pisis_batch.adapters.sql_facts import registered_entity
from pisis_batch.adapters.sql_tables import entity, grant, link, person, profile
from pisis_batch.model import Id, RegisteredEntity

_NAMES = ("primer_nombre", "primer_apellido")
_HISTORY = ("valid_from", "valid_to", "from_guid", "from_line", "to_guid", "to_line")


def _in_force(table: sa.Table, as_of: date | None) -> sa.ColumnElement[bool]:
    """Rows valid at the end of a day; every row, past ones too, when no day is given."""
    if as_of is None:
        return sa.true()
    end = f"{as_of.isoformat()}T23:59:59.999999"
    return (table.c.valid_from <= end) & (table.c.valid_to.is_(None) | (table.c.valid_to > end))


def user(connection: sa.Connection, id_: Id, as_of: date | None) -> dict[str, Any] | None:
    """A person's identity, links and profiles. None when nothing is known of the number."""
    known = connection.execute(
        sa.select(person).where(person.c.tipo_id == id_.type, person.c.num_id == id_.number)
    ).one_or_none()
    links = _rows(
        connection, link, id_, as_of, (*_NAMES, "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo")
    )
    grants = _rows(connection, grant, id_, as_of, ("aplicacion", "perfil"))
    if known is None and not links and not grants:
        return None
    names = sa.select(profile.c.codigo, profile.c.cod_aplicacion, profile.c.nombre)
    catalog = {(row.codigo, row.cod_aplicacion): row.nombre for row in connection.execute(names)}
    for row in grants:
        row["nombre"] = catalog.get((row["perfil"], row["aplicacion"]), "")
    # whoever is not in Mi Seguridad Social is called as the latest file did
    names_reported = [" ".join(filter(None, [row.pop(name) for name in _NAMES])) for row in links]
    reported = next(filter(None, reversed(names_reported)), "")
    parts = ("primer_nombre", "segundo_nombre", "primer_apellido", "segundo_apellido")
    return {
        "id": str(id_),
        "nombre": " ".join(filter(None, (getattr(known, part) for part in parts))) if known else reported,
        "correo_personal": known.correo_personal if known else "",
        "links": links,
        "grants": grants,
    }


def _rows(
    connection: sa.Connection, table: sa.Table, id_: Id, as_of: date | None, columns: tuple[str, ...]
) -> list[dict[str, Any]]:
    query = (
        sa.select(
            (entity.c.tipo_id + " " + entity.c.num_id).label("entity"),
            entity.c.razon_social,
            *(table.c[name] for name in (*columns, *_HISTORY)),
        )
        .join(entity, entity.c.id == table.c.entity_id)
        .where(table.c.tipo_id == id_.type, table.c.num_id == id_.number, _in_force(table, as_of))
        .order_by(table.c.valid_from, table.c.valid_to.asc().nulls_last(), table.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def entity_with_users(
    connection: sa.Connection, id_: Id, as_of: date | None
) -> tuple[RegisteredEntity, list[dict[str, Any]]] | None:
    """An entity and its users in force, each with the profiles held there."""
    found = registered_entity(connection, id_)
    if found is None:
        return None
    key, known = found
    day = (lambda table: _in_force(table, as_of)) if as_of else (lambda table: table.c.valid_to.is_(None))
    links = connection.execute(
        sa.select(link).where(link.c.entity_id == key, day(link)).order_by(link.c.tipo_id, link.c.num_id)
    ).mappings()
    users = {(row["tipo_id"], row["num_id"]): {**row, "perfiles": []} for row in links}
    held = sa.select(grant).where(grant.c.entity_id == key, day(grant)).order_by(grant.c.aplicacion)
    for row in connection.execute(held):
        if (row.tipo_id, row.num_id) in users:
            users[row.tipo_id, row.num_id]["perfiles"].append(f"{row.aplicacion}/{row.perfil}")
    return known, list(users.values())
