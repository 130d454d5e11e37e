"""`[[check]]` tables in words: what must hold between fields, between lines and with the control record."""

from collections.abc import Callable, Iterator

from pisis_batch.layouts.condition import Condition, clause_in_words
from pisis_batch.layouts.layout import Layout, Record
from pisis_batch.layouts.relation import (
    Bands,
    Check,
    Children,
    Computed,
    Count,
    Counter,
    Derived,
    Distinct,
    EqualSums,
    Limit,
    Lines,
    OneOf,
    Order,
    Parent,
    Parts,
    Row,
    RowChecked,
    Sorted,
    Sum,
    Together,
    Unique,
    Value,
)
from pisis_batch.layouts.shorthand import template_fields


def checks_in_words(layout: Layout) -> Iterator[str]:
    """The section of the annex's page: a sentence a check, its official code; those switched off with their reason."""
    yield "## Relaciones entre campos y entre registros"
    yield ""
    for check in layout.check:
        if not check.off:
            yield f"- {check_in_words(check, layout)}"
    switched_off = [check for check in layout.check if check.off]
    if switched_off:
        yield ""
        yield "Apagadas, con su motivo:"
        yield ""
        yield from (f"- {check_in_words(check, layout)} **Apagada**: {check.off}." for check in switched_off)


def check_in_words(check: Check, layout: Layout) -> str:
    """One check as a sentence."""
    said = _said(check, layout)
    if isinstance(check, RowChecked):
        record = layout.record[check.on]
        when = f"cuando {_condition(check.when, record, layout)}, " if check.when else ""
        said = f"Tipo {record.mark}: {when}{said}"
    tail: list[str] = []
    if check.severity != "error":
        tail.append(check.severity)
    if isinstance(check.alias, str) and check.alias:
        tail.append(f"código oficial {check.alias}")
    elif check.alias:
        tail.append("códigos oficiales " + ", ".join(dict.fromkeys(dict(check.alias).values())))
    return said + (f" ({'; '.join(tail)})" if tail else "") + "." + (f" Nota: {check.note}." if check.note else "")


def _named(reference: str, record: Record | None, layout: Layout) -> str:
    base, _, part = reference.partition(":")
    owner, dot, inner = base.partition(".")
    label = base
    if not dot and record and base in record.by_name:
        label = record.by_name[base].label
    elif owner in layout.record and inner in layout.record[owner].by_name:
        label = f"{layout.record[owner].by_name[inner].label} del tipo {layout.record[owner].mark}"
    elif inner in layout.name_parts:
        label = f"{layout.name_parts[inner].label} del nombre"
    return f"«{part} de {label}»" if part else f"«{label}»"


def _condition(condition: Condition, record: Record, layout: Layout) -> str:
    return " y ".join(clause_in_words(clause, _named(name, record, layout)) for name, clause in condition.items())


def _said(check: Check, layout: Layout) -> str:
    record = layout.record[check.on] if isinstance(check, RowChecked) else None

    def names(references: tuple[str, ...], sign: str = ", ") -> str:
        return sign.join(_named(one, record, layout) for one in references)

    if isinstance(check, Row):
        return _of_fields(check, names, layout)
    return _of_lines(check, names, layout) if isinstance(check, Lines) else _of_file(check, names, layout)


def _of_fields(check: Row, names: Callable[..., str], layout: Layout) -> str:  # noqa: PLR0911 one return a kind
    """What fields of one line say of each other."""
    match check:
        case Value():
            return _condition(check.then, layout.record[check.on], layout)
        case Order():
            word = "va antes que" if check.strict else "no pasa de"
            extra = f" más {check.days} días" if check.days else ""
            return f"{names(check.low)} {word} {names(check.high)}{extra}"
        case Computed():
            minus = f" menos {names(check.minus, ' menos ')}" if check.minus else ""
            whole = names(check.times, " por ") if check.times else names(check.plus, " más ") + minus
            return f"{names((check.field,))} es {whole}"
        case EqualSums():
            return f"{names(check.left, ' más ')} suman lo mismo que {names(check.right, ' más ')}"
        case OneOf():
            return f"va al menos uno de {names(check.fields)}{_absent(check.absent)}"
        case Together():
            return f"{names(check.fields, ' y ')} van juntos o ninguno{_absent(check.absent)}"
        case Bands():
            bands = "; ".join(
                f"{name} si " + " o ".join(f"{names((m,))} es {span.words()}" for m, span in limits.items())
                for name, limits in check.bands.items()
            )
            return f"{names((check.field,))} es la primera clase que se cumpla: {bands}"
        case Parts():
            limits = f", cada una {check.each.words()}" if check.each else ""
            limits += f", el total {check.total.words()}" if check.total else ""
            parts = f"{check.many} partes de {check.width} cifras, la última suma de las otras"
            return f"{names((check.field,))} son {parts}{limits}"


def _of_lines(check: Lines, names: Callable[..., str], layout: Layout) -> str:  # noqa: PLR0911 the same
    """What lines say of each other."""
    match check:
        case Parent():
            return f"{names(check.fields, ' + ')} existe en un registro tipo {layout.record[check.of].mark}"
        case Children():
            return f"{names((check.field,))} cuenta sus registros tipo {layout.record[check.of].mark}"
        case Limit():
            what = names((check.field,)) if check.each else f"la suma de {names((check.field,))}"
            return f"{what} no pasa de {names((check.of,))}, por {names(check.by, ' + ')}"
        case Derived():
            form = check.template
            for name in template_fields(check.template):
                form = form.replace("{" + name + "}", names((name,)) + " + ")
            return f"{names((check.field,))} se arma con {form.removesuffix(' + ')}"
        case Counter():
            last = f"las últimas {check.digits} cifras de {names((check.field,))}"
            return f"{last} van de 1 en 1 y vuelven a comenzar en cada grupo"
        case Unique():
            return f"no se repite {names(check.fields, ' + ')}"
        case Sorted():
            return f"los registros van ordenados por {names(check.fields)}"


def _of_file(check: Count | Sum | Distinct, names: Callable[..., str], layout: Layout) -> str:
    """What a file counts of itself."""
    match check:
        case Count():
            marks = " y ".join(layout.record[n].mark for n in check.over)
            return f"{names((check.field,))} cuenta los registros tipo {marks}"
        case Sum():
            return f"{names((check.field,))} es la suma de {names((check.of,))}"
        case Distinct():
            return f"{names((check.field,))} cuenta los valores distintos de {names(check.of, ' + ')}"


def _absent(values: tuple[str, ...]) -> str:
    return f" (sin contar {', '.join(values)})" if values else ""
