"""Accepted records of the annexes that only store: a Parquet table per receipt and record type, told apart by SQL.

Nothing is rewritten. A set that stands for its period is closed when another takes its place; the sets of records that
go by their key stay open and are folded when they are read: the last line of each key is what holds, unless it annuls.
"""

import io
import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters.sql_tables import receipt, stored
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.model import Id, Kept, Outcome, Questions

ROWS = 200_000  # of one part of a large set: what is held in memory when it is read back
#: Columns put before the fields when records are read; no field's name begins with an underscore.
ORIGIN = ["_entidad_tipo", "_entidad_numero", "_periodo", "_guid", "_linea", "_desde"]


def _same_place(annex: str, who: Id, period: str, within: str) -> sa.ColumnElement[bool]:
    """The open sets that stand for a period."""
    return sa.and_(
        stored.c.annex == annex,
        stored.c.entity_type == who.type,
        stored.c.entity_number == who.number,
        stored.c.period == period,
        stored.c.within == within,
        stored.c.unique_key == "",
        stored.c.valid_to.is_(None),
    )


def store(connection: sa.Connection, outcome: Outcome, at: str, trail: Trail) -> None:
    """Keep the records of a loaded file, once per receipt, within the caller's transaction."""
    batch, who, guid = outcome.examined.batch, outcome.examined.entity, outcome.received.guid
    if batch is None or who is None or batch.layout.effect.kind != "registros":
        return
    if connection.scalar(sa.select(stored.c.id).where(stored.c.guid == guid).limit(1)) is not None:
        return
    layout = batch.layout
    if layout.effect.replaces == "periodo y entidad":
        closed = connection.execute(
            stored.update()
            .where(_same_place(layout.annex, who, batch.period, batch.within))
            .values(valid_to=at, to_guid=guid)
        )
        if closed.rowcount:
            trail.tell(f"reemplazar el período {batch.period}")
    fixed = {
        "guid": guid,
        "annex": layout.annex,
        "version": layout.version,
        "entity_type": who.type,
        "entity_number": who.number,
        "period": batch.period,
        "within": batch.within,
        "valid_from": at,
    }
    for record in layout.records:
        control = record.name == layout.control.name
        acts = outcome.changes.stored.filter(pl.col("record") == record.name).select("line", _accion="accion")
        rows = batch[record.name]
        rows = rows if control else rows.join(acts, on="line", how="inner", maintain_order="left")
        by_key = bool(record.action) or (layout.effect.replaces == "clave" and bool(record.unique) and not control)
        key = json.dumps(record.unique) if by_key else ""
        for part in rows.rename({"line": "_linea"}).iter_slices(ROWS):
            connection.execute(
                stored.insert().values(
                    **fixed,
                    record=record.name,
                    unique_key=key,
                    control=control,
                    rows=part.height,
                    content=_packed(part),
                )
            )
        if rows.height and not control:
            trail.tell(f"almacenar {record.name}: {rows.height}")


def _packed(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", compression_level=3, statistics=False)
    return buffer.getvalue()


def _unpacked(content: bytes, columns: list[str] | None = None) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(content), columns=columns)


def kept(connection: sa.Connection, questions: Questions) -> Kept | None:
    """What is stored now for the place of a file, unless the file itself was."""
    if questions.entity is None or not questions.period:
        return None
    place = _same_place(questions.annex, questions.entity, questions.period, questions.within)
    mine = sa.select(stored.c.id).where(stored.c.guid == questions.guid).limit(1)
    if connection.scalar(mine) is not None:
        return None
    many = sa.func.sum(sa.case((stored.c.control, 0), else_=stored.c.rows))
    query = (
        sa.select(receipt.c.guid, receipt.c.received_at, receipt.c.seq, many.label("rows"))
        .join(stored, stored.c.guid == receipt.c.guid)
        .where(place)
        .group_by(receipt.c.guid, receipt.c.received_at, receipt.c.seq)
    )
    found = connection.execute(query).first()
    if found is None:
        return None
    own = connection.scalar(sa.select(receipt.c.seq).where(receipt.c.guid == questions.guid))
    later = own is not None and found.seq > own
    return Kept(found.guid, datetime.fromisoformat(found.received_at), int(found.rows), later)


