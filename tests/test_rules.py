"""Every rule does what its docstring says: each `Rejects` line is objected to, no `Accepts` line is."""

import dataclasses

import examples
import polars as pl
import pytest
from worlds import NAME, NOW, facts, file_of

from pisis_batch import pipeline, validators
from pisis_batch.layouts import Layout, Shelf, shelf
from pisis_batch.model import Examined, Findings, Id, Limits, Received
from pisis_batch.validators import RULES, Rule

_EXAMPLES = [(rule, *example) for rule in RULES.values() for example in rule.examples]
#: Codes whose failing file is too large to print or of another annex, and the one that is our own fault, and the one that people decide.
_WITHOUT_REJECTION = {"EST002", "EST007", "EST018", "EST043", "REG001", "REG002", "REG003", "SIS001", "CTL040"}
_WITHOUT_REJECTION |= {code for code in RULES if code.startswith("FIR")}


def _layout(rule: Rule) -> Layout:
    found = examples.layout_of(rule.annex) if rule.annex else shelf().get("SEG500USIN")
    assert found
    return found


def _examined(rule: Rule, lines: str) -> Examined:
    if rule.annex:
        name = lines if rule.family == "NOM" else examples.NAME
        content = examples.file_of("" if rule.family == "NOM" else lines)
        return pipeline.examine(Received("g", name, content, NOW, None), Shelf((_layout(rule),)), Limits())
    if rule.family == "NOM":
        received = Received("g", lines, file_of("2|1|CC|1090000001|JUAN|PEREZ|O|||||"), NOW, None)
    else:
        received = Received("g", NAME, file_of(lines, control=rule.code != "ARC001"), NOW, None)
    return pipeline.examine(received, shelf(), Limits())


def _objections(rule: Rule, lines: str, given: str) -> Findings:
    examined = _examined(rule, lines)
    if rule.stage == "estructura":
        return Findings(examined.findings.frame.filter(pl.col("code") == rule.code))
    assert examined.batch is not None
    known = facts(given)
    control = examined.batch.control
    assert control is not None
    if known.entity and Id(control["tipo_id_entidad"], control["num_id_entidad"]) != known.entity.id:
        known = dataclasses.replace(known, entity=None)
    assert rule.objects is not None
    return Findings(rule.findings(rule.objects(examined.batch, known), examined.batch.layout))


@pytest.mark.parametrize(
    ("rule", "kind", "lines", "given"), _EXAMPLES, ids=lambda x: x.code if isinstance(x, Rule) else ""
)
def test_example(rule: Rule, kind: str, lines: str, given: str) -> None:
    if rule.family == "NOM":
        for name in lines.split("\n"):
            assert bool(len(_objections(rule, name, given))) is (kind == "Rejects"), name
        return
    found = _objections(rule, lines, given)
    if kind == "Accepts":
        assert len(found) == 0, found.frame
        return
    assert len(found) > 0
    relation = rule.family == "EST" and rule.annex
    if rule.judges or rule.on or relation:  # a rule about records objects to every line of its record
        shown = [line for line in lines.split("\n") if line]
        begins = f"{_layout(rule).record[rule.on].mark}|" if rule.on else ("2|", "3|")
        offset = 1 if shown[0].startswith("1|") else 2
        expected = {offset + n for n, line in enumerate(shown) if line.startswith(begins)}
        assert set(found.frame["line"]) == expected, found.frame
    for language in ("es", "en"):
        told = validators.described(found, _layout(rule), language=language)
        assert not told["message"].str.contains(r"[{}]").any()
        assert not told["message"].is_null().any()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert rule.title
    assert rule.cause.endswith(".")
    assert rule.remedy.endswith(".")
    assert rule.summary
    assert rule.accepts
    assert rule.rejects or rule.code in _WITHOUT_REJECTION
    assert rule.code[3:].isdigit()


def test_every_content_rule_is_named_by_a_layout_and_every_named_rule_exists() -> None:
    named = {code for layout in shelf() for code in layout.rules}
    named |= {code for code, rule in RULES.items() if rule.general}
    assert named == {code for code, rule in RULES.items() if rule.stage == "contenido"}
    for layout in shelf():
        assert validators.check_layout(layout) == []
