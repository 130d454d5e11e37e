"""EST, what fields of one line say of each other: kinds of `[[check]]`, each with its annex and its lines."""

from __future__ import annotations

from collections.abc import Iterator

from pisis_batch.frames import pl
from pisis_batch.layouts import Test, clause_in_words
from pisis_batch.layouts.relation import OneOf, Order, Together, Value
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.celdas import in_words
from pisis_batch.validators.condiciones import day, meets, number, real
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
