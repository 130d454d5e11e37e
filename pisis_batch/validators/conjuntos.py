"""ARC, lines against lines and against the control record: parents, children, sums, derived keys, repeated headers.

Where lines of a record could not be read, what depends on them is given the benefit of the doubt.
"""

from __future__ import annotations

from collections.abc import Iterator

from pisis_batch.frames import pl
from pisis_batch.layouts import Record
from pisis_batch.layouts.relation import (
    Checked,
    Children,
    Counter,
    Derived,
    Distinct,
    Limit,
    Parent,
    RowChecked,
    Sorted,
    Sum,
)
from pisis_batch.model import Batch, Facts
from pisis_batch.validators import passing
from pisis_batch.validators.condiciones import number, shown
from pisis_batch.validators.derivados import derived
from pisis_batch.validators.escena import Objection, Scene, objected
from pisis_batch.validators.rule import Found, rule, together


def _frame(found: list[pl.DataFrame], *names: str) -> Found:
    columns = ["record", "field", "value", "severity", "oficial", *names]
    return together([rows.select("line", *columns) for rows in found])


def _told(rows: pl.DataFrame, check: Checked, record: Record, field: str, **details: str | pl.Expr) -> pl.DataFrame:
    return rows.with_columns(
        record=pl.lit(record.name),
        field=pl.lit(field),
        value=pl.col(field),
        severity=pl.lit(check.severity),
        oficial=pl.lit(check.official(field) or None, dtype=pl.String),
        **{k: (pl.lit(v) if isinstance(v, str) else v).cast(pl.String) for k, v in details.items()},
    )


def _unread(batch: Batch, *records: str) -> bool:
    """Whether a line that is, or may be, of one of these records could not be read."""
    if not batch.lost:
        return False
    marks = [batch.layout.record[name].mark for name in records]
    return bool((batch.unreadable["mark"].is_in(marks) | (batch.unreadable["problem"] == "unknown")).any())


def _looked_at(batch: Batch, check: RowChecked) -> pl.DataFrame:
    record = batch.layout.record[check.on]
    return batch[check.on].filter(Scene(batch, record).when(check).fill_null(value=False))


@rule(
    "ARC011",
    reach="checks",
    title="Registro que no tiene a quién pertenecer",
    es="La línea {linea} trae {llave} y ningún registro de tipo {tipo} lo trae",
    en="Line {linea} holds {llave} and no record of type {tipo} does",
    cause="El identificador está mal escrito, o falta el registro al que esta línea pertenece.",
    remedy="Corrija el identificador o agregue el registro que falta.",
    since="0.2.0",
)
def parent_missing(batch: Batch, facts: Facts) -> Found:
    """A line that names a line of another record finds it in the file.

    Annex:
        fields = [{ name = "familia", label = "Familia", type = "A", max = 4 }]
        check = [{ kind = "parent", on = "persona", fields = "familia", of = "dato", key = "familia" }]
        [record.persona]
        label = "Personas"
        fields = [{ name = "tipo_registro", label = "Tipo", is = "3" }, { name = "familia", label = "Familia", type = "A", max = 4 }]
    Rejects:
        2|F1
        3|F2
    Accepts:
        2|F1
        3|F1
    """
    found = []
    for check in batch.layout.check:
        if not isinstance(check, Parent) or check.off or _unread(batch, check.of) or passing.held(batch, check):
            continue
        record, parent = batch.layout.record[check.on], batch.layout.record[check.of]
        rows = _looked_at(batch, check).filter(pl.all_horizontal(pl.col(list(check.pairs)) != ""))
        orphans = rows.join(batch[check.of], left_on=list(check.pairs), right_on=list(check.pairs.values()), how="anti")
        last = check.fields[-1]
        label = " + ".join(f"«{record.by_name[name].label}»" for name in check.fields)
        told = pl.format(f"{label} {{}}", pl.concat_str(list(check.fields), separator=" "))
        found.append(_told(orphans, check, record, last, llave=told, tipo=parent.mark))
    return _frame(found, "llave", "tipo")


