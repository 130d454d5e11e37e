"""What a corrected copy changed, in words: for the terminal, the outbox and programs."""

import polars as pl

from pisis_batch import validators
from pisis_batch.model import Corrected
from pisis_batch.reports.detalle import spreadsheet

_HEADER = {
    "line": "línea",
    "label": "campo",
    "before": "antes",
    "after": "después",
    "why": "por qué",
    "confidence": "certeza",
    "state": "estado",
}
_OTHER = "Otro arreglo"


def told(made: Corrected, *, mask: bool = False) -> pl.DataFrame:
    """The repairs with two more columns: label (the field's official name) and why (what was wrong, in words)."""
    layout = made.examined.layout
    records = list(layout.records) if layout else []
    labels = {f"{record.name}.{field.name}": field.label for record in records for field in record.fields}
    private = [f"{record.name}.{field.name}" for record in records for field in record.fields if field.datum == "id"]
    titles = {code: rule.title for code, rule in validators.RULES.items()}
    pair = pl.concat_str([pl.col("record").fill_null(""), pl.lit("."), pl.col("field").fill_null("")])
    why = (
        pl.col("code")
        .str.split(" ")
        .list.eval(pl.element().replace_strict(titles, default=_OTHER, return_dtype=pl.String))
    )
    rows = made.repairs.with_columns(
        label=pair.replace_strict(labels, default="archivo", return_dtype=pl.String),
        why=why.list.unique(maintain_order=True).list.join("; "),
    )
    for name in ("before", "after") if mask else ():
        shown = pl.col(name)
        hidden = pl.when(pair.is_in(private) & (shown != "")).then(validators.masked(shown)).otherwise(shown)
        rows = rows.with_columns(hidden.alias(name))
    return rows


def repairs_csv(made: Corrected) -> bytes:
    """Every repair and every proposal, unmasked: it goes to the file's own entity."""
    state = pl.when(pl.col("applied")).then(pl.lit("hecho")).otherwise(pl.lit("propuesto"))
    return spreadsheet(told(made).with_columns(state=state), _HEADER)
