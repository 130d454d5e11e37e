"""A layout as a workbook to fill in: a sheet per record with drop-downs and help, instructions, lists of codes."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pisis_batch.layouts import CATALOGS, Field, Layout, Record
from pisis_batch.layouts.explain import help_of, required
from pisis_batch.workbook.columns import (
    ANNEX,
    FIRST,
    HELP,
    LABELS,
    LISTS,
    NAMES,
    START,
    VERSION,
    Column,
    columns,
    totals,
)

_LAST = 200_000  # rows that have drop-downs and help
_ONE_PAGE = 20  # columns that can be printed on one page
_LINE, _WIDE, _NARROW = 15, 88, 22  # height of a line in points; characters that fit beside and in its heading
_MESSAGE, _TITLE = 255, 32  # Excel's limits for the help of a cell
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
_INK = {"SI": "#17456E", "NO": "#6B7480"}
_SOMETIMES = "#8A5A00"


def template(
    layout: Layout, rows: Mapping[str, pl.DataFrame] | None = None, parts: Mapping[str, str] | None = None
) -> bytes:
    """The workbook, empty or with the rows of each record (and the parts of the file name) in it."""
    from xlsxwriter import Workbook  # noqa: PLC0415 slow to load, and only the template needs it

    packed = io.BytesIO()
    book = Workbook(packed, _AS_TEXT)
    book.set_properties({"title": f"{layout.annex} {layout.version}", "subject": layout.title})
    lists = _lists(layout)
    _instructions(book, layout)
    for record in layout.records:
        said = (rows or {}).get(record.name)
        listed = said.to_dicts() if said is not None else []
        if record.name == layout.control.name and listed:
            listed = [{**listed[0], **{f"name.{name}": value for name, value in (parts or {}).items()}}]
        _sheet(book, layout, record, listed, lists)
    _codes(book, layout, lists)
    book.close()
    return packed.getvalue()


def _style(book: Any, **said: Any) -> Any:
    return book.add_format({"valign": "top", "text_wrap": True, **said})


def _instructions(book: Any, layout: Layout) -> None:
    sheet = book.add_worksheet(START)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 96)
    sheet.hide_gridlines(2)
    bold, plain, title = _style(book, bold=True), _style(book), _style(book, bold=True, font_size=15, text_wrap=False)
    sheet.write_string(0, 0, f"{layout.annex}: {layout.title}", title)
    lines = [
        (ANNEX, layout.annex),
        (VERSION, layout.version),
        ("Fuente", layout.source),
        (
            "Cómo se llena",
            "Hay una hoja por tipo de registro. Escriba los datos desde la fila 4, una fila por registro.",
        ),
        ("", "No cambie los nombres de las hojas ni los encabezados. Puede ocultar columnas, no borrarlas."),
        ("", "Las celdas son de texto: los ceros a la izquierda se conservan. Las fechas van como AAAA-MM-DD."),
        ("", "Al pararse en una celda se ve qué se escribe en ella. Donde hay lista, escoja un código."),
        ("Colores", "Azul: el campo es obligatorio. Café: depende de otro campo. Gris: puede ir vacío."),
        ("Lo que no se escribe", _own(layout)),
        (
            "Cómo se termina",
            f"Guarde el libro y ejecute «pisis build» con él: hace el archivo {layout.annex}… listo para",
        ),
        ("", "enviar, o dice qué corregir, con la hoja y la celda."),
        *((record.label, _told(record, layout)) for record in layout.records),
    ]
    for place, (head, said) in enumerate((line for line in lines if line[1]), start=2):
        sheet.write_string(place, 0, head, bold)
        sheet.write_string(place, 1, said, plain)
        sheet.set_row(place, _LINE * max(-(-len(said) // _WIDE), -(-len(head) // _NARROW)))
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _own(layout: Layout) -> str:
    shown = {column.name for record in layout.records for column in columns(layout, record)}
    hidden = [field.label for record in layout.records for field in record.fields if field.name not in shown]
    return "El programa pone por usted: " + ", ".join(dict.fromkeys(hidden)) + "." if hidden else ""


def _told(record: Record, layout: Layout) -> str:
    many = {
        "1": "exactamente una fila",
        "1..": "una fila o más",
        "0..": "cero filas o más",
        "0..1": "a lo sumo una fila",
    }
    key = f" No se repite: {', '.join(record.by_name[name].label for name in record.unique)}." if record.unique else ""
    fields = len(columns(layout, record))
    return f"Hoja «{record.name}»: {many[record.occurs]}, {fields} columnas.{key}"


def _lists(layout: Layout) -> dict[tuple[str, ...], tuple[int, dict[str, str]]]:
    """Closed lists of codes -> the column of the sheet of lists that holds them, and their meanings."""
    found: dict[tuple[str, ...], tuple[int, dict[str, str]]] = {}
    for record in layout.records:
        for column in columns(layout, record):
            codes = _choices(layout, column)
            if codes and tuple(codes) not in found:
                found[tuple(codes)] = (2 * len(found), codes)
    return found


def _choices(layout: Layout, column: Column) -> dict[str, str]:
    """The codes that a cell may hold, when they are few and written in the layout."""
    field = column.field
    if field is None:
        return layout.name_parts[column.name.removeprefix("name.")].values or {}
    if field.list is not None:
        return {}
    if field.allowed:
        meanings = field.values or {}
        return {value: meanings.get(value) or layout.sentinels.get(value, "") for value in field.allowed}
    catalog = CATALOGS.get(field.catalog or "")
    return dict(catalog.codes) if catalog and not catalog.elsewhere else {}


def _sheet(book: Any, layout: Layout, record: Record, rows: Sequence[Mapping[str, str]], lists: Any) -> None:
    sheet = book.add_worksheet(record.name[:31])
    text, note = _style(book, num_format="@", text_wrap=False), _style(book, font_size=8, font_color="#555555")
    dates = _style(book, num_format="yyyy-mm-dd", text_wrap=False)
    sheet.set_row(LABELS, 45)
    sheet.set_row(HELP, 48)
    sheet.set_row(NAMES, None, None, {"hidden": True})
    sheet.freeze_panes(FIRST, 0)
    for place, column in enumerate(columns(layout, record)):
        field = column.field
        form, more = help_of(field, record) if field else ("SI · parte del nombre del archivo", "")
        if field and f"{record.name}.{field.name}" in totals(layout):
            form = f"Se calcula si lo deja vacío · {form}"
        ink = _INK.get(required(field, record) if field else "SI", _SOMETIMES)
        head = _style(book, bold=True, bg_color=ink, font_color="#FFFFFF", border=1, border_color="#FFFFFF")
        sheet.set_column(place, place, _width(column), dates if field and field.type == "F" else text)
        sheet.write_string(LABELS, place, column.label, head)
        sheet.write_string(HELP, place, _short(form, 160), note)
        sheet.write_string(NAMES, place, column.name, note)
        sheet.data_validation(FIRST, place, _LAST, place, _asked(layout, column, form, more, lists))
        for at, row in enumerate(rows, start=FIRST):
            if value := row.get(column.name, ""):
                sheet.write_string(at, place, value, text)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.set_landscape()
    sheet.fit_to_pages(1 if len(columns(layout, record)) <= _ONE_PAGE else 0, 0)
    sheet.repeat_rows(LABELS, HELP)


def _asked(layout: Layout, column: Column, form: str, more: str, lists: Any) -> dict[str, Any]:
    """The help of a cell, and its drop-down or its longest text."""
    codes = _choices(layout, column)
    told = form + ("\n" + more if more and not codes else "")
    if codes:
        told += "\n" + "; ".join(f"{code} {meaning}".strip() for code, meaning in codes.items())
    said: dict[str, Any] = {"input_title": _short(column.label, _TITLE), "input_message": _short(told, _MESSAGE)}
    if codes:
        place = lists[tuple(codes)][0]
        name = _letters(place)
        source = f"={LISTS}!${name}$2:${name}${len(codes) + 1}"
        error = {"error_title": "No está en la lista", "error_message": "Escoja un código de la lista."}
        return {**said, **error, "validate": "list", "source": source}
    field = column.field
    if field is not None and field.max and field.type in "ANT" and not field.list:
        error = {
            "error_title": "Dato muy largo",
            "error_message": f"Caben {field.max} caracteres.",
            "error_type": "warning",
        }
        return {**said, **error, "validate": "length", "criteria": "<=", "value": field.max}
    return {**said, "validate": "any"}


def _codes(book: Any, layout: Layout, lists: Any) -> None:
    """The sheet the drop-downs read: codes and their meanings, a pair of columns each list."""
    sheet = book.add_worksheet(LISTS)
    head, text = _style(book, bold=True), _style(book, num_format="@", text_wrap=False)
    titles: dict[tuple[str, ...], str] = {}
    for record in layout.records:
        for column in columns(layout, record):
            titles.setdefault(tuple(_choices(layout, column)), column.label)
    for key, (place, codes) in lists.items():
        sheet.set_column(place, place, 12)
        sheet.set_column(place + 1, place + 1, 40)
        sheet.write_string(0, place, "Código", head)
        sheet.write_string(0, place + 1, titles[key], head)
        for at, (code, meaning) in enumerate(codes.items(), start=1):
            sheet.write_string(at, place, code, text)
            sheet.write_string(at, place + 1, meaning, text)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})


def _width(column: Column) -> int:
    field: Field | None = column.field
    longest = 10 if field and field.type == "F" else (field.max or 10) if field else 14
    return max(14, min(longest + 2, 28))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _letters(place: int) -> str:
    """The name of a column, from 0: A, B, … Z, AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell(row: int, place: int) -> str:
    """The name of a cell, both from 0: `F7`."""
    return f"{_letters(place)}{row + 1}"
