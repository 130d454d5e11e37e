"""ARC, lines one after the other: keys built of other fields, counters, order, what every line repeats."""

from __future__ import annotations

from collections.abc import Iterator

from pisis_batch.frames import pl
from pisis_batch.layouts.relation import (
    Counter,
    Derived,
    Sorted,
)
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.derivados import derived
from pisis_batch.validators.entre_lineas import framed, looked_at, noted
from pisis_batch.validators.escena import Objection, Scene, objected
from pisis_batch.validators.rule import Found, rule, together


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
        rows = looked_at(batch, check).filter(cell.str.contains(f"[0-9]{{{check.digits}}}$"))
        rows = rows.with_columns(
            grupo=cell.str.slice(0, size), contador=cell.str.tail(check.digits).cast(pl.Int64, strict=False)
        )
        rows = rows.with_columns(esperado=pl.col("contador").rank("dense").over("grupo").cast(pl.Int64))
        late = rows.filter(pl.col("contador") != pl.col("esperado")).sort("contador", "line")
        first = late.unique("grupo", keep="first", maintain_order=True).sort("line")
        told = pl.col("esperado").cast(pl.String).str.zfill(check.digits)
        found.append(noted(first, check, batch.layout.record[check.on], check.field, esperado=told))
    return framed(found, "esperado")


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
        rows = looked_at(batch, check).with_row_index("place")
        ranks = rows.sort(fields, maintain_order=True).select("place").with_row_index("rank")
        placed = rows.join(ranks, on="place", maintain_order="left")
        late = placed.filter(pl.col("rank").cast(pl.Int64) < pl.col("rank").cum_max().shift(1).cast(pl.Int64))
        words = ", ".join(f"«{record.by_name[name].label}»" for name in fields)
        found.append(noted(late, check, record, fields[-1], orden=words))
    return framed(found, "orden")


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