@rule(
    "ARC012",
    reach="checks",
    title="Cantidad de registros hijos que no coincide",
    es="«{campo}» dice {valor} y en el archivo hay {contados} registros de tipo {tipo} de este grupo",
    en="{campo} states {valor} and the file has {contados} records of type {tipo} of this group",
    cause="Se agregaron o quitaron registros sin corregir la cantidad, o un identificador está mal escrito.",
    remedy="Escriba la cantidad de registros que trae el archivo, o complete los que faltan.",
    since="0.2.0",
)
def children_miscounted(batch: Batch, facts: Facts) -> Found:
    """A field that counts the lines that name this one.

    Annex:
        fields = [{ name = "familia", label = "Familia", type = "A", max = 4 }, { name = "personas", label = "Personas", max = 2 }]
        check = [{ kind = "children", on = "dato", field = "personas", fields = "familia", of = "persona" }]
        [record.persona]
        label = "Personas"
        fields = [{ name = "tipo_registro", label = "Tipo", is = "3" }, { name = "familia", label = "Familia", type = "A", max = 4 }]
    Rejects:
        2|F1|2
        3|F1
    Accepts:
        2|F1|1
        3|F1
    """
    found = []
    for check in batch.layout.check:
        if not isinstance(check, Children) or check.off or _unread(batch, check.of):
            continue
        keys, others = list(check.pairs), list(check.pairs.values())
        counted = batch[check.of].group_by(others).agg(contados=pl.len())
        rows = _looked_at(batch, check).join(counted, left_on=keys, right_on=others, how="left")
        rows = rows.with_columns(pl.col("contados").fill_null(0))
        stated = pl.col(check.field).cast(pl.Int64, strict=False)
        wrong = rows.filter((stated != pl.col("contados")) & pl.all_horizontal(pl.col(keys) != ""))
        mark = batch.layout.record[check.of].mark
        found.append(
            _told(wrong, check, batch.layout.record[check.on], check.field, contados=pl.col("contados"), tipo=mark)
        )
    return _frame(found, "contados", "tipo")


@rule(
    "ARC013",
    reach="checks",
    title="Suma del control que no coincide",
    es="«{campo}» dice {valor} en el control y los registros de detalle suman {suma}",
    en="{campo} states {valor} in the control record and the detail records add up to {suma}",
    cause="Se cambiaron registros sin corregir el total, o el archivo llegó incompleto.",
    remedy="Escriba en el control la suma de los registros de detalle.",
    since="0.2.0",
)
def control_sum_differs(batch: Batch, facts: Facts) -> Found:
    """A control field that adds up a field of the detail.

    Annex:
        control = [{ name = "valor_total", label = "Valor total", type = "D", max = 9 }]
        fields = [{ name = "valor", label = "Valor", type = "D", max = 9 }]
        check = [{ kind = "sum", field = "control.valor_total", of = "dato.valor" }]
    Rejects:
        1|NI|900123456|2026-07-15|2|30
        2|10.50
        2|20
    Accepts:
        1|NI|900123456|2026-07-15|2|30.5
        2|10.50
        2|20
    """
    found = []
    for check in batch.layout.check:
        if not isinstance(check, Sum) or check.off or passing.held(batch, check):
            continue
        (owner, name), (record, column) = check.field.split("."), check.of.split(".")
        total = batch[record].select(number(pl.col(column)).sum()).item() or 0
        rows = batch[owner].head(1).filter(number(pl.col(name)) != pl.lit(total).cast(pl.Decimal(38, 4)))
        if not _unread(batch, record):
            suma = shown(pl.lit(total).cast(pl.Decimal(38, 4)))
            found.append(_told(rows, check, batch.layout.record[owner], name, suma=suma))
    return _frame(found, "suma")


@rule(
    "ARC014",
    reach="checks",
    title="Cantidad de valores distintos que no coincide",
    es="«{campo}» dice {valor} en el control y en el detalle hay {contados} distintos",
    en="{campo} states {valor} in the control record and the detail has {contados} different ones",
    cause="Se contaron los registros en vez de los códigos distintos, o se cambió el detalle sin corregir el control.",
    remedy="Escriba en el control cuántos códigos distintos hay en el detalle.",
    since="0.2.0",
)
def distinct_count_differs(batch: Batch, facts: Facts) -> Found:
    """A control field that counts different codes of the detail.

    Annex:
        control = [{ name = "productos", label = "Productos distintos", max = 4 }]
        fields = [{ name = "cum", label = "CUM", type = "A", max = 9 }]
        check = [{ kind = "distinct", field = "control.productos", of = "dato.cum" }]
    Rejects:
        1|NI|900123456|2026-07-15|2|2
        2|A1
        2|A1
    Accepts:
        1|NI|900123456|2026-07-15|2|1
        2|A1
        2|A1
    """
    found = []
    for check in batch.layout.check:
        if not isinstance(check, Distinct) or check.off or _unread(batch, check.of[0].split(".")[0]):
            continue
        if passing.held(batch, check):
            continue
        owner, name = check.field.split(".")
        record = check.of[0].split(".")[0]
        counted = batch[record].select([one.split(".")[1] for one in check.of]).n_unique()
        rows = batch[owner].head(1).filter(pl.col(name).cast(pl.Int64, strict=False) != counted)
        found.append(_told(rows, check, batch.layout.record[owner], name, contados=str(counted)))
    return _frame(found, "contados")


