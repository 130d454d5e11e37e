"""ARC, lines against lines and against the control record: parents, children, sums, different values, limits.

Where lines of a record could not be read, what depends on them is given the benefit of the doubt.
"""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.layouts.relation import (
    Children,
    Distinct,
    Limit,
    Parent,
    Sum,
)
from pisis_batch.model import Batch, Facts
from pisis_batch.validators import passing
from pisis_batch.validators.condiciones import number, shown
from pisis_batch.validators.entre_lineas import framed, looked_at, noted
from pisis_batch.validators.rule import Found, rule


def _unread(batch: Batch, *records: str) -> bool:
    """Whether a line that is, or may be, of one of these records could not be read."""
    if not batch.lost:
        return False
    marks = [batch.layout.record[name].mark for name in records]
    return bool((batch.unreadable["mark"].is_in(marks) | (batch.unreadable["problem"] == "unknown")).any())


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
        rows = looked_at(batch, check).filter(pl.all_horizontal(pl.col(list(check.pairs)) != ""))
        orphans = rows.join(batch[check.of], left_on=list(check.pairs), right_on=list(check.pairs.values()), how="anti")
        last = check.fields[-1]
        label = " + ".join(f"«{record.by_name[name].label}»" for name in check.fields)
        told = pl.format(f"{label} {{}}", pl.concat_str(list(check.fields), separator=" "))
        found.append(noted(orphans, check, record, last, llave=told, tipo=parent.mark))
    return framed(found, "llave", "tipo")


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
        rows = looked_at(batch, check).join(counted, left_on=keys, right_on=others, how="left")
        rows = rows.with_columns(pl.col("contados").fill_null(0))
        stated = pl.col(check.field).cast(pl.Int64, strict=False)
        wrong = rows.filter((stated != pl.col("contados")) & pl.all_horizontal(pl.col(keys) != ""))
        mark = batch.layout.record[check.of].mark
        found.append(
            noted(wrong, check, batch.layout.record[check.on], check.field, contados=pl.col("contados"), tipo=mark)
        )
    return framed(found, "contados", "tipo")


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
            found.append(noted(rows, check, batch.layout.record[owner], name, suma=suma))
    return framed(found, "suma")


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
        found.append(noted(rows, check, batch.layout.record[owner], name, contados=str(counted)))
    return framed(found, "contados")


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
        rows = looked_at(batch, check).with_columns(medido=number(pl.col(check.field)))
        if not check.each:
            rows = rows.with_columns(medido=pl.col("medido").sum().over(by)).unique(
                by, keep="last", maintain_order=True
            )
        over = rows.join(allowed, on=by).filter(pl.col("medido") > pl.col("limite"))
        label = batch.layout.record[other].by_name[column].label
        details = {"medido": shown(pl.col("medido")), "limite": shown(pl.col("limite"))}
        found.append(noted(over, check, batch.layout.record[check.on], check.field, **details, otro=label))
    return framed(found, "medido", "limite", "otro")
