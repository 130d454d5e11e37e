"""What is found between lines, as rows that a rule returns."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.layouts import Record
from pisis_batch.layouts.relation import Checked, RowChecked
from pisis_batch.model import Batch
from pisis_batch.validators.escena import Scene
from pisis_batch.validators.rule import Found, together


def framed(found: list[pl.DataFrame], *names: str) -> Found:
    """What several checks found, with these columns besides those that every finding has."""
    columns = ["record", "field", "value", "severity", "oficial", *names]
    return together([rows.select("line", *columns) for rows in found])


def noted(rows: pl.DataFrame, check: Checked, record: Record, field: str, **details: str | pl.Expr) -> pl.DataFrame:
    """Lines of a record that a check objects to at one field, with what its words need."""
    return rows.with_columns(
        record=pl.lit(record.name),
        field=pl.lit(field),
        value=pl.col(field),
        severity=pl.lit(check.severity),
        oficial=pl.lit(check.official(field) or None, dtype=pl.String),
        **{k: (pl.lit(v) if isinstance(v, str) else v).cast(pl.String) for k, v in details.items()},
    )


def looked_at(batch: Batch, check: RowChecked) -> pl.DataFrame:
    """The lines that a check looks at."""
    record = batch.layout.record[check.on]
    return batch[check.on].filter(Scene(batch, record).when(check).fill_null(value=False))
