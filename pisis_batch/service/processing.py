"""From a receipt to its verdict. A fault of ours never stops the next file, and never blames this one."""

import dataclasses
from collections.abc import Callable

import structlog

from pisis_batch import effects, judging, pipeline
from pisis_batch.judging import Judged, Task
from pisis_batch.model import Outcome, Received, Verdict
from pisis_batch.ports import JudgeError, OutdatedError, Ports, Receipt, UnavailableError
from pisis_batch.service import leases, originals
from pisis_batch.service.comparing import previous
from pisis_batch.service.crash import crashpoint
from pisis_batch.service.delivery import deliver, publish
from pisis_batch.service.intake import OUTSIDE, take_in
from pisis_batch.service.publishing import Publishing

#: Attempts that end in a fault: a child that dies or gives no answer, a step that fails. They speak against the file.
ATTEMPTS = 3
#: Deaths of the service itself with a file in hand. They say little, for whoever kills a service hits some file; one
#: that takes the service down each time must come to its end all the same.
INTERRUPTIONS = 10
_JUDGINGS = 5
_log = structlog.get_logger()


class BusyError(RuntimeError):
    """The files of this entity are being worked on by somebody else just now; the text is the guid."""


#: What is done with a verdict that was just committed, under which fence.
Then = Callable[[Judged, int], None]


def process(guid: str, ports: Ports, then: Then | None = None, *, rested: bool = False) -> Outcome | None:
    """Take a receipt to its end; None when it had ended, is not its turn, or this attempt failed (another follows).

    `then` has the documents at hand, which are stored as well. `rested`: not while it must rest (`Registry.take`).
    """
    receipt = _taken(guid, ports, rested=rested)
    if receipt is None:
        return None
    fence = receipt.fence
    crashpoint("attempted")
    if receipt.attempts > ATTEMPTS or receipt.interruptions >= INTERRUPTIONS:
        return _give_up(receipt, fence, ports, then)
    try:
        with leases.kept(guid, fence, ports):
            judged, done = _to_its_end(receipt, ports, fence)
    except UnavailableError as error:
        _log.error("attempt_postponed", guid=guid, error=str(error))
        ports.registry.give_back(guid, fence, counted=False)
        return None
    except Exception as error:  # noqa: BLE001 whatever it is, it is this file's turn only
        # the text of an error may carry what the file says: only its kind is written down
        kind = error.kind if isinstance(error, JudgeError) else type(error).__name__
        _log.error("attempt_failed", guid=guid, error=kind, attempt=receipt.attempts)
        if receipt.attempts >= ATTEMPTS:
            return _give_up(receipt, fence, ports, then)
        ports.registry.give_back(guid, fence)
        return None
    crashpoint("committed")
    if done and then:
        then(judged, fence)
    return judged.outcome if done else None


def _taken(guid: str, ports: Ports, *, rested: bool) -> Receipt | None:
    """The receipt, in hand; not before it can be judged, so that a service killed while it starts has none in hand."""
    try:
        ports.judge.warm(wait=True)
    except UnavailableError as error:
        _log.error("attempt_postponed", guid=guid, error=str(error))
        return None
    return ports.registry.take(guid, rested=rested)


def _judge(
    received: Received, ports: Ports, fence: int | None = None, *, told: bool = True, outsider: bool = False
) -> Judged:
    """Judge and put into words, by the brake; meanwhile the lease of the attempt is kept."""
    before = previous(received, ports) if told else None
    task = Task(received, ports.limits, ports.clock(), ports.mail_from, told=told, brake=ports.brake, previous=before)
    task = dataclasses.replace(task, outsider=outsider, trust=ports.trust(ports.clock()))
    return _judged(task, ports, fence)


def judge_again(guid: str, ports: Ports, fence: int | None = None, *, refused: str | None = None) -> Judged:
    """An archived original against the registry as it is now, brake off: what would be done. Raises KeyError.

    With `refused`, rejected for that reason.
    """
    received = originals.received(originals.receipt_of(guid, ports), ports)
    task = Task(received, ports.limits, ports.clock(), ports.mail_from, told=fence is not None, refused=refused)
    task = dataclasses.replace(task, trust=ports.trust(ports.clock()))
    return _judged(task, ports, fence)


