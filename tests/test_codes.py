"""Codes are for ever: each has a page, a remedy, examples and one failing file; none is lost, reused or reworded unseen."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import examples
import polars as pl
import pytest
from click.testing import CliRunner, Result
from worlds import NOW

from pisis_batch import pipeline
from pisis_batch.adapters import registry_csv
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.breaking import WITHOUT_A_FILE, Breaking, breaking, good
from pisis_batch.cli import root
from pisis_batch.layouts import Layout, Shelf, shelf
from pisis_batch.model import Limits, Outcome, Received
from pisis_batch.ports import Receipt
from pisis_batch.validators import RULES, Rule, structure
from pisis_batch.validators.codes import renewed
from pisis_batch.validators.pages import rule_page
from pisis_batch.validators.rule import _RULES

TODAY = NOW.date()
#: Small enough that a file past them can be made in a test.
LIMITS = Limits(file=60_000, line=4_096)
_WIDE = 60  # fields from which the search for a breaker takes long
#: SEG500USIN first; annexes of very wide records last for people, and not here.
_LAYOUTS = sorted(
    (layout for layout in shelf() if sum(len(record.fields) for record in layout.records) < _WIDE),
    key=lambda layout: layout.annex != "SEG500USIN",
)


@cache
def failing(code: str) -> tuple[Layout, Breaking] | None:
    """The first annex that can fail in this way, and its file; else the annex that the rule's own examples show."""
    for layout in _LAYOUTS:
        made = breaking(layout, code, TODAY, LIMITS)
        if made is not None:
            return layout, made
    rule = RULES[code]
    if not rule.annex:
        return None
    layout = examples.layout_of(rule.annex)
    made = breaking(layout, code, TODAY, LIMITS)
    if made is not None:
        return layout, made
    for example in rule.rejects:
        name = example if rule.family == "NOM" else examples.NAME
        content = examples.file_of("2|1" if rule.family == "NOM" else example)
        found = pipeline.examine(Received("g", name, content, NOW, None), Shelf((layout,)), LIMITS).findings
        if {code} == set(found.frame["code"]):
            return layout, Breaking(code, name, content, None, {})
    return None


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("registry") / "empty.db"
    made = SqlRegistry(f"sqlite:///{path}")
    made.migrate()
    made.close()
    return path


Judge = Callable[[Layout, Breaking], Outcome]


@pytest.fixture
def judged(migrated: Path, tmp_path: Path) -> Iterator[Judge]:
    """Judge a file against the registry it needs, on a database of its own."""
    made: list[SqlRegistry] = []

    def judge(layout: Layout, one: Breaking) -> Outcome:
        path = tmp_path / f"{len(made)}.db"
        shutil.copy(migrated, path)
        registry = SqlRegistry(f"sqlite:///{path}")
        made.append(registry)
        for table in ("persons", "entities", "users", "profiles", "periods"):
            if table in one.tables:
                rows, problems = registry_csv.read(table, one.tables[table].encode())
                assert problems == []
                registry.load(table, rows, NOW)
        for place, (name, content) in enumerate(one.before):
            _commit(registry, layout, Received(f"antes-{place}", name, content, NOW - timedelta(hours=1), one.sender))
        return _judged(registry, layout, Received("guid", one.name, one.content, NOW, one.sender))

    yield judge
    for registry in made:
        registry.close()


def _judged(registry: SqlRegistry, layout: Layout, received: Received) -> Outcome:
    examined = pipeline.examine(received, Shelf((layout,)), LIMITS)
    facts = registry.ask(pipeline.questions(examined))
    return pipeline.judge(examined, facts) if examined.sound else pipeline.conclude(examined, facts)


def _commit(registry: SqlRegistry, layout: Layout, received: Received) -> None:
    file = (received.sha256, received.md5, len(received.content), received.sender, received.received_at)
    registry.accept(Receipt(received.guid, received.name, *file, lane="NI 900123456"))
    outcome = _judged(registry, layout, received)
    assert not outcome.findings.blocks, outcome.findings.frame
    fence = registry.attempt(received.guid)
    assert fence is not None
    assert registry.commit(outcome, [], [], received.received_at, fence=fence)


#: Codes that no annex on the shelf can yield yet.
_UNBROKEN = {"EST018", "REG001", "REG002", "REG003"}
_BROKEN = [rule for rule in RULES.values() if rule.code not in {*WITHOUT_A_FILE, *_UNBROKEN}]


