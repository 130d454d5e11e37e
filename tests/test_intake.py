"""The drop folder in hostile hands: whatever lies there is taken once, never followed, never waited for, and answered."""

import errno
import fcntl
import os
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import GOOD
from test_service import drop, mails
from worlds import NAME, file_of

from pisis_batch import service
from pisis_batch.adapters import folder_inbox, folder_scan, folder_stillness
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.folder_inbox import FolderInbox
from pisis_batch.cli import root
from pisis_batch.ports import Claimed, Ports

LOGIN = "CC10000001"


@pytest.fixture
def inbox(tmp_path: Path) -> FolderInbox:
    return FolderInbox(tmp_path / "inbox", tmp_path / "claims", 0, largest=10_000)


def folder(tmp_path: Path, login: str = LOGIN) -> Path:
    made = tmp_path / "inbox" / login
    made.mkdir(parents=True, exist_ok=True)
    return made


def taken(inbox: FolderInbox) -> list[Claimed]:
    found = list(inbox.claims())
    for claimed in found:
        inbox.release(claimed)
    return found


def test_what_is_no_file_is_named_and_never_opened(inbox: FolderInbox, tmp_path: Path) -> None:
    here = folder(tmp_path)
    (tmp_path / "secret").write_text("secret")
    (here / "a.TXT").symlink_to(tmp_path / "secret")
    (here / "b.TXT").symlink_to("/nowhere")
    (here / "c.TXT").symlink_to("c.TXT")
    (here / "d.TXT").symlink_to("/dev/zero")
    os.mkfifo(here / "e.TXT")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(here / "f.TXT"))
    with (here / "g.TXT").open("wb") as sparse:
        sparse.truncate(1 << 40)
    found = {claimed.name: claimed.unread for claimed in taken(inbox)}
    assert found == {
        **dict.fromkeys(["a.TXT", "b.TXT", "c.TXT", "d.TXT"], "un enlace a otro archivo"),
        "e.TXT": "una tubería",
        "f.TXT": "un conector",
        "g.TXT": "too_big",
    }
    assert list(here.iterdir()) == []
    assert (tmp_path / "secret").read_text() == "secret"
    assert [path.stat().st_size for path in (tmp_path / "apartados").iterdir()] == [1 << 40]
    assert taken(inbox) == []


def test_what_is_no_file_is_answered_once_and_the_answer_tells_nothing_of_its_target(
    workspace: Path, ports: Ports, tmp_path: Path
) -> None:
    (tmp_path / "etc-secreto").write_text("canario-0451")
    drop(workspace, b"")
    (workspace / "inbox" / LOGIN / NAME).unlink()
    (workspace / "inbox" / LOGIN / NAME).symlink_to(tmp_path / "etc-secreto")
    os.mkfifo(workspace / "inbox" / LOGIN / "otro.TXT")
    outcomes = service.once(ports)
    assert "EST003" in {finding.code for outcome in outcomes for finding in outcome.findings}
    assert len(outcomes) == 2
    answer = b"".join(path.read_bytes() for path in (workspace / "outbox").rglob("*") if path.is_file())
    assert b"canario" not in answer
    assert b"etc-secreto" not in answer
    assert mails(workspace)
    assert service.once(ports) == []


def test_a_second_name_is_waited_for_a_moment_and_then_refused(
    inbox: FolderInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_stillness, "LINK_GRACE", 0.1)
    path = folder(tmp_path) / "a.TXT"
    path.write_bytes(b"x")
    os.link(path, tmp_path / "kept")
    assert taken(inbox) == []
    (tmp_path / "kept").unlink()  # a server that renames by linking and unlinking
    assert [claimed.unread for claimed in taken(inbox)] == [""]
    path.write_bytes(b"x")
    os.link(path, tmp_path / "kept")
    assert taken(inbox) == []
    time.sleep(0.15)
    assert [claimed.unread for claimed in taken(inbox)] == [folder_scan.LINKED]


