"""Messages and documents, before and after they are addressed."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from pisis_batch.model.facts import RegisteredEntity


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that travels with a letter or lies in the sender's outbox."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class EndedContracts:
    """Users of an entity whose contract ended before a day, still linked. `users`: columns of LINKED (Q18)."""

    entity: RegisteredEntity
    before: date
    users: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Unreported:
    """An entity that reported an annex before and has not in the period that closes on `until`."""

    entity: RegisteredEntity
    annex: str
    cut_off: date
    until: date


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before it is addressed: one e-mail is made of it for each recipient."""

    kind: Literal["acta", "resultado", "confirmacion", "falla", "espera", "vencimiento", "recordatorio", "resumen"]
    to: tuple[str, ...]
    subject: str
    html: str
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message to store: one recipient; Message-ID and Date are fixed inside `body` (RFC 5322 bytes)."""

    kind: str
    recipient: str
    subject: str
    message_id: str
    body: bytes
