"""Applying links and grants with history and audit, against a plain upsert of the same rows.

On SQLite against `executemany`, by the CPU of this process; on PostgreSQL against COPY and one merge, by the clock, for
it is the server that works.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_changes
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_engine import engine
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import entity
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.adapters.sqlite_driver import sqlite as driver
from pisis_batch.model import Changes, Id

AT = datetime(2026, 7, 15, 12, tzinfo=timezone(timedelta(hours=-5)))
_LINK = ["primer_nombre", "primer_apellido", "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo"]


def links(many: int) -> pl.DataFrame:
    """Links by line, in no order of their keys."""
    number = (pl.int_range(many, dtype=pl.Int64) * 7_919) % many + 1_000_000_000
    told = {
        "primer_nombre": pl.lit("MARIA"), "primer_apellido": pl.lit("MUÑOZ"), "telefono": pl.lit("3150000000"),
        "cargo": pl.lit("ENFERMERA"), "contrato_indefinido": pl.lit("1"), "fecha_fin": pl.lit(""),
        "correo": pl.format("USUARIO{}@HOSPITAL.GOV.CO", number),
    }  # fmt: skip
    line = pl.int_range(many, dtype=pl.UInt32) + 2
    return pl.select(line=line, tipo_id=pl.lit("CC"), num_id=number.cast(pl.String), **told)


def grants(rows: pl.DataFrame) -> pl.DataFrame:
    """A profile for every second user."""
    chosen = rows.gather_every(2)
    return chosen.select("line", "tipo_id", "num_id", aplicacion=pl.lit("186"), perfil=pl.lit("1274"))


def ours(many: int, url: str, *, changed: bool, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds to apply so many links and half as many grants, half of which exist: unchanged, or all changed."""
    registry = SqlRegistry(url)
    registry.migrate()
    whole = links(many)
    half = whole.head(many // 2)
    with registry.engine.begin() as connection:
        connection.execute(
            entity.insert().values(tipo_id="NI", num_id="900123456", correo_confirmado=True, activa=True)
        )
        first = Changes(linked=half, assigned=grants(half))
        _applied(connection, first, "g1")
    new = whole.slice(many // 2)
    changes = (
        Changes(updated=half, linked=new, assigned=grants(whole))
        if changed
        else Changes(linked=new, assigned=grants(new))
    )
    start = clock()
    with registry.engine.begin() as connection:
        _applied(connection, changes, "g2")
    spent = clock() - start
    registry.close()
    return spent


def _applied(connection: sa.Connection, changes: Changes, guid: str) -> None:
    trail = Trail(connection, Keyring(), guid, AT.isoformat())
    sql_changes.apply(connection, changes, Id("NI", "900123456"), trail)
    trail.close()


def plain(many: int, folder: Path) -> float:
    """Seconds of `executemany` with an upsert of the same rows, without history or audit, in one transaction."""
    made = driver.connect(folder / "plain.db")
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("PRAGMA synchronous=FULL")
    made.execute("PRAGMA secure_delete=ON")
    names = ["entity_id", "tipo_id", "num_id", *_LINK]
    made.execute(f"CREATE TABLE link ({', '.join(names)}, line, PRIMARY KEY (entity_id, tipo_id, num_id))")
    made.execute(
        "CREATE TABLE grants (entity_id, tipo_id, num_id, aplicacion, perfil, line,"
        " PRIMARY KEY (entity_id, tipo_id, num_id, aplicacion))"
    )
    made.commit()
    spent = 0.0
    whole = links(many)
    for rows in (whole.head(many // 2), whole):
        start = time.process_time()
        _upsert(made, "link", rows.with_columns(entity_id=pl.lit(1)), ["entity_id", "tipo_id", "num_id"])
        held = grants(rows).with_columns(entity_id=pl.lit(1))
        _upsert(made, "grants", held, ["entity_id", "tipo_id", "num_id", "aplicacion"])
        made.commit()
        spent = time.process_time() - start
    made.close()
    return spent


def _upsert(made: sqlite3.Connection, table: str, rows: pl.DataFrame, keys: list[str]) -> None:
    columns = rows.columns
    changed = ", ".join(f"{name}=excluded.{name}" for name in columns if name not in keys)
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 names of ours
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
    )
    made.executemany(statement, rows.rows())


def merged(many: int, url: str) -> float:
    """Seconds of COPY and one `ON CONFLICT` of the same rows, without history or audit, in one transaction."""
    made = engine(url)
    keys = ["entity_id", "tipo_id", "num_id"]
    with made.begin() as connection:
        for table, names, more in (("plain_link", _LINK, keys), ("plain_grant", ["perfil"], [*keys, "aplicacion"])):
            texts = ", ".join(f"{name} text" for name in [*more[1:], *names])
            connection.exec_driver_sql(
                f"CREATE TABLE {table} (entity_id int, {texts}, line int, PRIMARY KEY ({', '.join(more)}))"
            )
    whole, spent = links(many), 0.0
    for rows in (whole.head(many // 2), whole):
        start = time.monotonic()
        with made.begin() as connection:
            _merge(connection, "plain_link", rows.with_columns(entity_id=pl.lit(1)), keys)
            held = grants(rows).with_columns(entity_id=pl.lit(1))
            _merge(connection, "plain_grant", held, [*keys, "aplicacion"])
        spent = time.monotonic() - start
    made.dispose()
    return spent


def _merge(connection: sa.Connection, table: str, rows: pl.DataFrame, keys: list[str]) -> None:
    names = ", ".join(rows.columns)
    changed = ", ".join(f"{name}=excluded.{name}" for name in rows.columns if name not in keys)
    connection.exec_driver_sql(f"CREATE TEMP TABLE told AS SELECT {names} FROM {table} WHERE false")  # noqa: S608 names of ours
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f"COPY told ({names}) FROM STDIN WITH (FORMAT csv)") as copy:
        for part in rows.iter_slices(50_000):
            copy.write(part.write_csv(include_header=False, quote_style="non_numeric").encode())
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM told ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"  # noqa: S608 names of ours
    )
    connection.exec_driver_sql("DROP TABLE told")


def ratios(many: int, times: int = 3, *, changed: bool = False) -> list[float]:
    """Ours by theirs on SQLite in CPU seconds, one after the other."""
    found = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            spent = ours(many, f"sqlite:///{name}/ours.db", changed=changed)
            found.append(spent / plain(many, Path(name)))
    return found


def ratios_postgresql(many: int, times: int = 3, *, changed: bool = False) -> list[float]:
    """Ours by theirs on a PostgreSQL of its own in seconds, one after the other."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import postgresql as pg  # noqa: PLC0415 its wheel is not needed otherwise

    with pg.running() as server:
        return [
            ours(many, server.database(), changed=changed, clock=time.monotonic) / merged(many, server.database())
            for _ in range(times)
        ]


if __name__ == "__main__":
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--links", type=int, default=1_000_000)
    said.add_argument("--times", type=int, default=3)
    said.add_argument("--changed", action="store_true")
    said.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = said.parse_args()
    measured = ratios if given.database == "sqlite" else ratios_postgresql
    sys.stdout.write(json.dumps(measured(given.links, given.times, changed=given.changed)) + "\n")
