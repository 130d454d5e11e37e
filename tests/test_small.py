"""A small file judged line by line in plain Python ends as it does in frames, rule by rule; and does without polars.

PISIS_FILES says how many random files (`make differential` asks for many).
"""

import os
import random

import polars as pl
import pytest
from breaking_lines import at_the_edges
from test_accepting import EACH
from test_trust import world
from worlds import NAME, NOW, facts, file_of, without_faulty

from pisis_batch import judging, pipeline, reading, validators
from pisis_batch.judging import Task
from pisis_batch.layouts import Layout, Record, shelf
from pisis_batch.model import FINDINGS, Batch, Brief, Changes, Facts, Findings, Limits, Outcome, Received, framed
from pisis_batch.validators import ordering, structure, suspects
from pisis_batch.validators.celdas import faults

WORLDS = int(os.environ.get("PISIS_FILES", "32"))
_DATES = ("2026-07-15", "2026-07-14", "2026-06-30", "2026-07-16")
_PERIODS = (
    "",
    'periods = ["2026-06-01 2026-06-30 2026-07-01 2026-07-31", "2026-07-14 2026-07-14 2026-07-01 2026-07-10"]',
)


def _world(seed: int) -> tuple[bytes, str]:
    """A file with its registry; now and then the control record says otherwise than the registry or the calendar."""
    chance = random.Random(seed)
    lines, given = world(chance)
    if seed % 2:
        return file_of(_right(lines, facts(given), clean=seed % 4 == 1)), given
    content = file_of(lines)
    for old, new in (
        (b"LUISA", b"LUCIA"),
        (b"PEREZ|CC|10000002", b"PE\xd1EZ|CC|10000002"),
        (b"CC|10000002", b"CC|10000003"),
        (b"CONTACTO@", b"OTRO@"),
        (b"X@ESE.GOV.CO", b"X@GMIAL.COM"),
        (b"||CC|10000001", b"|900654321|CC|10000001"),
        (b"2026-07-15|", chance.choice(_DATES).encode() + b"|"),
    ):
        if chance.random() < 0.15:
            content = content.replace(old, new, chance.choice([1, -1]))
    return content, f"{given}\n{chance.choice(_PERIODS)}"


def _right(lines: str, known: Facts, *, clean: bool) -> str:
    def told(those: str) -> pl.DataFrame:
        found = _outcome(file_of(those), known).findings
        return (found if clean else found.where("error")).frame

    return without_faulty(lines, told)


def _outcome(content: bytes, known: Facts) -> Outcome:
    name = NAME.replace("20260715", content.split(b"|")[3].decode().replace("-", ""))
    received = Received("g", name, content, NOW, "CC10000001")
    return judging.outcome_of(Task(received, Limits(), NOW, "x@y.example"), shelf(), lambda _: known)


def test_a_small_file_ends_as_in_frames() -> None:
    ends = set()
    for seed in range(WORLDS):
        content, given = _world(seed)
        small = _outcome(content, facts(given))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "_SMALL", 0)
            full = _outcome(content, facts(given))
        assert small.examined.batch is not None
        assert full.examined.batch is not None
        assert (small.examined.batch.plain is None, full.examined.batch.plain) == (False, None)
        assert small.findings.frame.equals(full.findings.frame), seed
        assert (small.verdict, small.counts) == (full.verdict, full.counts), seed
        _same_changes(small.changes, full.changes)
        asked, wanted = (pipeline.questions(outcome.examined).people for outcome in (small, full))
        assert asked.equals(wanted), seed
        ends.add((str(small.verdict), len(small.findings) > 0))
    assert {("cargado", False), ("cargado", True), ("rechazado", True)} <= ends


def _same_changes(small: Changes, full: Changes) -> None:
    for name in small.counts():
        one, other = getattr(small, name), getattr(full, name)
        assert one.schema == other.schema, name
        assert one.sort(one.columns).equals(other.sort(other.columns)), name


