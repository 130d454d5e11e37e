"""CTL, dates: the cut date against the day of reception and the annex's reporting periods (A5.5, A5.6, Q16)."""

import polars as pl

from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, rule


def _cut(batch: Batch) -> pl.DataFrame:
    """The control's line with its cut date, as text (`value`) and as a date (`corte`)."""
    control, field = batch.layout.control, batch.layout.cut_date
    inside = field in control.by_name
    stated = batch.layout.file_name.read(batch.file_name)
    named = stated.get(field) if isinstance(stated, dict) else None
    text = pl.col(field) if inside else pl.lit(named, dtype=pl.String)
    return batch[control.name].select(
        "line",
        record=pl.lit(control.name),
        field=pl.lit(field if inside else None, dtype=pl.String),
        value=text,
        corte=text.str.to_date("%Y-%m-%d", strict=False),
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
def cut_date_in_the_future(batch: Batch, facts: Facts) -> pl.DataFrame:
    """Nothing is reported before it happens.

    Rejects:
        1|NI|900123456|2026-07-16|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    return _cut(batch).filter(facts.today < pl.col("corte")).with_columns(hoy=pl.lit(facts.today.isoformat()))


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
def cut_date_of_no_period(batch: Batch, facts: Facts) -> pl.DataFrame:
    """With a calendar, the cut date is that of one of its periods; an annex without calendar is always open.

    Given:
        periods = ["2026-06-01 2026-06-30 2026-07-01 2026-07-31"]
    Rejects:
        1|NI|900123456|2026-07-14|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-06-30|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    if facts.periods.is_empty():
        return NOTHING
    stray = _cut(batch).join(facts.periods, on="corte", how="anti").filter(pl.col("corte") <= facts.today)
    near = facts.periods.select(cercano="corte", otro=pl.lit(1))
    joined = stray.with_columns(otro=pl.lit(1)).join(near, on="otro")
    apart = (pl.col("corte") - pl.col("cercano")).dt.total_days().abs()
    return joined.sort(apart).head(1).with_columns(pl.col("cercano").cast(pl.String))


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
def outside_report_window(batch: Batch, facts: Facts) -> pl.DataFrame:
    """A file arrives within the report window of its period, first and last day included.

    Given:
        periods = ["2026-06-01 2026-06-30 2026-07-01 2026-07-10", "2026-05-01 2026-05-31 2026-06-01 2026-07-15"]
    Rejects:
        1|NI|900123456|2026-06-30|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-05-31|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    if facts.periods.is_empty():
        return NOTHING
    own = _cut(batch).join(facts.periods, on="corte", how="inner")
    today = pl.lit(facts.today)
    open_now = today.is_between(pl.col("reporte_desde"), pl.col("reporte_hasta"))
    closed = own.filter(~open_now.any())
    return closed.head(1).with_columns(hoy=pl.lit(facts.today.isoformat()))


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
def cut_date_too_old(batch: Batch, facts: Facts) -> pl.DataFrame:
    """An annex without calendar may limit how many days after the cut date it is received, the last one included.

    Annex:
        late_days = 30
    Rejects:
        1|NI|900123456|2026-06-14|1
    Accepts:
        1|NI|900123456|2026-06-15|1
    """
    limit = batch.layout.late_days
    if limit is None or not facts.periods.is_empty():
        return NOTHING
    age = (pl.lit(facts.today) - pl.col("corte")).dt.total_days()
    late = _cut(batch).filter(age > limit)
    return late.with_columns(dias=age.cast(pl.String), limite=pl.lit(str(limit)))
