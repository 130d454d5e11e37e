"""What pydantic cannot see in `[[check]]` tables and conditions: names and values that refer to nothing."""

from collections.abc import Iterator
from typing import Any

from pisis_batch.layouts.catalogs import CATALOGS
from pisis_batch.layouts.condition import Condition, Not, Test
from pisis_batch.layouts.field import Field
from pisis_batch.layouts.layout import Layout, Record
from pisis_batch.layouts.relation import (
    WIDEST_SUMMED,
    Bands,
    Check,
    Children,
    Computed,
    Counter,
    Derived,
    EqualSums,
    Limit,
    Order,
    Parent,
    Parts,
    RowChecked,
    Sum,
    Value,
)
from pisis_batch.layouts.shorthand import template_fields

_PARTS = {"mes", "año", "día"}


def problems_of_check(check: Check, layout: Layout) -> Iterator[str]:
    """Each as the end of a path: `.on: no existe el registro "x"`."""
    if not isinstance(check, RowChecked):
        yield from _totals(check, layout)
        return
    record = layout.record.get(check.on)
    if record is None:
        yield f'.on: no existe el registro "{check.on}"'
        return
    for problem in problems_of_condition(check.when or {}, record, layout):
        yield f".when{problem}"
    for key, name in _names(check):
        yield from (
            f".{key}: {problem}"
            for problem in problems_of_reference(name, record, layout, own=key not in {"low", "high"})
        )
    if isinstance(check.alias, dict):
        yield from (f'.alias: no existe el campo "{name}"' for name in check.alias if name not in record.by_name)
    yield from _kind(check, record, layout)


def _names(check: RowChecked) -> Iterator[tuple[str, str]]:
    """(key, name) of every field that a check names in its own record."""
    for key in ("field", "fields", "low", "high", "plus", "minus", "times", "left", "right", "by"):
        value: Any = getattr(check, key, ())
        for name in (value,) if isinstance(value, str) else value:
            yield key, name


def _kind(check: RowChecked, record: Record, layout: Layout) -> Iterator[str]:  # noqa: C901, PLR0912 one branch a kind
    """What only one kind can get wrong."""
    if isinstance(check, Value):
        for problem in problems_of_condition(check.then, record, layout):
            yield f".then{problem}"
        yield from (f".then.{name}: también está en when" for name in check.then if name in (check.when or {}))
    elif isinstance(check, Order):
        dates = {found for name in (*check.low, *check.high) if (found := _dated(name, record, layout)) is not None}
        if len(dates) > 1:
            yield ": compara fechas con números"
        if check.days and False in dates:
            yield ".days: solo entre fechas"
    elif isinstance(check, Computed):
        if bool(check.times) == bool(check.plus):
            yield ": dé plus (y minus), o times"
        yield from _numeric((check.field, *check.plus, *check.minus, *check.times), record)
    elif isinstance(check, EqualSums):
        yield from _numeric((*check.left, *check.right), record)
    elif isinstance(check, Bands):
        yield from _bands(check, record)
    elif isinstance(check, Derived):
        yield from (
            f'.template: no existe el campo "{n}"' for n in template_fields(check.template) if n not in record.by_name
        )
    elif isinstance(check, Parent | Children):
        yield from _keys(check, layout)
    elif isinstance(check, Limit):
        yield from _owned(".of", check.of, layout)
        yield from _summed(".of", check.of, layout)
        yield from _summed(".field", f"{record.name}.{check.field}", layout)
        other = layout.record.get(check.of.split(".")[0])
        yield from (
            f'.by: el registro {other.name} no tiene "{n}"' for n in check.by if other and n not in other.by_name
        )
    elif isinstance(check, Parts | Counter):
        field = record.by_name.get(check.field)
        wide = check.width * check.many if isinstance(check, Parts) else check.digits
        if field and field.max and field.max < wide:
            yield f".field: «{field.name}» no tiene {wide} cifras"


def _bands(check: Bands, record: Record) -> Iterator[str]:
    field = record.by_name.get(check.field)
    for name, limits in check.bands.items():
        if field and field.allowed and name not in field.allowed:
            yield f'.bands: "{name}" no es un valor de «{field.name}»'
        yield from (f'.bands.{name}: no existe el campo "{m}"' for m in limits if m not in record.by_name)


def _numeric(names: tuple[str, ...], record: Record) -> Iterator[str]:
    for name in names:
        field = record.by_name.get(name)
        if field:
            yield from _summable(f": «{name}»", field)


