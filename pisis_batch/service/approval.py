"""A held file: two people approve its plan and exactly that plan is applied, or one does not and it is rejected."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pisis_batch import effects
from pisis_batch.model import Outcome, Verdict
from pisis_batch.ports import Held, OutdatedError, Ports
from pisis_batch.service import originals
from pisis_batch.service.crash import crashpoint
from pisis_batch.service.processing import BusyError, judge_again

PEOPLE = 2
_LOGIN = re.compile(r"[A-Z0-9][A-Z0-9._@-]{2,59}", re.ASCII)


class NotHeldError(ValueError):
    """The receipt waits for nobody's approval; the text is its state."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of an approval.

    applied: the second person agreed and the plan was carried out. waiting: one more must agree. stale: the registry
    has changed, `outcome` shows what the file would do now, and nothing was noted.
    """

    kind: Literal["applied", "waiting", "stale"]
    outcome: Outcome
    plan: str
    by: tuple[str, ...]


def clean_login(text: str) -> str:
    """A login in capitals, so that one person is not two. Raises ValueError when it is none."""
    login = text.strip().upper().replace(":", "").replace(" ", "")
    if not _LOGIN.fullmatch(login):
        raise ValueError("no es un usuario: escriba letras y cifras, como CC10000001")
    return login


def approve(guid: str, login: str, ports: Ports) -> Decision:
    """Note an approval; the second person's applies the plan in the same transaction. Safe to run again.

    Raises KeyError for an unknown guid, NotHeldError, BusyError when the entity's queue is in other hands.
    """
    with _turn(guid, ports) as (fence, held):
        judged = judge_again(guid, ports, fence)
        outcome = judged.outcome
        now, at = effects.digest(outcome), ports.clock()
        before = tuple(name for name, _ in held.approvals)
        if outcome.verdict is not Verdict.CARGADO or now != held.plan:
            return Decision("stale", outcome, now, before)
        by = tuple(dict.fromkeys([*before, login]))
        if len(by) < PEOPLE:
            _sure(ports.registry.approve(guid, login, at, fence=fence), guid)
            return Decision("waiting", outcome, now, by)
        crashpoint("before_commit")
        done = ports.registry.commit(
            outcome, judged.mails, judged.documents, at, fence=fence, reprocess=True, approved_by=login
        )
        _sure(done, guid)
    return Decision("applied", outcome, now, by)


def refuse(guid: str, login: str, reason: str, ports: Ports) -> Outcome:
    """Reject a held file for a reason that its entity is told. Raises as `approve` does."""
    with _turn(guid, ports) as (fence, _):
        judged = judge_again(guid, ports, fence, refused=reason)
        done = ports.registry.commit(
            judged.outcome,
            judged.mails,
            judged.documents,
            ports.clock(),
            fence=fence,
            reprocess=True,
            refused_by=login,
        )
        _sure(done, guid)
    return judged.outcome


@contextmanager
def _turn(guid: str, ports: Ports) -> Iterator[tuple[int, Held]]:
    """The lane of a held receipt for the length of a decision: its fence, and what it waits with."""
    receipt = originals.receipt_of(guid, ports)
    if receipt.state != "retenido":
        raise NotHeldError(receipt.state)
    fence = ports.registry.attempt(guid, again=True)
    _sure(fence is not None, guid)
    try:
        held = ports.registry.held(guid)
        if held is None:  # somebody decided between the two looks
            raise NotHeldError("terminado")
        yield fence or 0, held
    except OutdatedError:  # the registry changed in the very moment: nothing was written
        raise BusyError(guid) from None
    finally:
        ports.registry.give_back(guid, fence or 0)  # nothing to give back when the commit ended the lease


def _sure(done: bool, guid: str) -> None:  # noqa: FBT001 what the registry answered
    if not done:
        raise BusyError(guid)
