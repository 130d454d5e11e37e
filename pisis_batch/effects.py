"""What a file would do, before it is done: the plan by name, its hash, and the brake on unlinking many at once.

The plan is made of the very changes that would be applied (`changes.plan`). Its hash also covers what the registry held
of those people when they were planned, so that an approved plan can be told from another one.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

from pisis_batch.frames import pl
from pisis_batch.model import KINDS, LINKED, Brake, Changes, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """Effects of one file. `unchanged`: people reported as linked who are so already (line, names, id).

    `users`: how many the entity has now. `hash`: 64 hexadecimal digits, equal for equal effects on the same state;
    empty when the changes are only counted.
    """

    changes: Changes
    unchanged: pl.DataFrame
    users: int
    hash: str
    held: bool


def plan(outcome: Outcome, brake: Brake) -> Plan:
    """The plan of a judged file; of one that is not to be loaded, a plan that does nothing."""
    return Plan(
        changes=outcome.changes,
        unchanged=_unchanged(outcome),
        users=outcome.facts.users if outcome.facts else 0,
        hash="" if any(outcome.changes.passed.values()) else digest(outcome),
        held=holds(outcome, brake),
    )


def digest(outcome: Outcome) -> str:
    """SHA-256 over the entity, the changes in a fixed order, and what those people held in the registry before."""
    facts = outcome.facts
    basis = {} if facts is None else {"linked_before": facts.linked, "grants_before": facts.grants}
    parts = {name: getattr(outcome.changes, name) for name in KINDS}
    said = hashlib.sha256(f"{outcome.examined.entity}\n".encode())
    for name, frame in {**parts, **basis}.items():
        rows = frame.drop("line", strict=False)
        said.update(f"{name} {','.join(rows.columns)}\n".encode())
        said.update(rows.sort(rows.columns).write_csv(include_header=False, quote_style="always").encode())
    return said.hexdigest()


def holds(outcome: Outcome, brake: Brake) -> bool:
    """Whether the file unlinks so many that two people must agree first."""
    if outcome.verdict is not Verdict.CARGADO or outcome.facts is None:
        return False
    return _too_many(outcome.changes.counts()["unlinked"], outcome.facts.users, brake)


def may_hold(outcome: Outcome, brake: Brake) -> bool:
    """Whether a large file whose changes are not known yet would be held; True also when that cannot be told."""
    from pisis_batch import fingerprints  # noqa: PLC0415 only a large file needs what it loads

    figures = outcome.examined.batch.figures if outcome.examined.batch else None
    users = figures.people.get("usuario") if figures else None
    if users is None or users.said is None or outcome.facts is None:
        return True
    return _too_many(int(fingerprints.takes(users.said).sum()), outcome.facts.users, brake)


def _too_many(leaving: int, users: int, brake: Brake) -> bool:
    if brake.users and leaving > brake.users:
        return True
    share = leaving * 100 > brake.percent * users
    return bool(brake.percent) and leaving >= brake.at_least and share


def braked(outcome: Outcome, brake: Brake) -> Outcome:
    """The outcome itself, or, when the brake holds it, the same one waiting: nothing of it is loaded yet."""
    if not holds(outcome, brake):
        return outcome
    counts = dataclasses.replace(outcome.counts, loaded=0)
    return dataclasses.replace(outcome, verdict=Verdict.RETENIDO, counts=counts)


def _unchanged(outcome: Outcome) -> pl.DataFrame:
    batch, facts = outcome.examined.batch, outcome.facts
    columns = list(outcome.changes.unlinked.columns)
    coming = outcome.verdict in {Verdict.CARGADO, Verdict.RETENIDO}
    if batch is None or facts is None or not coming or batch.layout.effect.kind != "usuarios":
        return outcome.changes.unlinked.clear()
    reported = batch["usuario"].filter(pl.col("accion") == "V")
    return reported.join(facts.linked, on=list(LINKED), how="semi", nulls_equal=True).select(columns)
