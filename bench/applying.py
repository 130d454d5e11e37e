"""Applying links and grants to SQLite with history and audit, against a plain upsert of the same rows."""

import sqlite3
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_changes
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_engine import sqlite as driver
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import entity
from pisis_batch.adapters.sql_trail import Trail
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


def ours(many: int, folder: Path, *, changed: bool) -> float:
    """Seconds to apply so many links and half as many grants, half of which exist: unchanged, or all changed."""
    registry = SqlRegistry(f"sqlite:///{folder}/ours.db")
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
    start = time.process_time()
    with registry.engine.begin() as connection:
        _applied(connection, changes, "g2")
    spent = time.process_time() - start
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


def ratios(many: int, times: int = 3, *, changed: bool = False) -> list[float]:
    """Ours by theirs in CPU seconds, one after the other."""
    found = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            found.append(ours(many, Path(name), changed=changed) / plain(many, Path(name)))
    return found


if __name__ == "__main__":
    print(ratios(50_000), ratios(50_000, changed=True))
