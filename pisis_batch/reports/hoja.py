"""The findings as a workbook for Excel: sheets causas, hallazgos and archivo anotado. Nothing in it can be run."""

import io
from typing import Any

import polars as pl

from pisis_batch.model import Outcome
from pisis_batch.reports.detalle import HEADER
from pisis_batch.reports.original import Original
from pisis_batch.reports.page import causes, number
from pisis_batch.reports.told import Told

#: Findings in the workbook, and lines of the file in its third sheet: what a person goes through in a spreadsheet.
MOST = 5_000
#: A file of up to so many lines is shown whole; of a longer one, as many of the lines that have findings.
_WHOLE = 2_000
_LINE, _DEEPEST = 15, 8  # height of a line of text in points; more lines than this are read in the cell
_LONGEST = 32_000  # Excel holds 32,767 characters in a cell
_WIDTHS = {"línea": 8, "registro": 12, "campo n.º": 10, "campo": 30, "código": 10, "severidad": 12, "mensaje": 70}
_CAUSES = (
    ("código", 10),
    ("severidad", 12),
    ("causa", 50),
    ("casos", 10),
    ("dónde", 34),
    ("por qué", 60),
    ("qué hacer", 70),
)
#: Characters that XML cannot hold or nobody can see.
_DRAWN = {n: "␀⇥"[n == 9] if n in {0, 9} else "⍰" for n in (*range(32), *range(0x7F, 0xA0), 0xAD)}  # noqa: PLR2004 tab


def findings_xlsx(told: Told) -> bytes:
    """The workbook. Past 5.000 findings it has the first ones and says where all are."""
    from xlsxwriter import Workbook  # noqa: PLC0415 a third of a second that a command line should not wait for

    rows, original = told.rows.head(MOST), Original(told.outcome.received.content, told.outcome.examined.layout)
    packed = io.BytesIO()
    large = rows.height > _WHOLE
    book = Workbook(packed, {"in_memory": not large, "constant_memory": large, **_AS_TEXT})
    book.set_properties({"title": told.outcome.received.guid, "created": told.at.replace(tzinfo=None)})
    styles = {
        "head": book.add_format({"bold": True, "bg_color": "#17456E", "font_color": "#FFFFFF"}),
        "text": book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"}),
        "figure": book.add_format({"valign": "top", "align": "center", "num_format": "0"}),
        "wrong": book.add_format(
            {"valign": "top", "text_wrap": True, "num_format": "@", "bg_color": "#FCECEA", "font_color": "#8C1D18"}
        ),
    }
    _causes(_Sheet(book, "causas", _CAUSES, styles), told.outcome)
    _findings(_Sheet(book, "hallazgos", [(t, _WIDTHS.get(t, 40)) for t in HEADER.values()], styles), told, rows)
    _annotated(book, styles, rows, original)
    book.close()
    return packed.getvalue()


_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class _Sheet:
    """A sheet with a fixed header and filters, filled from the top down."""

    def __init__(self, book: Any, name: str, columns: Any, styles: dict[str, Any]) -> None:
        self.sheet, self.styles, self.at = book.add_worksheet(name), styles, 0
        self.widths = [width for _, width in columns]
        for place, (title, width) in enumerate(columns):
            self.sheet.set_column(place, place, width)
            self.sheet.write_string(0, place, title, styles["head"])
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_landscape()
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(0)

    def add(self, cells: tuple[str | int | None, ...], wrong: frozenset[int] = frozenset()) -> None:
        """A row: figures as figures, everything else as text, whatever it looks like."""
        self.at += 1
        deep = 1
        for place, cell in enumerate(cells):
            if isinstance(cell, int):
                self.sheet.write_number(self.at, place, cell, self.styles["figure"])
            elif cell:
                text = (cell if cell.isprintable() else cell.translate(_DRAWN))[:_LONGEST]
                self.sheet.write_string(self.at, place, text, self.styles["wrong" if place in wrong else "text"])
                deep = max(deep, -(-len(text) // self.widths[place]))
        if deep > 1:
            self.sheet.set_row(self.at, _LINE * min(deep, _DEEPEST))

    def close(self) -> None:
        """Filters over all rows, and no green corners on numbers that are text."""
        self.sheet.autofilter(0, 0, self.at, len(self.widths) - 1)
        self.sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{self.at + 1}"})


def _causes(sheet: _Sheet, outcome: Outcome) -> None:
    for cause in causes(outcome):
        sheet.add((cause.code, cause.severity, cause.title, cause.times, cause.where, cause.why, cause.remedy))
    sheet.close()


def _findings(sheet: _Sheet, told: Told, rows: pl.DataFrame) -> None:
    for row in rows.select(*HEADER).iter_rows():
        sheet.add(row)
    sheet.close()
    hidden = told.rows.height - rows.height
    if hidden:
        sheet.add((None,) * 8 + (f"Aquí están los primeros {number(MOST)}; hay {number(hidden)} más en hallazgos.csv",))


def _annotated(book: Any, styles: dict[str, Any], rows: pl.DataFrame, original: Original) -> None:
    placed = rows.filter(pl.col("line").is_not_null())
    said = pl.concat_str("code", pl.lit(": "), "message", pl.lit(". "), "remedy")
    grouped = placed.group_by("line", maintain_order=True).agg(said.alias("said"), "field_no")
    notes = {line: ("\n".join(words), wrong) for line, words, wrong in grouped.iter_rows()}
    shown = range(1, len(original) + 1) if len(original) <= _WHOLE else list(notes)[:_WHOLE]
    lines = {line: original.line(line, _LONGEST).split(original.separator) for line in shown}
    fields = min(max(map(len, lines.values()), default=1), 200)
    columns = [("línea", 8), ("qué corregir", 70), *((f"campo {n}", 18) for n in range(fields))]
    sheet = _Sheet(book, "archivo anotado", columns, styles)
    for line, cells in lines.items():
        words, wrong = notes.get(line, ("", []))
        note = words.replace("\n", " · ")
        sheet.add((line, note, *cells[:fields]), frozenset(n + 2 for n in wrong if n is not None))
    sheet.close()
    if len(original) > _WHOLE and len(notes) > _WHOLE:
        sheet.add((None, f"Aquí están las primeras {number(_WHOLE)} líneas con hallazgos; todas, en anotado.txt"))
