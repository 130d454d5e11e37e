"""CTL, dates: the cut date against the day of reception and the annex's reporting periods (A5.5, A5.6, Q16)."""

from __future__ import annotations

from datetime import date

from pisis_batch.frames import picked, pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, Found, rule


def _cut(batch: Batch) -> date | None:
    """The cut date of the first control line, or of the name; None when there is no such line or it is no date."""
    row = batch.head(batch.layout.control.name)
    said = None if row is None else row.get(batch.layout.cut_date) or batch.named.get(batch.layout.cut_date)
    try:
        return date.fromisoformat(said or "")
    except ValueError:
        return None


def _told(batch: Batch, cut: date, **facts: str) -> pl.DataFrame:
    """The control's line, blamed for its cut date."""
    control, field = batch.layout.control, batch.layout.cut_date
    inside = field in control.by_name
    return batch[control.name].select(
        "line",
        record=pl.lit(control.name),
        field=pl.lit(field if inside else None, dtype=pl.String),
        value=pl.lit(cut.isoformat()),
        **{name: pl.lit(text) for name, text in facts.items()},
    )


@rule(
    "CTL020",
    reach="control",
    general=True,
    on="control",
    field="fecha_corte",
    title="Fecha de corte en el futuro",
    es="La fecha de corte {valor} es posterior al día de recepción ({hoy})",
    en="The cut date {valor} is later than the day of reception ({hoy})",
    cause="El año, el mes o el día están mal escritos.",
    remedy="Escriba en el control y en el nombre la fecha de corte real.",
    source="Q16; estilo de Error120",
)
def cut_date_in_the_future(batch: Batch, facts: Facts) -> Found:
    """Nothing is reported before it happens.

    Rejects:
        1|NI|900123456|2026-07-16|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    cut = _cut(batch)
    if cut is None or cut <= facts.today:
        return NOTHING
    return _told(batch, cut, hoy=facts.today.isoformat())


@rule(
    "CTL021",
    reach="control",
    general=True,
    on="control",
    field="fecha_corte",
    title="Fecha de corte que no es de ningún período",
    es="La fecha de corte {valor} no es la de ningún período de información; el más cercano corta el {cercano}",
    en="The cut date {valor} belongs to no information period; the nearest one ends on {cercano}",
    cause="La fecha de corte está mal escrita, o el período no está en el calendario del anexo.",
    remedy="Consulte los períodos del anexo en PISIS (Consultar Períodos de Reporte por Anexo Técnico).",
    source="A5.5",
)
def cut_date_of_no_period(batch: Batch, facts: Facts) -> Found:
    """With a calendar, the cut date is that of one of its periods; an annex without calendar is always open.

    Given:
        periods = ["2026-06-01 2026-06-30 2026-07-01 2026-07-31"]
    Rejects:
        1|NI|900123456|2026-07-14|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-06-30|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    cut, ends = _cut(batch), facts.periods["corte"].to_list()
    if cut is None or not ends or cut in ends or cut > facts.today:
        return NOTHING
    return _told(batch, cut, cercano=min(ends, key=lambda end: abs(cut - end)).isoformat())


@rule(
    "CTL022",
    reach="control",
    general=True,
    on="control",
    field="fecha_corte",
    title="Fuera del período de reporte",
    es="El período con corte {valor} se reporta del {reporte_desde} al {reporte_hasta} y el archivo llegó el {hoy}",
    en="The period ending {valor} is reported from {reporte_desde} to {reporte_hasta}; the file came on {hoy}",
    cause="El archivo se envió antes de abrir el período de reporte o después de cerrarlo.",
    remedy="Envíe el archivo dentro del período de reporte; si ya cerró, escriba a la Mesa de Ayuda.",
    source="A5.6",
)
def outside_report_window(batch: Batch, facts: Facts) -> Found:
    """A file arrives within the report window of its period, first and last day included.

    Given:
        periods = ["2026-06-01 2026-06-30 2026-07-01 2026-07-10", "2026-05-01 2026-05-31 2026-06-01 2026-07-15", "2026-04-01 2026-04-30 2026-07-15 2026-07-31"]
    Rejects:
        1|NI|900123456|2026-06-30|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-05-31|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-04-30|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    cut = _cut(batch)
    own = [span for end, *span in picked(facts, "periods", ["corte", "reporte_desde", "reporte_hasta"]) if end == cut]
    if cut is None or not own or any(first <= facts.today <= last for first, last in own):
        return NOTHING
    first, last = (day.isoformat() for day in own[0])
    return _told(batch, cut, reporte_desde=first, reporte_hasta=last, hoy=facts.today.isoformat())


@rule(
    "CTL023",
    since="0.2.0",
    reach="control",
    general=True,
    on="control",
    field="fecha_corte",
    title="Fecha de corte demasiado antigua",
    es="La fecha de corte {valor} es de hace {dias} días y este anexo se recibe hasta {limite} días después del corte",
    en="The cut date {valor} is {dias} days old and this annex is received up to {limite} days after it",
    cause="El archivo es de un corte viejo, o el año o el mes de la fecha de corte están mal escritos.",
    remedy="Revise la fecha de corte del control y del nombre; si es la que quiso, escriba a la Mesa de Ayuda.",
    source="Q16",
)
def cut_date_too_old(batch: Batch, facts: Facts) -> Found:
    """An annex without calendar may limit how many days after the cut date it is received, the last one included.

    Annex:
        late_days = 30
    Rejects:
        1|NI|900123456|2026-06-14|1
    Accepts:
        1|NI|900123456|2026-06-15|1
    """
    cut, limit = _cut(batch), batch.layout.late_days
    if cut is None or limit is None or not facts.periods.is_empty() or (facts.today - cut).days <= limit:
        return NOTHING
    return _told(batch, cut, dias=str((facts.today - cut).days), limite=str(limit))
