"""A file from its bytes to verdict, documents and messages: whatever touches what a sender wrote, and nothing durable.

It may run in this process or in a child; the registry is reached only through `ask`.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pisis_batch import attempts, effects, pipeline, repairs, reports
from pisis_batch.layouts import Shelf
from pisis_batch.model import (
    Attachment,
    Attempt,
    Batch,
    Brake,
    Changes,
    Content,
    Facts,
    Limits,
    Outcome,
    Parts,
    Questions,
    Received,
    Rendered,
    Rows,
    Trust,
    Verdict,
)

Ask = Callable[[Questions], Facts]
#: Takes the changes of a part of a very large file.
Keep = Callable[[Changes], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What to judge and how. `at`: the moment the documents state; `told` False leaves documents and messages out.

    With a `brake` the file may be held. `previous`: the rejected attempt before this one, for its sender to compare.
    `refused`: why people did not approve it, which rejects it. `outsider`: on reception its sender might not send for
    the entity, and stood in another queue; what was granted meanwhile is for the next file.
    `trust`: what signatures are judged by; None where nobody asks for them.
    """

    received: Received
    limits: Limits
    at: datetime
    mail_from: str
    sender_judged: bool = True
    told: bool = True
    brake: Brake | None = None
    previous: Attempt | None = None
    refused: str | None = None
    outsider: bool = False
    trust: Trust | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What to commit. Of the outcome's batch only the control record is left, unless its records are to be stored."""

    outcome: Outcome
    mails: tuple[Rendered, ...] = ()
    documents: tuple[Attachment, ...] = ()


def judge(task: Task, shelf: Shelf, ask: Ask, keep: Keep | None = None) -> Judged:
    """Both validations against the registry as it is now. An unsound file asks it only for addresses.

    `keep` takes the changes of a very large file as they are found, which then are not in the outcome.
    """
    outcome = outcome_of(task, shelf, ask, keep if task.told else None)
    if task.brake:
        outcome = effects.braked(outcome, task.brake)
    if task.refused:
        outcome = pipeline.refused(outcome, task.refused)
    if task.told and not _sifted(outcome.examined.batch):  # nobody looks through a corrected copy of that size
        outcome = repairs.offered(outcome, shelf, task.limits)
        outcome = compared(outcome, task.previous, shelf, task.limits)
    mails, documents = told(outcome, task.at, task.mail_from) if task.told else ((), ())
    examined = outcome.examined
    if not _stores(outcome):
        examined = dataclasses.replace(examined, batch=_slim(examined.batch))
    return Judged(dataclasses.replace(outcome, examined=examined, corrected=None, progress=None), mails, documents)


def outcome_of(task: Task, shelf: Shelf, ask: Ask, keep: Keep | None = None) -> Outcome:
    """The verdict alone, with the whole batch."""
    if task.outsider:
        ask = _outside(ask)
    examined = pipeline.examine(task.received, shelf, task.limits, task.trust)
    if examined.sound and _sifted(examined.batch):
        from pisis_batch import partwise  # noqa: PLC0415 only a large file needs what it loads

        return partwise.judge(examined, ask, task.limits, sender_judged=task.sender_judged, brake=task.brake, keep=keep)
    facts = ask(pipeline.questions(examined))
    if not examined.sound:
        return pipeline.conclude(examined, facts)
    return pipeline.judge(examined, facts, sender_judged=task.sender_judged)


def _outside(ask: Ask) -> Ask:
    """The registry, of a sender who may not send for the entity."""

    def asked(questions: Questions) -> Facts:
        facts = ask(questions)
        sender = dataclasses.replace(facts.sender, entitled=False) if facts.sender else None
        return dataclasses.replace(facts, sender=sender)

    return asked


def compared(outcome: Outcome, previous: Attempt | None, shelf: Shelf, limits: Limits) -> Outcome:
    """The outcome with what changed since the previous attempt, for a sender who may know of both."""
    if previous is None or outcome.facts is None:
        return outcome
    sender = outcome.facts.sender
    if outcome.received.sender != previous.received.sender and not (sender and sender.entitled):
        return outcome
    examined = outcome.examined
    now = Attempt(examined.received, outcome.findings.frame, examined.batch)
    return dataclasses.replace(outcome, progress=attempts.compare(read_again(previous, shelf, limits), now))


def read_again(attempt: Attempt, shelf: Shelf, limits: Limits) -> Attempt:
    """The attempt with its batch."""
    return dataclasses.replace(attempt, batch=pipeline.examine(attempt.received, shelf, limits).batch)


def told(outcome: Outcome, at: datetime, mail_from: str) -> tuple[tuple[Rendered, ...], tuple[Attachment, ...]]:
    """The messages and the documents about an outcome."""
    documents, letters = reports.answer(outcome, at)
    mails = [mail for one in letters for mail in reports.render(one, outcome.received.guid, at, mail_from)]
    return tuple(mails), tuple(documents)


def about(task: Task, content: Content) -> Task:
    """The same task about the bytes that came by another way."""
    return dataclasses.replace(task, received=dataclasses.replace(task.received, content=content))


def without_original(judged: Judged) -> Judged:
    """The same without the file's bytes, to be sent back to whoever has them."""
    return with_received(judged, dataclasses.replace(judged.outcome.received, content=b""))


def with_received(judged: Judged, received: Received) -> Judged:
    """The same about another copy of the file."""
    examined = dataclasses.replace(judged.outcome.examined, received=received)
    return dataclasses.replace(judged, outcome=dataclasses.replace(judged.outcome, examined=examined))


def with_parts(judged: Judged, parts: Parts) -> Judged:
    """The same with the changes that were kept elsewhere."""
    changes = dataclasses.replace(judged.outcome.changes, parts=parts)
    return dataclasses.replace(judged, outcome=dataclasses.replace(judged.outcome, changes=changes))


def _stores(outcome: Outcome) -> bool:
    layout = outcome.examined.layout
    return layout is not None and layout.effect.kind == "registros" and outcome.verdict is Verdict.CARGADO


def _sifted(batch: Batch | None) -> bool:
    """Whether the batch holds only some lines of a large file."""
    return batch is not None and batch.figures is not None


def _slim(batch: Batch | None) -> Batch | None:
    if batch is None:
        return None
    control = batch.layout.control.name
    if batch.plain is not None:
        left = {name: rows if name == control else [] for name, rows in batch.plain.items()}
        return dataclasses.replace(batch, records=Rows(left, batch.layout))
    records = {name: frame if name == control else frame.clear() for name, frame in batch.records.items()}
    return dataclasses.replace(batch, records=records, figures=None)
