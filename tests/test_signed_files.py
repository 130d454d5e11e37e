"""Signed files from the drop folder to their verdict: pairs whole, in any order, none lost and none twice."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
from certificates import DAY, Authority, Holder, revocations
from conftest import GOOD, filled
from test_service import drop
from worlds import NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters.folder_inbox import FolderInbox
from pisis_batch.adapters.folder_signatures import Pairing
from pisis_batch.model import ENVELOPED, Received
from pisis_batch.ports import Claimed, Ports
from pisis_batch.settings import Settings

CONTENT = file_of(GOOD)
SIGNATURE = NAME + ".p7s"


def waiting(workspace: Path, seconds: float) -> FolderInbox:
    return FolderInbox(workspace / "inbox", workspace / "var/claims", 0, pairing=Pairing(seconds))


def taken(inbox: FolderInbox) -> list[tuple[str, str, bytes]]:
    """(name, how signed, signature) of what is claimed, and released."""
    found = []
    for claimed in inbox.claims():
        beside = claimed.signature.read_bytes() if claimed.signature else b""
        found.append((claimed.name, claimed.signed, beside))
        inbox.release(claimed)
    return found


@pytest.mark.parametrize("order", [(NAME, SIGNATURE), (SIGNATURE, NAME), (NAME.lower(), NAME.lower() + ".P7S")])
def test_a_file_and_its_signature_are_one_whichever_comes_first(workspace: Path, order: tuple[str, str]) -> None:
    inbox = waiting(workspace, 60)
    first, second = order
    drop(workspace, b"one", name=first)
    assert taken(inbox) == []
    drop(workspace, b"two", name=second)
    data = first if first.lower().endswith(".txt") else second
    assert taken(inbox) == [(data, "", b"two" if data == first else b"one")]
    assert not any(path.is_file() for path in (workspace / "inbox").rglob("*"))
    assert list((workspace / "var/claims").iterdir()) == []


def test_who_waits_in_vain_is_taken_alone(workspace: Path) -> None:
    drop(workspace, b"data")
    drop(workspace, b"signature", name="OTRO.TXT.p7s")
    assert taken(waiting(workspace, 60)) == []
    assert sorted(taken(waiting(workspace, 0))) == [("OTRO.TXT.p7s", "huérfana", b""), (NAME, "", b"")]


def test_a_signature_that_is_still_being_written_is_waited_for(workspace: Path) -> None:
    inbox = FolderInbox(workspace / "inbox", workspace / "var/claims", 5, pairing=Pairing(60))
    drop(workspace, b"data")
    drop(workspace, b"sig", name=SIGNATURE)
    os.utime(workspace / "inbox/CC10000001" / NAME, (1, 1))
    assert taken(inbox) == []
    os.utime(workspace / "inbox/CC10000001" / SIGNATURE, (1, 1))
    assert taken(inbox) == [(NAME, "", b"sig")]


def test_a_claimer_that_dies_between_the_two_leaves_a_pair(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(workspace, b"data")
    drop(workspace, b"sig", name=SIGNATURE)

    class DeathError(BaseException):
        pass

    def die(*_: object) -> None:
        raise DeathError

    inbox = waiting(workspace, 60)
    with monkeypatch.context() as broken:
        broken.setattr(Pairing, "take", staticmethod(die))
        with pytest.raises(DeathError):
            list(inbox.claims())
    assert (workspace / "inbox/CC10000001" / SIGNATURE).exists()
    assert taken(waiting(workspace, 60)) == [(NAME, "", b"sig")]
    assert not (workspace / "inbox/CC10000001" / SIGNATURE).exists()


def test_one_that_dies_while_letting_go_leaves_nobody_to_answer_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(workspace, b"data")
    drop(workspace, b"sig", name=SIGNATURE)
    inbox = waiting(workspace, 60)
    (claimed,) = list(inbox.claims())
    half = Claimed(claimed.guid, claimed.sender, claimed.name, claimed.path, signature=claimed.signature)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(OSError()))
        inbox.release(half)
    assert next(path.name[:12] for path in sorted((workspace / "var/claims").glob("*/*/*"))) == ".pisis-done-"
    drop(workspace, b"next", name=SIGNATURE)  # of the next file, which must not go with the one before
    assert taken(waiting(workspace, 60)) == []
    assert (workspace / "inbox/CC10000001" / SIGNATURE).read_bytes() == b"next"


@pytest.mark.parametrize("what", ["link", "pipe", "large", "empty"])
def test_what_lies_where_a_signature_should_is_not_followed_nor_read_whole(
    workspace: Path, ports: Ports, tmp_path: Path, what: str
) -> None:
    drop(workspace, CONTENT)
    there = workspace / "inbox/CC10000001" / SIGNATURE
    if what == "link":
        (tmp_path / "secret").write_bytes(b"secret")
        there.symlink_to(tmp_path / "secret")
    elif what == "pipe":
        os.mkfifo(there)
    else:
        there.write_bytes(b"x" * 300_000 if what == "large" else b"")
    ports = dataclasses.replace(ports, inbox=waiting(workspace, 60))
    (guid,) = service.take_in(ports)
    receipt = ports.registry.receipt(guid)
    assert receipt
    assert (receipt.file_name, receipt.signed, receipt.signature) == (NAME, "ilegible", b"")


def signing(workspace: Path, mode: str, authority: Authority) -> Ports:
    authority.install(
        workspace / "firmas", *(revocations(one, until=NOW + DAY) for one in (authority.root, authority.middle))
    )
    options = {"signature": mode, "signature_wait_seconds": 0, "isolation": True}
    return filled(wiring.ports(Settings.load(workspace, now=NOW, settle_seconds=0, **options)))


def judged(workspace: Path, ports: Ports) -> list[tuple[str, str, list[str]]]:
    """(file name, verdict, codes) of each file, as ack.json says."""
    service.once(ports)
    acks = [json.loads(path.read_bytes()) for path in sorted((workspace / "outbox").glob("*/*/ack.json"))]
    return sorted((ack["file_name"], ack["verdict"], [one["code"] for one in ack["findings"]]) for ack in acks)


def test_signed_files_are_judged_in_the_child_and_unsigned_ones_told(workspace: Path) -> None:
    authority = Authority.new()
    ports, holder = signing(workspace, "require", authority), authority.entity()
    drop(workspace, CONTENT)
    drop(workspace, holder.signed(CONTENT), name="ALGO.TXT.p7s")
    assert judged(workspace, ports) == [
        ("ALGO.TXT.p7s", "rechazado", ["FIR002"]),
        (NAME, "rechazado", ["FIR001"]),
    ]
    drop(workspace, CONTENT)
    drop(workspace, holder.signed(CONTENT), name=SIGNATURE)
    around = NAME.replace("20260715", "20260714")
    drop(workspace, b"no es una firma", name=around + ".p7m")
    found = judged(workspace, ports)
    assert (NAME, "cargado", []) in found
    assert (around, "rechazado", ["FIR003"]) in found
    again = holder.signed(CONTENT, detached=False)
    drop(workspace, again, name=NAME + ".p7m")
    (outcome,) = service.once(ports)
    assert outcome.received.name == NAME
    assert not [code for code, _ in outcome.findings.by_code() if code.startswith("FIR")]
    assert outcome.counts.read == 4
    receipt = ports.registry.receipt(outcome.received.guid)
    assert receipt
    assert ports.archive.fetch(receipt.sha256) == again
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def test_a_check_and_a_file_named_by_an_operator_see_the_signature_beside_it(workspace: Path) -> None:
    authority = Authority.new()
    ports, holder = signing(workspace, "require", authority), authority.entity()
    path = workspace / NAME
    path.write_bytes(CONTENT)

    def checked() -> list[str]:
        name, signed, signature = service.named(path, ports)
        received = Received("-", name, path.read_bytes(), NOW, "CC10000001", signed=signed, signature=signature)
        outcome = service.check(received, ports, shelf=ports.shelf, limits=ports.limits, signatures=True)
        return [code for code, _ in outcome.findings.by_code()]

    assert checked() == ["FIR001"]
    (workspace / SIGNATURE).write_bytes(holder.signed(b"otra cosa"))
    assert [code[:3] for code in checked()] == ["FIR"]
    (workspace / SIGNATURE).write_bytes(holder.signed(CONTENT))
    assert checked() == []
    service.submit(path, "CC10000001", ports)
    assert judged(workspace, ports) == [(NAME, "cargado", [])]
    around = workspace / f"{NAME}.p7m"
    around.write_bytes(holder.signed(CONTENT, detached=False))
    assert service.named(around, ports)[:2] == (NAME, ENVELOPED)
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def test_without_a_current_list_files_wait_and_lose_no_attempt(workspace: Path) -> None:
    authority = Authority.new()
    ports = signing(workspace, "require", authority)
    (workspace / "firmas/listas/0.crl").unlink()
    drop(workspace, CONTENT)
    holder: Holder = authority.entity()
    drop(workspace, holder.signed(CONTENT), name=SIGNATURE)
    assert service.once(ports) == []
    (waits,) = ports.registry.pending()
    assert (waits.state, waits.attempts) == ("recibido", 0)
    authority.install(workspace / "firmas")
    (outcome,) = service.once(ports)
    assert outcome.verdict == "cargado"
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
