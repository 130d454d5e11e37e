"""What a suggester is asked with, and the form of its answers."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from pisis_batch.layouts import CATALOGS, Field, Layout
from pisis_batch.model import Batch, Facts

WRITE = "Escriba «{}»"
GUESS = "¿Quiso escribir «{}»?"
#: What a suggester returns beside `n`: the value expected, and the sentence with {} where that value stands.
ANSWER = pl.Schema({"n": pl.UInt32, "expected": pl.String, "form": pl.String})


@dataclass(frozen=True, slots=True)
class Asked:
    """The file that the findings are about."""

    layout: Layout
    batch: Batch | None
    facts: Facts | None

    def field(self, record: str, field: str) -> Field | None:
        """A field of the layout."""
        known = self.layout.record.get(record or self.layout.control.name)
        return known.by_name.get(field) if known else None

    def codes(self, field: Field) -> dict[str, str]:
        """The values a field may take, with their meaning; empty when they are not listed in the layout."""
        if field.values:
            return dict(field.values)
        if field.allowed:
            return dict.fromkeys(field.allowed, "")
        catalog = CATALOGS.get(field.catalog or "")
        return {} if catalog is None or catalog.registry else dict(catalog.codes)


#: Distinct findings of one code (n, record, field, value, details; nulls as "") -> what is suggested for some of them.
Suggester = Callable[[pl.DataFrame, Asked], pl.DataFrame]


def answer(rows: pl.DataFrame, expected: pl.Expr, form: str | pl.Expr = WRITE) -> pl.DataFrame:
    """Rows with an expected value, where there is one that differs from what was given."""
    told = rows.with_columns(expected=expected, form=pl.lit(form) if isinstance(form, str) else form)
    return told.filter(pl.col("expected") != pl.col("value")).select(ANSWER.names()).cast(ANSWER)


def listed(found: list[tuple[int, str, str]]) -> pl.DataFrame:
    """Answers that were worked out one distinct value at a time."""
    return pl.DataFrame(found, schema=ANSWER, orient="row")
