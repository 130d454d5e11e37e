"""Acceptance by batches: the steps of every file in their order, one sync for many, and one bad file alone."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from worlds import NAME

from pisis_batch import service
from pisis_batch.adapters import folder_archive, folder_scan
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.folder_inbox import FolderInbox
from pisis_batch.ports import Ports, Receipt, UnavailableError

SENDERS = ("CC10000001", "CC10000002", "CC10000050")


def drop(workspace: Path, files: int, senders: tuple[str, ...] = SENDERS) -> None:
    for sender in senders:
        folder = workspace / "inbox" / sender
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(files):
            path = folder / f"{number:02}.TXT"
            path.write_bytes(f"{sender} {number}".encode())
            os.utime(path, ns=(number, number))


def names(ports: Ports, sender: str) -> list[str]:
    return [receipt.file_name for receipt in ports.registry.pending() if receipt.sender == sender]


def claims(workspace: Path) -> list[Path]:
    return list((workspace / "var/claims").glob("*/*/*"))


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, ports: Ports) -> list[tuple[str, object]]:
    """What was synced, accepted and forgotten, in order."""
    said: list[tuple[str, object]] = []
    sync, accept, release = os.fsync, ports.registry.accept, ports.inbox.release

    def synced(handle: int) -> None:
        sync(handle)
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "bytes"
        said.append((kind, Path(f"/proc/self/fd/{handle}").readlink()))

    def accepted(*receipts: Receipt) -> None:
        accept(*receipts)
        said.append(("accepted", [receipt.sha256 for receipt in receipts]))

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(ports.registry, "accept", accepted)
    monkeypatch.setattr(ports.inbox, "release", lambda one: (said.append(("forgotten", one.guid)), release(one)))
    return said


def test_nothing_is_accepted_before_its_bytes_and_names_last_nor_forgotten_before_it_is_accepted(
    workspace: Path, ports: Ports, recorded: list[tuple[str, object]]
) -> None:
    drop(workspace, 8)
    assert len(service.take_in(ports)) == 24
    (at,) = [place for place, (what, _) in enumerate(recorded) if what == "accepted"]
    accepted = recorded[at][1]
    assert isinstance(accepted, list)
    before, after = recorded[:at], recorded[at + 1 :]
    folders = [path for what, path in before if what == "folder"]
    archive = workspace / "var/archive"
    assert {path for path in folders if path.parent == archive} == {archive / one[:2] for one in accepted}  # type: ignore[attr-defined]  # a path
    assert archive in folders
    assert {workspace / "inbox" / sender for sender in SENDERS} <= set(folders)
    assert len(folders) == len(set(folders)), "a folder is synced once for the whole batch"
    assert len([what for what, _ in before if what == "bytes"]) == 24
    last_bytes = max(place for place, (what, _) in enumerate(before) if what == "bytes")
    assert all(path.parent != archive for what, path in before[:last_bytes] if what == "folder")  # type: ignore[attr-defined]  # a path
    assert [what for what, _ in before if what == "forgotten"] == []
    assert [what for what, _ in after if what == "forgotten"] == ["forgotten"] * 24
    assert claims(workspace) == []


def test_a_folder_that_was_taken_away_and_is_made_again_gets_a_lasting_name_again(
    workspace: Path, ports: Ports, recorded: list[tuple[str, object]]
) -> None:
    archive, outbox = workspace / "var/archive", workspace / "outbox"
    for _ in range(2):
        recorded.clear()
        drop(workspace, 1, SENDERS[:1])  # the same bytes: the same folder
        service.once(ports)
        assert {("folder", archive), ("folder", outbox)} <= set(filter(_of_folders, recorded))
        shutil.rmtree(next(archive.glob("??")))
        shutil.rmtree(outbox / SENDERS[0])


def _of_folders(said: tuple[str, object]) -> bool:
    return said[0] == "folder"


def _unread(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    copy = FolderArchive._copy

    def copied(self: FolderArchive, source: Path, folders: set[str]) -> tuple[str, str, int] | None:
        if source.parent.name == SENDERS[1] and source.name == "03.TXT":
            raise OSError("it cannot be read")
        return copy(self, source, folders)

    monkeypatch.setattr(FolderArchive, "_copy", copied)
    return lambda: monkeypatch.setattr(FolderArchive, "_copy", copy)


def _restless(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    state = folder_archive._state
    count = iter(range(10**9))
    mended: list[bool] = []

    def moving(found: os.stat_result) -> tuple[int, int, int, int]:
        restless = not mended and found.st_mtime_ns == 3 and found.st_size == len(f"{SENDERS[1]} 3")
        return (next(count), 0, 0, 0) if restless else state(found)

    monkeypatch.setattr(folder_archive, "_state", moving)
    monkeypatch.setattr(folder_archive, "_PATIENCE", 0.0)
    return lambda: mended.append(True)


def _refused(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    accept = ports.registry.accept

    def accepted(*receipts: Receipt) -> None:
        if any(receipt.sender == SENDERS[1] and receipt.file_name == "03.TXT" for receipt in receipts):
            raise ValueError("the database does not want it")
        accept(*receipts)

    monkeypatch.setattr(ports.registry, "accept", accepted)
    return lambda: monkeypatch.setattr(ports.registry, "accept", accept)


@pytest.mark.parametrize("harm", [_unread, _refused])
def test_one_bad_file_holds_up_the_later_ones_of_its_sender_and_nobody_else(
    workspace: Path,
    ports: Ports,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Ports, pytest.MonkeyPatch], Callable[[], None]],
) -> None:
    mend = harm(ports, monkeypatch)
    drop(workspace, 8)
    assert len(service.take_in(ports)) == 8 + 3 + 8
    drop(workspace, 8, ("CC10000001",))
    assert len(service.take_in(ports)) == 8
    all_ = [f"{number:02}.TXT" for number in range(8)]
    assert names(ports, SENDERS[1]) == all_[:3]
    assert names(ports, SENDERS[2]) == all_
    mend()
    service.take_in(ports)
    assert names(ports, SENDERS[1]) == all_
    assert claims(workspace) == []


def test_a_file_that_never_holds_still_is_left_for_another_time(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend = _restless(ports, monkeypatch)
    drop(workspace, 5, SENDERS[1:2])
    drop(workspace, 2, SENDERS[:1])
    assert len(service.take_in(ports)) == 2 + 3
    mend()
    assert len(service.take_in(ports)) == 2
    assert names(ports, SENDERS[1]) == [f"{number:02}.TXT" for number in range(5)]


def test_when_nothing_can_be_recorded_it_is_not_tried_for_every_file(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def gone(*receipts: Receipt) -> None:
        tried.append(len(receipts))
        raise UnavailableError

    accept = ports.registry.accept
    monkeypatch.setattr(ports.registry, "accept", gone)
    drop(workspace, 8)
    assert service.take_in(ports) == []
    assert tried == [24, 1]
    monkeypatch.setattr(ports.registry, "accept", accept)
    assert len(service.take_in(ports)) == 24
    assert names(ports, SENDERS[0]) == [f"{number:02}.TXT" for number in range(8)]


def test_the_first_batch_does_not_wait_for_the_last_folder(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(workspace, 8, tuple(f"CC1020{number:04}" for number in range(40)))
    oldest, looked = folder_scan.oldest, []

    def seen(folder: int, most: int) -> list[folder_scan.Seen]:
        looked.append(folder)
        return oldest(folder, most)

    monkeypatch.setattr(folder_scan, "oldest", seen)
    inbox = ports.inbox
    assert isinstance(inbox, FolderInbox)
    batches = inbox.batches()
    assert len(next(batches)) == 64
    assert len(looked) == 1 + 64 // 8  # files without a sender have the first turn
    batches.close()  # type: ignore[attr-defined]  # a generator
    assert len(service.take_in(ports)) == 320


def test_places_in_a_lane_follow_the_order_of_a_batch_and_the_chain_holds(workspace: Path, ports: Ports) -> None:
    for turn in range(2):
        folder = workspace / "inbox/CC10000001"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(5):
            path = folder / NAME.replace("0715", f"07{10 * turn + 10 + number}")
            path.write_bytes(b"x" * number)
            os.utime(path, ns=(9 - number, 9 - number))
        service.take_in(ports)
    heads = [receipt.file_name[16:18] for receipt in ports.registry.pending()]
    assert heads == ["14", "13", "12", "11", "10", "24", "23", "22", "21", "20"]
    (*_, last) = ports.registry.pending()
    assert list(ports.registry.ahead(last.guid)) == [one.guid for one in ports.registry.pending()]
    audited = ports.registry.audit_verify()
    assert (audited.offenders, audited.links) == ((), audited.entries)
