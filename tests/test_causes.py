"""The few causes behind many findings: on seeded defects, on whole files, in their words."""

import dataclasses
import random

import polars as pl
import pytest
from defects import _DEFECTS, good, measure, outcome, seeded, text, top
from worlds import CONTROL, NAME, NOW, facts, file_of

from pisis_batch import causes, pipeline, validators
from pisis_batch.causes import diagnose
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits, Outcome, Received

USER = "2|{n}|CC|109000000{n}|{first}|{last}|V|3150000000|MEDICO|1||USUARIO@ESE.GOV.CO"


def judged(lines: str, given: str = "") -> Outcome:
    received = Received("g", NAME, file_of(lines), NOW, "CC10000001")
    examined = pipeline.examine(received, shelf(), Limits())
    return pipeline.judge(examined, facts(given)) if examined.sound else pipeline.conclude(examined, facts(given))


def test_the_first_cause_of_a_seeded_defect_is_right() -> None:
    share, wrong = measure(len(_DEFECTS))
    assert share >= 0.95, wrong


@pytest.mark.parametrize("defect", ["utf8", "shifted_right", "pasted_twice", "one_wrong_value"])
def test_every_finding_has_one_cause_and_the_figures_add_up(defect: str) -> None:
    found = outcome(seeded(defect, 0))
    told = diagnose(found)
    assert told.cause_of.len() == len(found.findings)
    assert "" not in set(told.cause_of)
    assert sum(cause.explained for cause in told.causes) == len(found.findings)
    assert sum(cause.errors for cause in told.causes) == told.errors
    counted = dict(told.cause_of.value_counts().rows())
    assert counted == {cause.key: cause.explained for cause in told.causes}
    assert len(counted) == len(told.causes)


def test_a_detector_that_is_not_asked_would_have_said_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [outcome(seeded(defect, 1)) for defect in list(_DEFECTS)[::2]]
    asked = [diagnose(one) for one in found]
    monkeypatch.setattr(causes, "DETECTORS", [getattr(one, "__wrapped__", one) for one in causes.DETECTORS])
    monkeypatch.setattr(causes, "_KNOWN", {})
    for one, told in zip(found, asked, strict=True):
        again = diagnose(one)
        assert again is not told
        assert again.causes == told.causes
        assert again.cause_of.equals(told.cause_of)


def test_the_headline_counts_what_the_leading_causes_explain() -> None:
    name, rows = good(40, random.Random(1))
    for row in rows[1:41]:
        row[4], row[5] = row[4].lower(), row[5].lower()
    rows[3][6] = "X"
    told = diagnose(
        pipeline.conclude(pipeline.examine(Received("g", name, text(rows), NOW, None), shelf(), Limits()), None)
    )
    assert told.headline == f"1 causa explica 80 de {told.errors} errores"
    assert [cause.slug for cause in told.causes[:2]] == ["minusculas", "EST014"]
    assert not told.causes[1].recognised


def test_one_error_needs_no_headline() -> None:
    told = diagnose(judged("2|1|CC|1090000001|JUAN|PEREZ|X|3150000000|MEDICO|1||A@ESE.GOV.CO"))
    assert told.headline == ""
    assert [cause.key for cause in told.causes] == ["EST014"]


def test_a_good_file_has_no_cause() -> None:
    told = diagnose(judged(USER.format(n=1, first="JUAN", last="PEREZ")))
    assert [cause for cause in told.causes if cause.errors] == []


def test_another_entity_is_one_cause() -> None:
    control = (
        CONTROL.format(total=1)
        .replace("ESE HOSPITAL EJEMPLO", "OTRA CLINICA")
        .replace("10000001|LUISA|PEREZ", "10000077|EVA|DIAZ")
    )
    control = control.replace("10000002|ANA|GOMEZ", "10000078|IVAN|MORA")
    told = diagnose(judged(control + "\n2|1|CC|1090000001|JUAN|PEREZ|O|||||"))
    assert told.causes[0].slug == "otra-entidad"
    assert {"CTL004", "CTL010", "CTL011", "USR040"} <= set(told.causes[0].codes)


def test_names_in_each_others_place_are_told_by_the_register() -> None:
    lines = "\n".join(USER.format(n=n, first="PEREZ", last="JUAN") for n in range(1, 5))
    persons = ", ".join(f'"CC 109000000{n} JUAN PEREZ"' for n in range(1, 5))
    assert top(diagnose(judged(lines, f"persons = [{persons}]"))) == "nombres-intercambiados"


def test_a_catalogue_that_is_not_loaded_is_our_fault() -> None:
    lines = USER.format(n=1, first="JUAN", last="PEREZ") + "\n3|2|CC|1090000001|186|A|1274"
    examined = pipeline.examine(Received("g", NAME, file_of(lines), NOW, None), shelf(), Limits())
    known = dataclasses.replace(facts(), profiles=facts().profiles.clear())
    told = diagnose(pipeline.judge(examined, known, sender_judged=False))
    assert told.causes[0].slug == "catalogo-sin-cargar"


def test_a_cause_is_told_in_both_languages_with_what_to_do() -> None:
    for defect in _DEFECTS:
        for cause in diagnose(outcome(seeded(defect, 0))).causes:
            assert all((cause.title, cause.es, cause.en))
            assert cause.remedy.endswith(".")
            assert not cause.es.endswith(".")
            assert not {"None", "{", "}"} & set(cause.es.split())
            assert cause.recognised is (cause.slug not in validators.RULES)


def test_findings_without_a_batch_are_grouped_by_code() -> None:
    unknown = pipeline.examine(Received("g", "USUARIOS.TXT", b"1|2", NOW, None), shelf(), Limits())
    told = diagnose(pipeline.conclude(unknown, None))
    assert [(cause.slug, cause.lines) for cause in told.causes] == [("NOM001", ())]


def test_an_outcome_is_diagnosed_once() -> None:
    one = judged(USER.format(n=1, first="juan", last="PEREZ"))
    assert diagnose(one) is diagnose(one)
    assert isinstance(diagnose(one).cause_of, pl.Series)