@rule(
    "ARC015",
    reach="checks",
    title="Valor que pasa de su límite",
    es="«{campo}»: {medido} pasa de {limite}, que es lo que hay en «{otro}»",
    en="{campo}: {medido} is over {limite}, which is what {otro} has",
    cause="Se reportó más de lo que permite el registro que lo respalda, o falta ese registro.",
    remedy="Revise los valores de los dos registros.",
    since="0.2.0",
)
def over_the_limit(batch: Batch, facts: Facts) -> Found:
    """What a field adds up to by key is within what another record has for the same key.

    Annex:
        fields = [{ name = "recurso", label = "Recurso", type = "A", max = 4 }, { name = "valor", label = "Incorporado", type = "D", max = 9 }]
        check = [{ kind = "limit", on = "contrato", field = "valor", of = "dato.valor", by = "recurso" }]
        [record.contrato]
        label = "Contratos"
        fields = [{ name = "tipo_registro", label = "Tipo", is = "3" }, { name = "recurso", label = "Recurso", type = "A", max = 4 }, { name = "valor", label = "Valor del contrato", type = "D", max = 9 }]
    Rejects:
        2|R1|100
        3|R1|60
        3|R1|40.01
    Accepts:
        2|R1|100
        3|R1|60
        3|R1|40
        3|R2|999
    """
    found = []
    for check in batch.layout.check:
        if not isinstance(check, Limit) or check.off or _unread(batch, check.of.split(".")[0]):
            continue
        other, column = check.of.split(".")
        by = list(check.by)
        allowed = batch[other].group_by(by).agg(limite=number(pl.col(column)).sum())
        rows = _looked_at(batch, check).with_columns(medido=number(pl.col(check.field)))
        if not check.each:
            rows = rows.with_columns(medido=pl.col("medido").sum().over(by)).unique(
                by, keep="last", maintain_order=True
            )
        over = rows.join(allowed, on=by).filter(pl.col("medido") > pl.col("limite"))
        label = batch.layout.record[other].by_name[column].label
        details = {"medido": shown(pl.col("medido")), "limite": shown(pl.col("limite"))}
        found.append(_told(over, check, batch.layout.record[check.on], check.field, **details, otro=label))
    return _frame(found, "medido", "limite", "otro")


@rule(
    "ARC016",
    reach="checks",
    title="Identificador mal armado",
    es="«{campo}» trae «{valor}» y por los otros campos debe ser {esperado} ({forma})",
    en="{campo} holds {valor} and by the other fields it must be {esperado} ({forma})",
    cause="El identificador se armó con otros datos, o se cambió uno de los campos que lo forman.",
    remedy="Arme el identificador con los campos de la misma línea, sin espacios ni separadores.",
    since="0.2.0",
)
def key_misbuilt(batch: Batch, facts: Facts) -> Found:
    """An identifier is the other fields of its line, one after another.

    Annex:
        fields = [{ name = "municipio", label = "Municipio", type = "A", max = 5 }, { name = "vivienda", label = "Vivienda", type = "A", max = 10 }]
        check = [{ kind = "derived", on = "dato", field = "vivienda", template = "{municipio}H####" }]
    Rejects:
        2|52001|52002H0001
        2|52001|52001H01
    Accepts:
        2|52001|52001H0001
    """
    return objected(batch, Derived, _derived, ("esperado", "forma"))


def _derived(check: Derived, scene: Scene) -> Iterator[Objection]:
    expected = derived(check.template, check.field)
    words = check.template
    for name in scene.record.by_name:
        words = words.replace("{" + name + "}", f"«{scene.titled(name)}» + ")
    wrong = (pl.col(check.field) != "") & (pl.col(check.field) != expected)
    yield Objection(check.field, wrong, {"esperado": expected, "forma": words.removesuffix(" + ")})