def known_keys(connection: sa.Connection, questions: Questions) -> Mapping[str, pl.DataFrame]:
    """Per record, the asked keys that are stored now and not annulled."""
    found: dict[str, pl.DataFrame] = {}
    for record, asked in questions.keys.items():
        if questions.entity is None or asked.is_empty():
            continue
        query = _sets(questions.annex, record, entity=questions.entity).where(stored.c.unique_key != "")
        parts = [
            _unpacked(row.content, [*asked.columns, "_accion"]).join(asked, on=asked.columns, how="semi")
            for row in connection.execute(query.order_by(stored.c.id))
            if json.loads(row.unique_key) == asked.columns
        ]
        if parts:
            last = pl.concat(parts).unique(asked.columns, keep="last", maintain_order=True)
            found[record] = last.filter(pl.col("_accion") != "anular").drop("_accion")
    return found


def _sets(annex: str, record: str, *, entity: Id | None = None) -> sa.Select[Any]:
    query = sa.select(stored).where(stored.c.annex == annex, stored.c.record == record)
    if entity is not None:
        query = query.where(stored.c.entity_type == entity.type, stored.c.entity_number == entity.number)
    return query


def summary(connection: sa.Connection, annex: str) -> dict[str, bool]:
    """Records of an annex that have anything stored, in the order first stored -> whether it is the control."""
    first = sa.func.min(stored.c.id)
    query = sa.select(stored.c.record, stored.c.control).where(stored.c.annex == annex)
    grouped = query.group_by(stored.c.record, stored.c.control).order_by(first)
    return {row.record: bool(row.control) for row in connection.execute(grouped)}


def columns(connection: sa.Connection, annex: str, record: str) -> list[str]:
    """Fields of every version stored, those of the newest first."""
    newest = (
        sa.select(sa.func.max(stored.c.id))
        .where(stored.c.annex == annex, stored.c.record == record)
        .group_by(stored.c.version)
    )
    query = sa.select(stored.c.content).where(stored.c.id.in_(newest)).order_by(stored.c.id.desc())
    names = [name for row in connection.execute(query) for name in pl.read_parquet_schema(io.BytesIO(row.content))]
    return [name for name in dict.fromkeys(names) if not name.startswith("_")]


def rows(
    connection: sa.Connection,
    annex: str,
    record: str,
    *,
    entity: Id | None,
    period: date | None,
    as_of: date | None,
    history: bool,
) -> Iterator[pl.DataFrame]:
    """The records that hold (now, or at the end of a day), a frame at a time; with `history`, every one there was.

    Columns: ORIGIN, then `_hasta` and `_accion` with history, then the fields of every version.
    """
    fields = columns(connection, annex, record)
    shape = [*ORIGIN, *(["_hasta", "_accion"] if history else []), *fields]
    yield pl.DataFrame(schema={name: pl.UInt32 if name == "_linea" else pl.String for name in shape})
    until = (as_of + timedelta(days=1)).isoformat() if as_of else None
    query = _sets(annex, record, entity=entity)
    if period:  # what goes by its key is filtered once it is known what holds
        query = query.where(sa.or_(stored.c.unique_key != "", stored.c.period == period.isoformat()))
    if until:
        query = query.where(stored.c.valid_from < until)
    if not history:
        open_ = stored.c.valid_to.is_(None)
        query = query.where(sa.or_(open_, stored.c.valid_to >= until) if until else open_)
    order = (stored.c.entity_type, stored.c.entity_number, stored.c.unique_key, stored.c.id)
    found = connection.execute(query.order_by(*order).execution_options(yield_per=1))
    for (*_, key), sets in itertools.groupby(found, lambda row: (row.entity_type, row.entity_number, row.unique_key)):
        if not key:
            yield from (_shaped(_with_origin(row), shape) for row in sets)
            continue
        held = _folded([_with_origin(row) for row in sets], key, history=history)
        yield _shaped(held.filter(pl.col("_periodo") == period.isoformat()) if period else held, shape)


def _with_origin(row: Any) -> pl.DataFrame:
    said = {
        "_entidad_tipo": row.entity_type,
        "_entidad_numero": row.entity_number,
        "_periodo": row.period,
        "_guid": row.guid,
        "_desde": row.valid_from,
        "_hasta": row.valid_to,
    }
    literal = {name: pl.lit(value, dtype=pl.String) for name, value in said.items()}
    return _unpacked(row.content).with_columns(**literal)


def _folded(sets: list[pl.DataFrame], key: str, *, history: bool) -> pl.DataFrame:
    names = json.loads(key)
    every = pl.concat(sets, how="diagonal")
    if history:
        return every.with_columns(_hasta=pl.col("_desde").shift(-1).over(names))
    return every.unique(names, keep="last", maintain_order=True).filter(pl.col("_accion") != "anular")


def _shaped(rows_: pl.DataFrame, shape: list[str]) -> pl.DataFrame:
    return rows_.select(
        pl.col(name) if name in rows_.columns else pl.lit(None, dtype=pl.String).alias(name) for name in shape
    )
