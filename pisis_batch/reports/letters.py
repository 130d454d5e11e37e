"""Who is told what: outcome to letters. Only addresses that the registry has confirmed receive a report."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pisis_batch.model import Attachment, Letter, Outcome
from pisis_batch.reports.told import Told

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_LONGEST = 80
Kind = Literal["acta", "resultado", "confirmacion", "falla", "espera"]


class Body(NamedTuple):
    """A message's text in both forms."""

    title: str
    html: str
    text: str


def letters(told: Told, bodies: Mapping[str, Body], attachments: tuple[Attachment, ...]) -> tuple[Letter, ...]:
    """The messages about a file, each with its confirmed recipients. `attachments` go with the verdict."""
    outcome = told.outcome
    to = _recipients(outcome)
    made: list[Letter] = []
    if "falla" in bodies:
        made.append(_letter("falla", to, "En espera", outcome, body=bodies["falla"]))
    elif "espera" in bodies:
        made.append(_letter("espera", to, "En espera", outcome, body=bodies["espera"], files=attachments))
    elif not outcome.examined.sound:
        made.append(_letter("acta", to, "Rechazado", outcome, body=bodies["acta"], files=attachments))
    else:
        verdict = str(outcome.verdict).capitalize()
        made.append(_letter("acta", to, "Estructura correcta", outcome, body=bodies["acta"]))
        made.append(_letter("resultado", to, verdict, outcome, body=bodies["resultado"], files=attachments))
    known = outcome.facts.entity if outcome.facts else None
    if "confirmacion" in bodies and known and known.correo_institucional:
        address = (known.correo_institucional,)
        made.append(_letter("confirmacion", address, "Confirme su correo", outcome, body=bodies["confirmacion"]))
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
    kind: Kind,
    to: tuple[str, ...],
    verdict: str,
    outcome: Outcome,
    *,
    body: Body,
    files: tuple[Attachment, ...] = (),
) -> Letter:
    name, guid = outcome.received.name, outcome.received.guid
    # a name is the uploader's text: it enters a header only when it is nothing but letters, digits and dots
    about = name if name and set(name) <= _SAFE and len(name) <= _LONGEST and kind != "confirmacion" else body.title
    return Letter(kind, to, f"{verdict}: {about} ({guid[:8]})", body.html, body.text, files)
