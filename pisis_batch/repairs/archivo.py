"""The file as a whole: groups in order, consecutives, total, name, and the bytes that come of it."""

import dataclasses
from dataclasses import dataclass

import polars as pl

from pisis_batch.layouts import Layout, NameFault
from pisis_batch.model import REPAIRS
from pisis_batch.repairs.lineas import encoded


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file taken apart: records as frames of cells with `line`, and lines that are no readable record.

    loose: columns line, record (null when unknown), text. `end`: how lines end. `last`: whether the last one does too.
    """

    layout: Layout
    name: str
    records: dict[str, pl.DataFrame]
    loose: pl.DataFrame
    end: str
    last: bool


def in_order(sheet: Sheet) -> tuple[pl.DataFrame, bool]:
    """Every line in the annex's order, columns line and record (null for unknown ones); whether groups were moved.

    Unknown lines stay after the line they followed. With more than one control record nobody knows where a report
    begins: nothing is moved then.
    """
    parts = [frame.select("line", record=pl.lit(name)) for name, frame in sheet.records.items()]
    lines = pl.concat([*parts, sheet.loose.select("line", "record")]).sort("line")
    if sheet.records[sheet.layout.control.name].height != 1:
        return lines, False
    control = sheet.layout.control.name
    ranks = {
        r.name: place if sheet.layout.grouped or r.name == control else 1
        for place, r in enumerate(sheet.layout.records)
    }
    rank = pl.col("record").replace_strict(ranks, default=None, return_dtype=pl.Int64).forward_fill().fill_null(0)
    placed = lines.with_columns(rank=rank).sort("rank", maintain_order=True).drop("rank")
    return placed, not placed["line"].equals(lines["line"])


def numbered(sheet: Sheet, order: pl.DataFrame) -> tuple[Sheet, pl.DataFrame]:
    """Consecutives and total made right; what was changed (schema REPAIRS). Unreadable records keep their place."""
    layout, done = sheet.layout, [pl.DataFrame(schema=REPAIRS)]
    records = dict(sheet.records)
    if layout.sequence:
        counted = order.filter(pl.col("record").is_in(list(layout.sequence.over)))
        place = pl.int_range(1, pl.len() + 1)
        places = counted.select(
            "line", place=(place.over("record") if layout.sequence.restart else place).cast(pl.String)
        )
        for name in layout.sequence.over:
            field = layout.sequence.field
            frame = records[name].join(places, on="line", how="left", maintain_order="left")
            records[name] = frame.with_columns(pl.col("place").alias(field)).drop("place")
            done.append(changes(layout, name, field, frame.select("line", before=field, after="place"), "ARC005"))
    if layout.total:
        owner, field = layout.total.field.split(".")
        total = str(order["record"].is_in(list(layout.total.over)).sum())
        if records[owner].height == 1:
            pair = records[owner].select("line", before=field, after=pl.lit(total))
            done.append(changes(layout, owner, field, pair, "ARC006"))
            records[owner] = records[owner].with_columns(pl.lit(total).alias(field))
    return dataclasses.replace(sheet, records=records), pl.concat(done)


def changes(layout: Layout, record: str, field: str, pairs: pl.DataFrame, code: str | pl.Expr) -> pl.DataFrame:
    """Pairs (line, before, after) that differ, as repairs done to one field."""
    differing = pairs.filter(pl.col("before") != pl.col("after"))
    return differing.select(
        "line",
        record=pl.lit(record),
        field_no=pl.lit(layout.record[record].number(field), dtype=pl.UInt16),
        field=pl.lit(field),
        before="before",
        after="after",
        code=pl.lit(code) if isinstance(code, str) else code,
        confidence=pl.lit("cierta"),
        applied=pl.lit(value=True),
    ).cast(REPAIRS.schema)


def right_name(sheet: Sheet) -> str:
    """The name that the control record asks for when the given one cannot be read; otherwise the name as it is."""
    pattern = sheet.layout.file_name
    control = sheet.records[sheet.layout.control.name]
    known = set(pattern.fields) <= set(control.columns)
    if not known or control.height != 1 or not isinstance(pattern.read(sheet.name), NameFault):
        return sheet.name
    made = pattern.write(control.row(0, named=True))
    return sheet.name if isinstance(pattern.read(made), NameFault) else made


def written(sheet: Sheet, order: pl.DataFrame) -> bytes:
    """The bytes of the file, lines in the given order."""
    parts = [sheet.loose.select("line", "text")]
    for record in sheet.layout.records:
        cells = [field.name for field in record.fields]
        text = pl.concat_str(cells, separator=sheet.layout.separator)
        parts.append(sheet.records[record.name].select("line", text=text))
    texts = order.join(pl.concat(parts), on="line", how="left", maintain_order="left")["text"]
    whole = sheet.end.join(texts.to_list())
    return encoded(whole + (sheet.end if sheet.last and whole else ""), sheet.layout)
