"""A layout in words: the annex's page in Spanish, to be held against the printed annex."""

from collections.abc import Iterator

from pisis_batch.layouts.catalogs import CATALOGS
from pisis_batch.layouts.layout import Condition, Field, Layout, Not, Record

_TYPES = {"A": "Alfanumérico", "N": "Numérico", "D": "Decimal", "F": "Fecha", "T": "Texto"}
_OCCURS = {"1": "exactamente uno", "1..": "uno o más", "0..": "cero o más", "0..1": "cero o uno"}


def page(layout: Layout) -> str:
    """The annex's page as Markdown."""
    return "\n".join(_lines(layout)) + "\n"


def _lines(layout: Layout) -> Iterator[str]:
    yield f"# {layout.annex}: {layout.title}"
    yield ""
    yield f"- **Versión**: {layout.version}, para fechas de corte desde {layout.valid_from.isoformat()}"
    if layout.source:
        yield f"- **Fuente**: {layout.source}"
    yield f"- **Nombre del archivo** ({layout.file_name.width} caracteres): `{_name(layout)}`"
    marks = ", ".join(f"tipo {layout.record[name].mark}" for name in layout.order)
    yield f"- **Orden**: {marks}; cada tipo agrupado"
    if layout.sequence:
        over = " y ".join(layout.record[name].mark for name in layout.sequence.over)
        yield f"- **Consecutivo**: desde 1, de uno en uno y sin reiniciar, en los registros tipo {over}"
    if layout.total:
        owner, name = layout.total.field.split(".")
        over = " y ".join(layout.record[n].mark for n in layout.total.over)
        yield f"- **Total**: «{layout.record[owner].by_name[name].label}» cuenta los registros tipo {over}"
    yield "- **Si hay un error**: no se carga ningún registro del archivo"
    yield f"- **Texto**: ANSI (Windows-1252), campos separados por `{layout.separator}`, un registro por línea"
    for record in layout.records:
        yield ""
        yield from _record(record)
    yield ""
    yield "## Reglas de contenido"
    yield ""
    yield ", ".join(layout.rules) if layout.rules else "Ninguna además de lo que dicen los campos."


def _name(layout: Layout) -> str:
    parts = []
    for piece in layout.file_name.pieces:
        if piece.field is None:
            parts.append(piece.text)
        else:
            label = layout.control.by_name[piece.field].label
            parts.append(f"[{label}: {piece.text if piece.text == 'AAAAMMDD' else f'{piece.width} caracteres'}]")
    return "".join(parts)


def _record(record: Record) -> Iterator[str]:
    yield f"## {record.label}"
    yield ""
    yield f"Comienza por `{record.mark}`; {_OCCURS[record.occurs]} por archivo; {len(record.fields)} campos."
    if record.unique:
        yield "No se repite: " + " + ".join(f"«{record.by_name[name].label}»" for name in record.unique) + "."
    yield ""
    yield "| N.º | Campo | Nombre corto | Tipo | Longitud | Obligatorio | Valores | Notas |"
    yield "|---|---|---|---|---|---|---|---|"
    for number, field in enumerate(record.fields):
        cells = (field.label, f"`{field.name}`", _type(field), _length(field), required(field, record), _values(field))
        yield f"| {number} | " + " | ".join(cells) + f" | {field.note or ''} |"


def _type(field: Field) -> str:
    return f"{field.type} ({_TYPES[field.type]})"


def _length(field: Field) -> str:
    if field.type == "F":
        return "10, AAAA-MM-DD"
    longest = field.max or max((len(value) for value in field.allowed or ("",)), default=0)
    return f"de {field.min} a {longest}" if field.min else f"hasta {longest}"


def required(field: Field, record: Record) -> str:
    """`SI`, `NO`, or under which condition."""
    if field.only_if:
        return f"SI cuando {_words(field.only_if, record)}; vacío en otro caso"
    if field.required_if:
        return f"SI cuando {_words(field.required_if, record)}"
    return "SI" if field.required else "NO"


def _words(condition: Condition, record: Record) -> str:
    parts = []
    for name, clause in condition.items():
        label = record.by_name[name].label
        if isinstance(clause, Not):
            parts.append(f"«{label}» no es {' ni '.join(clause.values)}")
        else:
            parts.append(f"«{label}» es {' o '.join(clause)}")
    return " y ".join(parts)


def _values(field: Field) -> str:
    if field.values:
        return ", ".join(f"{value} ({meaning})" for value, meaning in field.values.items())
    if field.constant is not None:
        return field.constant
    if field.catalog:
        catalog = CATALOGS[field.catalog]
        return f"tabla {field.catalog}" + ("" if catalog.registry else ": " + ", ".join(catalog.codes))
    return {"correo": "un correo electrónico", "nombre": "solo letras"}.get(field.format or "", "")
