"""Loading registry tables: upserts by key, in one transaction; users go through the same history as a file's."""

from collections.abc import Iterator
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pisis_batch.adapters.registry_csv import LoadError
from pisis_batch.adapters.sql_tables import entity, grant, link, period, person, profile
from pisis_batch.layouts import shelf

_TABLES = {"persons": person, "entities": entity, "profiles": profile, "periods": period}
_FLAGS = ("correo_confirmado", "activa", "habilitado")
_WHO = ["tipo_id", "num_id"]
_AT = ["entity_id", *_WHO]
_NAMES = ["primer_nombre", "primer_apellido"]
_LINK = [*_AT, *_NAMES, "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo", "correo_confirmado"]
ORIGIN = "registro"  # stands where a receipt's guid would: the row came by `registry load`


def load(connection: sa.Connection, table: str, rows: pl.DataFrame, at: str) -> int:
    """Upsert rows within the caller's transaction. Raises LoadError when users name an unknown entity."""
    if table == "users":
        return _load_users(connection, rows, at)
    flags = [pl.col(name) == "1" for name in _FLAGS if name in rows.columns]
    _upsert(connection, _TABLES[table], rows.drop("line").with_columns(flags).to_dicts())
    return rows.height


def _upsert(connection: sa.Connection, target: sa.Table, values: list[dict[str, Any]]) -> None:
    if not values:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(target)
    keys = next(list(key) for key in _keys(target) if set(key) <= set(values[0]))
    changed = {name: statement.excluded[name] for name in values[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), values)


def _keys(target: sa.Table) -> Iterator[list[str]]:
    """The columns of each constraint that makes a row unique."""
    for constraint in target.constraints:
        if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint):
            yield [column.name for column in constraint.columns]


def _read(connection: sa.Connection, query: sa.Select[Any], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=schema, orient="row")


def _load_users(connection: sa.Connection, rows: pl.DataFrame, at: str) -> int:
    """Close each link that differs and open the loaded one; whoever had no link receives the default profile."""
    entities = _read(
        connection,
        sa.select(entity.c.id, entity.c.tipo_id, entity.c.num_id),
        {"entity_id": pl.Int64, "entidad_tipo_id": pl.String, "entidad_num_id": pl.String},
    )
    keyed = rows.join(entities, on=["entidad_tipo_id", "entidad_num_id"], how="left", maintain_order="left")
    strange = keyed.filter(pl.col("entity_id").is_null())
    if strange.height:
        raise LoadError(
            [f"línea {line}: la entidad no está registrada; cargue primero entities" for line in strange["line"]]
        )
    current = _read(
        connection,
        sa.select(*(link.c[name] for name in _LINK)).where(link.c.valid_to.is_(None)),
        {**dict.fromkeys(_LINK, pl.String), "entity_id": pl.Int64, "correo_confirmado": pl.Boolean},
    )
    wanted = _named(connection, keyed, current).with_columns(correo_confirmado=pl.lit(value=True)).select(_LINK)
    differing = wanted.join(current, on=_LINK, how="anti")
    if differing.height:
        _replace_links(connection, differing, at)
    _give_default(connection, wanted.join(current, on=_AT, how="anti").select(_AT), at)
    return rows.height


def _named(connection: sa.Connection, rows: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Names as Mi Seguridad Social has them; else as the open link has them, for a load does not state any."""
    query = sa.select(*(person.c[name] for name in (*_WHO, *_NAMES)))
    people = _read(connection, query, dict.fromkeys([*_WHO, *_NAMES], pl.String))
    known = rows.join(people, on=_WHO, how="left").join(
        current.select(*_AT, *_NAMES), on=_AT, how="left", suffix="_linked"
    )
    return known.with_columns(pl.coalesce(name, f"{name}_linked", pl.lit("")).alias(name) for name in _NAMES)


def _replace_links(connection: sa.Connection, rows: pl.DataFrame, at: str) -> None:
    same = sa.and_(*(link.c[name] == sa.bindparam(f"the_{name}") for name in _AT))
    closed = link.update().where(same, link.c.valid_to.is_(None)).values(valid_to=at, to_guid=ORIGIN)
    connection.execute(closed, rows.select(pl.col(_AT).name.prefix("the_")).to_dicts())
    opened = rows.with_columns(valid_from=pl.lit(at), from_guid=pl.lit(ORIGIN))
    connection.execute(link.insert(), opened.to_dicts())


def _give_default(connection: sa.Connection, users: pl.DataFrame, at: str) -> None:
    default = next((layout.effect.default_profile for layout in shelf() if layout.effect.default_profile), None)
    if default is None:
        return
    held = sa.select(*(grant.c[name] for name in _AT)).where(
        grant.c.valid_to.is_(None), grant.c.aplicacion == default.application
    )
    have = _read(connection, held, {**dict.fromkeys(_AT, pl.String), "entity_id": pl.Int64})
    given = users.join(have, on=_AT, how="anti").with_columns(
        aplicacion=pl.lit(default.application),
        perfil=pl.lit(default.profile),
        valid_from=pl.lit(at),
        from_guid=pl.lit(ORIGIN),
    )
    if given.height:
        connection.execute(grant.insert(), given.to_dicts())
