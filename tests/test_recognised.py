"""A large file held against the registry by numbers ends as any file does: random small worlds in a real registry.

PISIS_FILES says how many (`make differential` asks for many).
"""

import os
import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from test_trust import world
from worlds import ENTITY, NAME, NOW, facts, file_of, without_faulty

from pisis_batch import chunks, judging, parting, partwise, pipeline, validators
from pisis_batch.adapters import sql_revision, wire
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import entity, grant, link, person, profile
from pisis_batch.judging import Task
from pisis_batch.layouts import shelf
from pisis_batch.model import Batch, Facts, Limits, Outcome, Received

WORLDS = min(int(os.environ.get("PISIS_FILES", "16")), 2_000)
_OPEN = {"entity_id": 1, "valid_from": NOW.isoformat(), "from_guid": "g0"}


@pytest.fixture(scope="module")
def registry() -> Iterator[SqlRegistry]:
    made = SqlRegistry("sqlite://")
    made.migrate()
    yield made
    made.close()


def settled(registry: SqlRegistry, known: Facts) -> None:
    """The registry as some facts say, and nothing else."""
    who = {"tipo_id": "NI", "num_id": "900123456", "rep_tipo_id": "CC", "rep_num_id": "10000001"}
    who |= {"contacto_tipo_id": "CC", "contacto_num_id": "10000002"}
    plain = {
        name: ENTITY[name]
        for name in ("razon_social", "tipo_entidad", "municipio", "correo_institucional", "correo_confirmado", "activa")
    }
    rows = {
        person: known.persons.to_dicts(),
        link: [row | _OPEN for row in known.linked.to_dicts()],
        grant: [row | _OPEN for row in known.grants.to_dicts()],
        profile: known.profiles.to_dicts(),
    }
    with registry.engine.begin() as connection:
        for table in (grant, link, person, profile, entity):
            connection.execute(table.delete())
        connection.execute(entity.insert().values(id=1, **who, **plain))
        for table, those in rows.items():
            if those:
                connection.execute(table.insert(), those)
        sql_revision.grow(connection)


def outcome(registry: SqlRegistry, lines: str) -> Outcome:
    task = Task(Received("g", NAME, file_of(lines), NOW, "CC10000001"), Limits(), NOW, "x@y.example")
    return judging.outcome_of(task, shelf(), registry.ask)


def without_errors(registry: SqlRegistry, lines: str) -> str:
    return without_faulty(lines, lambda those: outcome(registry, those).findings.frame.filter(severity="error"))


def sifted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pipeline, "MIDDLING", 0)
    patch.setattr(pipeline, "LARGE", 0)
    patch.setattr(chunks, "CHUNK", 200)
    patch.setattr(parting.parts, "__defaults__", (2, None))


def test_a_sifted_file_ends_as_any_other(registry: SqlRegistry) -> None:
    spared = loaded = 0
    for seed in range(WORLDS):
        lines, given = world(random.Random(seed))
        settled(registry, facts(given))
        lines = without_errors(registry, lines) if seed % 2 else lines
        once = outcome(registry, lines)
        with pytest.MonkeyPatch.context() as patch:
            sifted(patch)
            seen: list[int] = []
            patch.setattr(validators, "check_persons", _counted(validators.check_persons, seen))
            parts = outcome(registry, lines)
        assert parts.examined.batch is not None
        assert parts.examined.batch.figures is not None
        assert parts.findings.frame.equals(once.findings.frame), (seed, parts.findings.frame, once.findings.frame)
        assert (parts.verdict, parts.counts) == (once.verdict, once.counts), seed
        for name in once.changes.counts():
            one, other = (getattr(each.changes, name) for each in (once, parts))
            assert one.sort(one.columns).equals(other.sort(one.columns)), (seed, name)
        spared += sum(seen) < lines.count("\n") + 1
        loaded += once.verdict == "cargado"
    assert spared > WORLDS // 3  # whoever repeats the registry is not looked at
    assert loaded


def test_a_child_is_told_of_the_registry_and_says_what_a_large_file_is(registry: SqlRegistry) -> None:
    settled(registry, facts('persons = ["CC 1090000001 JUAN PEREZ"]'))
    lines = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO\n3|2|CC|1090000001|186|A|1274"
    task = Task(Received("g", NAME, file_of(lines), NOW, "CC10000001"), Limits(), NOW, "x@y.example")
    with pytest.MonkeyPatch.context() as patch:
        sifted(patch)
        judged = judging.judge(task, shelf(), lambda asked: wire.loads(wire.dumps(registry.ask(asked)), shelf()))
    again = wire.loads(wire.dumps(judging.without_original(judged)), shelf())
    assert again.outcome.verdict == judged.outcome.verdict
    assert again.outcome.counts == judged.outcome.counts


def test_the_verdict_alone_is_that_of_the_whole(registry: SqlRegistry) -> None:
    lines, given = world(random.Random(1))
    settled(registry, facts(given))
    received = Received("g", NAME, file_of(without_errors(registry, lines)), NOW, "CC10000001")
    with pytest.MonkeyPatch.context() as patch:
        sifted(patch)
        examined = pipeline.examine(received, shelf(), Limits())
        alone = partwise.check(examined, registry.ask, Limits())
        whole = partwise.judge(examined, registry.ask, Limits())
    assert alone.findings.frame.equals(whole.findings.frame)
    assert (alone.verdict, alone.counts) == (whole.verdict, whole.counts)


def _counted(check, seen: list[int]):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # stands in for `check`
    def counting(batch: Batch, known: Facts) -> object:
        seen.append(batch["usuario"].height + batch["perfil"].height)
        return check(batch, known)

    return counting


def test_what_is_kept_on_disk_is_of_one_revision(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("numbers") / "registry.db"
    lines = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO"
    named = 'persons = ["CC 1090000001 JUAN PEREZ"]'
    with pytest.MonkeyPatch.context() as patch:
        sifted(patch)
        for given, codes in ((named, []), ("persons = []", ["USR020"]), (named, [])):
            registry = SqlRegistry(f"sqlite:///{path}")  # as a new process: nothing in memory
            registry.migrate()
            settled(registry, facts(given))
            told = outcome(registry, lines).findings.frame["code"].to_list()
            assert [code for code in told if code.startswith("USR")] == codes
            registry.close()
    kept = [found.name for found in (path.with_suffix(".numbers")).iterdir()]
    assert len(kept) == 4, kept


def test_the_numbers_of_a_revision_are_read_once(registry: SqlRegistry) -> None:
    settled(registry, facts())
    asked: list[str] = []
    sa.event.listen(registry.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    lines = "2|1|CC|10000001|LUISA|PEREZ|V|3150000000|MEDICO|1||L@ESE.GOV.CO"
    with pytest.MonkeyPatch.context() as patch:
        sifted(patch)
        for _ in range(2):
            outcome(registry, lines)
    whole = [one for one in asked if one.endswith("FROM person") and "count" not in one]
    assert len(whole) == 1, whole
