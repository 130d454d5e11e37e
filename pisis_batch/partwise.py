"""The second validation of a file too large to hold: its persons a part at a time, each with what the registry says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from pisis_batch import changes, effects, fingerprints, parting, pipeline, validators, verdict
from pisis_batch.frames import pl
from pisis_batch.model import Batch, Brake, Changes, Examined, Facts, Index, Limits, Outcome, Questions, Verdict
from pisis_batch.validators import recognised
from pisis_batch.validators.identidad import WELL_FORMED


def judge(
    examined: Examined,
    ask: Callable[[Questions], Facts],
    limits: Limits,
    *,
    sender_judged: bool = True,
    brake: Brake | None = None,
    keep: Callable[[Changes], None] | None = None,
) -> Outcome:
    """`pipeline.judge` for a sifted file: its persons a part at a time, each with what the registry says of them.

    With `brake` and `keep` the changes of each part go to `keep`, unless the file may be held: who is to approve it
    sees all of them.
    """
    checked = check(examined, ask, limits, sender_judged=sender_judged)
    if checked.verdict is Verdict.CARGADO:
        if keep is None or brake is None or effects.may_hold(checked, brake):
            checked = _planned(checked, ask, limits)
        else:
            checked = _passed(checked, ask, limits, keep)
    return _without_index(checked)


def check(
    examined: Examined, ask: Callable[[Questions], Facts], limits: Limits, *, sender_judged: bool = True
) -> Outcome:
    """The verdict on a sifted file without its changes. Whoever repeats the registry is not looked at at all."""
    batch, asked = examined.batch, pipeline.questions(examined)
    facts = ask(dataclasses.replace(asked, index=True))
    whole = dataclasses.replace(pipeline.judge(examined, facts, sender_judged=sender_judged), changes=Changes())
    if batch is None or facts.earlier or validators.check_sender(batch, whole.facts or facts).blocks:
        return whole
    found = [whole.findings]
    whom = recognised.doubtful_persons(batch, facts)
    for part in parting.parts(examined.received.content, batch, limits, whom=whom):
        known = ask(dataclasses.replace(asked, people=pipeline.people(part)))
        found.append(validators.check_persons(part, dataclasses.replace(known, sender=facts.sender)))
    findings = validators.joined(found)
    reached = verdict.decide(findings, facts)
    counts = verdict.count(batch, findings, reached)
    return dataclasses.replace(whole, findings=findings, verdict=reached, counts=counts)


def _planned(outcome: Outcome, ask: Callable[[Questions], Facts], limits: Limits) -> Outcome:
    """A sifted file that is to be loaded with its changes, and what the registry held of those persons."""
    batch, facts, asked = outcome.examined.batch, outcome.facts, pipeline.questions(outcome.examined)
    if batch is None or facts is None:
        raise ValueError("only a judged file has changes")
    planned, linked, grants = [], [facts.linked], [facts.grants]
    for part in parting.parts(outcome.received.content, batch, limits):
        known = ask(dataclasses.replace(asked, people=pipeline.people(part)))
        planned.append(changes.plan(part, known))
        linked.append(known.linked)
        grants.append(known.grants)
    facts = dataclasses.replace(facts, linked=pl.concat(linked), grants=pl.concat(grants))
    return dataclasses.replace(outcome, facts=facts, changes=Changes.of(planned))


def _passed(
    outcome: Outcome, ask: Callable[[Questions], Facts], limits: Limits, keep: Callable[[Changes], None]
) -> Outcome:
    """A sifted file that is to be loaded, its changes handed on part by part: none of them stays here."""
    batch, facts = outcome.examined.batch, outcome.facts
    if batch is None or facts is None:
        raise ValueError("only a judged file has changes")
    asked = dataclasses.replace(pipeline.questions(outcome.examined), only_people=True)
    passed = Changes().counts()
    for part in parting.parts(outcome.received.content, batch, limits):
        known = ask(dataclasses.replace(asked, people=_touched(part, facts.index)))
        planned = changes.plan(part, known)
        for kind, many in planned.counts().items():
            passed[kind] += many
        keep(planned)
    return dataclasses.replace(outcome, changes=Changes(passed=passed))


def _touched(part: Batch, index: Index | None) -> pl.DataFrame:
    """The persons of whom the registry may hold what a part's changes depend on.

    Of whoever is not linked, and holds none of the profiles that are named, it holds nothing that matters; the index
    knows no number that is not well-formed.
    """
    people: pl.DataFrame = pipeline.people(part)
    if index is None or index.linked is None:
        return people

    def known(rows: pl.DataFrame, names: tuple[str, ...], ranked: Any) -> pl.Series:
        numbers = fingerprints.hashed(rows, names)
        return pl.Series(fingerprints.among_ranked(numbers, ranked), dtype=pl.Boolean)

    profiles, users = part["perfil"], part["usuario"]
    odd = ~pl.concat_str(fingerprints.WHO, separator="|").str.contains(WELL_FORMED)
    named = profiles.filter(known(profiles, fingerprints.HELD, index.held)).select(fingerprints.WHO)
    leaving = users.filter(pl.col("accion") == "O").select(fingerprints.WHO)
    linked = people.filter(known(people, fingerprints.WHO, index.linked))
    return pl.concat([people.filter(odd), linked, named, leaving]).unique()


def _without_index(outcome: Outcome) -> Outcome:
    """The outcome, which goes on its way without everybody else's numbers."""
    return dataclasses.replace(outcome, facts=outcome.facts and dataclasses.replace(outcome.facts, index=None))