def test_a_file_of_a_third_user_is_refused(inbox: FolderInbox, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    here = folder(tmp_path)
    os.chown(here, 4001, 4001)
    for name, owner in (("suyo.TXT", 4001), ("nuestro.TXT", 0), ("ajeno.TXT", 4002)):
        (here / name).write_bytes(b"x")
        os.chown(here / name, owner, owner)
    assert {claimed.name: claimed.unread for claimed in taken(inbox)} == {
        "suyo.TXT": "",
        "nuestro.TXT": "",
        "ajeno.TXT": folder_scan.FOREIGN,
    }


def test_a_folder_swapped_for_a_link_is_not_entered(inbox: FolderInbox, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "x.TXT").write_bytes(b"x")
    folder(tmp_path).rmdir()
    folder(tmp_path, "CC10000002").joinpath("y.TXT").write_bytes(b"y")
    (tmp_path / "inbox" / LOGIN).symlink_to(tmp_path / "private")
    assert [claimed.name for claimed in taken(inbox)] == [LOGIN, "y.TXT"]  # the link itself lies in the root
    assert (tmp_path / "private" / "x.TXT").exists()


def test_folders_in_folders_and_old_halves_are_left_and_listed(inbox: FolderInbox, tmp_path: Path) -> None:
    here = folder(tmp_path)
    (here / "X.TXT").mkdir()
    (here / "viejo.part").write_bytes(b"x")
    (here / "nuevo.part").write_bytes(b"x")
    os.utime(here / "viejo.part", (0, 0))
    assert taken(inbox) == []
    assert not inbox.waiting()
    assert (
        folder_scan.strays(tmp_path / "inbox")
        == [
            f"{LOGIN}/X.TXT: una carpeta",
            f"{LOGIN}/viejo.part: sin terminar desde hace más de un día",
        ]
        or len(folder_scan.strays(tmp_path / "inbox")) == 2
    )


HOSTILE = [
    b"a" * 255,
    b"\xff\xfe.TXT",
    b"a\nb.TXT",
    b"\x1b[31mrojo.TXT",
    "\u202eTXT.exe".encode(),
    b"-rf",
    b"..TXT".replace(b"..", b"x.."),
    b"%s%n{}.TXT",
    b"a'b\"c<script>.TXT",
    b"NUL",
    b"CON.TXT",
    b"a\x7fb",
    b" .TXT",
    b" ",
    b"=1+1.TXT",
    b"\\..\\x",
    "\u200b".encode() * 10,
    *(bytes([n]) + b".TXT" for n in range(1, 256) if n not in b"/."),
    *(NAME.encode().replace(b"9", digit.encode(), 1) for digit in "٩９৯"),
]


def test_names_of_every_kind_are_taken_stored_and_shown(workspace: Path, ports: Ports) -> None:
    here = workspace / "inbox" / LOGIN
    here.mkdir(parents=True)
    for name in HOSTILE:
        (here / os.fsdecode(name)).write_bytes(b"x")
    accepted = service.take_in(ports)
    assert len(accepted) == len(set(HOSTILE)) == len(set(accepted))
    names = [receipt.file_name for receipt in ports.registry.pending()]
    assert len(names) == len(set(HOSTILE))
    assert all(name.isprintable() and len(name) <= 256 for name in names)
    assert list(here.iterdir()) == []
    assert not list((workspace / "var/claims").iterdir())


def test_every_hostile_name_is_answered(workspace: Path, ports: Ports) -> None:
    here = workspace / "inbox" / LOGIN
    here.mkdir(parents=True)
    for name in HOSTILE[:17]:
        (here / os.fsdecode(name)).write_bytes(b"x")
    outcomes = service.once(ports)
    assert len(outcomes) == 17
    assert {str(outcome.verdict) for outcome in outcomes} == {"rechazado"}
    for message in mails(workspace):
        assert set(message.keys()) <= {
            "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        }  # fmt: skip
    pages = b"".join(path.read_bytes() for path in (workspace / "outbox").rglob("*.html"))
    assert b"<script>.TXT" not in pages
    assert b"\x1b" not in pages
    assert "\u202e".encode() not in pages


def test_a_flood_of_one_sender_does_not_keep_the_others_waiting(inbox: FolderInbox, tmp_path: Path) -> None:
    for number in range(500):
        (folder(tmp_path, "CC10000001") / f"{number:04}.TXT").write_bytes(b"x")
    for login in ("CC10000002", "CC10000003"):
        (folder(tmp_path, login) / "a.TXT").write_bytes(b"x")
    order = [claimed.sender for claimed in inbox.claims()]
    assert len(order) == 502
    assert order.index("CC10000002") < 64
    assert order.index("CC10000003") < 64


def test_many_more_files_than_are_remembered_are_all_taken(
    inbox: FolderInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_inbox, "_AT_ONCE", 100)
    monkeypatch.setattr(folder_stillness, "AT_ONCE", 100)
    for number in range(333):
        (folder(tmp_path) / f"{number:04}.TXT").write_bytes(b"x")
    found: list[str] = []
    while inbox.waiting():
        found += [claimed.name for claimed in taken(inbox)]
    assert sorted(found) == [f"{number:04}.TXT" for number in range(333)]


def test_a_file_held_open_for_writing_is_left_alone(inbox: FolderInbox, tmp_path: Path) -> None:
    path = folder(tmp_path) / "a.TXT"
    with path.open("wb") as writer:
        writer.write(b"half")
        writer.flush()
        if not _leases(path):
            pytest.skip("this file system or user cannot tell who writes")
        assert taken(inbox) == []
        writer.write(b" and the rest")
    (claimed,) = inbox.claims()
    assert claimed.path.read_bytes() == b"half and the rest"


def _leases(path: Path) -> bool:
    """Whether the kernel tells here who writes."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False


def test_a_slow_writer_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_scan, "being_written", lambda folder, name: False)  # a share tells nothing
    inbox = FolderInbox(tmp_path / "inbox", tmp_path / "claims", 0.5)
    path = folder(tmp_path) / "a.TXT"
    for _ in range(4):
        with path.open("ab") as writer:
            writer.write(b"line\n")
        assert taken(inbox) == []
        assert inbox.waiting()
        time.sleep(0.2)
    time.sleep(0.5)
    assert [claimed.size for claimed in taken(inbox)] == [20]


def test_the_inbox_deleted_and_made_anew_is_found(inbox: FolderInbox, tmp_path: Path) -> None:
    folder(tmp_path).rmdir()
    (tmp_path / "inbox").rmdir()
    assert taken(inbox) == []
    assert (tmp_path / "inbox").is_dir()
    (folder(tmp_path) / "a.TXT").write_bytes(b"x")
    assert len(taken(inbox)) == 1


def test_a_claim_comes_back_with_its_guid_after_a_crash(tmp_path: Path, inbox: FolderInbox) -> None:
    (folder(tmp_path) / "a.TXT").write_bytes(b"x")
    (tmp_path / "inbox" / "raiz.TXT").write_bytes(b"x")
    first = list(inbox.claims())
    after = list(FolderInbox(tmp_path / "inbox", tmp_path / "claims", 0).claims())
    assert sorted(after, key=str) == sorted(first, key=str)
    assert {claimed.sender for claimed in after} == {None, LOGIN}


def test_a_file_that_may_not_be_renamed_stays_is_reported_and_does_not_spin(
    inbox: FolderInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path) / "a.TXT"
    path.write_bytes(b"x")

    def immutable(*args: object, **more: object) -> None:
        raise PermissionError(errno.EPERM, "immutable")

    monkeypatch.setattr(os, "rename", immutable)
    assert taken(inbox) == []
    assert not inbox.waiting()
    assert path.exists()
    assert "claim_failed" in capsys.readouterr().out
    monkeypatch.undo()
    monkeypatch.setattr(folder_stillness, "STUCK_SECONDS", 0.0)
    assert len(taken(inbox)) == 1


def test_a_rename_that_took_place_although_it_failed_is_believed(
    inbox: FolderInbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def share(*args: object, **more: object) -> None:
        rename(*args, **more)  # type: ignore[arg-type]
        raise OSError(errno.ESTALE, "stale")

    (folder(tmp_path) / "a.TXT").write_bytes(b"x")
    monkeypatch.setattr(os, "rename", share)
    assert [claimed.name for claimed in taken(inbox)] == ["a.TXT"]


def test_claims_on_another_file_system_are_copies(tmp_path: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108  # another file system is the point
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    claims = memory / f"pisis-{os.getpid()}-claims"
    inbox = FolderInbox(tmp_path / "inbox", claims, 0)
    path = folder(tmp_path) / "a.TXT"
    path.write_bytes(b"x")
    (path.parent / "enlace").symlink_to("a.TXT")
    try:
        (claimed,) = inbox.claims()
        assert claimed.path.read_bytes() == b"x"
        assert not path.exists()
        (claimed.path.parent / ".pisis-copy-half").write_bytes(b"half")
        inbox.release(claimed)
        assert taken(inbox) == []
    finally:
        for entry in sorted(claims.rglob("*"), reverse=True):
            entry.rmdir() if entry.is_dir() else entry.unlink()
        claims.rmdir()


def test_the_archive_keeps_only_bytes_that_held_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An uploader that still holds the file open writes into it between the first byte read and the last."""
    archive = FolderArchive(tmp_path / "archive")
    path = tmp_path / "a.TXT"
    path.write_bytes(b"GOOD" * 50_000)
    sync, written = os.fsync, []

    def meanwhile(handle: int) -> None:
        if not written:
            written.append(True)
            with path.open("r+b") as uploader:
                uploader.write(b"EVIL" * 50_000)
        sync(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)
    sha256, _, _ = archive.keep(path)
    assert written
    assert archive.fetch(sha256) == b"EVIL" * 50_000, "what was copied first is no longer what lies there"


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_what_a_terminal_shows_moves_nothing_in_it(form: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(file_of(GOOD).replace(b"JUAN", b"JU\x1b[31mAN\x07").replace(b"MEDICO", b"M\x9bX"))
    said = CliRunner().invoke(root, ["check", "--offline", "--format", form, str(path)]).stdout
    assert "EST027" in said
    assert [sign for sign in said if not sign.isprintable() and sign not in "\r\n"] == []