@rule(
    "ARC017",
    reach="checks",
    title="Contador con saltos",
    es="«{campo}» trae «{valor}»: en su grupo el contador debía ir en {esperado}",
    en="{campo} holds {valor}: within its group the counter should be at {esperado}",
    cause="Se quitaron registros, o el contador no empezó de nuevo con el grupo.",
    remedy="Numere de nuevo dentro de cada grupo, desde 1 y sin saltos.",
    since="0.2.0",
)
def counter_jumps(batch: Batch, facts: Facts) -> Found:
    """The counter at the end of an identifier goes 1, 2, 3… within what stands before it; one finding for each group.

    Annex:
        fields = [{ name = "vivienda", label = "Vivienda", type = "A", max = 10 }]
        check = [{ kind = "counter", on = "dato", field = "vivienda", digits = 2 }]
    Rejects:
        2|AH03
        2|BH02
    Accepts:
        2|AH02
        2|AH01
        2|BH01
    """
    found = []
    for check in batch.layout.check:
        if not isinstance(check, Counter) or check.off:
            continue
        cell = pl.col(check.field)
        size = cell.str.len_chars().cast(pl.Int64) - check.digits
        rows = _looked_at(batch, check).filter(cell.str.contains(f"[0-9]{{{check.digits}}}$"))
        rows = rows.with_columns(
            grupo=cell.str.slice(0, size), contador=cell.str.tail(check.digits).cast(pl.Int64, strict=False)
        )
        rows = rows.with_columns(esperado=pl.col("contador").rank("dense").over("grupo").cast(pl.Int64))
        late = rows.filter(pl.col("contador") != pl.col("esperado")).sort("contador", "line")
        first = late.unique("grupo", keep="first", maintain_order=True).sort("line")
        told = pl.col("esperado").cast(pl.String).str.zfill(check.digits)
        found.append(_told(first, check, batch.layout.record[check.on], check.field, esperado=told))
    return _frame(found, "esperado")


@rule(
    "ARC018",
    reach="checks",
    title="Registros sin ordenar",
    es="La línea {linea} debía ir antes: los registros van ordenados por {orden}",
    en="Line {linea} should come earlier: records are sorted by {orden}",
    cause="Los registros no se ordenaron antes de hacer el archivo.",
    remedy="Ordene los registros y numere de nuevo el consecutivo.",
    since="0.2.0",
)
def unsorted(batch: Batch, facts: Facts) -> Found:
    """Lines stand in the order of some fields.

    Annex:
        fields = [{ name = "numero", label = "Número", type = "A", max = 9 }]
        check = [{ kind = "sorted", on = "dato", fields = "numero" }]
    Rejects:
        2|A2
        2|A1
    Accepts:
        2|A1
        2|A1
        2|A2
    """
    found = []
    for check in batch.layout.check:
        if not isinstance(check, Sorted) or check.off:
            continue
        record, fields = batch.layout.record[check.on], list(check.fields)
        rows = _looked_at(batch, check).with_row_index("place")
        ranks = rows.sort(fields, maintain_order=True).select("place").with_row_index("rank")
        placed = rows.join(ranks, on="place", maintain_order="left")
        late = placed.filter(pl.col("rank").cast(pl.Int64) < pl.col("rank").cum_max().shift(1).cast(pl.Int64))
        words = ", ".join(f"«{record.by_name[name].label}»" for name in fields)
        found.append(_told(late, check, record, fields[-1], orden=words))
    return _frame(found, "orden")


@rule(
    "ARC019",
    title="Dato repetido que no coincide",
    es="«{campo}» trae «{valor}» y debe repetir {origen}: {esperado}",
    en="{campo} holds {valor} and must repeat {origen}: {esperado}",
    cause="La línea se copió de otro reporte, o se cambió el control o el nombre del archivo y no el detalle.",
    remedy="Corrija el que esté errado: los dos deben decir lo mismo.",
    since="0.2.0",
)
def header_not_repeated(batch: Batch, facts: Facts) -> Found:
    """A field that repeats the control record or the file name says the same.

    Annex:
        fields = [{ name = "nit", label = "NIT", max = 12, same_as = "control.num_id_entidad" }]
    Rejects:
        2|900123457
    Accepts:
        2|900123456
    """
    found: list[pl.DataFrame] = []
    for record in batch.layout.records:
        scene = Scene(batch, record)
        for field in record.fields:
            source = field.same_as
            said = batch.file_name.upper() if source == "name" else scene.single(source) if source else None
            if said is None or source is None:
                continue
            if batch.plain is not None and {"", said}.issuperset(batch.picked(record.name, [field.name])):
                continue
            cell = pl.col(field.name)
            given, wanted = (cell.str.strip_chars_start("0"), said.lstrip("0")) if field.type == "N" else (cell, said)
            origin = "el nombre del archivo" if source == "name" else f"«{scene.titled(source)}»"
            wrong = batch[record.name].filter((cell != "") & (given != wanted))
            found.append(
                wrong.select(
                    "line",
                    record=pl.lit(record.name),
                    field=pl.lit(field.name),
                    value=cell,
                    origen=pl.lit(origin),
                    esperado=pl.lit(said),
                )
            )
    return together(found)
