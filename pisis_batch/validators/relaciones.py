"""EST, relations between fields of one line: the row kinds of `[[check]]`, each with its annex and its lines."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add, mul

from pisis_batch.frames import pl
from pisis_batch.layouts import Test, clause_in_words
from pisis_batch.layouts.relation import Bands, Computed, EqualSums, OneOf, Order, Parts, Together, Value
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.celdas import in_words
from pisis_batch.validators.condiciones import day, meets, number, real, shown, within
from pisis_batch.validators.escena import Objection, Scene, objected
from pisis_batch.validators.rule import Found, rule


@rule(
    "EST051",
    reach="checks",
    title="Valor que no corresponde con otros campos",
    es="«{campo}» trae «{valor}» y {esperado}{cuando}",
    en="{campo} holds {valor}, which does not go with other fields of the line: {esperado}{cuando}",
    cause="Dos respuestas del mismo registro se contradicen, o una no aplica para esa edad, sexo o condición.",
    remedy="Revise los dos campos y corrija el que esté errado.",
    since="0.2.0",
)
def value_unlike_others(batch: Batch, facts: Facts) -> Found:
    """When a condition holds, other fields hold what the annex says; ages are reckoned at the cut date.

    The cut date of the examples is 2026-07-15.

    Annex:
        fields = [
          { name = "nacimiento", label = "Fecha de nacimiento", type = "F" },
          { name = "sexo", label = "Sexo", type = "A", max = 1, values = { F = "", M = "" } },
          { name = "gestante", label = "Gestante", max = 2, values = { 0 = "No aplica", 1 = "Sí", 2 = "No" } },
        ]
        check = [
          { kind = "value", on = "dato", when = { sexo = "M" }, then = { gestante = "0" }, alias = "030" },
          { kind = "value", on = "dato", when = { nacimiento = { years = "..9" } }, then = { gestante = "0" } },
        ]
    Rejects:
        2|1990-01-01|M|1
        2|2016-07-16|F|2
    Accepts:
        2|1990-01-01|F|1
        2|1990-01-01|M|0
        2|2016-07-15|F|2
    """
    return objected(batch, Value, _values, ("esperado", "cuando"))


def _values(check: Value, scene: Scene) -> Iterator[Objection]:
    words = in_words(check.when, scene.record) if check.when else ""
    for name, clause in check.then.items():
        field = scene.record.by_name[name]
        wanted = clause_in_words(clause, "").strip()
        wrong = ~meets(clause, pl.col(name), field, scene.cut)
        if not isinstance(clause, Test):
            wrong &= (pl.col(name) != "") | (not field.required)
        said = f"lo correcto es que {wanted}" if isinstance(clause, Test) else f"lo correcto es: {wanted}"
        yield Objection(name, wrong, {"esperado": said, "cuando": f", cuando {words}" if words else ""})


@rule(
    "EST052",
    reach="checks",
    title="Fechas o números en desorden",
    es="«{campo}» trae {valor} y debe ser {esperado}",
    en="{campo} holds {valor}, which is out of order: it must be {esperado}",
    cause="Una fecha es anterior a la que debía precederla, pasa del corte, o el mínimo es mayor que el máximo.",
    remedy="Revise los dos datos y corrija el que esté errado.",
    source="estilo de Error120, Error300",
    since="0.2.0",
)
def out_of_order(batch: Batch, facts: Facts) -> Found:
    """The lower of two dates or numbers is not above the higher; wildcards and empty cells are left out.

    Annex:
        fields = [
          { name = "nacimiento", label = "Fecha de nacimiento", type = "F" },
          { name = "atencion", label = "Fecha de atención", type = "F", sentinels = "1845-01-01" },
          { name = "minimo", label = "Precio mínimo", type = "D", max = 9 },
          { name = "maximo", label = "Precio máximo", type = "D", max = 9 },
        ]
        check = [
          { kind = "order", on = "dato", low = "nacimiento", high = "atencion" },
          { kind = "order", on = "dato", low = ["nacimiento", "atencion"], high = "control.fecha_corte" },
          { kind = "order", on = "dato", low = "minimo", high = "maximo" },
        ]
    Rejects:
        2|2000-01-01|1999-12-31|1.00|2.00
        2|2000-01-01|2026-07-16|1.00|2.00
        2|2000-01-01|2026-07-15|11.00|10.50
        2|2000-01-01|1845-01-01|2.00|1.50
    Accepts:
        2|2000-01-01|2000-01-01|9.00|10.50
        2|2000-01-01|1845-01-01|2|2.00
    """
    return objected(batch, Order, _orders, ("esperado",))


def _orders(check: Order, scene: Scene) -> Iterator[Objection]:
    for low in check.low:
        for high in check.high:
            yield _pair(check, scene, low, high)


def _pair(check: Order, scene: Scene, low: str, high: str) -> Objection:
    dated = any(field is not None and field.type == "F" for field in (scene.field(low), scene.field(high)))
    measure = day if dated else number
    first, last = scene.column(low), scene.column(high)
    left, right = measure(first), measure(last)
    if check.days:
        right = right.dt.offset_by(f"{check.days}d")
    wrong = (left >= right) if check.strict else (left > right)
    for reference in (low, high):
        wrong &= real(scene.column(reference), scene.field(reference))
    blamed = high if high in scene.record.by_name else low
    word = _ORDER[dated, blamed == high, check.strict]
    extra = f" más {check.days} días" if check.days else ""
    other, label = (first, low) if blamed == high else (last, high)
    said = pl.format(f"{word} «{scene.titled(label)}»{extra} ({{}})", other.fill_null(""))
    return Objection(blamed, wrong, {"esperado": said})


#: (dates, the higher is blamed, equal is wrong) -> words.
_ORDER = {
    (True, True, False): "igual o posterior a",
    (True, True, True): "posterior a",
    (True, False, False): "igual o anterior a",
    (True, False, True): "anterior a",
    (False, True, False): "igual o mayor que",
    (False, True, True): "mayor que",
    (False, False, False): "igual o menor que",
    (False, False, True): "menor que",
}


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
    "EST055",
    reach="checks",
    title="Falta uno de varios datos",
    es="«{campo}» va sin dato y también los que pueden reemplazarlo; se requiere al menos uno de {grupo}",
    en="{campo} has no value and neither has any of its alternatives; at least one of {grupo} is needed",
    cause="Se dejaron sin dato todos los campos entre los que había que diligenciar uno.",
    remedy="Escriba al menos uno de los datos.",
    since="0.2.0",
)
def none_of_several(batch: Batch, facts: Facts) -> Found:
    """At least one of several fields holds a real value.

    Annex:
        fields = [
          { name = "ium", label = "IUM", type = "A", max = 8 },
          { name = "cum", label = "CUM", max = 8, required = false },
        ]
        check = [{ kind = "one_of", on = "dato", fields = ["ium", "cum"], absent = "0" }]
    Rejects:
        2|0|
    Accepts:
        2|0|123
        2|A1|
    """
    return objected(batch, OneOf, _one_of, ("grupo",))


def _reals(names: tuple[str, ...], absent: tuple[str, ...], scene: Scene) -> list[pl.Expr]:
    return [real(pl.col(name), scene.record.by_name[name], absent) for name in names]


def _one_of(check: OneOf, scene: Scene) -> Iterator[Objection]:
    words = ", ".join(f"«{scene.titled(name)}»" for name in check.fields)
    yield Objection(check.fields[0], ~pl.any_horizontal(_reals(check.fields, check.absent, scene)), {"grupo": words})


@rule(
    "EST056",
    reach="checks",
    title="Datos que van juntos",
    es="«{campo}» trae «{valor}», que no es un dato real, y {grupo} sí lo trae; van los dos o ninguno",
    en="{campo} holds {valor}, no real value, while {grupo} does; both are reported or none",
    cause="Se reportó un resultado sin su fecha, o la fecha sin su resultado.",
    remedy="Complete el que falta, o ponga los dos como no realizados.",
    source="estilo de Error539",
    since="0.2.0",
)
def one_without_the_other(batch: Batch, facts: Facts) -> Found:
    """Fields that hold real values all or none.

    Annex:
        fields = [
          { name = "fecha", label = "Fecha de tamizaje", type = "F", sentinels = "1845-01-01" },
          { name = "resultado", label = "Resultado", max = 2, values = { 0 = "No aplica", 4 = "No pasó", 21 = "No evaluado" } },
        ]
        check = [{ kind = "together", on = "dato", fields = ["resultado", "fecha"], absent = ["0", "21"] }]
    Rejects:
        2|2026-01-05|21
        2|1845-01-01|4
    Accepts:
        2|2026-01-05|4
        2|1845-01-01|0
    """
    return objected(batch, Together, _together, ("grupo",))


def _together(check: Together, scene: Scene) -> Iterator[Objection]:
    reals = _reals(check.fields, check.absent, scene)
    for place, name in enumerate(check.fields):
        others = [other for n, other in enumerate(reals) if n != place]
        words = " o ".join(f"«{scene.titled(n)}»" for n in check.fields if n != name)
        yield Objection(name, ~reals[place] & pl.any_horizontal(others), {"grupo": words})


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
