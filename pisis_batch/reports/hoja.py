"""The findings as a workbook for Excel: sheets causas, hallazgos and archivo anotado. Nothing in it can be run."""

from collections.abc import Iterable
from operator import attrgetter

from pisis_batch.reports.detalle import HEADER
from pisis_batch.reports.molde import Filling
from pisis_batch.reports.page import causes, number
from pisis_batch.reports.told import Told
from pisis_batch.validators.sentences import Worded

#: Findings in the workbook, and lines of the file in its third sheet: what a person goes through in a spreadsheet.
MOST = 5_000
#: A file of up to so many lines is shown whole; of a longer one, as many of the lines that have findings.
_WHOLE = 2_000
_LONGEST = 32_000
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
_FINDINGS = tuple((title, _WIDTHS.get(title, 40)) for title in HEADER.values())


def findings_xlsx(told: Told) -> bytes:
    """The workbook. Past 5.000 findings it has the first ones and says where all are."""
    rows, original = list(told.head(MOST)), told.original
    notes = _notes(rows)
    shown = range(1, len(original) + 1) if len(original) <= _WHOLE else list(notes)[:_WHOLE]
    cut = (text.split(original.separator) for text in original.lines(shown, _LONGEST))
    lines = dict(zip(shown, cut, strict=True))
    fields = min(max(map(len, lines.values()), default=1), 200)
    columns = (("línea", 8), ("qué corregir", 70), *((f"campo {n}", 18) for n in range(fields)))
    book = Filling((("causas", _CAUSES), ("hallazgos", _FINDINGS), ("archivo anotado", columns)))
    for cause in causes(told.outcome):
        book.add(0, (cause.code, cause.severity, cause.title, cause.times, cause.where, cause.why, cause.remedy))
    book.close(0)
    for row in rows:
        book.add(1, _cells(row))
    book.close(1)
    if hidden := len(told) - len(rows):
        rest = f"Aquí están los primeros {number(MOST)}; hay {number(hidden)} más en hallazgos.csv"
        book.add(1, (None,) * 8 + (rest,))
    for line, cells in lines.items():
        words, wrong = notes.get(line, ("", frozenset()))
        book.add(2, (line, words, *cells[:fields]), wrong)
    book.close(2)
    if len(original) > _WHOLE and len(notes) > _WHOLE:
        rest = f"Aquí están las primeras {number(_WHOLE)} líneas con hallazgos; todas, en anotado.txt"
        book.add(2, (None, rest))
    return book.packed(told.outcome.received.guid, told.at.replace(tzinfo=None))


_cells = attrgetter(*HEADER)


def _notes(rows: Iterable[Worded]) -> dict[int, tuple[str, frozenset[int]]]:
    """Per line what is to be corrected in it, and in which cells of the third sheet."""
    told: dict[int, tuple[list[str], set[int]]] = {}
    for row in rows:
        if row.line is None:
            continue
        words, wrong = told.setdefault(row.line, ([], set()))
        words.append(f"{row.code}: {row.message}. {row.remedy}".replace("\n", " · "))
        if row.field_no is not None:
            wrong.add(row.field_no + 2)
    return {line: (" · ".join(words), frozenset(wrong)) for line, (words, wrong) in told.items()}
