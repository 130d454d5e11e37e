"""Lines to rows in plain Python, for files so small that starting polars takes longer than reading them.

`reading` does the same to large files a column at a time; both give the same batch (held to it in tests).
"""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.layouts import Layout, Record
from pisis_batch.model import IRREGULAR, Limits, Row, Rows

SHOWN = 40  # characters of a bad line that a finding quotes
#: What polars takes for blank.
_BLANK = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def cut(text: str, layout: Layout, limits: Limits) -> tuple[Rows, pl.DataFrame | None, int]:
    """The records of a file, its irregular lines if there are any, and the number of its last line."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    last = len(lines)
    odd: list[dict[str, object]] = []
    if lines[-1].endswith("\x1a"):
        odd.append({"line": last, "problem": "end_mark"})
        rest = lines.pop().rstrip("\x1a").removesuffix("\r")
        lines += [rest] if rest else []
    marks = {record.mark: record for record in layout.records}
    rows: dict[str, list[Row]] = {record.name: [] for record in layout.records}
    plain = {record.mark: (len(record.fields), rows[record.name]) for record in layout.records if record.mark}
    for number, line in enumerate(lines, start=1):
        cells = line.split(layout.separator)
        many, own = plain.get(cells[0], (0, []))
        if len(cells) == many and len(line) * 4 <= limits.line:
            own.append((number, *cells))
            continue
        mark = cells[0][:SHOWN]
        record = marks.get(mark)
        problem = _problem(line, len(cells), record, layout, limits)
        if problem:
            size = len(line.encode("utf-8", "replace")) if problem == "too_long" else len(cells)
            expected = len(record.fields) if record else None
            told = {"line": number, "problem": problem, "mark": mark, "cells": size, "expected": expected}
            odd.append({**told, "record": record.name if record else None, "value": line[:SHOWN]})
        if record and problem in {None, "trailing"}:
            rows[record.name].append((number, *cells[: len(record.fields)]))
    return Rows(rows, layout), irregular(odd).sort("line", maintain_order=True) if odd else None, last


def _problem(text: str, cells: int, record: Record | None, layout: Layout, limits: Limits) -> str | None:
    """What keeps a line from being a row, as `_shape` tells it."""
    if not text.strip(_BLANK):
        return "blank"
    if len(text) * 4 > limits.line and len(text.encode("utf-8", "replace")) > limits.line:
        return "too_long"
    if record is None:
        return "unknown"
    extra = cells - len(record.fields)
    if extra == 0:
        return None
    return "trailing" if extra == 1 and text.endswith(layout.separator) else "ragged"


def nothing(record: Record) -> pl.DataFrame:
    """No line of a record."""
    return pl.DataFrame(schema={"line": pl.UInt32, **{field.name: pl.String for field in record.fields}})


def irregular(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Lines with a problem as a frame; what a row does not say is null."""
    return pl.DataFrame(rows, schema=IRREGULAR)
