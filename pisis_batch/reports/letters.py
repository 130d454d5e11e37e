"""Who is told what: outcome to letters. Only addresses that the registry has confirmed receive a report."""

from datetime import datetime

from pisis_batch.model import Attachment, Letter, Outcome
from pisis_batch.reports import documentos, look
from pisis_batch.reports.ack import ack_json
from pisis_batch.reports.detalle import findings_csv
from pisis_batch.reports.page import Page

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_LONGEST = 80


def documents(outcome: Outcome, at: datetime) -> tuple[Attachment, ...]:
    """What lies in the sender's outbox: the two documents, every finding, the machine-readable answer."""
    kept = [Attachment("ack.json", "application/json", ack_json(outcome))]
    if "SIS001" in set(outcome.findings.frame["code"]):
        return tuple(kept)
    kept.append(Attachment("hallazgos.csv", "text/csv", findings_csv(outcome)))
    kept.append(_page("acta", documentos.acta(outcome, at)))
    if outcome.examined.sound:
        kept.append(_page("resultado", documentos.resultado(outcome, at)))
    return tuple(kept)


def _page(template: str, page: Page) -> Attachment:
    return Attachment(f"{template}.html", "text/html", look.html(template, page).encode("utf-8"))


def letters(outcome: Outcome, at: datetime) -> tuple[Letter, ...]:
    """The messages about a file, each with its confirmed recipients."""
    to = _recipients(outcome)
    codes = set(outcome.findings.frame["code"])
    made: list[Letter] = []
    if "SIS001" in codes:
        made.append(_letter("falla", to, "En espera", outcome, documentos.our_fault(outcome, at)))
    elif not outcome.examined.sound:
        made.append(_letter("acta", to, "Rechazado", outcome, documentos.acta(outcome, at), attached=True))
    else:
        verdict = str(outcome.verdict).capitalize()
        made.append(_letter("acta", to, "Estructura correcta", outcome, documentos.acta(outcome, at)))
        made.append(_letter("resultado", to, verdict, outcome, documentos.resultado(outcome, at), attached=True))
    known = outcome.facts.entity if outcome.facts else None
    if "CTL003" in codes and known and known.correo_institucional:
        page = documentos.confirmation(outcome, at)
        made.append(_letter("confirmacion", (known.correo_institucional,), "Confirme su correo", outcome, page))
    return tuple(letter for letter in made if letter.to)


def _recipients(outcome: Outcome) -> tuple[str, ...]:
    """The sender's and the entity's confirmed addresses, once each."""
    if outcome.facts is None:
        return ()
    entity, sender = outcome.facts.entity, outcome.facts.sender
    found = [sender.email if sender else None]
    if entity and entity.correo_confirmado:
        found.append(entity.correo_institucional)
    return tuple({address.lower(): address for address in found if address}.values())


def _letter(
    kind: str, to: tuple[str, ...], verdict: str, outcome: Outcome, page: Page, *, attached: bool = False
) -> Letter:
    name, guid = outcome.received.name, outcome.received.guid
    # a name is the uploader's text: it enters a header only when it is nothing but letters, digits and dots
    about = name if name and set(name) <= _SAFE and len(name) <= _LONGEST and kind != "confirmacion" else page.title
    template = kind if kind in {"acta", "resultado"} else "aviso"
    files: tuple[Attachment, ...] = ()
    if attached:
        files = (
            Attachment("hallazgos.csv", "text/csv", findings_csv(outcome)),
            Attachment("ack.json", "application/json", ack_json(outcome)),
        )
    return Letter(
        kind=kind,  # type: ignore[arg-type]  # one of the four kinds, by its callers
        to=to,
        subject=f"{verdict}: {about} ({guid[:8]})",
        html=look.html(template, page),
        text=look.text(page),
        attachments=files,
    )