def _summable(path: str, field: Field) -> Iterator[str]:
    if field.type not in "ND":
        yield f"{path} no es un número"
    elif (field.max or 0) > WIDEST_SUMMED:
        yield f"{path} tiene más de {WIDEST_SUMMED} cifras; no se puede sumar"


def _keys(check: Parent | Children, layout: Layout) -> Iterator[str]:
    other = layout.record.get(check.of)
    if other is None:
        yield f'.of: no existe el registro "{check.of}"'
        return
    if check.key and len(check.key) != len(check.fields):
        yield ".key: debe tener tantos campos como fields"
        return
    yield from (
        f'.key: el registro {other.name} no tiene "{n}"' for n in check.pairs.values() if n not in other.by_name
    )


def _totals(check: Any, layout: Layout) -> Iterator[str]:
    yield from _owned(".field", check.field, layout)
    for name in getattr(check, "over", ()):
        if name not in layout.record:
            yield f'.over: no existe el registro "{name}"'
    of = getattr(check, "of", ())
    for name in (of,) if isinstance(of, str) else of:
        yield from _owned(".of", name, layout)
        if isinstance(check, Sum):
            yield from _summed(".of", name, layout)


def _summed(path: str, name: str, layout: Layout) -> Iterator[str]:
    owner, _, inner = name.partition(".")
    field = layout.record[owner].by_name.get(inner) if owner in layout.record else None
    if field:
        yield from _summable(f"{path}: «{name}»", field)


def _owned(path: str, name: str, layout: Layout) -> Iterator[str]:
    owner, _, field = name.partition(".")
    if owner not in layout.record or field not in layout.record[owner].by_name:
        yield f'{path}: no existe el campo "{name}"'


def _dated(reference: str, record: Record, layout: Layout) -> bool | None:
    """Whether a reference is a date; None when it cannot be told."""
    name, _, part = reference.partition(":")
    if part:
        return False
    field = _field(name, record, layout)
    return field.type == "F" if field else None


def _field(name: str, record: Record, layout: Layout) -> Field | None:
    owner, _, inner = name.partition(".")
    return layout.record[owner].by_name.get(inner) if inner and owner in layout.record else record.by_name.get(name)


def problems_of_reference(reference: str, record: Record, layout: Layout, *, own: bool = False) -> Iterator[str]:
    """A field of the record or, unless it must be its own, `control.field` or `name.part`, perhaps with `:mes`."""
    name, _, part = reference.partition(":")
    if part and part not in _PARTS:
        yield f'"{part}" no es una parte de la fecha ({", ".join(sorted(_PARTS))})'
    owner, dot, inner = name.partition(".")
    if dot and not own:
        known = layout.file_name.fields if owner == "name" else layout.control.by_name
        if owner not in {"name", layout.control.name} or inner not in known:
            yield f'no existe "{name}" (control.campo o name.parte)'
    elif name not in record.by_name:
        yield f'no existe el campo "{name}"'


def problems_of_condition(condition: Condition, record: Record, layout: Layout) -> Iterator[str]:
    """Each as the end of a path: `: no existe el campo "x"`."""
    for name, clause in condition.items():
        missing = list(problems_of_reference(name, record, layout))
        yield from (f": {problem}" for problem in missing)
        governing = _field(name, record, layout)
        if missing or governing is None:
            continue
        if isinstance(clause, Test):
            yield from _test(name, clause, governing)
            continue
        allowed = _allowed(governing)
        for value in clause.values if isinstance(clause, Not) else clause:
            if allowed and value and value not in allowed:
                yield f'.{name}: "{value}" no es un valor de ese campo; la condición nunca se cumple'


def _allowed(field: Field) -> tuple[str, ...] | None:
    """Every value a field may hold, if they can be told."""
    catalog = CATALOGS.get(field.catalog or "")
    if field.allowed or catalog is None or catalog.elsewhere or field.list:
        return field.allowed
    return (*catalog.codes, *catalog.disabled, *(field.sentinels or ()))


def _test(name: str, clause: Test, field: Field) -> Iterator[str]:
    if not clause.said:
        yield f".{name}: la condición está vacía"
    if (clause.has or clause.lacks) and not field.list:
        yield f".{name}: has y lacks son para listas (list)"
    for code in (*clause.has, *clause.lacks):
        if field.options and code not in field.options:
            yield f'.{name}: "{code}" no es una opción de la lista; la condición nunca se cumple'
    if clause.age and field.type != "F":
        yield f".{name}: la edad sale de una fecha"
    if clause.number and field.allowed and not any(clause.number.contains(value) for value in field.allowed):
        yield f".{name}: ningún valor de ese campo está entre {clause.number}; la condición nunca se cumple"
