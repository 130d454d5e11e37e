"""Lines before they are cells: what hides a record from the reader, repaired line for line, without dropping anything.

A line that still cannot be read stays as it is: nobody's record is lost by a repair.
"""

import codecs
import re
from collections.abc import Iterator

import polars as pl

from pisis_batch.layouts import Layout
from pisis_batch.reading import CP1252

_ENCODING = codecs.charmap_build(CP1252)
_UTF16 = {b"\xff\xfe", b"\xfe\xff"}
BOM = "ï»¿"  #: as it reads in cp1252
_SEPARATORS = ("|", ";", "\t", ",")
DONE = pl.Schema({"line": pl.UInt32, "before": pl.String, "after": pl.String, "code": pl.String})


def decoded(content: bytes, layout: Layout) -> str:
    """Bytes to text. UTF-16 with its mark becomes the UTF-8 that the cells then repair. Raises UnicodeError."""
    if content[:2] in _UTF16:
        content = content.decode("utf-16").encode("utf-8")
    return (
        content.decode("utf-8") if layout.encoding == "utf-8" else codecs.charmap_decode(content, "strict", CP1252)[0]
    )


def encoded(text: str, layout: Layout) -> bytes:
    """Text to bytes, the counterpart of `decoded`."""
    return text.encode("utf-8") if layout.encoding == "utf-8" else codecs.charmap_encode(text, "strict", _ENCODING)[0]


def readable(content: bytes, layout: Layout) -> tuple[bytes, pl.DataFrame]:
    """The content with its lines made readable, the numbers of lines unchanged, and what was done (schema DONE).

    Raises UnicodeError for bytes that are no text at all.
    """
    cut = pl.Series("text", [decoded(content, layout)]).str.split("\n").explode(empty_as_null=False, keep_nulls=False)
    lines = cut.to_frame().with_row_index("line", offset=1)
    lines = lines.with_columns(pl.col("text").str.strip_suffix("\r"), end=pl.col("text").str.extract("(\r?)$"))
    done = [pl.DataFrame(schema=DONE)]
    for code, rewrite in _rewritings(lines, layout):
        lines = lines.with_columns(rewrite.alias("text"), before=pl.col("text"))
        changed = lines.filter(pl.col("text") != pl.col("before"))
        mark = pl.col("before").str.starts_with(BOM)
        told = pl.when(mark).then(pl.lit("EST004")).otherwise(pl.lit(code))
        done.append(changed.select("line", "before", after="text", code=told))
    whole = lines.select((pl.col("text") + pl.col("end")).str.join("\n")).item()
    return encoded(whole, layout), pl.concat(done)


def _rewritings(lines: pl.DataFrame, layout: Layout) -> Iterator[tuple[str, pl.Expr]]:
    text = pl.col("text")
    yield "EST006", pl.when(pl.col("line") == lines.height).then(text.str.replace("[\r\x1a]*\x1a$", "")).otherwise(text)
    marks = "|".join(re.escape(record.mark) for record in layout.records)
    bar = re.escape(layout.separator)
    if other := _other_separator(lines, layout):
        yield "EST008", text.str.replace_all(other, layout.separator, literal=True)
    yield (
        "EST008",
        text.str.replace(rf"^(?:{BOM})?[\s{bar}]*{bar}[\s{bar}]*$", ""),
    )  # a row of a spreadsheet without data
    yield "EST026", text.str.replace(rf'^\s*"((?:{marks}){bar}[^"]*)"\s*$', "${1}")
    head = rf'^(?:{BOM}|[\s\x{{A0}}"“])+({marks})[\s\x{{A0}}"”]*{bar}'
    yield "EST025", text.str.replace(head, "${1}" + layout.separator)
    widths = {record.mark: len(record.fields) for record in layout.records}
    width = text.str.extract(rf"^({marks}){bar}", 1).replace_strict(widths, default=None, return_dtype=pl.Int64)
    surplus = text.str.count_matches(layout.separator, literal=True).cast(pl.Int64) + 1 - width
    length = text.str.len_chars().cast(pl.Int64)
    tail = length - text.str.strip_chars_end(layout.separator).str.len_chars().cast(pl.Int64)
    yield "EST009", pl.when((surplus > 0) & (tail >= surplus)).then(text.str.head(length - surplus)).otherwise(text)


def _other_separator(lines: pl.DataFrame, layout: Layout) -> str | None:
    """The sign that stands for the separator in every record of a file without a single separator, if one does."""
    filled = lines.filter(pl.col("text").str.strip_chars(" \x1a") != "")
    if filled.is_empty() or filled["text"].str.contains(layout.separator, literal=True).any():
        return None
    widths = {record.mark: len(record.fields) for record in layout.records}
    for sign in _SEPARATORS:
        width = pl.col("text").str.split(sign).list.first().replace_strict(widths, default=None, return_dtype=pl.Int64)
        exact = pl.col("text").str.count_matches(sign, literal=True).cast(pl.Int64) + 1 == width
        if sign != layout.separator and filled.select(exact.fill_null(value=False).all()).item():
            return sign
    return None
