r"""Bytes to batch: one frame of text cells per record type, and every line that did not fit, with what is odd about it.

    b"1|NI|900…\r\n2|1|CC|…" -> Batch(records={"control": 1 row, "usuario": 1 row, …}, irregular=0 rows)

Nothing is guessed and nothing is dropped: a byte that cp1252 does not define becomes the control character of the same
number and is judged in its cell; a UTF-8 sequence stays what it looks like in cp1252 and is judged there too. Lines end
at LF only, a CR before it is part of the ending. No quoting: a quotation mark is a character like any other (2.6).
"""

from __future__ import annotations

import codecs
import re

from pisis_batch.annotations import stripped
from pisis_batch.cutting import SHOWN, cut, irregular, nothing
from pisis_batch.frames import pl
from pisis_batch.layouts import Layout, Record
from pisis_batch.model import IRREGULAR, Batch, Content, Limits

#: cp1252 in which the five undefined bytes map to the C1 control of the same number, so that decoding never fails.
CP1252 = "".join(bytes([n]).decode("cp1252") if n not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else chr(n) for n in range(256))
#: Bytes that are no UTF-8, as the decoder hands them over, to C1 controls.
_STRAY = {0xDC00 + byte: chr(0x80 + byte % 0x20) for byte in range(0x80, 0x100)}
BOM = b"\xef\xbb\xbf"
_BINARY = {
    b"PK\x03\x04": "ZIP o Excel",
    b"PK\x05\x06": "ZIP",
    b"\xd0\xcf\x11\xe0": "Excel o Word",
    b"%PDF": "PDF",
    b"\x1f\x8b": "GZIP",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_BLANK = b"\r\n \t\x1a"
_LOOK = 4096  # bytes looked at to tell text from UTF-16 without a mark
_SMALL = 128 * 1024  # bytes of a file that is read without polars


def read(content: Content, layout: Layout, name: str, limits: Limits) -> Batch:
    """Cut a file into records. Whole-file oddities (empty, binary, too large) give a batch without rows.

    Marks left from an annotated copy are taken off first: lines are numbered without them.
    """
    content = stripped(content if isinstance(content, bytes) else content[:])
    if problem := whole_problem(content, limits):
        return Batch(layout, name, {r.name: nothing(r) for r in layout.records}, irregular([problem]))
    found: list[pl.DataFrame] = []
    if content.startswith(BOM):
        content = content.removeprefix(BOM)
        found.append(irregular([{"line": 1, "problem": "bom"}]))
    if len(content) < _SMALL:
        text = decoded(content.removesuffix(b"\n"), layout.encoding)
        records, odd, last = cut(text, layout, limits)
        if odd is None and not found:
            return Batch(layout, name, records, last_line=last)
        whole = pl.concat([*found, *([] if odd is None else [odd])]).sort("line", maintain_order=True)
        return Batch(layout, name, records, whole, last)
    lines = _lines(content, layout)
    last = lines.height
    lines, ends = without_end_mark(lines)
    found.append(ends)
    shape = shaped(lines, layout, limits)
    found.append(odd_lines(shape))
    frames = {record.name: cells_of(shape, record, layout.separator) for record in layout.records}
    odd = pl.concat(found).sort("line", nulls_last=False, maintain_order=True)
    return Batch(layout, name, frames, odd, last)


def unread(layout: Layout, name: str, what: str, size: int, limits: Limits) -> Batch:
    """A batch without rows for what was never read: `what` it is instead of a file, or "too_big" with its size."""
    most = 2**32 - 1
    problem: dict[str, object] = {"problem": "binary", "value": what}
    if what == "too_big":
        problem = {"problem": "too_big", "cells": min(size, most), "expected": min(limits.file, most)}
    return Batch(layout, name, {r.name: nothing(r) for r in layout.records}, irregular([problem]))


def decoded(content: bytes, encoding: str = "cp1252") -> str:
    """Bytes as the characters that reading sees. Never fails: a byte that is none becomes a control character."""
    if encoding == "utf-8":
        return content.decode("utf-8", errors="surrogateescape").translate(_STRAY)
    return codecs.charmap_decode(content, "strict", CP1252)[0]


def whole_problem(content: Content, limits: Limits) -> dict[str, object] | None:
    """Why no line of the file can be read at all, if so."""
    head = content[:_LOOK]
    if not head.removeprefix(BOM).strip(_BLANK) and not content[:].removeprefix(BOM).strip(_BLANK):
        return {"problem": "empty"}
    if len(content) > limits.file:
        return {"problem": "too_big", "cells": min(len(content), 2**32 - 1), "expected": min(limits.file, 2**32 - 1)}
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            return {"problem": "binary", "value": kind}
    if head.count(0) > len(head) // 4:
        return {"problem": "binary", "value": "UTF-16"}
    return None


def _lines(content: bytes, layout: Layout) -> pl.DataFrame:
    """Columns line (from 1) and text, endings removed."""
    return lines_of(decoded(content, layout.encoding).encode()).to_frame().with_row_index("line", offset=1)


def lines_of(text: bytes) -> pl.Series:
    """UTF-8 as one column of lines (text), endings removed: LF, and a CR before it."""
    return pl.read_lines(text, name="text").to_series() if text else pl.Series("text", [""])


def without_end_mark(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Take the DOS end-of-file mark (Ctrl-Z) off the end, so that the last cell is not blamed for it."""
    last = lines["text"][-1]
    if not last.endswith("\x1a"):
        return lines, irregular([])
    rest, number = last.rstrip("\x1a").removesuffix("\r"), lines["line"][-1]
    mark = irregular([{"line": number, "problem": "end_mark"}])
    kept = lines.head(lines.height - 1)
    if rest:
        kept = pl.concat([kept, pl.DataFrame({"line": [number], "text": [rest]}, schema=lines.schema)])
    return kept, mark


def shaped(lines: pl.DataFrame, layout: Layout, limits: Limits) -> pl.DataFrame:
    """Each line with its mark, the record it belongs to, how many cells it has and should have, and its problem."""
    marks = {record.mark: record.name for record in layout.records}
    widths = {record.name: len(record.fields) for record in layout.records}
    text = pl.col("text")
    counted = lines.with_columns(
        mark=text.str.extract(f"^([^{re.escape(layout.separator)}]*)", 1).str.slice(0, SHOWN),
        cells=text.str.count_matches(layout.separator, literal=True) + 1,
    ).with_columns(record=pl.col("mark").replace_strict(marks, default=None, return_dtype=pl.String))
    expected = pl.col("record").replace_strict(widths, default=None, return_dtype=pl.UInt32)
    extra = pl.col("cells").cast(pl.Int64) - pl.col("expected")
    return counted.with_columns(expected=expected).with_columns(
        problem=pl.when(text.str.strip_chars() == "")
        .then(pl.lit("blank"))
        .when(text.str.len_bytes() > limits.line)
        .then(pl.lit("too_long"))
        .when(pl.col("record").is_null())
        .then(pl.lit("unknown"))
        .when((extra == 1) & text.str.ends_with(layout.separator))
        .then(pl.lit("trailing"))
        .when(extra != 0)
        .then(pl.lit("ragged"))
    )


def rows_of(lines: pl.DataFrame, layout: Layout, limits: Limits) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Many lines (in order) as rows by record, and the odd ones: the same as `shaped`, `cells_of` and `odd_lines`.

    Lines with just the right number of cells are cut without a look at what else could be wrong with them.
    """
    rows: dict[str, list[pl.DataFrame]] = {record.name: [] for record in layout.records}
    left = lines
    for record in layout.details:
        own = left["text"].str.starts_with(f"{record.mark}{layout.separator}")
        if not own.any() or len(record.mark) >= SHOWN:
            continue
        whole, right = _cut_whole(left if own.all() else left.filter(own), record, layout.separator, limits)
        rows[record.name].append(whole)
        left = left.clear() if whole.height == left.height else left.filter(~own.scatter(own.arg_true(), right))
    odd = irregular([])
    if left.height:
        shape = shaped(left, layout, limits)
        odd = odd_lines(shape)
        for record in layout.records:
            rows[record.name].append(cells_of(shape, record, layout.separator))
    found = {name: [frame for frame in parts if frame.height] for name, parts in rows.items()}
    joined = {
        name: parts[0] if len(parts) == 1 else pl.concat(parts).sort("line") for name, parts in found.items() if parts
    }
    return joined, odd


def _cut_whole(lines: pl.DataFrame, record: Record, separator: str, limits: Limits) -> tuple[pl.DataFrame, pl.Series]:
    """Which lines have as many cells as the record and are not too long, and those rows.

    Every column is in one piece: of columns in pieces of different lengths each query makes copies first.
    """
    cut = lines["text"].str.split(separator)
    right = (cut.list.len() == len(record.fields)) & (lines["text"].str.len_bytes() <= limits.line)
    whole = right.all()
    cells = (cut if whole else cut.filter(right)).explode()
    line = lines["line"] if whole else lines["line"].filter(right)
    each = [
        cells.gather_every(len(record.fields), place).alias(field.name) for place, field in enumerate(record.fields)
    ]
    return pl.DataFrame([column.rechunk() for column in (line, *each)]), right


def odd_lines(shape: pl.DataFrame) -> pl.DataFrame:
    """The lines with a problem, in the form of IRREGULAR."""
    odd = shape.filter(pl.col("problem").is_not_null())
    size = pl.when(pl.col("problem") == "too_long").then(pl.col("text").str.len_bytes()).otherwise(pl.col("cells"))
    return odd.select(
        "line",
        "problem",
        "record",
        "mark",
        size.cast(pl.UInt32).alias("cells"),
        "expected",
        value=pl.col("text").str.slice(0, SHOWN),
    ).cast(IRREGULAR.schema)


def cells_of(shape: pl.DataFrame, record: Record, separator: str) -> pl.DataFrame:
    """The lines of one record type, cut into its fields."""
    fine = pl.col("problem").is_null() | (pl.col("problem") == "trailing")
    own = shape.filter((pl.col("record") == record.name) & fine)
    if own.is_empty():
        return nothing(record)
    whole = (
        pl.when(pl.col("problem") == "trailing")
        .then(pl.col("text").str.strip_suffix(separator))
        .otherwise(pl.col("text"))
    )
    names = [field.name for field in record.fields]
    parts = whole.str.split_exact(separator, len(names) - 1).struct.rename_fields(names).alias("cells")
    return own.select("line", parts).unnest("cells")
