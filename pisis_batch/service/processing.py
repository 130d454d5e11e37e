"""From a receipt to its verdict. A fault of ours never stops the next file, and never blames this one."""

from collections.abc import Callable
from datetime import datetime

import structlog

from pisis_batch import pipeline, reports
from pisis_batch.layouts import Shelf
from pisis_batch.model import Attachment, Limits, Outcome, Received, Rendered
from pisis_batch.ports import Ports, Receipt
from pisis_batch.service.crash import crashpoint
from pisis_batch.service.delivery import deliver, publish
from pisis_batch.service.intake import take_in

ATTEMPTS = 3
_log = structlog.get_logger()


class BusyError(RuntimeError):
    """The files of this entity are being worked on by somebody else just now; the text is the guid."""


def process(guid: str, ports: Ports) -> Outcome | None:
    """Take a receipt to its end; None when it had ended, is not its turn, or this attempt failed (another follows)."""
    fence = ports.registry.attempt(guid)
    receipt = ports.registry.receipt(guid) if fence is not None else None
    if fence is None or receipt is None:
        return None
    crashpoint("attempted")
    if receipt.attempts > ATTEMPTS:
        return _give_up(receipt, fence, ports)
    try:
        outcome = _judge(_received(receipt, ports), ports)
        done = _commit(outcome, ports, fence, reprocess=False)
    except Exception as error:  # noqa: BLE001 whatever it is, it is this file's turn only
        # the text of an error may carry what the file says: only its kind is written down
        _log.error("attempt_failed", guid=guid, error=type(error).__name__, attempt=receipt.attempts)
        if receipt.attempts >= ATTEMPTS:
            return _give_up(receipt, fence, ports)
        ports.registry.give_back(guid, fence)
        return None
    crashpoint("committed")
    return outcome if done else None


def _received(receipt: Receipt, ports: Ports) -> Received:
    content = ports.archive.fetch(receipt.sha256)
    return Received(receipt.guid, receipt.file_name, content, receipt.received_at, receipt.sender)


def _judge(received: Received, ports: Ports, *, sender_judged: bool = True) -> Outcome:
    """Both validations against the registry as it is now. An unsound file asks it only for addresses."""
    examined = pipeline.examine(received, ports.shelf, ports.limits)
    facts = ports.registry.ask(pipeline.questions(examined))
    if not examined.sound:
        return pipeline.conclude(examined, facts)
    return pipeline.judge(examined, facts, sender_judged=sender_judged)


def _told(outcome: Outcome, at: datetime, ports: Ports) -> tuple[list[Rendered], tuple[Attachment, ...]]:
    """Mails to store and documents to publish."""
    documents, letters = reports.answer(outcome, at)
    guid = outcome.received.guid
    return [mail for one in letters for mail in reports.render(one, guid, at, ports.mail_from)], documents


def _commit(outcome: Outcome, ports: Ports, fence: int, *, reprocess: bool) -> bool:
    at = ports.clock()
    mails, documents = _told(outcome, at, ports)
    crashpoint("before_commit")
    return ports.registry.commit(outcome, mails, documents, at, fence=fence, reprocess=reprocess)


def _give_up(receipt: Receipt, fence: int, ports: Ports) -> Outcome | None:
    """Quarantine: the sender is told that the fault is ours, operations find it under its state."""
    try:
        received = _received(receipt, ports)
    except (OSError, KeyError, ValueError, RuntimeError):  # the original itself is what we cannot read
        received = Received(receipt.guid, receipt.file_name, b"", receipt.received_at, receipt.sender)
    outcome = pipeline.broken(received, ports.shelf)
    facts = ports.registry.ask(pipeline.questions(outcome.examined))
    outcome = pipeline.with_facts(outcome, facts)
    at = ports.clock()
    mails, documents = _told(outcome, at, ports)
    if not ports.registry.quarantine(outcome, mails, documents, at, fence=fence):
        return None
    _log.error("quarantined", guid=receipt.guid)
    return outcome


def check(received: Received, ports: Ports | None, *, shelf: Shelf, limits: Limits) -> Outcome:
    """The verdict without any effect; without ports only the structure is judged."""
    if ports is None:
        return pipeline.conclude(pipeline.examine(received, shelf, limits), None)
    return _judge(received, ports, sender_judged=received.sender is not None)


def reprocess(guid: str, ports: Ports, *, apply: bool) -> Outcome:
    """Judge an archived original against the registry of today; with `apply`, make it the receipt's verdict.

    The day of reception stays. Raises KeyError for an unknown guid, BusyError when its entity's queue is in other
    hands just now.
    """
    receipt = ports.registry.receipt(guid)
    if receipt is None:
        raise KeyError(guid)
    received = _received(receipt, ports)
    if not apply:
        return _judge(received, ports)
    fence = ports.registry.attempt(guid, again=True)
    if fence is None:
        raise BusyError(guid)
    try:
        outcome = _judge(received, ports)
        done = _commit(outcome, ports, fence, reprocess=True)
    except BaseException:
        ports.registry.give_back(guid, fence)
        raise
    if not done:
        raise BusyError(guid)
    return outcome


def once(ports: Ports, *, on_outcome: Callable[[Outcome], None] | None = None) -> list[Outcome]:
    """What is in the inbox now, and whatever was left unfinished, to its end; then documents and mails."""
    take_in(ports)
    done = []
    for receipt in ports.registry.pending():
        for _ in range(ATTEMPTS):
            outcome = process(receipt.guid, ports)
            if outcome is not None:
                done.append(outcome)
                if on_outcome:
                    on_outcome(outcome)
                break
    publish(ports)
    deliver(ports)
    return done
