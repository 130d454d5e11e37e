"""Findings as the interactive report reads them: columns of numbers with dictionaries, packed when they are many."""

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl
from markupsafe import Markup

from pisis_batch import validators
from pisis_batch.layouts import Layout
from pisis_batch.reports.original import Original
from pisis_batch.reports.page import KINDS
from pisis_batch.validators.sentences import Worded

#: Lines of the file in a block: what is unpacked when a finding is opened.
CHUNK = 4_000
#: Characters of a line that the report holds.
CUT = 2_000
#: Characters of all lines together; findings past it say that the line is in the file.
_LINES_MOST = 48_000_000
_MANY = 5_000  # texts that are told apart sooner by polars
#: JSON larger than this is packed.
_PLAIN = 24_000
_LEVEL = 4  # of packing: one more takes half again as long and saves 4 % of the bytes
#: Stands in a message for the value received, which is kept once.
_VALUE = "\x01"


class Block(NamedTuple):
    """A script element that is data: never run, whatever is in it."""

    id: str
    type: str
    text: Markup


Texts = Sequence[str] | pl.Series


class Columns(NamedTuple):
    """Findings by line: the value in the message is a mark, a field is JSON, no line is 0."""

    code: Texts
    value: Texts
    message: Texts
    field: Texts
    line: list[int]
    cause: list[int]


def few(rows: Iterable[tuple[Worded, int]]) -> Columns:
    """The columns of a few findings in words, each with the place of its cause."""
    told = [
        (
            row.code,
            row.shown,
            row.message.replace(row.shown, _VALUE) if row.shown else row.message,
            json.dumps({"name": f"{row.record or ''}.{row.field or ''}", "no": row.field_no, "label": row.label}),
            row.line or 0,
            cause,
        )
        for row, cause in rows
    ]
    return Columns._make(map(list, zip(*told, strict=True)) if told else ([],) * len(Columns._fields))


def many(rows: pl.DataFrame) -> Columns:
    """The same of many: the columns of `Worded`, and `cause`, a place among the causes."""
    # a message is mostly its code's sentence around the value received
    around = pl.col("message").str.split(by=pl.col("shown")).list.join(_VALUE)
    told = rows.select(
        "code",
        "shown",
        pl.when(pl.col("shown") == "").then(pl.col("message")).otherwise(around).alias("message"),
        _pair().alias("field"),
        pl.col("line").fill_null(0),
        "cause",
    )
    *texts, line, cause = told
    return Columns._make((*texts, line.to_list(), cause.to_list()))


def blocks(columns: Columns, layout: Layout | None, original: Original, causes: list[str]) -> Iterator[Block]:
    """The findings as `datos`, and their lines as `l0`, `l1`, … in the order in which the findings name them."""
    yield _block(
        "datos",
        {**_findings(columns, layout), "causes": causes, "cut": CUT, "chunk": CHUNK, "separator": original.separator},
    )
    numbers = [line for line in dict.fromkeys(columns.line) if line]
    room = _LINES_MOST
    for n, first in enumerate(range(0, len(numbers), CHUNK)):
        chunk = original.lines(numbers[first : first + CHUNK], CUT)
        room -= sum(map(len, chunk))
        if room < 0:
            return
        yield _block(f"l{n}", chunk)


def _findings(columns: Columns, layout: Layout | None) -> dict[str, Any]:
    codes, code = _coded(columns.code)
    values, value = _coded(columns.value)
    messages, message = _coded(columns.message)
    pairs, pair = _coded(columns.field)
    return {
        "codes": [_code(one) for one in codes],
        "values": values,
        "messages": messages,
        "fields": [json.loads(one) for one in pairs],
        "records": _records(layout),
        "code": code,
        "line": columns.line,
        "field": pair,
        "value": value,
        "message": message,
        "cause": columns.cause,
    }


def _pair() -> pl.Expr:
    """A field as JSON: its name with its record's, its number and its label."""
    name = pl.concat_str(pl.col("record").fill_null(""), pl.lit("."), pl.col("field").fill_null(""))
    return pl.struct(name=name, no=pl.col("field_no"), label=pl.col("label").fill_null("")).struct.json_encode()


def _code(code: str) -> dict[str, str]:
    rule = validators.RULES[code]
    severity = rule.severity
    return {"code": code, "title": rule.title, "severity": severity, "kind": KINDS[severity], "remedy": rule.remedy}


def _records(layout: Layout | None) -> dict[str, Any]:
    records = layout.records if layout else ()
    return {r.mark: {"label": r.label, "fields": [field.label for field in r.fields]} for r in records}


def _coded(column: Texts) -> tuple[list[str], list[int]]:
    """Distinct texts in order of appearance, and for each row the place of its own."""
    if isinstance(column, pl.Series) and len(column) > _MANY:
        firsts = column.unique(maintain_order=True)
        return firsts.to_list(), column.replace_strict(firsts, range(len(firsts)), return_dtype=pl.UInt32).to_list()
    places: dict[str, int] = {}
    coded = [places.setdefault(text, len(places)) for text in column]
    return list(places), coded


def _block(name: str, value: Any) -> Block:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= _PLAIN:
        # the one character that could end a script element or begin a comment in it
        return Block(name, "application/json", Markup(text.replace("<", "\\u003c")))  # noqa: S704 see above
    packed = gzip.compress(text.encode("utf-8"), compresslevel=_LEVEL, mtime=0)
    return Block(name, "application/octet-stream", Markup(base64.b64encode(packed).decode("ascii")))  # noqa: S704 letters
