"""`anotado.txt`: the sender's own file, a mark above each line with findings, ready to be corrected and sent again.

Reading takes the marks off, so that lines keep the numbers they had (see `annotations`).
"""

from collections.abc import Iterator
from operator import itemgetter

from pisis_batch.annotations import annotated, stripped
from pisis_batch.reports.page import many, number
from pisis_batch.reports.told import Told
from pisis_batch.validators.sentences import Worded

#: Bytes up to which a file gets its annotated copy: what still opens in an editor.
LARGEST = 16 * 1024 * 1024
#: Without findings a copy only tells that; a file larger than this one goes without.
_LARGEST_RIGHT = 1024 * 1024
#: Marks in a copy; the lists have all findings.
MOST = 50_000


def annotated_copy(told: Told) -> bytes | None:
    """The copy as bytes, in the file's own encoding; None when the file is too large to be corrected by hand."""
    content, layout = told.outcome.received.content, told.outcome.examined.layout
    if len(content) > (LARGEST if len(told.outcome.findings) else _LARGEST_RIGHT):
        return None
    encoding = layout.encoding if layout else "cp1252"
    notes = ((line, note.encode(encoding, "replace")) for line, note in _notes(told))
    return annotated(stripped(content[:]), notes)


def _notes(told: Told) -> Iterator[tuple[int, str]]:
    findings = len(told)
    if not findings:
        yield 0, "Sin hallazgos: no hay nada que corregir."
        return
    name = told.outcome.received.name.translate(dict.fromkeys(range(32), "?"))
    yield 0, f"{many(findings, 'hallazgo', 'hallazgos')}. Cada línea que empieza por #! habla de la línea que le sigue."
    yield 0, f"Corrija el archivo, guárdelo como {name} y envíelo: las líneas que empiezan por #! se quitan al leer."
    if findings > MOST:
        yield 0, f"Aquí se marcan los primeros {number(MOST)} hallazgos; todos están en hallazgos.csv."
    yield from sorted(((row.line or 0, _note(row)) for row in told.head(MOST)), key=itemgetter(0))


def _note(row: Worded) -> str:
    place = "" if row.field_no is None else f" campo {row.field_no}"
    return f"{row.code}{place}: {row.message}. {row.remedy}".translate(_ONE_LINE)


_ONE_LINE = dict.fromkeys(map(ord, "\r\n"), " ")
