"""What pydantic cannot see in a field: keys that do not go together, names and values that refer to nothing."""

import re
from collections.abc import Iterator

from pisis_batch.layouts.catalogs import CATALOGS
from pisis_batch.layouts.check_relations import problems_of_condition, problems_of_reference
from pisis_batch.layouts.field import Field
from pisis_batch.layouts.layout import Layout, Record

#: What the reader's expressions do not have, though Python's do.
_UNSUPPORTED = re.compile(r"\(\?[=!<]|\\[1-9]")


def problems_of_field(field: Field, record: Record, layout: Layout) -> Iterator[str]:
    """Each as the end of a path: `.max: falta la longitud máxima`."""
    if not field.label.strip():
        yield ".label: falta el nombre que imprime el anexo"
    yield from _length(field)
    yield from _values(field, layout)
    yield from _lists(field)
    yield from _numbers(field)
    yield from _patterns(field)
    yield from _others(field, record, layout)
    if field.required_if is not None and field.only_if is not None:
        yield ": required_if y only_if no van juntos"
    if field.reserved and (field.values or field.constant or field.condition):
        yield ".reserved: un campo siempre vacío no lleva valores ni condiciones"
    for key in ("only_if", "required_if", "empty_if"):
        condition = getattr(field, key)
        if condition and field.name in condition:
            yield f".{key}: un campo no puede depender de sí mismo"
        for problem in problems_of_condition(condition or {}, record, layout):
            yield f".{key}{problem}"
        if any(getattr(clause, "age", None) for clause in (condition or {}).values()):
            yield f".{key}: las edades van en [[check]], que conoce la fecha de corte"


def _length(field: Field) -> Iterator[str]:
    open_ended = field.constant is None and not field.reserved and not field.values and not field.catalog
    if field.type in "ANT" and field.max is None and open_ended and "max" not in field.unread:
        yield '.max: falta la longitud máxima (si la fuente no la da: unread = ["max"])'
    if field.max is not None and "max" in field.unread:
        yield ".unread: dice que la longitud no se leyó, y max la da"
    if field.min and field.max and field.min > field.max:
        yield ".min: es mayor que max"
    for value in field.values or ():
        if field.max is not None and len(value) > field.max:
            yield f'.values: "{value}" es más largo que max'
    if field.constant and field.max is not None and len(field.constant) > field.max:
        yield f'.is: "{field.constant}" es más largo que max'


def _values(field: Field, layout: Layout) -> Iterator[str]:
    if field.catalog is not None and field.catalog not in CATALOGS:
        yield f'.catalog: no existe la tabla "{field.catalog}"'
    for value in field.sentinels or ():
        if layout.sentinels and value not in layout.sentinels:
            yield f'.sentinels: "{value}" no está entre los comodines del anexo (sentinels)'
        if field.type == "F" and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            yield f'.sentinels: "{value}" no es una fecha'
    if field.constant is not None and field.values:
        yield ".values: un campo con un valor fijo (is) no lleva otros"


def _lists(field: Field) -> Iterator[str]:
    if field.exclusive and not field.list:
        yield ".exclusive: solo para listas (list)"
    if field.list and not field.values and not field.catalog and not field.pattern:
        yield ".list: faltan las opciones (values o catalog)"
    for code in field.exclusive:
        if field.values and code not in field.values:
            yield f'.exclusive: "{code}" no es una opción de la lista'
    for code in field.values or () if field.list else ():
        if field.list and field.list in code:
            yield f'.values: la opción "{code}" lleva el signo que separa'


def _numbers(field: Field) -> Iterator[str]:
    for key in ("decimals", "integers", "digits"):
        if getattr(field, key) is not None and field.type != "D":
            yield f".{key}: solo para el tipo D"
    if field.negative and field.type not in "ND":
        yield ".negative: solo para números"
    if field.chars and field.type != "A":
        yield ".chars: solo para el tipo A"
    if field.range and field.range.dated != (field.type == "F"):
        yield ".range: los límites de una fecha son fechas y los de un número, números"
    if field.range and field.values and not any(field.range.contains(value) for value in field.values):
        yield ".range: ningún valor permitido está dentro"


def _patterns(field: Field) -> Iterator[str]:
    shapes = [(".pattern", field.pattern or "")]
    shapes += [(f".pattern_by.{n}.{v}", shape) for n, by in (field.pattern_by or {}).items() for v, shape in by.items()]
    for path, shape in shapes:
        try:
            re.compile(shape)
        except re.error as error:
            yield f"{path}: expresión mal escrita ({error})"
        if _UNSUPPORTED.search(shape):
            yield f"{path}: no se admiten miradas ni referencias hacia atrás"
        if shape[:1] == "^" or shape[-1:] == "$":
            yield f"{path}: sobra ^ o $, siempre se compara el dato completo"
    for value in field.values or () if field.pattern and not field.list else ():
        if not re.fullmatch(field.pattern or "", value):
            yield f'.pattern: "{value}", que es un valor permitido, no la cumple'


def _others(field: Field, record: Record, layout: Layout) -> Iterator[str]:
    """Broken references to other fields."""
    for key in ("length_by", "pattern_by"):
        for name, cases in (getattr(field, key) or {}).items():
            governing = record.by_name.get(name)
            if governing is None:
                yield f'.{key}: no existe el campo "{name}"'
                continue
            for value in cases:
                if governing.allowed and value not in governing.allowed:
                    yield f'.{key}.{name}: "{value}" no es un valor de ese campo'
    if field.check_digit_of is not None and field.check_digit_of not in record.by_name:
        yield f'.check_digit_of: no existe el campo "{field.check_digit_of}"'
    if field.same_as is not None and field.same_as != "name":
        yield from (f".same_as: {problem}" for problem in problems_of_reference(field.same_as, record, layout))
