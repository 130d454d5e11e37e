"""A layout in words: the annex's page in Spanish, to be held against the printed annex."""

from collections.abc import Iterator

from pisis_batch.layouts.catalogs import CATALOGS
from pisis_batch.layouts.condition import Condition, clause_in_words
from pisis_batch.layouts.explain_checks import checks_in_words
from pisis_batch.layouts.field import Field
from pisis_batch.layouts.layout import Layout, Record

_TYPES = {"A": "Alfanumérico", "N": "Numérico", "D": "Decimal", "F": "Fecha", "T": "Texto", "H": "Hora"}
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
    if layout.note:
        yield f"- **Notas**: {layout.note}"
    yield f"- **Nombre del archivo** ({layout.file_name.width} caracteres): `{_name(layout)}`"
    for name, part in layout.name_parts.items():
        words = ", ".join(
            f"{value} ({meaning})" if meaning else value for value, meaning in (part.values or {}).items()
        )
        told = "; ".join(one for one in (words, part.note or "") if one)
        yield f"    - {part.label} (`name.{name}`)" + (f": {told}" if told else "")
    marks = ", ".join(f"tipo {layout.record[name].mark}" for name in layout.order)
    together = "cada tipo agrupado" if layout.grouped else "el control primero; los demás pueden ir mezclados"
    yield f"- **Orden**: {marks}; {together}"
    if layout.sequence:
        over = " y ".join(layout.record[name].mark for name in layout.sequence.over)
        again = "y vuelve a comenzar en cada tipo" if layout.sequence.restart else "y sin reiniciar"
        yield f"- **Consecutivo**: desde 1, de uno en uno {again}, en los registros tipo {over}"
    if layout.total:
        owner, name = layout.total.field.split(".")
        over = " y ".join(layout.record[n].mark for n in layout.total.over)
        yield f"- **Total**: «{layout.record[owner].by_name[name].label}» cuenta los registros tipo {over}"
    yield "- **Si hay un error**: no se carga ningún registro del archivo"
    code = "ANSI (Windows-1252)" if layout.encoding == "cp1252" else "UTF-8"
    yield f"- **Texto**: {code}, campos separados por `{layout.separator}`, un registro por línea"
    if layout.sentinels:
        yield "- **Comodines**: " + ", ".join(f"{value} ({meaning})" for value, meaning in layout.sentinels.items())
    for record in layout.records:
        yield ""
        yield from _record(record)
    if layout.check:
        yield ""
        yield from checks_in_words(layout)
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
            inside = layout.control.by_name.get(piece.field) or layout.name_parts[piece.field]
            parts.append(f"[{inside.label}: {piece.text if piece.text == 'AAAAMMDD' else f'{piece.width} caracteres'}]")
    return "".join(parts)


def _record(record: Record) -> Iterator[str]:
    yield f"## {record.label}"
    yield ""
    yield f"Comienza por `{record.mark}`; {_OCCURS[record.occurs]} por archivo; {len(record.fields)} campos."
    if record.unique:
        yield "No se repite: " + " + ".join(f"«{record.by_name[name].label}»" for name in record.unique) + "."
    if record.stop:
        after = record.by_name[record.stop.after].label
        yield f"Cuando {condition_in_words(record.stop.when, record)}, los campos que siguen a «{after}» van vacíos."
    if record.note:
        yield f"Nota: {record.note}."
    yield ""
    yield "| N.º | Campo | Nombre corto | Tipo | Longitud | Obligatorio | Valores | Notas |"
    yield "|---|---|---|---|---|---|---|---|"
    for number, field in enumerate(record.fields):
        cells = (field.label, f"`{field.name}`", _type(field), _length(field), required(field, record), _values(field))
        told = " | ".join(_cell(text) for text in (*cells, _notes(field)))
        yield f"| {number} | {told} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(field: Field) -> str:
    unread = " (letra no leída)" if "type" in field.unread else ""
    return f"{field.type} ({_TYPES[field.type]}){unread}" + (", lista" if field.list else "")


