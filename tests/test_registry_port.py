"""The contract of the registry, held wherever it lives."""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import GOOD, REGISTRY
from worlds import NAME, NOW, file_of

from pisis_batch import pipeline, reports
from pisis_batch.adapters import registry_csv, sql_facts, sql_runs, sql_tables, sqlite_driver
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.layouts import shelf
from pisis_batch.model import PROFILES, Id, Limits, Outcome, Received, Rendered
from pisis_batch.ports import Receipt

GUID = "e70e425b-9264-4385-8660-8aa9c25f1bda"
OTHER = "11111111-9264-4385-8660-8aa9c25f1bda"
ENTITY = Id("NI", "900123456")

Made = Callable[[Path], SqlRegistry]
#: Where a registry may live; each holds the same promises.
REGISTRIES: dict[str, Made] = {
    "memory": lambda folder: SqlRegistry("sqlite://"),
    "sqlite": lambda folder: SqlRegistry(f"sqlite:///{folder / 'registry.db'}"),
}


@pytest.fixture(params=[*REGISTRIES, "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlRegistry]:
    if request.param == "postgresql":
        made = SqlRegistry(request.getfixturevalue("postgresql").database())
    else:
        made = REGISTRIES[request.param](tmp_path)
    made.migrate()
    for table, text in REGISTRY.items():
        rows, problems = registry_csv.read(table, text.encode())
        assert problems == []
        made.load(table, rows, NOW)
    yield made
    made.close()


def receipt(guid: str = GUID, content: bytes = b"", minutes: int = 0) -> Receipt:
    file = Received(guid, NAME, content, NOW, "CC10000001")
    at = NOW + timedelta(minutes=minutes)
    return Receipt(guid, NAME, file.sha256, file.md5, len(content), "CC10000001", at, lane="NI 900123456")


def judged(registry: SqlRegistry, content: bytes, guid: str = GUID) -> Outcome:
    received = Received(guid, NAME, content, NOW, "CC10000001")
    examined = pipeline.examine(received, shelf(), Limits())
    return pipeline.judge(examined, registry.ask(pipeline.questions(examined)))


def rendered(outcome: Outcome) -> list[Rendered]:
    told = reports.answer(outcome, NOW).letters
    return [mail for one in told for mail in reports.render(one, outcome.received.guid, NOW, "P <p@pisis.example>")]


def commit(registry: SqlRegistry, outcome: Outcome) -> bool:
    fence = registry.attempt(outcome.received.guid)
    if fence is None:
        return False
    return registry.commit(outcome, rendered(outcome), reports.answer(outcome, NOW).documents, NOW, fence=fence)


def users(registry: SqlRegistry) -> list[str]:
    found = registry.entity(ENTITY)
    assert found
    return [user["num_id"] for user in found[1]]


# --- the registry ---


def test_a_receipt_is_accepted_once_and_waits_in_order_of_arrival(registry: SqlRegistry) -> None:
    for one in (receipt(OTHER), receipt(), receipt(OTHER)):
        registry.accept(one)
    assert [one.guid for one in registry.pending()] == [OTHER, GUID]
    found = registry.receipt(GUID.upper()[:6])
    assert found is not None
    assert (found.guid, found.received_at, found.state) == (GUID, NOW, "recibido")
    assert registry.receipt("") is None
    assert registry.receipt("ffff") is None


def test_a_commit_is_everything_at_once_and_only_once(registry: SqlRegistry) -> None:
    content = file_of(GOOD)
    registry.accept(receipt(content=content))
    outcome = judged(registry, content)
    assert commit(registry, outcome)
    assert not commit(registry, outcome)
    assert users(registry) == ["1090000001", "1090000002"]
    assert registry.pending() == []
    assert len(registry.runs()) == 1
    assert len(registry.mails_due(NOW)) == len(rendered(outcome))
    assert len(registry.findings(GUID)) == len(outcome.findings)


def test_many_findings_are_kept_in_their_order_some_at_a_time(
    registry: SqlRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_runs, "_FINDINGS", 2)
    content = file_of("\n".join(f"2|{n}|CC|109000000{n}|Juan|PEREZ|X|||||" for n in range(1, 6)))
    registry.accept(receipt(content=content))
    examined = pipeline.examine(Received(GUID, NAME, content, NOW, "CC10000001"), shelf(), Limits())
    outcome = pipeline.conclude(examined, registry.ask(pipeline.questions(examined)))
    commit(registry, outcome)
    assert len(outcome.findings) > 4
    assert registry.findings(GUID).equals(outcome.findings.frame)


def test_a_commit_that_fails_leaves_nothing_behind(registry: SqlRegistry) -> None:
    content = file_of(GOOD)
    registry.accept(receipt(content=content))
    outcome = judged(registry, content)
    twice = [rendered(outcome)[0]] * 2  # the second breaks the rule of one message by its Message-ID
    fence = registry.attempt(GUID)
    assert fence is not None
    with pytest.raises(sa.exc.IntegrityError):
        registry.commit(outcome, twice, reports.answer(outcome, NOW).documents, NOW, fence=fence)
    registry.give_back(GUID, fence)
    assert users(registry) == ["1090000003"]
    assert [one.guid for one in registry.pending()] == [GUID]
    assert registry.mails_due(NOW) == []
    assert registry.runs()[0]["verdict"] is None
    assert commit(registry, outcome)


def test_nobody_waits_for_the_database_while_documents_are_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = REGISTRIES["sqlite"](tmp_path)
    made.migrate()
    made.load("entities", registry_csv.read("entities", REGISTRY["entities"].encode())[0], NOW)
    content = file_of(GOOD)
    made.accept(receipt(content=content), receipt(OTHER, content))
    packs = list[int]()

    def compress(plain: bytes, level: int, pack: Callable[[bytes, int], bytes] = zlib.compress) -> bytes:
        with contextlib.closing(sqlite_driver.sqlite.connect(tmp_path / "registry.db", timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            packs.append(level)
        return pack(plain, level)

    monkeypatch.setattr(sql_runs.zlib, "compress", compress)
    outcome = judged(made, content)
    assert commit(made, outcome)
    fence = made.attempt(OTHER)
    assert fence is not None
    documents = reports.answer(outcome, NOW).documents
    broken = pipeline.broken(Received(OTHER, NAME, content, NOW, "CC10000001"), shelf())
    assert made.quarantine(broken, [], documents, NOW, fence=fence)
    assert len(packs) >= 2 * len(documents) > 0
    kept = [[one.name for one in documents] for *_, documents in made.unpublished()]
    assert kept == [sorted(one.name for one in documents)] * 2
    made.close()


def test_a_worker_that_lost_its_lease_writes_nothing(registry: SqlRegistry) -> None:
    content = file_of(GOOD)
    registry.accept(receipt(content=content))
    outcome = judged(registry, content)
    stale = registry.attempt(GUID)
    assert stale is not None
    registry.give_back(GUID, stale)
    fence = registry.attempt(GUID)
    assert fence is not None
    assert fence > stale
    assert not registry.renew(GUID, stale)
    assert not registry.commit(outcome, rendered(outcome), [], NOW, fence=stale)
    assert not registry.quarantine(outcome, [], [], NOW, fence=stale)
    assert users(registry) == ["1090000003"]
    assert registry.commit(outcome, rendered(outcome), [], NOW, fence=fence)


def test_facts_hold_only_what_was_asked_and_what_is_open(registry: SqlRegistry) -> None:
    content = file_of(GOOD)
    facts = judged(registry, content).facts
    assert facts is not None
    assert facts.entity is not None
    assert facts.entity.id == ENTITY
    assert facts.linked["num_id"].to_list() == ["1090000003"]
    assert sorted(facts.persons["num_id"]) == ["10000001", "10000002", "1090000001", "1090000002", "1090000003"]
    assert facts.sender is not None
    assert (facts.sender.registered, facts.sender.entitled) == (True, True)
    assert facts.earlier is None


def test_history_answers_for_any_day(registry: SqlRegistry) -> None:
    content = file_of(GOOD)
    registry.accept(receipt(content=content))
    commit(registry, judged(registry, content))
    past = registry.entity(ENTITY, (NOW - timedelta(days=1)).date())
    assert past is not None
    assert past[1] == []
    assert users(registry) == ["1090000001", "1090000002"]
    person = registry.user(Id("CC", "1090000003"))
    assert person is not None
    assert [(one["from_guid"], one["to_guid"]) for one in person["links"]] == [("registro", GUID)]


def test_mails_wait_for_their_time_and_are_never_forgotten(registry: SqlRegistry) -> None:
    content = file_of(GOOD)
    registry.accept(receipt(content=content))
    commit(registry, judged(registry, content))
    first, *rest = registry.mails_due(NOW)
    registry.mail_failed(first, "SMTPServerDisconnected", NOW + timedelta(minutes=5))
    assert [mail.id for mail in registry.mails_due(NOW)] == [mail.id for mail in rest]
    (again,) = [mail for mail in registry.mails_due(NOW + timedelta(minutes=5)) if mail.id == first.id]
    assert (again.body, again.attempts) == (first.body, 1)
    for mail in registry.mails_due(NOW + timedelta(minutes=5)):
        registry.mail_sent([mail], NOW)
    assert registry.mails_due(NOW + timedelta(days=30)) == []
    assert registry.runs()[0]["mails"] == {"enviado": len(rest) + 1}


def test_documents_wait_until_they_are_published(registry: SqlRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    content = file_of(GOOD)
    registry.accept(receipt(content=content))
    outcome = judged(registry, content)
    commit(registry, outcome)
    ((guid, sender, documents),) = registry.unpublished()
    assert (guid, sender) == (GUID, "CC10000001")
    assert sorted(documents, key=lambda one: one.name) == sorted(
        reports.answer(outcome, NOW).documents, key=lambda one: one.name
    )
    monkeypatch.setattr(sql_runs, "_HEAVY", 0)  # what is heavy is unpacked while it is written
    ((_, _, heavy),) = registry.unpublished()
    assert {one.name: b"".join(one.pieces()) for one in heavy} == {one.name: one.content for one in documents}
    registry.each_published([(GUID, 99)])  # a note about another run than the one that waits
    assert [guid for guid, _, _ in registry.unpublished()] == [GUID]
    registry.each_published([(GUID, registry.receipt(GUID).fence)])  # type: ignore[union-attr]  # it was accepted above
    assert list(registry.unpublished()) == []
    assert registry.unpublish(NOW, None) == 1
    registry.published(GUID)
    assert list(registry.unpublished()) == []


def test_what_another_process_loads_is_in_the_next_answer(
    registry: SqlRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    real = sql_facts.shaped
    monkeypatch.setattr(sql_facts, "shaped", lambda rows, columns: (read.append(columns), real(rows, columns))[1])
    questions = pipeline.questions(pipeline.examine(Received(GUID, NAME, file_of(GOOD), NOW, None), shelf(), Limits()))
    before = registry.ask(questions).profiles
    again = registry.ask(questions).profiles
    assert again.equals(before)
    assert again is not before  # threads may each use their own
    assert [columns for columns in read if columns is PROFILES] == [PROFILES]  # read but once
    if registry.engine.url.database == ":memory:" or not registry.engine.url.database:
        return  # nobody else can be there
    other = SqlRegistry(registry.engine.url.render_as_string(hide_password=False))
    rows, _ = registry_csv.read("profiles", REGISTRY["profiles"].replace("APLICACION 186", "OTRO NOMBRE").encode())
    other.load("profiles", rows, NOW)
    other.close()
    after = registry.ask(questions).profiles
    assert "OTRO NOMBRE" in after["nombre_aplicacion"].to_list()
    assert after.height == before.height


def test_a_load_is_an_upsert(registry: SqlRegistry) -> None:
    rows, _ = registry_csv.read("persons", REGISTRY["persons"].replace("JUAN", "JUANA").encode())
    assert registry.load("persons", rows, NOW) == rows.height
    (asked,) = judged(registry, file_of(GOOD)).facts.persons.filter(num_id="1090000001").to_dicts()  # type: ignore[union-attr]  # judged with facts
    assert asked["primer_nombre"] == "JUANA"


def test_the_tables_are_the_sum_of_the_migrations(registry: SqlRegistry) -> None:
    built = sa.MetaData()
    built.reflect(registry.engine)
    ours = {name for name in built.tables if name != "alembic_version" and not name.startswith("procrastinate_")}
    assert ours == set(sql_tables.metadata.tables)
    for name, table in sql_tables.metadata.tables.items():
        real = built.tables[name]
        assert {column.name: column.nullable for column in real.columns} == {
            column.name: column.nullable for column in table.columns
        }, name
        assert {index.name for index in table.indexes} <= {index.name for index in real.indexes}, name
        server = registry.engine.dialect.name == "postgresql"
        wanted = {fk.target_fullname for fk in table.foreign_keys if not (server and fk.info.get("held"))}
        assert {fk.target_fullname for fk in real.foreign_keys} == wanted


# --- arriving files ---
