"""Findings in words: each code's sentence filled with its facts, a column at a time; identifiers masked on request."""

from collections.abc import Iterator
from string import Formatter
from typing import Literal

import polars as pl

from pisis_batch.layouts import Layout
from pisis_batch.model import FINDINGS, Findings
from pisis_batch.validators.rule import RULES

#: Columns added by `described`.
DESCRIBED = pl.Schema({**FINDINGS, **dict.fromkeys(["message", "label", "shown", "title", "remedy"], pl.String())})
_PAIR = pl.concat_str([pl.col("record").fill_null(""), pl.lit("."), pl.col("field").fill_null("")])
_ID_LIKE = {"num_id", "num_id_representante", "num_id_contacto"}


def masked(value: pl.Expr) -> pl.Expr:
    """All but the last four characters hidden; a value of four or fewer is hidden whole."""
    hidden = value.str.len_chars().cast(pl.Int64) - 4
    return pl.when(hidden <= 0).then(pl.lit("••••")).otherwise(pl.lit("••••") + value.str.tail(4))


def described(
    findings: Findings, layout: Layout | None, *, language: Literal["es", "en"] = "es", mask: bool = False
) -> pl.DataFrame:
    """Findings plus message, label (official field name), shown (value as it may be shown), title and remedy."""
    frame = findings.frame.with_row_index("_order")
    frame = frame.with_columns(
        label=label(layout), _private=_PAIR.is_in(_ids(layout)) | pl.col("code").str.starts_with("REM")
    )
    value = pl.col("value").fill_null("")
    shown = pl.when(pl.col("_private") & (value != "")).then(masked(value)).otherwise(value) if mask else value
    frame = frame.with_columns(shown=_short(_visible(shown)))
    parts = [_worded(part, language, mask=mask) for part in frame.partition_by("code")]
    if not parts:
        return pl.DataFrame(schema=DESCRIBED)
    return pl.concat(parts).sort("_order").drop("_order")


def label(layout: Layout | None) -> pl.Expr:
    """The official name of the field that a finding is about; its own where it has none, or empty."""
    return _PAIR.replace_strict(_labels(layout), default=pl.col("field").fill_null(""), return_dtype=pl.String)


def _worded(part: pl.DataFrame, language: str, *, mask: bool) -> pl.DataFrame:
    """The findings of one code with their sentence."""
    rule = RULES[part["code"][0]]
    names = (*rule.placeholders, "oficial")
    if rule.placeholders or part["details"].str.contains('"oficial"', literal=True).any():
        dtype = pl.Struct(dict.fromkeys((f"d_{n}" for n in names), pl.String))
        decoded = pl.col("details").str.json_decode(pl.Struct(dict.fromkeys(names, pl.String)))
        part = part.with_columns(decoded.struct.rename_fields([f"d_{n}" for n in names]).alias("_d")).unnest("_d")
        part = part.with_columns([_visible(pl.col(f.name).fill_null("")) for f in dtype.fields])
        if mask:
            part = part.with_columns([masked(pl.col(f"d_{n}")).alias(f"d_{n}") for n in names if n in _ID_LIKE])
    pieces = list(_pieces(rule.es if language == "es" else rule.en))
    if "d_oficial" in part.columns:
        official = " (código oficial {})" if language == "es" else " (official code {})"
        pieces.append(pl.when(pl.col("d_oficial") != "").then(pl.format(official, "d_oficial")).otherwise(pl.lit("")))
    worded = part.with_columns(message=pl.concat_str(pieces), title=pl.lit(rule.title), remedy=pl.lit(rule.remedy))
    return worded.select("_order", *DESCRIBED)


def _pieces(template: str) -> Iterator[pl.Expr]:
    own = {"valor": "shown", "campo": "label", "linea": "line"}
    for text, name, _, _ in Formatter().parse(template):
        if text:
            yield pl.lit(text)
        if name:
            yield pl.col(own.get(name, f"d_{name}")).cast(pl.String).fill_null("")


_INVISIBLE = r"[\x01-\x1F\x7F-\x{9F}\x{AD}\x{200B}-\x{200F}\x{2028}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]"


def _visible(text: pl.Expr) -> pl.Expr:
    """Control, bidirectional and invisible characters drawn as ␀ or ⍰."""
    drawn = text.str.replace_all("\t", "⇥", literal=True).str.replace_all("\x00", "␀", literal=True)
    return drawn.str.replace_all(_INVISIBLE, "⍰")


def _short(text: pl.Expr) -> pl.Expr:
    """At most 80 characters: a line of a report."""
    return pl.when(text.str.len_chars() > 80).then(text.str.slice(0, 79) + "…").otherwise(text)  # noqa: PLR2004 said above


def _labels(layout: Layout | None) -> dict[str, str]:
    records = layout.records if layout else ()
    return {f"{record.name}.{field.name}": field.label for record in records for field in record.fields} or {"": ""}


def _ids(layout: Layout | None) -> list[str]:
    records = layout.records if layout else ()
    return [f"{record.name}.{field.name}" for record in records for field in record.fields if field.datum == "id"]
