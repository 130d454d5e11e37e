"""ARC: what is more often in a file than it may be: a key, a record."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.layouts import Record
from pisis_batch.layouts.relation import Unique
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.escena import Scene
from pisis_batch.validators.rule import Found, rule, together


@rule(
    "ARC007",
    title="Registro duplicado",
    es="La línea {linea} repite {llave} de la línea {primera}",
    en="Line {linea} repeats {llave} of line {primera}",
    cause="La misma persona, o la misma persona con la misma aplicación, se reporta más de una vez en el archivo.",
    remedy="Deje un solo registro; si eran personas distintas, corrija el número de identificación.",
    source="ficha 1.4, 1.5, Q6, Q10",
)
def key_repeated(batch: Batch, facts: Facts) -> Found:
    """A person is reported once among the users; a person and application once among the profiles.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        2|2|CC|1090000001|JUAN|PEREZ|O|||||
    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        3|2|CC|1090000001|186|A|1274
        3|3|CC|1090000001|186|R|
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        2|2|CE|1090000|JUAN|PEREZ|O|||||
    """
    found: list[pl.DataFrame] = []
    own: list[tuple[Record, list[str], Unique | None]] = [
        (r, list(r.unique), None) for r in batch.layout.records if r.unique
    ]
    checks = [check for check in batch.layout.check if isinstance(check, Unique) and not check.off]
    own += [(batch.layout.record[check.on], list(check.fields), check) for check in checks]
    for record, keys, check in own:
        if not batch.repeats(record.name, keys):
            continue
        scene, frame = Scene(batch, record), batch[record.name]
        if check is not None:
            frame = frame.filter(scene.when(check).fill_null(value=False))
        given = [(pl.col(key) != "") | (pl.lit(_optional(record, key)) & ~scene.spared(key)) for key in keys]
        rows = frame.filter(pl.all_horizontal(given).fill_null(value=False))
        again = rows.with_columns(primera=pl.col("line").first().over(keys)).filter(pl.col("line") != pl.col("primera"))
        label = " y ".join(f"«{record.by_name[key].label}»" for key in keys)
        found.append(
            again.select(
                "line",
                record=pl.lit(record.name),
                field=pl.lit(keys[-1]),
                value=pl.col(keys[-1]),
                llave=pl.lit(label),
                primera=pl.col("primera").cast(pl.String),
            )
        )
    return together(found)


def _optional(record: Record, key: str) -> bool:
    """Whether an empty value is part of the key: an optional field may be empty, a mandatory one is at fault."""
    field = record.by_name[key]
    return not field.required or field.condition is not None


@rule(
    "ARC010",
    title="Más registros de los que se permiten",
    es="La línea {linea} es otro registro de tipo {tipo}; solo puede haber uno",
    en="Line {linea} is another record of type {tipo}; there can be only one",
    cause="El registro se copió dos veces, o se unieron varios archivos.",
    remedy="Deje un solo registro de ese tipo.",
    since="0.2.0",
)
def record_too_often(batch: Batch, facts: Facts) -> Found:
    """A record that occurs at most once does.

    Annex:
        occurs = "0..1"
        fields = [{ name = "dato", label = "Dato", max = 2 }]
    Rejects:
        2|1
        2|2
    Accepts:
        2|1
    """
    found: list[pl.DataFrame] = []
    for record in batch.layout.details:
        if record.occurs in {"1", "0..1"}:
            again = batch[record.name].slice(1)
            if again.is_empty():
                continue
            found.append(again.select("line", record=pl.lit(record.name), tipo=pl.lit(record.mark)))
    return together(found)
