"""What changed since the previous attempt, in one sentence and as a table."""

import polars as pl

from pisis_batch import validators
from pisis_batch.layouts import Layout
from pisis_batch.model import Progress
from pisis_batch.reports.detalle import spreadsheet
from pisis_batch.reports.page import many, moment

#: status -> how it is told, worst first
STATUSES = {
    "dañado": "estaba bien y ahora está mal",
    "nuevo": "nuevo",
    "sigue": "sigue",
    "pendiente": "no se revisó esta vez",
    "corregido": "corregido",
}
_HEADER = {
    "told": "estado",
    "line_before": "línea antes",
    "line_after": "línea ahora",
    "label": "campo",
    "code": "código",
    "title": "error",
    "value_before": "decía",
    "value_after": "dice",
}


def sentence(progress: Progress) -> str:
    """`Frente al envío anterior (…): 12 errores corregidos, 3 siguen, 1 nuevo y 2 en datos que estaban bien.`"""
    counts = progress.counts()
    said = [many(counts["corregido"], "error corregido", "errores corregidos")]
    if counts["sigue"]:
        said.append(many(counts["sigue"], "sigue", "siguen"))
    if counts["nuevo"]:
        said.append(many(counts["nuevo"], "nuevo", "nuevos"))
    if counts["dañado"]:
        said.append(many(counts["dañado"], "en un dato que estaba bien", "en datos que estaban bien"))
    if counts["pendiente"]:
        said.append(many(counts["pendiente"], "que esta vez no se revisó", "que esta vez no se revisaron"))
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} y {said[-1]}"
    return f"Frente a su envío del {moment(progress.received_at)} (GUID {progress.guid[:8]}): {listed}."


def described(progress: Progress, layout: Layout | None) -> pl.DataFrame:
    """The rows, worst first, with told (the status in words), label (the field's name) and title (of the code)."""
    records = list(layout.records) if layout else []
    labels = {f"{record.name}.{field.name}": field.label for record in records for field in record.fields} or {"": ""}
    pair = pl.concat_str([pl.col("record").fill_null(""), pl.lit("."), pl.col("field").fill_null("")])
    titles = {code: rule.title for code, rule in validators.RULES.items()}
    rank = {status: place for place, status in enumerate(STATUSES)}
    return progress.rows.with_columns(
        told=pl.col("status").replace_strict(STATUSES, return_dtype=pl.String),
        label=pair.replace_strict(labels, default=pl.col("field").fill_null("archivo"), return_dtype=pl.String),
        title=pl.col("code").replace_strict(titles, default="", return_dtype=pl.String),
    ).sort(pl.col("status").replace_strict(rank, return_dtype=pl.Int64), maintain_order=True)


def progress_csv(progress: Progress, layout: Layout | None) -> bytes:
    """Every error of both attempts, unmasked: it goes to the file's own entity."""
    return spreadsheet(described(progress, layout), _HEADER)
