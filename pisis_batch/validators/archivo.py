"""ARC: the file as a whole: its control record, what it lacks, the order of its records, its name."""

from __future__ import annotations

from operator import itemgetter

from pisis_batch.frames import Columns, pl, texts
from pisis_batch.layouts import Record
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, Found, rule, together

_DIFFERING = Columns(line="UInt32") | texts("record", "field", "value", "nombre")


def _hidden(batch: Batch, record: Record) -> bool:
    """Whether a line of this record exists but could not be read."""
    return batch.odd and bool((batch.irregular["mark"] == record.mark).any())


def _readable(batch: Batch) -> bool:
    return batch.last_line > 0


@rule(
    "ARC001",
    title="Falta el registro de control",
    es="El archivo no tiene registro de control (tipo {tipo}); debe ser su primera línea",
    en="The file has no control record (type {tipo}); it must be the first line",
    cause="El archivo comienza directamente con los registros de detalle.",
    remedy="Agregue como primera línea el registro de control con los datos de la entidad.",
    source="ficha 1.2",
)
def control_missing(batch: Batch, facts: Facts) -> Found:
    """A file has a control record.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    Accepts:
        1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    control = batch.layout.control
    missing = _readable(batch) and not batch.height(control.name) and not _hidden(batch, control)
    return pl.DataFrame({"tipo": [control.mark]}, schema={"tipo": pl.String}) if missing else NOTHING


@rule(
    "ARC002",
    title="Registro de control repetido",
    es="La línea {linea} es otro registro de control; solo puede haber uno",
    en="Line {linea} is another control record; there can be only one",
    cause="Se unieron varios archivos, o el control se copió dos veces.",
    remedy="Deje un solo registro de control, en la primera línea.",
    source="ficha 1.2",
)
def control_repeated(batch: Batch, facts: Facts) -> Found:
    """Exactly one control record.

    Rejects:
        1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
        1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    control = batch.layout.control
    if batch.height(control.name) <= 1:
        return NOTHING
    return batch[control.name].slice(1).select("line", record=pl.lit(control.name))


@rule(
    "ARC003",
    title="Control fuera de la primera línea",
    es="El registro de control está en la línea {linea}; debe ser la primera",
    en="The control record stands on line {linea}; it must be the first",
    cause="Hay registros o notas antes del control.",
    remedy="Pase el registro de control a la primera línea.",
    source="ficha 1.2",
)
def control_not_first(batch: Batch, facts: Facts) -> Found:
    """The control record is the first line; a blank line before it is told by itself.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    control = batch.layout.control
    if batch.first(control.name) in {None, 1}:
        return NOTHING
    first = batch[control.name].select("line", record=pl.lit(control.name)).head(1)
    before = [batch.first(record.name) for record in batch.layout.details]
    wrong = batch.irregular.filter(pl.col("problem").is_in(["unknown", "ragged", "too_long"]))["line"].min()
    earliest = min((int(str(line)) for line in [*before, wrong] if line is not None), default=None)
    return first.filter(pl.col("line") > earliest) if earliest is not None else NOTHING


@rule(
    "ARC004",
    title="Registros en desorden",
    es="La línea {linea} es de tipo {tipo} y está después de registros de tipo {despues}; cada tipo va agrupado y en orden",
    en="Line {linea} is of type {tipo} and stands after records of type {despues}; types are grouped, in order",
    cause="Los registros de distinto tipo se mezclaron.",
    remedy="Ponga primero todos los registros de cada tipo, en el orden del anexo, y numere de nuevo el consecutivo.",
    source="ficha 1.2, Q23",
)
def record_out_of_order(batch: Batch, facts: Facts) -> Found:
    """All users come before all profiles.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        3|2|CC|1090000001|186|A|1274
        2|3|CC|1090000002|ANA|RUIZ|O|||||
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|O|||||
        3|3|CC|1090000001|186|A|1274
    """
    found: list[pl.DataFrame] = []
    details = list(batch.layout.details) if batch.layout.grouped else []
    for place, record in enumerate(details):
        later = [(batch.first(other.name), other) for other in details[place + 1 :]]
        starts = [(start, other) for start, other in later if start is not None]
        if not starts:
            continue
        start, other = min(starts, key=itemgetter(0))
        last = batch.last(record.name)
        if last is None or last < start:
            continue
        late = batch[record.name].filter(pl.col("line") > start)
        found.append(
            late.select("line", record=pl.lit(record.name), tipo=pl.lit(record.mark), despues=pl.lit(other.mark))
        )
    return together(found)


@rule(
    "ARC008",
    title="Faltan registros",
    es="El archivo no tiene ningún registro de tipo {tipo} y se requiere al menos uno",
    en="The file has no record of type {tipo} and at least one is required",
    cause="El archivo solo trae el control, o solo registros de otro tipo.",
    remedy="Agregue los registros que faltan o no envíe el archivo.",
    source="ficha 1.2",
)
def record_missing(batch: Batch, facts: Facts) -> Found:
    """At least one user record.

    Rejects:
        1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    missing = [
        record.mark
        for record in batch.layout.details
        if record.occurs in {"1", "1.."} and not batch.height(record.name) and not _hidden(batch, record)
    ]
    return pl.DataFrame({"tipo": missing}, schema={"tipo": pl.String}) if missing and _readable(batch) else NOTHING


@rule(
    "ARC009",
    title="El nombre no coincide con el control",
    es="«{campo}» es {valor} en el registro de control y {nombre} en el nombre del archivo",
    en="{campo} is {valor} in the control record and {nombre} in the file name",
    cause="El archivo se copió de otro reporte y no se cambió el nombre o el control.",
    remedy="Corrija el que esté errado: los dos deben decir lo mismo.",
    source="ficha 1.1",
)
def name_differs(batch: Batch, facts: Facts) -> Found:
    """The name repeats the cut date and the entity of the control record. The examples are named
    SEG500USIN20260715NI000900123456.TXT.

    Rejects:
        1|NI|900654321|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    """
    control, name = batch.layout.control, batch.layout.file_name
    stated = name.read(batch.file_name)
    row = batch.head(control.name)
    differing = []
    if isinstance(stated, dict) and row is not None:
        for field, value in stated.items():
            if field not in row:
                continue
            piece, given = name.piece(field), str(row[field])
            same = piece.write(given) == piece.write(value)
            if given and not same:
                differing.append(
                    {"line": row["line"], "record": control.name, "field": field, "value": given, "nombre": value}
                )
    return pl.DataFrame(differing, schema=_DIFFERING.schema) if differing else NOTHING
