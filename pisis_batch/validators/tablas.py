"""EST, codes of loaded tables: a join for each field, so that a table may be as large as it likes."""

from __future__ import annotations

from functools import lru_cache

from pisis_batch.frames import pl
from pisis_batch.layouts import Field, catalogs
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.escena import Scene
from pisis_batch.validators.rule import Found, rule, together


@lru_cache(maxsize=64)
def _table(rows: tuple[tuple[str, str, str, str], ...]) -> pl.DataFrame:
    """Columns codigo, desde, hasta; an open end is far away, so that days compare as text."""
    frame = pl.DataFrame(rows, schema=["codigo", "nombre", "desde", "hasta"], orient="row")
    return frame.select("codigo", "desde", hasta=pl.when(pl.col("hasta") == "").then(pl.lit("9")).otherwise("hasta"))


def _cells(frame: pl.DataFrame, field: Field) -> pl.DataFrame:
    """Line, value and code of each code that the field holds; wildcards are left out."""
    cells = frame.select("line", value=pl.col(field.name)).filter(
        (pl.col("value") != "") & ~pl.col("value").is_in(list(field.sentinels or ()))
    )
    if not field.list:
        return cells.with_columns(codigo=pl.col("value"))
    return cells.with_columns(codigo=pl.col("value").str.split(field.list)).explode(
        "codigo", empty_as_null=True, keep_nulls=True
    )


@rule(
    "EST043",
    title="Código que no está vigente en la tabla",
    es="«{campo}» trae «{valor}», que no está en la tabla {tabla} o no estaba vigente a la fecha de corte ({corte})",
    en="{campo} holds {valor}, which is not in table {tabla} or was not in force at the cut date ({corte})",
    cause="El código está mal escrito, es de otra tabla, o se creó o se retiró en otra fecha.",
    remedy="Use un código vigente de la tabla a la fecha de corte del reporte.",
    source="estilo de Error021",
    since="0.2.0",
)
def code_not_in_force(batch: Batch, facts: Facts) -> Found:
    """A code of a loaded table exists and is in force at the cut date. A table that nobody loaded is not judged.

    Not shown as a rejected line: it takes a loaded table.

    Annex:
        fields = [{ name = "municipio", label = "Municipio", type = "A", max = 5, catalog = "Municipio" }]
    Accepts:
        2|52001
    """
    found: list[pl.DataFrame] = []
    for record in batch.layout.records:
        for field in record.fields:
            rows = catalogs.LOADED.get(field.catalog or "")
            if rows is None:
                continue
            cut = Scene(batch, record).cut_text
            known = _table(rows).filter((pl.col("desde") <= cut) & (pl.col("hasta") >= cut)) if cut else _table(rows)
            wrong = _cells(batch[record.name], field).join(known, on="codigo", how="anti").unique("line", keep="first")
            found.append(
                wrong.sort("line").select(
                    "line",
                    record=pl.lit(record.name),
                    field=pl.lit(field.name),
                    value="value",
                    tabla=pl.lit(field.catalog),
                    corte=pl.lit(cut or ""),
                )
            )
    return together(found)
