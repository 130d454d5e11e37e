"""What pydantic cannot see in a layout: names that must refer to something that exists, said with their path."""

from collections.abc import Iterator

from pisis_batch.layouts.catalogs import CATALOGS
from pisis_batch.layouts.layout import Field, Layout, Not, Record


def problems(layout: Layout) -> list[str]:
    """Every broken reference of a layout, each as `path: sentence`."""
    return [*_whole(layout), *(found for record in layout.record.values() for found in _record(record))]


def _whole(layout: Layout) -> Iterator[str]:
    if sorted(layout.order) != sorted(layout.record):
        yield f"order: debe nombrar cada registro una vez ({', '.join(layout.record)})"
        return
    if layout.control.occurs != "1":
        yield f"record.{layout.control.name}.occurs: el control ocurre exactamente una vez"
    marks = [record.mark for record in layout.record.values()]
    if len(set(marks)) < len(marks):
        yield "record: dos registros comienzan con la misma marca"
    control = layout.control.by_name
    for path, name in [
        *(() if layout.entity.fixed else [("entity.type", layout.entity.type)]),
        ("entity.number", layout.entity.number),
        *([("entity.name", layout.entity.name)] if layout.entity.name else ()),
        ("cut_date", layout.cut_date),
        *(("effect.within", name) for name in layout.effect.within),
        *(("file_name", name) for name in layout.file_name.fields),
    ]:
        if name not in control:
            yield f'{path}: el control no tiene un campo "{name}"'
    yield from _numbers(layout)
    if layout.effect.kind == "usuarios" and layout.effect.default_profile is None:
        yield 'effect: el efecto "usuarios" necesita default_profile'


def _numbers(layout: Layout) -> Iterator[str]:
    """Broken references of the consecutive and the total."""
    if layout.sequence:
        for name in layout.sequence.over:
            if name not in layout.record:
                yield f'sequence.over: no existe el registro "{name}"'
            elif layout.sequence.field not in layout.record[name].by_name:
                yield f'sequence.field: el registro {name} no tiene un campo "{layout.sequence.field}"'
    if layout.total:
        owner, name = layout.total.field.split(".")
        if owner not in layout.record or name not in layout.record[owner].by_name:
            yield f'total.field: no existe el campo "{layout.total.field}"'
        yield from (f'total.over: no existe el registro "{n}"' for n in layout.total.over if n not in layout.record)


def _record(record: Record) -> Iterator[str]:
    path = f"record.{record.name}"
    if not record.mark:
        yield f'{path}.fields[0]: el primer campo debe tener un valor fijo (is = "…")'
    names = [field.name for field in record.fields]
    yield from (
        f'{path}.fields: el campo "{name}" está repetido' for name in sorted({n for n in names if names.count(n) > 1})
    )
    if "line" in names:
        yield f'{path}.fields: "line" es un nombre reservado'
    yield from (f'{path}.unique: no existe el campo "{name}"' for name in record.unique if name not in names)
    if record.action:
        yield from _action(record)
    for number, field in enumerate(record.fields):
        yield from (f"{path}.fields[{number}] ({field.name}){found}" for found in _field(field, record))


def _action(record: Record) -> Iterator[str]:
    """Broken references of the field that inserts, updates or annuls."""
    path, action = f"record.{record.name}.action", record.action
    field = record.by_name.get(action.field) if action else None
    if action is None or field is None:
        yield f'{path}.field: no existe el campo "{action.field if action else ""}"'
        return
    if not record.unique:
        yield f"{path}: para actualizar o anular hace falta la clave (unique)"
    for value in action.values:
        if field.allowed and value not in field.allowed:
            yield f'{path}: "{value}" no es un valor de «{field.name}»'
    yield from (f'{path}: falta decir qué hace el valor "{v}"' for v in field.allowed or () if v not in action.values)


def _field(field: Field, record: Record) -> Iterator[str]:
    if field.constant is None and field.type in "ANT" and field.max is None and not field.values:
        yield ".max: falta la longitud máxima"
    if field.required_if is not None and field.only_if is not None:
        yield ": required_if y only_if no van juntos"
    if field.catalog is not None and field.catalog not in CATALOGS:
        yield f'.catalog: no existe la tabla "{field.catalog}"'
    if field.chars and field.type != "A":
        yield ".chars: solo para el tipo A"
    if field.decimals is not None and field.type != "D":
        yield ".decimals: solo para el tipo D"
    if field.min and field.max and field.min > field.max:
        yield ".min: es mayor que max"
    for value in field.values or ():
        if field.max is not None and len(value) > field.max:
            yield f'.values: "{value}" es más largo que max'
    yield from _condition(field, record)


def _condition(field: Field, record: Record) -> Iterator[str]:
    """Broken references of the condition that governs a field."""
    key = ".only_if" if field.only_if else ".required_if"
    for name, clause in (field.condition or {}).items():
        governing = record.by_name.get(name)
        if governing is None:
            yield f'{key}: no existe el campo "{name}"'
            continue
        if name == field.name:
            yield f"{key}: un campo no puede depender de sí mismo"
        values = clause.values if isinstance(clause, Not) else clause
        catalog = CATALOGS.get(governing.catalog or "")
        allowed = governing.allowed or (catalog and not catalog.registry and (*catalog.codes, *catalog.disabled))
        for value in values:
            if allowed and value not in allowed:
                yield f'{key}.{name}: "{value}" no es un valor de ese campo; la condición nunca se cumple'
