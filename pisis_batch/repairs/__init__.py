"""A corrected copy of a file: certain repairs done, doubtful ones proposed, every change told, the result read again.

Driven by the layout and the rules: a repair touches what a code objects to and nothing else, so that a right file comes
back byte for byte, and a corrected file is corrected no further. The original is never touched.
"""

import dataclasses
from typing import Literal

import polars as pl

from pisis_batch import reading, validators
from pisis_batch.annotations import stripped
from pisis_batch.layouts import Layout, Shelf
from pisis_batch.model import REPAIRS, Corrected, Examined, Limits, Outcome, Received
from pisis_batch.repairs import archivo, celdas, evident, lineas, partes, propuestas

__all__ = ["correct", "offered", "part"]

_DROPPED = {"bom": "EST004", "blank": "EST005", "end_mark": "EST006"}
_UNREAD = ("unknown", "ragged", "too_long")
#: Bytes: a larger file is corrected when it is asked for, not while its sender waits.
_LARGEST = 4 * 1024 * 1024


def correct(
    received: Received,
    shelf: Shelf,
    limits: Limits,
    layout: Layout | None = None,
    *,
    known: Examined | None = None,
    certain: bool = False,
) -> Corrected | None:
    """The corrected copy; None when the name tells no annex (and none is given) or nothing in it can be read.

    `known`: the same bytes, examined already. `certain`: None also when there is nothing but doubtful repairs.
    """
    layout = layout or shelf.find(received.name)
    if layout is None:
        return None
    try:
        sheet, done, examined = _taken_apart(received, layout, limits, known)
    except UnicodeError:
        return None
    if not any(frame.height for frame in sheet.records.values()):
        return None
    sheet, cells = _repaired(sheet, examined)
    return _finished(received, limits, sheet, [done, cells], certain=certain)


def part(
    made: Corrected, faulty: pl.Series, limits: Limits, *, which: Literal["rejected", "correct"]
) -> Corrected | None:
    """Only the records of a corrected file that are at fault, or only the others, as a file of its own.

    `faulty`: lines of the corrected file with an error. Whoever is named by a record at fault goes with it, so that
    neither file depends on the other. None when the part is empty.
    """
    layout = made.examined.layout
    if layout is None:
        return None
    received = dataclasses.replace(made.examined.received, content=made.content, name=made.name)
    sheet, _, _ = _taken_apart(received, layout, limits, None)
    kept = partes.kept(sheet, faulty, which=which)
    if not any(kept.records[record.name].height for record in layout.details) and kept.loose.is_empty():
        return None
    return _finished(received, limits, kept, [])


def offered(outcome: Outcome, shelf: Shelf, limits: Limits) -> Outcome:
    """The outcome with a corrected copy, when its structure is wrong and something certain can be repaired."""
    received = outcome.received
    if outcome.examined.sound or outcome.examined.batch is None or len(received.content) > _LARGEST:
        return outcome
    if evident.nothing_certain(outcome.examined):
        return outcome
    known = None if received.signed else outcome.examined  # what a signature is objected to is in no line
    made = correct(received, shelf, limits, known=known, certain=True)
    return dataclasses.replace(outcome, corrected=made) if made else outcome


def _finished(
    received: Received, limits: Limits, sheet: archivo.Sheet, done: list[pl.DataFrame], *, certain: bool = False
) -> Corrected | None:
    """Order, numbers, total and name made right; the bytes, read again. None if nothing was done and that is asked."""
    order, moved = archivo.in_order(sheet)
    sheet, numbers = archivo.numbered(sheet, order)
    name = archivo.right_name(sheet)
    done = [*done, numbers]
    if moved:
        done.append(_whole("ARC004", "registros mezclados", "cada tipo agrupado, en el orden del anexo"))
    if name != sheet.name:
        done.append(_whole("NOM002", sheet.name, name))
    if certain and not any(frame["applied"].any() for frame in done):
        return None
    content = archivo.written(sheet, order)
    after = _examined(dataclasses.replace(received, name=name, content=content), sheet.layout, limits)
    told = pl.concat(done).sort("line", "field_no", nulls_last=False, maintain_order=True)
    return Corrected(name, content, pl.concat([told, propuestas.proposed(after)]), after)


def _examined(received: Received, layout: Layout, limits: Limits) -> Examined:
    batch = reading.read(received.content, layout, received.name, limits)
    return Examined(received, layout, batch, validators.check_structure(batch))


def _taken_apart(
    received: Received, layout: Layout, limits: Limits, known: Examined | None
) -> tuple[archivo.Sheet, pl.DataFrame, Examined]:
    """The file as a sheet, what was done to its lines, and its examination with those lines."""
    original = stripped(received.content[:])
    content, lines = lineas.readable(original, layout)
    if known is None or content != received.content:
        known = _examined(dataclasses.replace(received, content=content), layout, limits)
    examined, batch = known, known.batch
    if batch is None:
        raise RuntimeError("a file with a layout has a batch")
    loose = batch.irregular.filter(pl.col("problem").is_in(_UNREAD)).select("line", "record")
    texts = lineas.decoded(content, layout).split("\n") if loose.height else []
    said = [texts[line - 1].removeprefix(lineas.BOM).rstrip("\r\x1a") for line in loose["line"]]
    end = "\r\n" if b"\r\n" in content else "\n"
    sheet = archivo.Sheet(
        layout,
        received.name,
        dict(batch.records),
        loose.with_columns(text=pl.Series(said, dtype=pl.String)),
        end,
        content.rstrip(b"\x1a").endswith(b"\n"),
    )
    done = [_lines(lines)]
    for problem, code in _DROPPED.items():
        done.append(_lines(batch.irregular.filter(pl.col("problem") == problem).select("line", code=pl.lit(code))))
    if end == "\r\n" and content.count(b"\n") != content.count(b"\r\n"):
        done.append(_whole("", "líneas que terminan de dos modos", "todas terminan igual"))
    if len(original) != len(received.content):
        done.append(_whole("", "marcas de una copia anotada", "sin marcas"))
    return sheet, pl.concat(done), examined


def _repaired(sheet: archivo.Sheet, examined: Examined) -> tuple[archivo.Sheet, pl.DataFrame]:
    """The cells at fault repaired, and what was done."""
    records, done = dict(sheet.records), [pl.DataFrame(schema=REPAIRS)]
    pairs = examined.findings.frame.select("record", "field").drop_nulls().unique(maintain_order=True)
    for name, fields in pairs.group_by("record", maintain_order=True):
        record, before = sheet.layout.record[str(name[0])], records[str(name[0])]
        names = [field for field in fields["field"] if field in record.by_name]
        after = celdas.repaired(before, record, names)
        for field in names:
            pair = before.select("line", before=field).with_columns(after[field].alias("after"), after[f"why.{field}"])
            done.append(
                archivo.changes(sheet.layout, record.name, field, pair, pl.col(f"why.{field}").str.strip_chars())
            )
        records[record.name] = after.select(before.columns)
    return dataclasses.replace(sheet, records=records), pl.concat(done)


def _lines(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with line and code (and what else there is) as repairs of whole lines."""
    return (
        pl.concat([pl.DataFrame(schema=REPAIRS), rows], how="diagonal_relaxed")
        .with_columns(pl.col("before", "after").fill_null(""), confidence=pl.lit("cierta"), applied=pl.lit(value=True))
        .select(REPAIRS.names())
        .cast(REPAIRS.schema)
    )


def _whole(code: str, before: str, after: str) -> pl.DataFrame:
    """One repair of the file as a whole."""
    return _lines(pl.DataFrame({"code": [code], "before": [before], "after": [after]}))
