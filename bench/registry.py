"""A registry that a file of the bench is right against: python bench/registry.py USERS DATABASE [--seed N]

Everybody in the file is in Mi Seguridad Social, and one in five more; whoever is unlinked is linked now.
"""

import argparse
from pathlib import Path

import files
import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_bulk, sql_revision
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import entity, link, person, profile
from pisis_batch.model import PERSONS

_STEP = 500_000
_FIRST_STRANGER = 7_000_000_000
_CATALOG = (("186", "1274"), ("186", "1300"), ("001", "1212"))


def write(users: int, path: Path, seed: int = 1) -> None:
    """The registry as a SQLite database."""
    registry = SqlRegistry(f"sqlite:///{path}")
    registry.migrate()
    fill(registry, users, seed)
    registry.close()


def fill(registry: SqlRegistry, users: int, seed: int = 1) -> None:
    """The same in a registry that is there and empty."""
    with registry.engine.begin() as connection:
        _entity(connection)
        for start in range(0, users, _STEP):
            many = min(_STEP, users - start)
            known = files.people(users, start, many, seed)
            sql_bulk.insert(connection, person, known)
            leaving = known.filter(pl.int_range(start, start + many, eager=True) % 10 == 9)
            sql_bulk.insert(connection, link, leaving, entity_id=1, valid_from="2026-01-01", from_guid="g0")
        number = pl.int_range(_FIRST_STRANGER, _FIRST_STRANGER + users // 5, eager=True).cast(pl.String)
        others = pl.DataFrame({"num_id": number}).select(
            tipo_id=pl.lit("CC"), num_id="num_id", primer_nombre=pl.lit("ANA"), primer_apellido=pl.lit("GOMEZ")
        )
        sql_bulk.insert(connection, person, others)
        sql_revision.grow(connection)


def _entity(connection: sa.Connection) -> None:
    named = {"razon_social": "ESE HOSPITAL EJEMPLO", "tipo_entidad": "IPS", "municipio": "PASTO - NARIÑO"}
    heads = {"rep_tipo_id": "CC", "rep_num_id": "10000001", "contacto_tipo_id": "CC", "contacto_num_id": "10000002"}
    mail = {"correo_institucional": "contacto@ese.gov.co", "correo_confirmado": True, "activa": True}
    connection.execute(entity.insert().values(id=1, tipo_id="NI", num_id="900123456", **named, **heads, **mail))
    for application, code in _CATALOG:
        connection.execute(
            profile.insert().values(codigo=code, cod_aplicacion=application, nombre="PERFIL", habilitado=True)
        )
    heads_known = [("CC", "10000001", "LUISA", "PEREZ"), ("CC", "10000002", "ANA", "GOMEZ")]
    sql_bulk.insert(connection, person, pl.DataFrame(heads_known, schema=list(PERSONS), orient="row"))


if __name__ == "__main__":
    said = argparse.ArgumentParser()
    said.add_argument("users", type=int)
    said.add_argument("path", type=Path)
    said.add_argument("--seed", type=int, default=1)
    given = said.parse_args()
    write(given.users, given.path, given.seed)
