"""What is said of a few findings, one after another in plain Python, is what columns say of them.

PISIS_FILES says how many random files (`make differential` asks for many).
"""

import dataclasses
import os
from collections import Counter

import pytest
from dirty import dirty
from test_small import _outcome, _world
from worlds import NOW, facts

from pisis_batch import judging, reports, validators
from pisis_batch.causes import diagnose
from pisis_batch.judging import Task
from pisis_batch.layouts import shelf
from pisis_batch.model import Findings, Growing, Limits, Outcome, Received, findings
from pisis_batch.reports import listas
from pisis_batch.reports.told import Told

FILES = int(os.environ.get("PISIS_FILES", "200"))
_WHOLE = 12  # of so many files one has all its documents and messages compared
_EACH = 2  # files with a code that are compared
_ANNEXES = sorted({one.annex for one in shelf()})


def _dirty(seed: int) -> Outcome:
    """A file of any annex; half of them of the one that most are of."""
    annex = _ANNEXES[seed // 2 % len(_ANNEXES)] if seed % 12 == 1 else "SEG500USIN"
    name, content = dirty(next(one for one in shelf() if one.annex == annex), seed)
    received = Received("g", name, content, NOW, "CC10000001")
    return judging.outcome_of(Task(received, Limits(), NOW, "x@y.example"), shelf(), lambda _: facts())


def _judged(seed: int) -> Outcome:
    content, given = _world(2 * seed)  # the odd ones are made right with much ado
    return _outcome(content, facts(given))


def _listed(told: Told) -> list[bytes]:
    """The two lists without the causes at the head of one."""
    table, answer = Growing(), Growing()
    (listas._all if told.few is None else listas._few)(told, table, answer)
    return [table.done("t", "text/csv").content, answer.done("a", "application/json").content]


def _said(outcome: Outcome, *, lists: bool, causes: bool, whole: bool) -> list[object]:
    outcome = dataclasses.replace(outcome, findings=Findings(outcome.findings.frame.clone()))
    layout, found, told = outcome.examined.layout, outcome.findings, Told(outcome, NOW)
    english = validators.described(found, layout, language="en", mask=True)
    said: list[object] = [english.rows(), told.first, found.by_code()]
    if lists:
        said += _listed(told)
    if causes:
        said += [diagnose(outcome).causes, diagnose(outcome).cause_of.to_list()]
    if not whole:
        return said
    answer = reports.answer(outcome, NOW)
    mails = [reports.render(letter, "g", NOW, "x@y.example") for letter in answer.letters]
    return [*said, {one.name: one.content for one in answer.documents}, mails]


@pytest.mark.parametrize(("kind", "share"), [(_dirty, 5), (_judged, 1)])
def test_a_few_findings_are_told_as_many_are(kind: object, share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compared, files = Counter[str](), 0
    thorough = FILES > 300  # else a file is compared for the codes that few before it had, and only some wholly
    for seed in range(FILES * share // 6):
        outcome = kind(seed)  # type: ignore[operator]
        codes = {code for code, _ in outcome.findings.by_code()}
        if not codes or not (thorough or any(compared[code] < _EACH for code in codes)):
            continue
        more = {"lists": thorough or files % 3 == 0, "causes": thorough or files % 3 == 1, "whole": files % _WHOLE == 0}
        few = _said(outcome, **more)
        with monkeypatch.context() as patch:
            patch.setattr(findings, "_FEW", 0)
            many = _said(outcome, **more)
        for place, (one, other) in enumerate(zip(few, many, strict=True)):
            assert one == other, (seed, place)
        compared.update(codes)
        files += 1
    assert len(compared) > 20, compared
