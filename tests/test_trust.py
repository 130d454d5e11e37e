"""Leaving out whoever is trusted changes no finding: random small worlds, with and without trust."""

import dataclasses
import random

import polars as pl
import pytest
from worlds import NAME, NOW, facts, file_of

from pisis_batch import chunks, judging, parting, pipeline, validators
from pisis_batch.judging import Task
from pisis_batch.layouts import shelf
from pisis_batch.model import Batch, Facts, Limits, Questions, Received
from pisis_batch.validators import clearing, trust

_NAMES = ("JUAN PEREZ", "ANA MUÑOZ", "ANA MUNOZ", "JOSE RUIZ", "JOSÉ RUIZ")
_NUMBERS = [f"CC 109000000{n}" for n in range(5)] + ["CC 12", "CE 1090000", "PA A12"]
_PROFILES = ("1274", "1300", "0777", "0888", "1212", "9999")


def _people(chance: random.Random, many: int) -> list[str]:
    return [f"{who} {chance.choice(_NAMES)}" for who in chance.sample(_NUMBERS, many)]


def world(chance: random.Random) -> tuple[str, str]:
    """Lines of a file and the TOML of its registry."""
    lines, names = [], {person.rsplit(" ", 2)[0]: person for person in _people(chance, 6)}
    registered = [
        person if chance.random() < 0.7 else f"{who} {chance.choice(_NAMES)}" for who, person in names.items()
    ]
    for who, person in names.items():
        first, last = person.split()[2:]
        first = first.replace("É", "E")
        action = chance.choice(["V", "V", "V", "O"])
        ends = chance.choice(
            ["1|", "1|", f"0|{chance.choice(['2026-07-15', '2026-07-16', '2020-01-01', '2030-01-01'])}"]
        )
        rest = f"|3150000000|MEDICO|{ends}|X@ESE.GOV.CO" if action == "V" else "|||||"
        lines.append(f"2|{len(lines) + 1}|{who.replace(' ', '|')}|{first}|{last}|{action}{rest}")
    for who in {chance.choice(_NUMBERS) for _ in range(6)}:
        act = chance.choice("AAR")
        asked = f"{chance.choice(['186', '001', '777'])}|{act}|{chance.choice(_PROFILES) if act == 'A' else ''}"
        lines.append(f"3|{len(lines) + 1}|{who.replace(' ', '|')}|{asked}")
    linked = [f'"{person}"' for person in _people(chance, 3)]
    held = {(chance.choice(_NUMBERS), chance.choice(["186", "001"])): chance.choice(_PROFILES) for _ in range(4)}
    grants = [f'"{who} {application} {profile}"' for (who, application), profile in held.items()]
    chosen = ", ".join(f'"{person}"' for person in registered[: chance.randrange(1, 7)])
    return "\n".join(lines), f"persons = [{chosen}]\nlinked = [{', '.join(linked)}]\ngrants = [{', '.join(grants)}]"


def _judged(lines: str, given: str) -> tuple[Batch, Facts]:
    received = Received("g", NAME, file_of(lines), NOW, None)
    examined = pipeline.examine(received, shelf(), Limits())
    assert examined.sound, examined.findings.frame
    assert examined.batch is not None
    return examined.batch, facts(given)


@pytest.mark.parametrize("seed", range(150))
def test_trust_changes_no_finding(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, known = _judged(*world(random.Random(seed)))
    with_trust = validators.check_content(batch, known)
    silent = clearing.clear(trust.doubtful(batch, known), known)
    found = {code for code, _ in with_trust.by_code()}
    monkeypatch.setattr(validators, "doubtful", lambda batch, _: batch)
    monkeypatch.setattr(validators, "clear", lambda _, __: frozenset())
    assert with_trust.frame.equals(validators.check_content(batch, known).frame)
    assert not silent & found


def test_whoever_repeats_the_registry_is_trusted() -> None:
    lines = (
        "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO\n"
        "2|2|CC|1090000003|PEDRO|RUIZ|O|||||\n3|3|CC|1090000001|186|A|1274\n3|4|CC|1090000002|001|R|"
    )
    given = (
        'persons = ["CC 1090000001 JUAN PEREZ", "CC 1090000003 PEDRO RUIZ"]\n'
        'linked = ["CC 1090000003 PEDRO RUIZ", "CC 1090000002 ANA GOMEZ"]\ngrants = ["CC 1090000002 001 1212"]'
    )
    left = trust.doubtful(*_judged(lines, given))
    assert [left["usuario"].height, left["perfil"].height] == [0, 0]
    assert isinstance(left["control"], pl.DataFrame)
    assert left["control"].height == 1


@pytest.mark.parametrize("seed", range(40))
def test_a_file_judged_in_parts_ends_as_in_one_go(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, given = world(random.Random(seed))
    whole = facts(given)

    def ask(questions: Questions) -> Facts:
        who = ["tipo_id", "num_id"]
        people = questions.people
        told = {name: getattr(whole, name).join(people, on=who, how="semi") for name in ("persons", "linked", "grants")}
        return dataclasses.replace(whole, **told)

    task = Task(Received("g", NAME, file_of(lines), NOW, "CC10000001"), Limits(), NOW, "x@y.example")
    once = judging.outcome_of(task, shelf(), ask)
    monkeypatch.setattr(pipeline, "MIDDLING", 0)
    monkeypatch.setattr(pipeline, "LARGE", 0)
    monkeypatch.setattr(chunks, "CHUNK", 200)
    monkeypatch.setattr(parting.parts, "__defaults__", (2, None))
    parts = judging.outcome_of(task, shelf(), ask)
    assert parts.examined.batch is not None
    assert parts.examined.batch.figures is not None
    assert parts.findings.frame.equals(once.findings.frame)
    assert (parts.verdict, parts.counts) == (once.verdict, once.counts)
    for name in once.changes.counts():
        one, other = (getattr(outcome.changes, name) for outcome in (once, parts))
        assert one.sort(one.columns).equals(other.sort(one.columns)), name
