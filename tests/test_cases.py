"""Whole files on one page: what is given, the file, and under `# output` its verdict and findings.

    # A sentence that says what the page shows.
    # received as SEG500USIN20260715NI000900123456.TXT      (optional: another name)
    # given linked = ["CC 1090000003 PEDRO RUIZ"]           (optional: a line of TOML for the registry)
    1|NI|900123456|…                                        (the file; escapes as in Python, `\n` a blank line)
    # output
    rechazado
    2 USR030 fecha_fin 2026-07-01                           (line, code, field, value)

`PISIS_UPDATE_CASES=1` writes the output down anew: read every line of the difference before keeping it.
"""

import dataclasses
import os
from pathlib import Path

import pytest
from worlds import NAME, NOW, facts, file_of

from pisis_batch import pipeline
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits, Outcome, Received

_CASES = sorted((Path(__file__).parent / "cases").rglob("*.case"))


def _judged(page: str) -> Outcome:
    given, lines, name = [], [], NAME
    for line in page.split("\n"):
        if line.startswith("# given "):
            given.append(line.removeprefix("# given "))
        elif line.startswith("# received as "):
            name = line.removeprefix("# received as ").strip()
        elif not line.startswith("#"):
            lines.append(line)
    received = Received("guid", name, file_of("\n".join(lines).rstrip("\n"), control=False), NOW, "CC10000001")
    examined = pipeline.examine(received, shelf(), Limits(line=2048))
    if not examined.sound:
        return pipeline.conclude(examined, facts("\n".join(given)))
    known = facts("\n".join(given))
    if known.entity and examined.entity != known.entity.id:
        known = dataclasses.replace(known, entity=None)
    return pipeline.judge(examined, known)


def _output(outcome: Outcome) -> str:
    told = [
        f"{finding.line or '-'} {finding.code} {finding.field or '-'} {finding.value or '-'}".encode(
            "unicode_escape"
        ).decode()
        for finding in outcome.findings
    ]
    changed = ", ".join(f"{kind} {many}" for kind, many in outcome.changes.counts().items() if many)
    return "\n".join([outcome.verdict, *told, *([f"= {changed}"] if changed else [])])


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    page = path.read_text("utf-8")
    before, _, expected = page.partition("# output\n")
    found = _output(_judged(before))
    if os.environ.get("PISIS_UPDATE_CASES"):
        path.write_text(f"{before}# output\n{found}\n", "utf-8")
        return
    assert found == expected.rstrip("\n")


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_the_figures_add_up(path: Path) -> None:
    outcome = _judged(path.read_text("utf-8").partition("# output\n")[0])
    counts = outcome.counts
    assert counts.read == counts.correct + counts.with_errors
    assert (outcome.verdict == "rechazado") is outcome.findings.blocks
    assert counts.loaded in {0, counts.read}


def test_there_are_enough_cases() -> None:
    assert len(_CASES) >= 25
