"""Identifiers written from other fields: `{municipio}H####` as an expression; each # stands for a digit of the cell."""

import re
from collections.abc import Iterator

import polars as pl

_PIECE = re.compile(r"\{([a-z0-9_]+)\}|(#+)|([^{#]+)")


def pieces(template: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each piece: `field`, `digits` (as many signs) or `text`."""
    for found in _PIECE.finditer(template):
        yield ("field", found[1]) if found[1] else ("digits", found[2]) if found[2] else ("text", found[3])


def derived(template: str, field: str) -> pl.Expr:
    """What a field should hold, its own digits kept where the template leaves them open."""
    cell, made = pl.col(field), pl.lit("")
    for kind, text in pieces(template):
        if kind == "field":
            part = pl.col(text)
        elif kind == "text":
            part = pl.lit(text)
        else:
            own = cell.str.slice(made.str.len_chars(), len(text))
            part = pl.when(own.str.contains(f"^[0-9]{{{len(text)}}}$")).then(own).otherwise(pl.lit(text))
        made = pl.concat_str([made, part])
    return made
