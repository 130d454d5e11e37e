"""Loading registry tables: upserts by key, in one transaction; users go through the same history as a file's."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pisis_batch.adapters.registry_csv import LoadError
from pisis_batch.adapters.sql_tables import entity, grant, link, period, person, profile
from pisis_batch.layouts import shelf

_TABLES = {"persons": person, "entities": entity, "profiles": profile, "periods": period}
_FLAGS = ("correo_confirmado", "activa", "habilitado")
ORIGIN = "registro"  # stands where a receipt's guid would: the row came by `registry load`


def load(connection: sa.Connection, table: str, rows: pl.DataFrame, at: str) -> int:
    """Upsert rows within the caller's transaction. Raises LoadError when users name an unknown entity."""
    if table == "users":
        return _load_users(connection, rows, at)
    target = _TABLES[table]
    flags = [pl.col(name) == "1" for name in _FLAGS if name in rows.columns]
    values = rows.drop("line").with_columns(flags).to_dicts()
    if table == "periods":
        connection.execute(period.delete().where(period.c.anexo.in_(rows["anexo"].unique().to_list())))
        connection.execute(period.insert(), values)
        return len(values)
    keys = ["codigo", "cod_aplicacion"] if table == "profiles" else ["tipo_id", "num_id"]
    _upsert(connection, target, keys, values)
    return len(values)


def _upsert(connection: sa.Connection, target: sa.Table, keys: Sequence[str], values: list[dict[str, Any]]) -> None:
    if not values:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(target)
    changed = {name: statement.excluded[name] for name in values[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed), values)


def _load_users(connection: sa.Connection, rows: pl.DataFrame, at: str) -> int:
    known = {
        (row.tipo_id, row.num_id): row.id
        for row in connection.execute(sa.select(entity.c.id, entity.c.tipo_id, entity.c.num_id))
    }
    keyed = rows.with_columns(
        entity_id=pl.struct("entidad_tipo_id", "entidad_num_id").map_elements(
            lambda who: known.get((who["entidad_tipo_id"], who["entidad_num_id"])), return_dtype=pl.Int64
        )
    )
    strange = keyed.filter(pl.col("entity_id").is_null())
    if strange.height:
        raise LoadError(
            [f"línea {line}: la entidad no está registrada; cargue primero entities" for line in strange["line"]]
        )
    names = sa.select(person.c.tipo_id, person.c.num_id, person.c.primer_nombre, person.c.primer_apellido)
    people = pl.DataFrame(
        [tuple(row) for row in connection.execute(names)],
        schema=dict.fromkeys(["tipo_id", "num_id", "primer_nombre", "primer_apellido"], pl.String),
        orient="row",
    )
    full = keyed.join(people, on=["tipo_id", "num_id"], how="left").with_columns(
        pl.col("primer_nombre", "primer_apellido").fill_null("")
    )
    _open_links(connection, full, at)
    return rows.height


def _open_links(connection: sa.Connection, rows: pl.DataFrame, at: str) -> None:
    """Close each differing open link and open the loaded one; a user without the default profile receives it."""
    columns = ["entity_id", "tipo_id", "num_id", "primer_nombre", "primer_apellido", "telefono", "cargo"]
    columns += ["contrato_indefinido", "fecha_fin", "correo"]
    now = [
        tuple(row)
        for row in connection.execute(sa.select(*(link.c[c] for c in columns)).where(link.c.valid_to.is_(None)))
    ]
    current = pl.DataFrame(now, schema=rows.select(columns).schema, orient="row")
    fresh = rows.join(current, on=columns, how="anti")
    who = (
        (link.c.entity_id == sa.bindparam("e"))
        & (link.c.tipo_id == sa.bindparam("t"))
        & (link.c.num_id == sa.bindparam("n"))
    )
    ended = [{"e": r["entity_id"], "t": r["tipo_id"], "n": r["num_id"]} for r in fresh.iter_rows(named=True)]
    if not ended:
        return
    connection.execute(link.update().where(who, link.c.valid_to.is_(None)).values(valid_to=at, to_guid=ORIGIN), ended)
    opened = fresh.select(
        *columns, correo_confirmado=pl.lit(value=True), valid_from=pl.lit(at), from_guid=pl.lit(ORIGIN)
    )
    connection.execute(link.insert(), opened.to_dicts())
    defaults = [layout.effect.default_profile for layout in shelf() if layout.effect.default_profile]
    for default in defaults[:1]:
        held = sa.select(grant.c.entity_id, grant.c.tipo_id, grant.c.num_id)
        held = held.where(grant.c.valid_to.is_(None), grant.c.aplicacion == default.application)
        have = pl.DataFrame(
            [tuple(row) for row in connection.execute(held)],
            schema=fresh.select("entity_id", "tipo_id", "num_id").schema,
            orient="row",
        )
        given = fresh.join(have, on=["entity_id", "tipo_id", "num_id"], how="anti").select(
            "entity_id",
            "tipo_id",
            "num_id",
            aplicacion=pl.lit(default.application),
            perfil=pl.lit(default.profile),
            valid_from=pl.lit(at),
            from_guid=pl.lit(ORIGIN),
        )
        if given.height:
            connection.execute(grant.insert(), given.to_dicts())