def _judged(task: Task, ports: Ports, fence: int | None) -> Judged:

    def alive() -> bool:
        return fence is None or ports.registry.renew(task.received.guid, fence)

    return ports.judge.judge(task, ports.registry.ask, alive)


def _to_its_end(receipt: Receipt, ports: Ports, fence: int) -> tuple[Judged, bool]:
    """Judge and commit; again when the registry changed in between, so that no verdict rests on what is no more."""
    received, outsider = originals.received(receipt, ports), OUTSIDE in receipt.lane
    for _ in range(_JUDGINGS):
        judged = _judge(received, ports, fence, outsider=outsider)
        try:
            return judged, _commit(judged, ports, fence, reprocess=False)
        except OutdatedError:
            _log.info("judged_again", guid=received.guid)
        finally:
            judged.outcome.changes.close()
    raise OutdatedError


def _commit(judged: Judged, ports: Ports, fence: int, *, reprocess: bool, by: str | None = None) -> bool:
    crashpoint("before_commit")
    return ports.registry.commit(
        judged.outcome, judged.mails, judged.documents, ports.clock(), fence=fence, reprocess=reprocess, ordered_by=by
    )


def _give_up(receipt: Receipt, fence: int, ports: Ports, then: Then | None) -> Outcome | None:
    """Quarantine: the sender is told that the fault is ours, operations find it under its state."""
    try:
        received = originals.received(receipt, ports)
    except (OSError, KeyError, ValueError, RuntimeError):  # the original itself is what we cannot read
        received = Received(receipt.guid, receipt.file_name, b"", receipt.received_at, receipt.sender)
    outcome = pipeline.broken(received, ports.shelf)
    facts = ports.registry.ask(pipeline.questions(outcome.examined))
    outcome = pipeline.with_facts(outcome, facts)
    at = ports.clock()
    mails, documents = judging.told(outcome, at, ports.mail_from)
    if not ports.registry.quarantine(outcome, mails, documents, at, fence=fence):
        return None
    _log.error("quarantined", guid=receipt.guid)
    if then:
        then(Judged(outcome, mails, documents), fence)
    return outcome


def reprocess(guid: str, ports: Ports, *, apply: bool, by: str | None = None) -> Outcome:
    """Judge an archived original against the registry of today; with `apply`, make it the receipt's verdict, `by` whom.

    The day of reception stays; the brake holds here too. Raises KeyError for an unknown guid, BusyError when its
    entity's queue is in other hands just now.
    """
    received = originals.received(originals.receipt_of(guid, ports), ports)
    if not apply:
        return _judge(received, ports, told=False).outcome
    fence = ports.registry.attempt(guid, again=True)
    if fence is None:
        raise BusyError(guid)
    try:
        judged = _judge(received, ports, fence)
        held = ports.registry.held(guid)
        if held and judged.outcome.verdict is Verdict.RETENIDO and held.plan == effects.digest(judged.outcome):
            ports.registry.give_back(guid, fence)  # it waits with this very plan: its approvals stay
            return judged.outcome
        done = _commit(judged, ports, fence, reprocess=True, by=by)
        judged.outcome.changes.close()
    except BaseException:
        ports.registry.give_back(guid, fence)
        raise
    if not done:
        raise BusyError(guid)
    return judged.outcome


def once(ports: Ports, *, on_outcome: Callable[[Outcome], None] | None = None) -> list[Outcome]:
    """What is in the inbox now, and whatever was left unfinished, to its end; then documents and mails."""
    take_in(ports)
    publishing = Publishing(ports)
    done = []
    for receipt in ports.registry.pending():
        for _ in range(ATTEMPTS):
            outcome = process(receipt.guid, ports, publishing.publish)
            if outcome is not None:
                done.append(outcome)
                if on_outcome:
                    on_outcome(outcome)
                break
    publish(ports)
    deliver(ports)
    return done
