"""Outcome to everything that is said of it: the documents of the sender's outbox and the letters, each made once."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pisis_batch.model import Attachment, Letter, Outcome, Verdict
from pisis_batch.reports import documentos, look
from pisis_batch.reports.anotado import annotated_copy
from pisis_batch.reports.correcciones import repairs_csv
from pisis_batch.reports.efectos import plan_csv
from pisis_batch.reports.hoja import findings_xlsx
from pisis_batch.reports.informe import report
from pisis_batch.reports.intentos import progress_csv
from pisis_batch.reports.letters import Body, letters
from pisis_batch.reports.listas import lists
from pisis_batch.reports.page import Page
from pisis_batch.reports.told import Told

#: Documents that also travel with the letter of the verdict; mails stay light, the rest waits in the outbox.
_TRAVEL = ("hallazgos.csv", "ack.json")
#: The corrected and the annotated copy travel with a rejection while they are small.
_LIGHT = 512 * 1024


class Answer(NamedTuple):
    """What lies in the sender's outbox, and what is mailed."""

    documents: tuple[Attachment, ...]
    letters: tuple[Letter, ...]


def answer(outcome: Outcome, at: datetime) -> Answer:
    """All that is said of an outcome. A fault of ours leaves only `ack.json` in the outbox; a held file has none."""
    told = Told(outcome, at)
    if outcome.verdict is Verdict.RETENIDO:
        waiting = _body("aviso", documentos.waiting(told))
        page = Attachment("espera.html", "text/html", waiting.html.encode("utf-8"))
        return Answer((page, plan_csv(outcome.changes)), letters(told, {"espera": waiting}, ()))
    table, ack = lists(told)
    files = [ack]
    if "SIS001" in told.codes:
        fault = _body("aviso", documentos.our_fault(told))
        return Answer(tuple(files), letters(told, {"falla": fault}, ()))
    first = documentos.acta(told)
    last = documentos.resultado(told) if outcome.examined.sound else first
    files += [table, *_more(told, last)]
    last = dataclasses.replace(last, files=_where(told, [file.name for file in files]))
    bodies = dict(_bodies(told, first, last))
    for kind, body in bodies.items():
        if kind != "confirmacion":
            files.append(Attachment(f"{kind}.html", "text/html", body.html.encode("utf-8")))
    by_name = {file.name: file for file in files}
    travel = [by_name[name] for name in _TRAVEL]
    for name in ("corregido.txt", "anotado.txt"):
        copy = by_name.get(name)
        if copy and outcome.verdict is Verdict.RECHAZADO and copy.size <= _LIGHT:
            travel.append(copy)
    return Answer(tuple(files), letters(told, bodies, tuple(travel)))


def _more(told: Told, page: Page) -> Iterator[Attachment]:
    spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    yield Attachment("hallazgos.xlsx", spreadsheet, findings_xlsx(told))
    yield Attachment("informe.html", "text/html", report(told, page))
    if progress := told.outcome.progress:
        yield Attachment("diferencia.csv", "text/csv", progress_csv(progress, told.outcome.examined.layout))
    if made := told.outcome.corrected:
        yield Attachment("corregido.txt", "text/plain", made.content)
        yield Attachment("correcciones.csv", "text/csv", repairs_csv(made))
    if (copy := annotated_copy(told)) is not None:
        yield Attachment("anotado.txt", "text/plain", copy)


def _bodies(told: Told, first: Page, last: Page) -> Iterator[tuple[str, Body]]:
    if told.outcome.examined.sound:
        yield "acta", _body("acta", first)
        yield "resultado", _body("resultado", last)
    else:
        yield "acta", _body("acta", last)
    if "CTL003" in told.codes:
        yield "confirmacion", _body("aviso", documentos.confirmation(told))


_USES = {
    "informe.html": "informe.html, para buscar los hallazgos y ver cada uno en su línea",
    "corregido.txt": "corregido.txt, su archivo con lo que se pudo corregir sin dudas",
    "anotado.txt": "anotado.txt, su archivo con marcas para corregirlo ahí mismo y enviarlo",
    "hallazgos.xlsx": "hallazgos.xlsx y hallazgos.csv, la lista para Excel",
    "ack.json": "y ack.json, para programas",
}


def _where(told: Told, names: list[str]) -> str:
    """Where the documents are; nothing when there is nothing to correct or nobody's folder to find them in."""
    sender = told.outcome.received.sender
    if not told.codes or not sender:
        return ""
    uses = "; ".join(use for name, use in _USES.items() if name in names)
    folder = f"{sender}/{told.outcome.received.guid}"
    return f"En su carpeta de salida, {folder}, quedan {uses}. Los documentos más livianos van también adjuntos."


def _body(template: str, page: Page) -> Body:
    return Body(page.title, look.html(template, page), look.text(page))
