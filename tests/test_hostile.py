"""A short turn of the campaign: hostile files, random bytes, kills, planted defects. `make campaign` runs it in full."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from campaign import hostile, judged, ledger, mutants, mutated, objects, shim
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import CONTROL, NAME

from pisis_batch.layouts import shelf
from pisis_batch.model import Id

SEED = int(os.environ.get("PISIS_SEED", "20260715"))


@pytest.mark.parametrize("case", list(hostile.corpus(SEED, len(hostile.MAKERS))), ids=lambda case: case.kind)
def test_a_hostile_file_gets_its_verdict_where_its_fault_is(case: hostile.Hostile) -> None:
    assert judged.wrong(case, shelf()) == []


@pytest.mark.parametrize("cell", [b"NI\x00", b"\x00" * 70 + b"NI", "\u202eNI".encode(), b"<b>NI"])
def test_what_cannot_be_an_entity_is_none(cell: bytes) -> None:
    content = CONTROL.format(total=0).encode().replace(b"NI", cell, 1)
    case = hostile.Hostile("control", NAME, content, anywhere=True)
    assert judged.wrong(case, shelf()) == []
    entity = judged.judge(case, shelf()).outcome.examined.entity
    assert str(entity) == str(Id("NI", "900123456"))  # the one in its name


@pytest.mark.parametrize("total", ["²", "1²", "٣", "9" * 5000])
def test_a_total_of_other_digits_is_no_number(total: str) -> None:
    content = CONTROL.format(total=total).encode("cp1252", "xmlcharrefreplace")
    assert judged.wrong(hostile.Hostile("control", NAME, content, anywhere=True), shelf()) == []


def test_the_same_seed_gives_the_same_files() -> None:
    first, second = (list(hostile.corpus(7, 60)) for _ in range(2))
    assert first == second
    assert len({case.content for case in first}) > 50


PIECES = st.sampled_from(
    [
        b"|",
        b"\r\n",
        b"\n",
        b"\r",
        b'"',
        b"\x00",
        b"\x1a",
        b"2|1|CC|1090000001|JUAN|PEREZ|V",
        b"1|NI|900123456",
        b"\xef\xbb\xbf",
    ]
)


@settings(max_examples=30, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=600),
        st.lists(st.one_of(PIECES, st.binary(max_size=20)), max_size=60).map(
            lambda parts: CONTROL.format(total=1).encode() + b"\r\n" + b"".join(parts)
        ),
    )
)
def test_no_bytes_raise_or_pass_unseen(content: bytes) -> None:
    case = hostile.Hostile("bytes", NAME, content, anywhere=True)
    found = [what for what in judged.wrong(case, shelf()) if "verdict" not in what]
    assert found == []


def test_every_planted_defect_has_a_place_to_be_planted() -> None:
    """Some are planted in the campaign; that none has gone out of date is seen here."""
    assert len(mutants.ALL) >= 40
    for mutant in mutants.ALL:
        text = (mutants.ROOT / "pisis_batch" / mutant.file).read_text("utf-8")
        assert text.count(mutant.old) == 1, mutant.name


def test_a_planted_defect_is_found() -> None:
    (mutant,) = [one for one in mutants.ALL if one.name == "the dead keep their lease"]
    assert mutants.found(mutant)


def test_lines_hurt_at_random_are_judged_both_ways_alike() -> None:
    """One small file and one of many lines, whole and quick, with their documents."""
    for seed in (SEED * 100, SEED * 100 + 51):
        ((_, many, wrong, _),) = mutated.trials(iter([seed]))
        assert many
        assert wrong == []


def test_some_hostile_names_and_objects_meet_their_ends() -> None:
    done = list(itertools.islice(objects.trials(iter([SEED])), 8))
    assert [wrong for _, _, wrong in done if wrong] == []
    assert len(done) == 8


@pytest.mark.skipif(not shim.possible(), reason="gcc is not installed, or this is not Linux")
def test_killed_refused_and_without_power_nothing_is_lost() -> None:
    """In a process of its own: it forks, and must have used nothing before."""
    run = subprocess.run(
        [sys.executable, "-m", "campaign", "short", "--seed", str(SEED), "--dry"],
        cwd=Path(__file__).parent,
        capture_output=True,
        check=False,
        env={**os.environ, "PISIS_ISOLATION": "false", "PISIS_STATES": "3"},
    )
    assert run.returncode == 0, run.stdout.decode() + run.stderr.decode()
    told = json.loads(run.stdout)
    assert told["broken"] == []
    assert told["trials"] == 25
    assert told["kills"] > 500
    assert told["recovered"] == 15


def test_the_page_of_figures_is_what_the_ledger_says() -> None:
    page = (mutants.ROOT / "docs/confiabilidad.md").read_text("utf-8")
    assert page == ledger.page(ledger.read())
