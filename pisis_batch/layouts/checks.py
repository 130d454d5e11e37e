"""What pydantic cannot see in a layout: names that must refer to something that exists, said with their path."""

from collections.abc import Iterator

from pisis_batch.layouts.check_fields import problems_of_field
from pisis_batch.layouts.check_relations import problems_of_check
from pisis_batch.layouts.layout import Layout, Record


def problems(layout: Layout) -> list[str]:
    """Every broken reference of a layout, each as `path: sentence`."""
    found = [*_whole(layout), *(one for record in layout.record.values() for one in _record(record, layout))]
    if sorted(layout.order) == sorted(layout.record):
        for place, check in enumerate(layout.check):
            found += [f"check[{place}] ({check.kind}){problem}" for problem in problems_of_check(check, layout)]
        kept = [check.but(alias="", note="") for check in layout.check]
        found += [f"check[{n}]: repite check[{kept.index(one)}]" for n, one in enumerate(kept) if kept.index(one) < n]
    return found


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
        *(("file_name", name) for name in layout.file_name.fields if name not in layout.name_parts),
    ]:
        if name not in control and name not in layout.file_name.fields:
            yield f'{path}: ni el control ni el nombre tienen "{name}"'
        elif path == "file_name" and name not in control:
            yield f'{path}: "{name}" no es un campo del control ni está en name_parts'
    yield from _name_parts(layout)
    yield from _numbers(layout)
    if layout.effect.kind == "usuarios" and layout.effect.default_profile is None:
        yield 'effect: el efecto "usuarios" necesita default_profile'


def _name_parts(layout: Layout) -> Iterator[str]:
    """Parts that the name does not have, or that the control has too."""
    for name in layout.name_parts:
        if name not in layout.file_name.fields:
            yield f'name_parts.{name}: el nombre no tiene la parte "{name}"'
        if name in layout.control.by_name:
            yield f'name_parts.{name}: el control ya tiene un campo "{name}"'


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


def _record(record: Record, layout: Layout) -> Iterator[str]:
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
    if record.stop:
        yield from (
            f'{path}.stop: no existe el campo "{n}"' for n in (record.stop.after, *record.stop.keep) if n not in names
        )
    for number, field in enumerate(record.fields):
        found = problems_of_field(field, record, layout)
        yield from (f"{path}.fields[{number}] ({field.name}){problem}" for problem in found)


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
