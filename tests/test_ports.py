"""One contract a port, held by every adapter: what the service may rely on, whoever stands behind."""

import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import GOOD, REGISTRY, STORES
from worlds import NAME, NOW, file_of

from pisis_batch import pipeline, reports
from pisis_batch.adapters import folder_archive, object_store, registry_csv, sql_facts, sql_runs, sql_tables
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.folder_inbox import FolderInbox
from pisis_batch.adapters.folder_mailer import FolderMailer
from pisis_batch.adapters.folder_outbox import FolderOutbox
from pisis_batch.adapters.memory import MemoryArchive, MemoryMailer, MemoryOutbox
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.layouts import shelf
from pisis_batch.model import PROFILES, Attachment, Id, Limits, Outcome, Received, Rendered
from pisis_batch.ports import Archive, Mail, Mailer, Outbox, Receipt

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


def drop(inbox: Path, name: str, content: bytes = b"x", sender: str = "CC10000001") -> Path:
    path = inbox / sender / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_claim_is_a_rename_and_comes_back_until_it_is_released(tmp_path: Path) -> None:
    inbox = FolderInbox(tmp_path / "inbox", tmp_path / "claims", 0)
    path = drop(tmp_path / "inbox", NAME)
    node = path.stat().st_ino
    (first,) = inbox.claims()
    assert not path.exists()
    assert first.path.stat().st_ino == node
    (again,) = inbox.claims()
    assert again == first
    inbox.release(again)
    assert list(inbox.claims()) == []


@pytest.mark.parametrize("name", [f".{NAME}", f"{NAME}.part", f"{NAME}.tmp", f"{NAME}.filepart", f"{NAME}~"])
def test_a_half_written_file_is_nobodys_yet(tmp_path: Path, name: str) -> None:
    drop(tmp_path / "inbox", name)
    assert list(FolderInbox(tmp_path / "inbox", tmp_path / "claims", 0).claims()) == []


def test_two_watchers_never_take_the_same_file(tmp_path: Path) -> None:
    for number in range(40):
        drop(tmp_path / "inbox", f"{number:03}.TXT")
    taken: list[str] = []

    def take() -> None:
        inbox = FolderInbox(tmp_path / "inbox", tmp_path / "claims", 0)
        for claimed in inbox.claims():
            taken.append(claimed.name)
            inbox.release(claimed)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [f"{number:03}.TXT" for number in range(40)]


# --- originals, documents, messages ---


@pytest.fixture(params=["memory", "folder", *STORES])
def archive(request: pytest.FixtureRequest, tmp_path: Path, new_bucket: Callable[[str], str]) -> Archive:
    if request.param in STORES:
        return object_store.ObjectArchive(object_store.store(new_bucket(request.param)), tmp_path / "spool")
    return MemoryArchive() if request.param == "memory" else FolderArchive(tmp_path / "archive")


def test_the_archive_gives_back_the_very_bytes(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 9
    path = tmp_path / "original"
    path.write_bytes(content)
    first = archive.keep(path)
    assert archive.keep(path) == first
    assert first == (Received("", "", content, NOW, None).sha256, Received("", "", content, NOW, None).md5, 2304)
    assert archive.fetch(first[0]) == content
    for module in (folder_archive, object_store):
        monkeypatch.setattr(module, "LARGE", 2)
    assert archive.fetch(first[0])[:] == content
    with pytest.raises(KeyError):
        archive.fetch("0" * 64)


class KilledError(BaseException):
    pass


def test_an_original_is_erased_unless_somebody_wants_it(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(b"uno")
    sha256, _, _ = archive.keep(path)

    def asked(answer: str) -> bool:
        assert archive.fetch(sha256) == b"uno", "whoever wants it, has it meanwhile"
        if answer == "killed":
            raise KilledError
        return answer == "wanted"

    assert not archive.erase(sha256, lambda: asked("wanted"))
    assert archive.has(sha256)
    with pytest.raises(KilledError):
        archive.erase(sha256, lambda: asked("killed"))
    assert archive.set_apart() == ([] if archive.has(sha256) else [sha256])
    assert archive.erase(sha256, lambda: asked("unwanted"))
    assert not archive.has(sha256)
    assert archive.set_apart() == []
    with pytest.raises(KeyError):
        archive.fetch(sha256)
    assert archive.erase(sha256, lambda: False)


def test_an_altered_original_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(b"one")
    folder, memory = FolderArchive(tmp_path / "archive"), MemoryArchive()
    (sha, _, _), _ = folder.keep(path), memory.keep(path)
    kept = tmp_path / "archive" / sha[:2] / sha
    kept.chmod(0o600)
    kept.write_bytes(b"two")
    memory.kept[sha] = b"two"
    for one in (folder, memory):
        with pytest.raises(ValueError, match="no longer matches"):
            one.fetch(sha)


@pytest.fixture(params=["memory", "folder", *STORES])
def outbox(request: pytest.FixtureRequest, tmp_path: Path, new_bucket: Callable[[str], str]) -> Outbox:
    if request.param in STORES:
        return object_store.ObjectOutbox(object_store.store(new_bucket(request.param)))
    return MemoryOutbox() if request.param == "memory" else FolderOutbox(tmp_path / "outbox")


def test_documents_are_published_again_without_a_difference(outbox: Outbox) -> None:
    documents = [
        Attachment("ack.json", "application/json", b"{}"),
        Attachment("acta.html", "text/html", b"<p>"),
        Attachment("hallazgos.csv", "text/csv", zlib.compress(b"largo" * 9), packed=True),
    ]
    assert outbox.publish("CC10000001", GUID, documents) == outbox.publish("CC10000001", GUID, documents)
    assert outbox.has("CC10000001", GUID)
    outbox.erase("CC10000001", GUID)
    outbox.erase("CC10000001", GUID)
    assert not outbox.has("CC10000001", GUID)
    folder = outbox.publish("../../etc", GUID, documents)
    assert folder.parent.name == "_sin_remitente"
    if isinstance(outbox, FolderOutbox):
        assert (folder / "hallazgos.csv").read_bytes() == b"largo" * 9


@pytest.fixture(params=["memory", "folder"])
def mailer(request: pytest.FixtureRequest, tmp_path: Path) -> Mailer:
    return MemoryMailer() if request.param == "memory" else FolderMailer(tmp_path / "correo")


def test_every_message_is_answered_for(mailer: Mailer) -> None:
    mails = [Mail(n, GUID, "acta", "a@x.example", f"<{n}@x>", b"body", 0) for n in range(3)]
    assert list(mailer.send(mails)) == [(mail, None) for mail in mails]
    assert list(mailer.send([])) == []


def test_a_refusal_concerns_one_message_only() -> None:
    mails = [Mail(n, GUID, "acta", to, f"<{n}@x>", b"body", 0) for n, to in enumerate(["a@x.example", "b@x.example"])]
    told = dict(MemoryMailer(refuses=["a@x.example"]).send(mails))
    assert [bool(reason) for reason in told.values()] == [True, False]