def _length(field: Field) -> str:
    if field.type == "F":
        return "10, AAAA-MM-DD"
    if field.type == "H":
        return "5, HH:MM"
    longest = field.max or max((len(value) for value in field.allowed or ("",)), default=0)
    parts = []
    if field.digits:
        parts.append(f"hasta {field.digits} cifras")
    elif longest:
        parts.append(f"de {field.min} a {longest}" if field.min else f"hasta {longest}")
    if "max" in field.unread:
        parts.append("**no leída**")
    if field.integers:
        parts.append(f"{field.integers} enteros")
    if field.type == "D":
        parts.append("decimales no leídos" if "decimals" in field.unread else f"{_decimals(field)} decimales")
    for name, cases in (field.length_by or {}).items():
        parts.append(f"según `{name}`: " + ", ".join(f"{v} {span.words()}" for v, span in cases.items()))
    return ", ".join(parts) or "—"


def _decimals(field: Field) -> int:
    return 2 if field.decimals is None else field.decimals


def required(field: Field, record: Record) -> str:
    """`SI`, `NO`, or under which condition."""
    if field.reserved:
        return "siempre vacío"
    if field.only_if:
        said = f"SI cuando {condition_in_words(field.only_if, record)}; vacío en otro caso"
    elif field.required_if:
        said = f"SI cuando {condition_in_words(field.required_if, record)}"
    else:
        said = "SI" if field.required else "NO"
    if field.empty_if and field.empty_if != (record.stop.when if record.stop else None):
        said += f"; vacío cuando {condition_in_words(field.empty_if, record)}"
    return said


def condition_in_words(condition: Condition, record: Record) -> str:
    """A condition as a Spanish phrase."""
    labels = {name: f"«{record.by_name[name].label}»" if name in record.by_name else f"`{name}`" for name in condition}
    return " y ".join(clause_in_words(clause, labels[name]) for name, clause in condition.items())


def _values(field: Field) -> str:  # noqa: C901 one branch a key
    parts = []
    if field.values:
        words = ", ".join(f"{value} ({meaning})" if meaning else value for value, meaning in field.values.items())
        parts.append((f"tabla {field.table}: " if field.table else "") + words)
    if field.constant is not None:
        parts.append(field.constant)
    if field.catalog:
        catalog = CATALOGS[field.catalog]
        where = " (se comprueba si está cargada)" if catalog.loadable else "" if catalog.registry else ": "
        parts.append(f"tabla {field.catalog}{where}" + ("" if catalog.elsewhere else ", ".join(catalog.codes)))
    if field.list:
        parts.append(
            f"varios separados por «{field.list}»"
            + (f"; va solo: {', '.join(field.exclusive)}" if field.exclusive else "")
        )
    if field.range:
        parts.append(field.range.words() + (" (advertencia)" if field.range_severity != "error" else ""))
    if field.pattern:
        parts.append(field.pattern_words or f"`{field.pattern}`")
    for name, cases in (field.pattern_by or {}).items():
        parts.append(f"según `{name}`: " + ", ".join(f"{value} `{shape}`" for value, shape in cases.items()))
    if field.sentinels:
        parts.append("comodines " + ", ".join(field.sentinels))
    if field.check_digit_of:
        parts.append(f"dígito de verificación de `{field.check_digit_of}`")
    if field.same_as:
        parts.append("repite " + ("el nombre del archivo" if field.same_as == "name" else f"`{field.same_as}`"))
    if field.format:
        parts.append({"correo": "un correo electrónico", "nombre": "solo letras"}[field.format])
    return "; ".join(parts)


_UNREAD = {
    "values": "la lista de códigos no se leyó",
    "label": "el nombre no se leyó",
    "meaning": "los significados no se leyeron",
    "required": "la obligatoriedad no se leyó",
}


def _notes(field: Field) -> str:
    parts = [_UNREAD[key] for key in field.unread if key in _UNREAD]
    parts += [field.note] if field.note else []
    if field.alias:
        parts.append("códigos oficiales " + ", ".join(f"{code} ({rule})" for rule, code in field.alias.items()))
    return "; ".join(parts)


def help_of(field: Field, record: Record) -> tuple[str, str]:
    """What to write in a field: (obligation and form, values and notes), as two short Spanish texts."""
    must = required(field, record).replace("SI", "Obligatorio", 1).replace("NO", "Puede ir vacío", 1)
    form = " · ".join(part for part in (must, _type(field), _length(field)) if part not in {"", "—"})
    return form, "; ".join(part for part in (_values(field), _notes(field)) if part)
