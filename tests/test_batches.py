"""Acceptance by batches: the steps of every file in their order, one sync for many, and one bad file alone."""

import errno
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from worlds import NAME

from pisis_batch import service
from pisis_batch.adapters import durable, folder_copies, folder_scan
from pisis_batch.adapters.folder_copies import Copies
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


#: What was done, in order, and to what: written, synced, named, moved out of the inbox, accepted, forgotten.
Said = list[tuple[str, str]]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, ports: Ports) -> Said:
    said: Said = []
    accept, release, disk, put = ports.registry.accept, ports.inbox.release, durable.sync_disk, durable.put

    def watched(module: object, name: str, said_of: Callable[..., tuple[str, str]]) -> None:
        real = getattr(module, name)

        def done(*given: object, **named: object) -> object:
            told = said_of(*given, **named)
            found = real(*given, **named)
            said.append(told)
            return found

        monkeypatch.setattr(module, name, done)

    def disked(places: Sequence[int | Path]) -> bool:
        if shared := disk(places):
            said.append(("disk", ""))
        return shared

    watched(os, "fsync", lambda handle: ("synced", _place(handle)))
    watched(os, "replace", lambda source, target: ("named", f"{source} {target}"))
    watched(os, "mkdir", lambda path, *_, **__: ("made", str(path)))
    watched(os, "rename", lambda name, target, src_dir_fd: ("moved", f"{_place(src_dir_fd)} {Path(target).parent}"))
    monkeypatch.setattr(durable, "sync_disk", disked)
    monkeypatch.setattr(durable, "put", lambda handle, data: (put(handle, data), said.append(("put", _place(handle)))))

    def accepted(*receipts: Receipt) -> None:
        accept(*receipts)
        said.append(("accepted", " ".join(receipt.sha256 for receipt in receipts)))

    monkeypatch.setattr(ports.registry, "accept", accepted)
    monkeypatch.setattr(ports.inbox, "release", lambda one: (said.append(("forgotten", one.guid)), release(one)))
    return said


def _place(handle: int) -> str:
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def _last(said: Said, path: str, since: int, until: int) -> bool:
    """Whether something was made durable between two moments."""
    return any(one in {("disk", ""), ("synced", path)} for one in said[since + 1 : until])


_WAITS = pytest.mark.parametrize("together", [2, 12, 10**9])  # all at once, as it is, and one by one


