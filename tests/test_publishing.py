"""Documents of verdicts that end at the same time are written together, and one that cannot be written alone stays."""

import ctypes
import errno
import os
import stat
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import GOOD
from worlds import NAME, file_of

from pisis_batch import service
from pisis_batch.adapters import durable
from pisis_batch.adapters.folder_outbox import FolderOutbox
from pisis_batch.judging import Judged
from pisis_batch.model import Attachment, Outcome
from pisis_batch.ports import Ports
from pisis_batch.service.processing import process
from pisis_batch.service.publishing import PublishingBeside

_DOCUMENTS = [Attachment("ack.json", "application/json", b"{}"), Attachment("acta.html", "text/html", b"<p>")]


def committed(workspace: Path, ports: Ports, many: int) -> list[tuple[Judged, int]]:
    """Verdicts that wait for their documents to be written."""
    folder = workspace / "inbox/CC10000001"
    folder.mkdir(parents=True)
    for _ in range(many):
        (folder / NAME).write_bytes(file_of(GOOD))
        service.take_in(ports)
    ended: list[tuple[Judged, int]] = []
    for receipt in ports.registry.pending():
        assert process(receipt.guid, ports, lambda judged, fence: ended.append((judged, fence)))
    return ended


def waiting(ports: Ports) -> set[str]:
    return {guid for guid, _, _ in ports.registry.unpublished()}


def test_what_ends_meanwhile_is_written_together_and_one_that_cannot_be_holds_up_no_other(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = committed(workspace, ports, 4)
    guids = [judged.outcome.received.guid for judged, _ in ended]
    rounds: list[int] = []
    held, told, real = threading.Event(), list[str](), ports.outbox.publish_each

    def publish_each(runs: Sequence[tuple[str | None, str, Sequence[Attachment]]]) -> None:
        held.wait(10)
        rounds.append(len(runs))
        if guids[2] in [guid for _, guid, _ in runs]:
            raise OSError
        real(runs)

    monkeypatch.setattr(ports.outbox, "publish_each", publish_each)

    def tell(outcome: Outcome) -> None:
        told.append(outcome.received.guid)

    beside = PublishingBeside(ports, tell)
    for one in ended:
        beside.publish(*one)
    held.set()
    beside.close(10)
    assert sum(rounds) >= len(ended)
    assert max(rounds) > 1
    assert sorted(told) == sorted(guids)
    assert waiting(ports) == {guids[2]}
    monkeypatch.undo()
    service.publish(ports)
    for guid in guids:
        assert (workspace / "outbox/CC10000001" / guid / "ack.json").is_file()


def test_nothing_is_told_as_written_before_it_is_and_a_failing_note_is_not_the_end(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = committed(workspace, ports, 2)
    there: list[bool] = []
    real = ports.registry.each_published

    def noted(runs: Sequence[tuple[str, int]]) -> None:
        there.extend((workspace / "outbox/CC10000001" / guid / "ack.json").is_file() for guid, _ in runs)
        real(runs)

    monkeypatch.setattr(ports.registry, "each_published", noted)

    def fails(_: Outcome) -> None:
        raise RuntimeError

    beside = PublishingBeside(ports, fails)  # whoever listens is at fault: the thread goes on
    beside.publish(*first)
    beside.close(10)
    beside.publish(*second)
    beside.close(10)
    assert there == [True, True]
    assert waiting(ports) == set()


def test_a_file_that_comes_alone_is_noted_although_nothing_follows_it(workspace: Path, ports: Ports) -> None:
    ((judged, fence),) = committed(workspace, ports, 1)
    PublishingBeside(ports).publish(judged, fence)
    until = time.monotonic() + 10
    while waiting(ports):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_documents_of_a_run_that_was_overtaken_are_written_once_more(workspace: Path, ports: Ports) -> None:
    ((old, fence),) = committed(workspace, ports, 1)
    guid = old.outcome.received.guid
    service.reprocess(guid, ports, apply=True)
    service.publish(ports)
    beside = PublishingBeside(ports)
    beside.publish(old, fence)  # late: it writes over what is right
    beside.close(10)
    assert waiting(ports) == {guid}


class _Disk:
    """What the C library is asked for: a whole disk."""

    def __init__(self, order: list[str], error: int = 0) -> None:
        self._order, self._error = order, error

    def syncfs(self, handle: int) -> int:
        assert stat.S_ISREG(os.fstat(handle).st_mode) or stat.S_ISDIR(os.fstat(handle).st_mode)
        self._order.append("disk")
        ctypes.set_errno(self._error)
        return -1 if self._error else 0


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced and named, in order."""
    order: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("one"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("name"), replace(a, b)))
    return order


_MANY = [(f"{number}.txt", (b"x" * 9000,)) for number in range(30)]


def test_many_files_are_synced_all_at_once_before_they_get_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: _Disk(order))
    durable.write_all(tmp_path, _MANY)
    assert order == ["disk", *["name"] * 30, "one"]
    assert len(list(tmp_path.iterdir())) == 30


def test_a_disk_that_fails_is_told_and_one_that_cannot_be_asked_is_synced_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: _Disk(order, errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        durable.write_all(tmp_path, _MANY)
    assert order == ["disk"]
    order.clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: _Disk(order, errno.ENOSYS))
    durable.write_all(tmp_path, _MANY)
    assert order == ["disk", *["one"] * 30, *["name"] * 30, "one"]


def test_folders_of_many_runs_are_synced_all_at_once(tmp_path: Path, order: list[str]) -> None:
    runs = [("CC1", str(number), _DOCUMENTS) for number in range(20)]
    FolderOutbox(tmp_path / "outbox").publish_each(runs)
    assert order == [*["name"] * 40, *["one"] * 2]  # one by one only the folders of the sender and of all
    assert len(list((tmp_path / "outbox/CC1").glob("*/ack.json"))) == 20


def test_several_are_written_with_the_waits_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder has its own name and bytes synced; `ack.json` gets its name when the others last."""
    order: list[tuple[str, str]] = []
    sync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "bytes"
        order.append((kind, str(Path(f"/proc/self/fd/{handle}").readlink()).rpartition("outbox")[2]))
        sync(handle)

    def replaced(source: str, target: str) -> None:
        order.append(("name", target.rpartition("outbox")[2]))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    FolderOutbox(tmp_path / "outbox").publish_each([("CC1", "a", _DOCUMENTS), ("CC1", "b", _DOCUMENTS)])
    bytes_ = [place for place, (kind, _) in enumerate(order) if kind == "bytes"]
    names = [place for place, (kind, _) in enumerate(order) if kind == "name"]
    assert (len(bytes_), len(names)) == (4, 4)
    assert max(bytes_) < min(names)
    for run in ("/CC1/a", "/CC1/b"):
        last = order.index(("name", f"{run}/ack.json"))
        assert order.index(("name", f"{run}/acta.html")) < order.index(("folder", run)) < last
        assert ("folder", run) in order[last:]
    assert [name for kind, name in order[-2:] if kind == "folder"] == ["/CC1", ""]
