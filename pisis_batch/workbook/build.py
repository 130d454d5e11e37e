"""A filled workbook to the flat file: right name, encoding, consecutives and totals, and where every line came from."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from pisis_batch.layouts import Layout, Record
from pisis_batch.layouts.relation import Count, Distinct, Sum
from pisis_batch.workbook.cells import CellError, text_of
from pisis_batch.workbook.columns import ANNEX, FIRST, LABELS, NAMES, START, VERSION, columns, copied, totals
from pisis_batch.workbook.template import cell
from pisis_batch.writing import write

Row = dict[str, str]


class WorkbookError(ValueError):
    """The file is no workbook of an annex; the message is a plain Spanish sentence."""


@dataclass(frozen=True, slots=True)
class Built:
    """The flat file, or why there is none. `places`: line (from 1) -> sheet, row (from 0) and column of each field."""

    name: str
    content: bytes
    problems: tuple[str, ...] = ()
    places: Mapping[int, tuple[str, int, Mapping[str, int]]] = field(default_factory=dict)

    def where(self, line: int | None, name: str | None) -> str:
        """`hoja usuario, celda F7` of a finding; `todo el libro` when it is of no line."""
        if line is None or line not in self.places:
            return "todo el libro"
        sheet, row, found = self.places[line]
        spot = f"celda {cell(row, found[name])}" if name and name in found else f"fila {row + 1}"
        return f"hoja {sheet}, {spot}"


def _opened(content: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(content))
    except (CalamineError, OSError, ValueError):
        raise WorkbookError("no es un libro de Excel (.xlsx)") from None


def annex_of(content: bytes) -> tuple[str, str]:
    """The annex and version that a workbook made by `template` says it is of."""
    book = _opened(content)
    said: dict[str, str] = {}
    if START in book.sheet_names:
        for row in book.get_sheet_by_name(START).to_python(skip_empty_area=False):
            if len(row) > 1 and row[0] in {ANNEX, VERSION}:
                said[str(row[0])] = str(row[1])
    if ANNEX not in said:
        raise WorkbookError("el libro no dice de qué anexo es: hágalo con «pisis layouts template», o use --annex")
    return said[ANNEX], said.get(VERSION, "")


def build(content: bytes, layout: Layout) -> Built:
    """The flat file of a filled workbook. Cells that no file can hold are problems, by sheet and cell."""
    book = _opened(content)
    made: dict[str, list[Row]] = {}
    spots: dict[str, list[tuple[int, Mapping[str, int]]]] = {}
    problems: list[str] = []
    for record in layout.records:
        sheet = record.name[:31]
        if sheet not in book.sheet_names:
            problems.append(f"falta la hoja «{sheet}»")
            made[record.name], spots[record.name] = [], []
            continue
        cells = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        found, at, wrong = _read(cells, record, layout)
        made[record.name], spots[record.name] = found, at
        problems += [f"hoja {sheet}, {problem}" for problem in wrong]
    control = made[layout.control.name]
    if len(control) != 1:
        problems.append(
            f"hoja {layout.control.name}: debe tener exactamente una fila con datos, y tiene {len(control)}"
        )
    if problems:
        return Built("", b"", tuple(problems))
    parts = {key.removeprefix("name."): value for key, value in control[0].items() if key.startswith("name.")}
    _number(layout, made)
    _total(layout, made)
    name = layout.file_name.write({**parts, **control[0]})
    _copy(layout, made, parts, name)
    frames = {r.name: _frame(made[r.name], r) for r in layout.records}
    return Built(name, write(layout, frames), (), _places(layout, spots))


def _read(cells: list[list[Any]], record: Record, layout: Layout) -> tuple[list[Row], list[Any], list[str]]:
    """Rows with data, where each stands, and cells that cannot be."""
    place, problems = _header(cells, record, layout)
    if problems:
        return [], [], problems
    rows: list[Row] = []
    spots: list[tuple[int, Mapping[str, int]]] = []
    for at, line in enumerate(cells[FIRST:], start=FIRST):
        row: Row = {}
        for name, column in place.items():
            value = line[column] if column < len(line) else None
            try:
                row[name] = text_of(
                    value, record.by_name.get(name), separator=layout.separator, encoding=layout.encoding
                )
            except CellError as error:
                row[name] = "?"
                problems.append(f"celda {cell(at, column)}: {error}")
        if any(row.values()):
            rows.append(row)
            spots.append((at, place))
    return rows, spots, problems


def _header(cells: list[list[Any]], record: Record, layout: Layout) -> tuple[dict[str, int], list[str]]:
    """Column of each field, by its short name in the hidden row, else by its label."""
    wanted = columns(layout, record)
    names = [str(value).strip() for value in (cells[NAMES] if len(cells) > NAMES else [])]
    labels = [str(value).strip().casefold() for value in (cells[LABELS] if cells else [])]
    place: dict[str, int] = {}
    missing = []
    for one in wanted:
        if one.name in names:
            place[one.name] = names.index(one.name)
        elif one.label.casefold() in labels:
            place[one.name] = labels.index(one.label.casefold())
        else:
            missing.append(f"falta la columna «{one.label}»")
    return place, missing


def _number(layout: Layout, made: dict[str, list[Row]]) -> None:
    """Consecutives, running on or starting again with each record."""
    if layout.sequence is None:
        return
    place = 0
    for record in layout.records:
        if record.name not in layout.sequence.over:
            continue
        place = 0 if layout.sequence.restart else place
        for row in made[record.name]:
            place += 1
            row[layout.sequence.field] = str(place)


def _total(layout: Layout, made: dict[str, list[Row]]) -> None:
    """Counts always; sums and numbers of different values where the person left them empty."""
    if layout.total:
        owner, name = layout.total.field.split(".")
        made[owner][0][name] = str(sum(len(made[over]) for over in layout.total.over))
    for owned, check in totals(layout).items():
        owner, name = owned.split(".")
        row = made[owner][0]
        if isinstance(check, Count):
            row[name] = str(sum(len(made[over]) for over in check.over))
        elif not row.get(name):
            row[name] = _sum(check, made) if isinstance(check, Sum) else _distinct(check, made)


def _sum(check: Sum, made: dict[str, list[Row]]) -> str:
    record, name = check.of.split(".")
    try:
        return format(sum((Decimal(row[name]) for row in made[record] if row[name]), Decimal(0)), "f")
    except InvalidOperation:
        return ""  # a value that is no number has its own finding


def _distinct(check: Distinct, made: dict[str, list[Row]]) -> str:
    record = check.of[0].split(".")[0]
    names = [owned.split(".")[1] for owned in check.of]
    return str(len({tuple(row[name] for name in names) for row in made[record]}))


def _copy(layout: Layout, made: dict[str, list[Row]], parts: Mapping[str, str], name: str) -> None:
    """Constants, what is always empty, and what repeats the control or the name."""
    control = made[layout.control.name][0]
    for record in layout.records:
        for one in record.fields:
            value = one.constant or ""
            if one.constant is None and copied(one):
                source = one.same_as or ""
                value = name if source == "name" else _source(source, control, parts)
            elif one.constant is None and not one.reserved:
                continue
            for row in made[record.name]:
                row[one.name] = value


def _source(source: str, control: Mapping[str, str], parts: Mapping[str, str]) -> str:
    owner, key = source.split(".")
    return parts.get(key, "") if owner == "name" and key in parts else control.get(key, "")


def _frame(rows: list[Row], record: Record) -> pl.DataFrame:
    return pl.DataFrame(
        {one.name: [row.get(one.name, "") for row in rows] for one in record.fields},
        schema={one.name: pl.String for one in record.fields},
    )


def _places(
    layout: Layout, spots: Mapping[str, list[tuple[int, Mapping[str, int]]]]
) -> dict[int, tuple[str, int, Mapping[str, int]]]:
    def every() -> Iterator[tuple[str, int, Mapping[str, int]]]:
        for record in layout.records:
            yield from ((record.name, at, place) for at, place in spots[record.name])

    return dict(enumerate(every(), start=1))