def test_no_cell_of_plain_signs_has_an_odd_fault() -> None:
    chance = random.Random(5)
    signs = [chr(sign) for sign in range(32, 127)]
    cells = ["", *signs, *("".join(chance.choices(signs, k=chance.randint(2, 30))) for _ in range(4_000))]
    plain = pl.DataFrame({"primer_nombre": [cell for cell in cells if not structure.any_odd([cell])]})
    assert plain.height > 3_000
    record = next(layout for layout in shelf() if layout.annex == "SEG500USIN").record["usuario"]
    odd = {code: found.wrong for code, found in faults(record.by_name["primer_nombre"], record) if found.odd}
    assert len(odd) == 5
    assert not any(any(row) for row in plain.select(wrong.alias(code) for code, wrong in odd.items()).rows())


@EACH
def test_a_cell_at_an_edge_is_vouched_for_only_when_it_is_sound(layout: Layout, record: Record) -> None:
    rows = list(enumerate(at_the_edges(layout, record, random.Random(2), 150), start=1))
    lines = [(number, *cells) for number, cells in rows]
    full = structure.of_suspects(framed(lines, record), record).in_full()
    plain = [line for line in lines if not structure.any_odd(line[1:])]
    for some in (lines, plain):  # of the second the table is asked for less
        assert (
            structure.plain_findings(some, record)
            == structure.of_suspects(framed(some, record), record).in_full().rows()
        )
    wrong: dict[int, set[str]] = {}
    for line, name in full.select("line", "field").iter_rows():
        wrong.setdefault(line, set()).add(name)
    accepted = {row[0] for row in lines} - {row[0] for row in suspects.lines(lines, record)}
    assert not accepted & wrong.keys(), layout.annex
    for row in lines:
        assert wrong.get(row[0], set()) <= set(suspects.fields([row], record)), row
    assert wrong


def test_a_right_file_is_judged_without_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted on: no query at all, and no frame of the file's lines."""
    lines = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO\n3|2|CC|1090000001|186|A|1274"
    known = facts('persons = ["CC 1090000001 JUAN PEREZ"]')
    assert str(_outcome(file_of(lines), known).verdict) == "cargado"  # what is made once is made

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a query")

    monkeypatch.setattr("polars.LazyFrame.collect", never)
    monkeypatch.setattr(Batch, "__getitem__", never)
    outcome = _outcome(file_of(lines), known)
    assert (str(outcome.verdict), outcome.changes.counts()["linked"]) == ("cargado", 1)


def test_findings_of_one_cell_are_told_once_and_in_order_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    some = ["EST010", "EST021", "ARC007", "EST010", "NOM002"]
    rows = [
        (code, "advertencia" if n % 3 == 0 else "error", "estructura", line, "usuario", number, name, str(n), None)
        for n, (code, line, number, name) in enumerate(
            (code, line, number, name)
            for line in (2, None, 1)
            for number, name in ((4, "primer_nombre"), (None, None), (3, "num_id"), (None, "otro"))
            for code in some
        )
    ]
    found = [pl.DataFrame(part, schema=FINDINGS, orient="row") for part in (rows[::2], rows[1::2], rows[:3])]
    few = validators.joined([Findings(frame) for frame in found]).frame
    monkeypatch.setattr(ordering, "_FEW", 0)
    assert few.equals(validators.joined([Findings(frame) for frame in found]).frame)
    monkeypatch.setattr(ordering, "_MANY", 0)
    assert few.equals(validators.joined([Findings(frame) for frame in found]).frame)
    numbered = [Findings(frame.filter(pl.col("field").fill_null("") != "otro")) for frame in found]
    assert ordering._of_many([Brief.of(one.frame) for one in numbered], dict.fromkeys(some, 1)) is not None
    many = validators.joined(numbered)
    assert many.brief is not None
    assert many.brief.in_full().equals(many.frame)
    monkeypatch.setattr(ordering, "_FEW", 500)
    assert many.frame.equals(validators.joined(numbered).frame)
    assert few["line"].to_list() == sorted(few["line"].to_list(), key=lambda line: line or 0)
