"""ARC: the file as a whole: its control record, the order, the consecutive, the total, the keys, the name."""

from __future__ import annotations

import re
from itertools import chain, pairwise
from operator import itemgetter

from pisis_batch.frames import Columns, pl, texts
from pisis_batch.layouts import Record
from pisis_batch.layouts.relation import Count, Unique
from pisis_batch.model import Batch, Facts
from pisis_batch.numbering import Numbering
from pisis_batch.validators.escena import Scene
from pisis_batch.validators.rule import NOTHING, Found, rule, together

_COUNT = re.compile("[0-9]{1,300}")  # no other digits are any, and of a longer text Python makes no number
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
    "ARC005",
    title="Consecutivo errado",
    es="El consecutivo de la línea {linea} es {valor} y debía ser {esperado}{tramo}",
    en="The consecutive of line {linea} is {valor} and should be {esperado}{stretch}",
    cause="Se quitó, se agregó, se repitió o se movió un registro sin numerar de nuevo, o la numeración se reinició.",
    remedy="Numere de nuevo: 1 en el primer registro de detalle y de uno en uno hasta el último, sin reiniciar entre tipos.",
    source="ficha 1.2",
)
def consecutive_broken(batch: Batch, facts: Facts) -> Found:
    """The consecutive starts at 1 and runs on over all detail records.

    One finding for each stretch that is off by the same amount, at its first line. Lines that could not be read may
    or may not have been numbered, so what follows them is given the benefit of the doubt.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        2|3|CC|1090000002|ANA|RUIZ|O|||||
    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        3|1|CC|1090000001|186|A|1274
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        3|2|CC|1090000001|186|A|1274
    """
    sequence = batch.layout.sequence
    if sequence is None:
        return NOTHING
    runs = [(name,) for name in sequence.over] if sequence.restart else [sequence.over]
    found = [_broken(batch, sequence.field, over, place) for place, over in enumerate(runs)]
    broken = together([rows for rows in found if rows is not None])
    return NOTHING if broken is None else broken.sort("line", maintain_order=True)


def _runs_on(batch: Batch, field: str, over: tuple[str, ...]) -> bool:
    """Whether the consecutives are 1, 2, 3… through the records one after the other, as in most files."""
    if batch.plain is not None:
        rows = list(chain.from_iterable(batch.plain[name] for name in over))
        if any(one[0] > other[0] for one, other in pairwise(rows)):
            return False
        places = {name: batch.layout.record[name].number(field) + 1 for name in over}
        said = [row[places[name]] for name in over for row in batch.plain[name]]
        return said == [str(number) for number in range(1, len(said) + 1)]
    frames = [batch[name] for name in over if not batch[name].is_empty()]
    if any(one["line"][-1] > other["line"][0] for one, other in pairwise(frames)):
        return False
    values = pl.concat([frame[field] for frame in frames]) if frames else pl.Series(dtype=pl.String)
    return bool((values == pl.int_range(1, values.len() + 1, eager=True).cast(pl.String)).all())


def _broken(batch: Batch, field: str, over: tuple[str, ...], place: int) -> Found:
    """Where one run of consecutives breaks."""
    if batch.figures:
        if not batch.figures.breaks:
            return NOTHING
        found = batch.figures.breaks[place]
    elif _runs_on(batch, field, over):
        return NOTHING
    else:
        parts = [batch[name].select("line", record=pl.lit(name), value=pl.col(field)) for name in over]
        numbering = Numbering()
        numbering.add(pl.concat(parts).sort("line"), batch.unreadable.select("line").sort("line"))
        found = numbering.breaks()
    if found.is_empty():
        return NOTHING
    many = pl.col("size") > 1
    return found.select(
        "line",
        "record",
        "value",
        field=pl.lit(field),
        esperado=pl.col("esperado").cast(pl.String),
        tramo=pl.when(many).then(pl.format("; sigue corrido hasta la línea {}", "last")).otherwise(pl.lit("")),
        stretch=pl.when(many).then(pl.format("; the shift goes on to line {}", "last")).otherwise(pl.lit("")),
    )


@rule(
    "ARC006",
    title="Total que no coincide",
    es="El control dice {valor} registros de detalle y el archivo tiene {contados}",
    en="The control record states {valor} detail records and the file has {contados}",
    cause="Se agregaron o quitaron registros sin corregir el total, se contó la línea de control, o el archivo llegó incompleto.",
    remedy="Escriba en el control el número de registros de detalle, sin contar la línea de control.",
    source="ficha 1.2",
)
def total_mismatch(batch: Batch, facts: Facts) -> Found:
    """The control total counts the detail records. Unreadable lines may count or not.

    Rejects:
        1|NI|900123456|2026-07-15|2|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    layout = batch.layout
    totals = [(layout.total.field, layout.total.over, "error", "")] if layout.total else []
    totals += [
        (c.field, c.over, c.severity, c.official("")) for c in layout.check if isinstance(c, Count) and not c.off
    ]
    found: list[pl.DataFrame] = []
    for place, over, severity, official in totals:
        owner, name = place.split(".")
        row = batch.head(owner)
        if row is None or not _COUNT.fullmatch(str(row[name])):
            continue
        counted = sum(batch.height(record) for record in over)
        whole = set(over) == {record.name for record in layout.details}
        if not counted <= int(row[name]) <= counted + batch.lost:
            told = batch.details if whole else counted
            found.append(
                batch[owner]
                .head(1)
                .select(
                    "line",
                    record=pl.lit(owner),
                    field=pl.lit(name),
                    value=pl.col(name),
                    contados=pl.lit(str(told)),
                    severity=pl.lit(severity),
                    oficial=pl.lit(official or None, dtype=pl.String),
                )
            )
    return together(found)


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