def _disabled(monkeypatch: pytest.MonkeyPatch, rule: Rule) -> None:
    """Put the rule out of action, and forget what was built with it."""
    idle = dataclasses.replace(
        rule,
        objects=(lambda batch, facts: pl.DataFrame(schema={"line": pl.UInt32})) if rule.objects else None,
        judges=(lambda field, record: None) if rule.judges else None,
    )
    monkeypatch.setitem(_RULES, rule.code, idle)
    structure._TABLES.clear()


@pytest.mark.parametrize("rule", _BROKEN, ids=lambda rule: rule.code)
def test_one_file_fails_in_this_way_and_no_other_and_the_rule_alone_sees_it(
    rule: Rule, judged: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = failing(rule.code)
    assert found is not None
    outcome = judged(*found)
    assert {rule.code} == set(outcome.findings.frame["code"])
    assert outcome.findings.blocks is (rule.severity == "error")
    if rule.code == "NOM001":  # told before there is a layout, by the one function that can
        return
    _disabled(monkeypatch, rule)
    without = judged(*found)
    structure._TABLES.clear()
    assert rule.code not in set(without.findings.frame["code"])
    assert not outcome.findings.frame.equals(without.findings.frame)


def test_a_name_of_no_annex_is_told_by_its_rule(monkeypatch: pytest.MonkeyPatch, judged: Judge) -> None:
    found = failing("NOM001")
    assert found is not None
    monkeypatch.delitem(_RULES, "NOM001")
    with pytest.raises(KeyError):
        judged(*found)


def test_only_the_codes_that_say_so_have_no_file() -> None:
    assert {code for code in RULES if failing(code) is None} <= {*WITHOUT_A_FILE, *_UNBROKEN}


def test_the_file_that_breakers_start_from_is_good(judged: Judge) -> None:
    for layout in _LAYOUTS:
        if layout.rules:
            assert len(judged(layout, good(layout, TODAY)).findings) == 0


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_a_code_has_its_page(rule: Rule) -> None:
    page = rule_page(rule)
    for part in (rule.title, rule.remedy, rule.cause, rule.since, "Qué hacer", *rule.rejects, *rule.accepts):
        assert part in page
    reglas = (Path(__file__).parent.parent / "docs/reglas.md").read_text("utf-8")
    assert page.rstrip() in reglas
    assert rule.source or rule.since != "0.1.0"


LOCK = Path(__file__).parent / "codes.lock"


def test_the_lock_knows_every_code() -> None:
    text, problems = renewed(LOCK.read_text("utf-8"), RULES.values())
    assert problems == []
    assert text == LOCK.read_text("utf-8"), "ejecute «make docs-write»"


def test_a_code_neither_vanishes_nor_changes_nor_comes_back() -> None:
    text = LOCK.read_text("utf-8")
    rules = list(RULES.values())
    gone, kept = rules[0], rules[1:]
    assert renewed(text, kept)[1] == [f"{gone.code}: el código desapareció; retírelo con «retired», no lo borre"]
    other = dataclasses.replace(gone, title="Otra cosa")
    (problem,) = renewed(text, [other, *kept])[1]
    assert "use un código nuevo" in problem
    assert renewed(text, [other, *kept], reworded={gone.code})[1] == []
    retired = dataclasses.replace(gone, retired="9.0.0")
    after, problems = renewed(text, [retired, *kept])
    assert problems == []
    assert renewed(after, [gone, *kept])[1] == [f"{gone.code}: se retiró en la versión 9.0.0 y no puede volver"]
    (problem,) = renewed(text, [dataclasses.replace(gone, since="9.0.0"), *kept])[1]
    assert "no se reutiliza" in problem


def test_the_command_writes_the_failing_file_and_its_registry(tmp_path: Path) -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(root, ["layouts", "sample", "SEG500USIN", "--output", str(tmp_path), *words])

    assert run("--breaking", "EST022").exit_code == 0
    (made,) = tmp_path.glob("SEG500USIN*.TXT")
    found = CliRunner().invoke(root, ["check", str(made), "--offline", "--format", "csv"])
    assert found.exit_code == 1
    assert "EST022" in found.output
    told = run("--breaking", "PRF031", "--registry", str(tmp_path / "tablas"))
    assert told.exit_code == 0
    assert sorted(path.stem for path in (tmp_path / "tablas").iterdir()) == ["entities", "persons", "profiles", "users"]
    assert list((tmp_path / "antes-1").iterdir())
    assert "pisis registry load entities" in told.output
    assert run("--breaking", "SIS001").exit_code == 2
    assert run("--breaking", "XXX999").exit_code == 2
