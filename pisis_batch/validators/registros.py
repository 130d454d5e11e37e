"""REG: what a file does to records that are stored already, for annexes whose lines insert, update or annul."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.layouts import Record
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, Found, rule, together


def _acting(batch: Batch, facts: Facts, acts: set[str], *, known: bool) -> Found:
    """Lines with one of these acts whose key is stored (`known`), or is not; clave is the key in words."""
    found: list[pl.DataFrame] = []
    for record in batch.layout.details:
        if record.action is None:
            continue
        values = [value for value, act in record.action.values.items() if act in acts]
        stored = facts.stored.get(record.name)
        if (stored is None and known) or _none_acts(batch, record, values):
            continue
        rows = batch[record.name].filter(pl.col(record.action.field).is_in(values))
        if stored is not None:
            rows = rows.join(stored, on=list(record.unique), how="semi" if known else "anti")
        found.append(_placed(rows, record, record.action.field))
    return together(found)


def _none_acts(batch: Batch, record: Record, values: list[str]) -> bool:
    """Whether no line of a small file has one of these acts."""
    if batch.plain is None or record.action is None:
        return False
    place = record.number(record.action.field) + 1
    return not any(row[place] in values for row in batch.plain[record.name])


def _placed(rows: pl.DataFrame, record: Record, field: str) -> pl.DataFrame:
    key = pl.concat_str(list(record.unique), separator=" + ")
    return rows.select("line", record=pl.lit(record.name), field=pl.lit(field), value=pl.col(field), clave=key)


@rule(
    "REG001",
    general=True,
    severity="advertencia",
    title="Registro que ya estaba reportado",
    es="El registro {clave} ya estaba reportado; la acción «{valor}» se toma como una actualización",
    en="Record {clave} was reported before; action {valor} is taken as an update",
    cause="El mismo registro se había enviado en un archivo anterior.",
    remedy="Si es el mismo registro no tiene que hacer nada; si es otro, corrija su identificación y envíelo de nuevo.",
    source="decisión de la misión",
    since="0.2.0",
)
def inserted_again(batch: Batch, facts: Facts) -> Found:
    """A line that inserts is of a record not stored yet.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _acting(batch, facts, {"insertar"}, known=True)


@rule(
    "REG002",
    general=True,
    title="Registro que no se había reportado",
    es="El registro {clave} no se ha reportado antes, así que la acción «{valor}» no se puede hacer",
    en="Record {clave} was not reported before, so action {valor} cannot be done",
    cause="La identificación del registro está mal escrita, o el registro nunca se cargó o ya se anuló.",
    remedy="Corrija la identificación del registro, o repórtelo primero con la acción de insertar.",
    source="anexos con indicador de actualización: actualizar y anular piden un registro anterior",
    since="0.2.0",
)
def acted_on_nothing(batch: Batch, facts: Facts) -> Found:
    """A line that updates or annuls is of a record that is stored.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _acting(batch, facts, {"actualizar", "anular"}, known=False)


@rule(
    "REG003",
    general=True,
    title="Ya se cargó un archivo más reciente del mismo período",
    es="El {cuando} se recibió y se cargó otro archivo del mismo período ({guid}); este es anterior y no lo reemplaza",
    en="A later file of the same period, received on {cuando}, is loaded ({guid}); this one does not replace it",
    cause="Este archivo se procesó de nuevo después de que la entidad enviara otro más reciente.",
    remedy="No tiene que hacer nada si el archivo más reciente es el correcto; si no, envíe de nuevo el que debe quedar.",
    source="decisión de la misión",
    since="0.2.0",
)
def later_file_is_loaded(batch: Batch, facts: Facts) -> Found:
    """What an entity sent later is never replaced by what it sent before.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    kept = facts.kept
    if kept is None or not kept.later:
        return NOTHING
    schema = {"cuando": pl.String, "guid": pl.String}
    return pl.DataFrame({"cuando": [kept.received_at.strftime("%Y-%m-%d")], "guid": [kept.guid[:8]]}, schema=schema)
