"""EST, what a line's own numbers must give: the kinds of `[[check]]` that reckon, each with its annex and its lines."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add, mul

from pisis_batch.frames import pl
from pisis_batch.layouts.relation import Bands, Computed, EqualSums, Parts
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.condiciones import number, real, shown, within
from pisis_batch.validators.escena import Objection, Scene, objected
from pisis_batch.validators.rule import Found, rule


@rule(
    "EST053",
    reach="checks",
    title="Valor que no da la cuenta",
    es="«{campo}» trae {valor} y la cuenta da {esperado}: {cuenta}",
    en="{campo} holds {valor} and the sum gives {esperado}: {cuenta}",
    cause="El valor se calculó con otros datos o se digitó mal alguno de los que entran en la cuenta.",
    remedy="Haga de nuevo la cuenta y corrija el dato errado.",
    since="0.2.0",
)
def sum_wrong(batch: Batch, facts: Facts) -> Found:
    """A computed field is what its parts give, to the cent.

    Annex:
        fields = [
          { name = "valor", label = "Valor", type = "D", max = 9 },
          { name = "pagos", label = "Pagos", type = "D", max = 9 },
          { name = "saldo", label = "Saldo", type = "D", max = 9, negative = true },
        ]
        check = [{ kind = "computed", on = "dato", field = "saldo", plus = "valor", minus = "pagos" }]
    Rejects:
        2|100.10|50|50.11
    Accepts:
        2|100.10|50|50.1
        2|1|2|-1
    """
    return objected(batch, Computed, _computed, ("esperado", "cuenta"))


def _added(names: tuple[str, ...]) -> pl.Expr:
    return reduce(add, [number(pl.col(name)) for name in names])


def _computed(check: Computed, scene: Scene) -> Iterator[Objection]:
    signs = [*(("+", name) for name in check.plus), *(("−", name) for name in check.minus)]
    words = " ".join(f"{sign} «{scene.titled(name)}»" for sign, name in signs).removeprefix("+ ")
    if check.times:
        product = reduce(mul, [pl.col(name).cast(pl.Float64, strict=False) for name in check.times])
        expected = product.round(4).cast(pl.Decimal(38, 4), strict=False)
        apart = (number(pl.col(check.field)).cast(pl.Float64) - product).abs() >= _HALF_A_CENT
        words = " × ".join(f"«{scene.titled(name)}»" for name in check.times)
    else:
        expected = _added(check.plus) - _added(check.minus) if check.minus else _added(check.plus)
        apart = number(pl.col(check.field)) != expected
    yield Objection(check.field, apart, {"esperado": shown(expected), "cuenta": words})


_HALF_A_CENT = 0.005


@rule(
    "EST054",
    reach="checks",
    title="Sumas que deben ser iguales",
    es="«{campo}» y los campos que van con él suman {izquierda}, y debían sumar {derecha}, como {grupo}",
    en="{campo} and the fields beside it add up to {izquierda}; they should add up to {derecha}, as {grupo}",
    cause="Las respuestas de las dos preguntas no suman lo mismo.",
    remedy="Revise las cantidades de los dos grupos de campos.",
    since="0.2.0",
)
def sums_differ(batch: Batch, facts: Facts) -> Found:
    """Two groups of fields add up to the same.

    Annex:
        fields = [
          { name = "si_1", label = "Pregunta 1: sí", max = 4 },
          { name = "no_1", label = "Pregunta 1: no", max = 4 },
          { name = "si_2", label = "Pregunta 2: sí", max = 4 },
          { name = "no_2", label = "Pregunta 2: no", max = 4 },
        ]
        check = [{ kind = "equal_sums", on = "dato", left = ["si_1", "no_1"], right = ["si_2", "no_2"] }]
    Rejects:
        2|3|4|5|6
    Accepts:
        2|3|4|5|2
    """
    return objected(batch, EqualSums, _sums, ("izquierda", "derecha", "grupo"))


def _sums(check: EqualSums, scene: Scene) -> Iterator[Objection]:
    left, right = _added(check.left), _added(check.right)
    words = " + ".join(f"«{scene.titled(name)}»" for name in check.right)
    told: dict[str, str | pl.Expr] = {"izquierda": shown(left), "derecha": shown(right), "grupo": words}
    yield Objection(check.left[0], left != right, told)


@rule(
    "EST057",
    reach="checks",
    title="Clasificación que no corresponde a las medidas",
    es="«{campo}» trae {valor} y por {medidas} debe ser {esperado}",
    en="{campo} holds {valor} and by {medidas} it must be {esperado}",
    cause="La clase se asignó con otra tabla, o se digitó mal una de las medidas.",
    remedy="Clasifique de nuevo con la tabla del anexo, o corrija la medida.",
    since="0.2.0",
)
def class_unlike_measures(batch: Batch, facts: Facts) -> Found:
    """The class is the first, from the worst, in whose band any measure lies.

    Annex:
        fields = [
          { name = "sistolica", label = "Sistólica", max = 3 },
          { name = "diastolica", label = "Diastólica", max = 3 },
          { name = "clase", label = "Clasificación", max = 1, values = { 1 = "Alta", 2 = "Elevada", 3 = "Normal" } },
        ]
        check = [{ kind = "bands", on = "dato", field = "clase", bands = { 1 = { sistolica = "130..", diastolica = "80.." }, 2 = { sistolica = "120..129" }, 3 = { sistolica = "..119", diastolica = "..79" } } }]
    Rejects:
        2|118|85|3
        2|125|70|3
    Accepts:
        2|118|85|1
        2|125|70|2
        2|110|70|3
    """
    return objected(batch, Bands, _bands, ("medidas", "esperado"))


def _bands(check: Bands, scene: Scene) -> Iterator[Objection]:
    bands = [
        (name, pl.any_horizontal([within(pl.col(measure), span) for measure, span in limits.items()]))
        for name, limits in check.bands.items()
    ]
    expected = pl.coalesce([pl.when(inside).then(pl.lit(name)) for name, inside in bands])
    measures = {measure: None for limits in check.bands.values() for measure in limits}
    told = pl.format(
        ", ".join(f"«{scene.titled(measure)}» {{}}" for measure in measures), *[pl.col(measure) for measure in measures]
    )
    yield Objection(check.field, pl.col(check.field) != expected, {"medidas": told, "esperado": expected})


@rule(
    "EST058",
    reach="checks",
    title="Partes de un dato que no dan la cuenta",
    es="«{campo}» trae «{valor}» y debe ser {forma}",
    en="{campo} holds {valor} and must be {forma}",
    cause="Una de las partes está fuera de límites o la última no es la suma de las otras.",
    remedy="Revise cada parte y haga de nuevo la suma.",
    source="estilo de Error635",
    since="0.2.0",
)
def parts_wrong(batch: Batch, facts: Facts) -> Found:
    """A value of equal parts whose last is the sum of the others; wildcards of the field are left out.

    Annex:
        fields = [{ name = "cop", label = "COP", max = 6, leading_zeros = true, sentinels = ["0", "21"] }]
        check = [{ kind = "parts", on = "dato", field = "cop", width = 2, many = 3, each = "..22", total = "..32" }]
    Rejects:
        2|010204
        2|230023
    Accepts:
        2|010203
        2|21
    """
    return objected(batch, Parts, _parts, ("forma",))


def _parts(check: Parts, scene: Scene) -> Iterator[Objection]:
    whole = pl.col(check.field).str.zfill(check.width * check.many)
    parts = [whole.str.slice(n * check.width, check.width).cast(pl.Int64, strict=False) for n in range(check.many)]
    wrong = (whole.str.len_chars() != check.width * check.many) | (reduce(add, parts[:-1]) != parts[-1])
    forma = f"{check.many} partes de {check.width} cifras, la última igual a la suma de las otras"
    for span, group, words in ((check.each, parts[:-1], "cada parte"), (check.total, parts[-1:], "el total")):
        if span:
            wrong |= pl.any_horizontal([~within(part.cast(pl.String), span) for part in group])
            forma += f", {words} {span.words()}"
    guarded = wrong & real(pl.col(check.field), scene.record.by_name[check.field])
    yield Objection(check.field, guarded, {"forma": forma})
