"""Identifiers written from other fields: `{municipio}H####` as an expression; each # stands for a digit of the cell."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.layouts.shorthand import pieces


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