@_WAITS
def test_nothing_is_accepted_before_its_bytes_and_names_last_nor_forgotten_before_it_is_accepted(
    workspace: Path, ports: Ports, recorded: Said, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(durable, "_TOGETHER", together)
    drop(workspace, 8)
    assert len(service.take_in(ports)) == 24
    (at,) = [place for place, (what, _) in enumerate(recorded) if what == "accepted"]
    archive = f"{workspace}/var/archive"
    named = {path.split()[1]: place for place, (what, path) in enumerate(recorded) if what == "named"}
    assert set(named) == {f"{archive}/{one[:2]}/{one}" for one in recorded[at][1].split()}
    for target, place in named.items():
        temporary, folder = recorded[place][1].split()[0], target.rpartition("/")[0]
        assert _last(recorded, temporary, recorded.index(("put", temporary)), place), "bytes before their name"
        assert _last(recorded, folder, place, at), "a name before its receipt"
        assert _last(recorded, archive, recorded.index(("made", folder)), at), "so is the name of its folder"
    forgotten = [what for what, _ in recorded if what == "forgotten"]
    assert [what for what, _ in recorded[at:] if what == "forgotten"] == forgotten == ["forgotten"] * 24
    assert claims(workspace) == []


@_WAITS
def test_what_was_moved_out_of_the_inbox_lasts_before_it_is_accepted_and_so_does_where_it_goes(
    workspace: Path, ports: Ports, recorded: Said, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(durable, "_TOGETHER", together)
    drop(workspace, 8)
    assert len(service.take_in(ports)) == 24
    (at,) = [place for place, (what, _) in enumerate(recorded) if what == "accepted"]
    moved = [(place, *path.split()) for place, (what, path) in enumerate(recorded) if what == "moved"]
    assert {Path(folder).name for _, folder, _ in moved} == set(SENDERS)
    for place, folder, home in moved:
        batch = home.rpartition("/")[0]
        assert _last(recorded, folder, place, at)
        assert _last(recorded, home, place, at)
        assert _last(recorded, batch, recorded.index(("made", home)), place)
        assert _last(recorded, f"{workspace}/var/claims", recorded.index(("made", batch)), place)


def test_a_batch_waits_for_the_disk_a_few_times_however_many_files_and_senders_it_has(
    workspace: Path, ports: Ports, recorded: Said
) -> None:
    drop(workspace, 8, tuple(f"CC1020{number:04}" for number in range(8)))
    assert len(service.take_in(ports)) == 64
    waits = [what for what, _ in recorded if what in {"disk", "synced"}]
    assert waits == ["synced"] * 2 + ["disk"] * 3, "where files go to; that they went, their bytes, their names"


def test_a_folder_that_was_taken_away_and_is_made_again_gets_a_lasting_name_again(
    workspace: Path, ports: Ports, recorded: Said
) -> None:
    archive, outbox = workspace / "var/archive", workspace / "outbox"
    for _ in range(2):
        recorded.clear()
        drop(workspace, 1, SENDERS[:1])  # the same bytes: the same folder
        service.once(ports)
        assert {("synced", str(archive)), ("synced", str(outbox))} <= set(recorded)
        shutil.rmtree(next(archive.glob("??")))
        shutil.rmtree(outbox / SENDERS[0])


def _temporary(workspace: Path) -> list[Path]:
    return list((workspace / "var/archive").glob(".*"))


def test_files_that_are_equal_are_kept_once_and_each_has_its_receipt(workspace: Path, ports: Ports) -> None:
    for turn in range(2):
        for number in range(20):
            path = workspace / "inbox" / SENDERS[0] / f"{turn}-{number}.TXT"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"igual")
        assert len(service.take_in(ports)) == 20
    (kept,) = (workspace / "var/archive").rglob("*/*")
    assert kept.read_bytes() == b"igual"
    assert {receipt.sha256 for receipt in ports.registry.pending()} == {kept.name}
    assert _temporary(workspace) == []


def _no_room(handle: int, content: bytes) -> None:
    if b"0002 3" in content:
        os.write(handle, content[:4])
        raise OSError(errno.ENOSPC, "full")
    os.write(handle, content)


def test_a_copy_for_which_there_is_no_room_leaves_nothing_and_holds_up_its_sender_alone(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(durable, "put", _no_room)
        drop(workspace, 8)
        assert len(service.take_in(ports)) == 8 + 3 + 8
    assert _temporary(workspace) == []
    assert len(service.take_in(ports)) == 5


_STEPS = pytest.mark.parametrize("step", ["sync_files", "sync_folders"])


@_STEPS
def test_when_a_disk_fails_nothing_is_accepted_and_nothing_is_left_of_the_copies(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def failing(_: Sequence[int | Path]) -> None:
        raise OSError(errno.EIO, "the disk")

    with monkeypatch.context() as patch:
        patch.setattr(durable, step, failing)
        drop(workspace, 8)
        assert service.take_in(ports) == []
        assert _temporary(workspace) == []
    assert len(service.take_in(ports)) == 24


@_STEPS
def test_when_a_disk_fails_for_many_each_is_tried_alone(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real: Callable[[Sequence[int | Path]], None] = getattr(durable, step)

    def failing(places: Sequence[int | Path]) -> None:
        if len(places) > 2:
            raise OSError(errno.EIO, "the disk")
        real(places)

    monkeypatch.setattr(durable, step, failing)
    drop(workspace, 8)
    assert len(service.take_in(ports)) == 24
    assert _temporary(workspace) == []
    assert [len(names(ports, sender)) for sender in SENDERS] == [8, 8, 8]


def test_a_file_written_to_while_a_batch_waits_for_the_disk_is_copied_anew(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, written = durable.sync_files, []

    def meanwhile(handles: Sequence[int]) -> None:
        if not written:
            (path,) = (workspace / "var/claims").glob(f"*/{SENDERS[1]}/03.TXT")
            written.append(path.write_bytes(b"otra cosa"))
        sync(handles)

    monkeypatch.setattr(durable, "sync_files", meanwhile)
    drop(workspace, 8)
    assert len(service.take_in(ports)) == 24
    (kept,) = [one.sha256 for one in ports.registry.pending() if (one.sender, one.file_name) == (SENDERS[1], "03.TXT")]
    assert ports.archive.fetch(kept) == b"otra cosa"
    assert _temporary(workspace) == []


def test_whoever_dies_over_a_batch_leaves_copies_that_go_in_time(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = workspace / "var/archive"
    for name, age in ((".viejo.0.tmp", 2 * 24 * 3600), (".ahora.0.tmp", 60)):
        (archive / name).write_bytes(b"x")
        os.utime(archive / name, (time.time() - age,) * 2)
    drop(workspace, 1)
    service.take_in(ports)
    assert [path.name for path in _temporary(workspace)] == [".ahora.0.tmp"]


def _unread(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    take = Copies._taken

    def taken(self: Copies, source: Path) -> tuple[str, str, int] | None:
        if source.parent.name == SENDERS[1] and source.name == "03.TXT":
            raise OSError("it cannot be read")
        return take(self, source)

    monkeypatch.setattr(Copies, "_taken", taken)
    return lambda: monkeypatch.setattr(Copies, "_taken", take)


def _restless(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    state = folder_copies._state
    count = iter(range(10**9))
    mended: list[bool] = []

    def moving(found: os.stat_result) -> tuple[int, int, int, int]:
        restless = not mended and found.st_mtime_ns == 3 and found.st_size == len(f"{SENDERS[1]} 3")
        return (next(count), 0, 0, 0) if restless else state(found)

    monkeypatch.setattr(folder_copies, "_state", moving)
    monkeypatch.setattr(folder_copies, "_PATIENCE", 0.0)
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
