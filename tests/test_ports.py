"""One contract a port, held by every adapter: what the service may rely on, whoever stands behind."""

import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import STORES
from worlds import NAME, NOW

from pisis_batch.adapters import folder_archive, object_store
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.folder_inbox import FolderInbox
from pisis_batch.adapters.folder_mailer import FolderMailer
from pisis_batch.adapters.folder_outbox import FolderOutbox
from pisis_batch.adapters.memory import MemoryArchive, MemoryMailer, MemoryOutbox
from pisis_batch.model import Attachment, Received
from pisis_batch.ports import Archive, Mail, Mailer, Outbox

GUID = "e70e425b-9264-4385-8660-8aa9c25f1bda"


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
