"""Mail under pressure: floods become digests that list every receipt, a dead server loses nothing, refusals are seen."""

import csv
import dataclasses
import email
import email.policy
import io
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import GOOD
from test_service import drop
from worlds import NAME, NOW, file_of

from pisis_batch import reports, service
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import mail as mail_table
from pisis_batch.adapters.sql_tables import receipt as receipt_table
from pisis_batch.adapters.sql_tables import run as run_table
from pisis_batch.model import Letter
from pisis_batch.ports import REFUSED, Mail, Ports


class Sink:
    """A mailer that takes everything, or answers what it is told to."""

    def __init__(self) -> None:
        self.taken: list[Mail] = []
        self.answer: str | None = None
        self.tries = 0

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        for mail in mails:
            self.tries += 1
            if self.answer is None:
                self.taken.append(mail)
            yield mail, self.answer


class Moving:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> object:
        return self.now


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def moving() -> Moving:
    return Moving()


@pytest.fixture
def served(ports: Ports, sink: Sink, moving: Moving) -> Ports:
    return dataclasses.replace(ports, mailer=sink, clock=moving)  # type: ignore[arg-type]  # a clock that moves


def flood(ports: Ports, many: int) -> list[str]:
    """Receipts of rejected files with their messages, as the service leaves them (written at once: it is about mail)."""
    registry = ports.registry
    assert isinstance(registry, SqlRegistry)
    guids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(many)]
    with registry.engine.begin() as connection:
        connection.execute(
            receipt_table.insert(),
            [
                {
                    "guid": guid, "file_name": NAME, "sha256": guid, "md5": "", "size": 0, "sender": "CC10000001",
                    "received_at": NOW.isoformat(), "state": "terminado", "attempts": 1, "lane": "x",
                    "lane_place": place,
                }
                for place, guid in enumerate(guids, start=1)
            ],
        )  # fmt: skip
        connection.execute(
            run_table.insert(),
            [
                {
                    "guid": guid, "latest": True, "verdict": "rechazado", "ruleset": "", "counts": {}, "changes": {},
                    "errors": 1, "published": True,
                }
                for guid in guids
            ],
        )  # fmt: skip
        connection.execute(
            mail_table.insert(),
            [
                {
                    "guid": guid, "kind": "acta", "recipient": recipient, "subject": "s",
                    "message_id": f"<{guid}.{recipient}>", "body": b"", "next_try": NOW.isoformat(),
                }
                for guid in guids
                for recipient in ("a@x.example", "b@x.example")
            ],
        )  # fmt: skip
    return guids


def listed(mail: Mail) -> list[str]:
    message = email.message_from_bytes(mail.body, policy=email.policy.default)
    (attached,) = message.iter_attachments()
    text = attached.get_content() if isinstance(attached.get_content(), str) else attached.get_content().decode()
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    return [row[0] for row in rows[1:]]


def test_ten_thousand_bad_files_send_few_messages_and_every_receipt_is_told(
    served: Ports, sink: Sink, moving: Moving
) -> None:
    guids = flood(served, 10_000)
    service.deliver(served)
    assert len(sink.taken) <= 25
    for recipient in ("a@x.example", "b@x.example"):
        told = [mail for mail in sink.taken if mail.recipient == recipient]
        by_themselves = {mail.guid for mail in told if mail.kind == "acta"}
        (digest,) = [mail for mail in told if mail.kind == "resumen"]
        assert by_themselves | set(listed(digest)) == set(guids)
    states = {state for run in served.registry.runs(limit=50) for state in run["mails"]}
    assert states == {"en resumen"}


def test_a_second_flood_waits_for_the_next_hour(served: Ports, sink: Sink, moving: Moving) -> None:
    guids = flood(served, 15)
    service.deliver(served)
    before = len(sink.taken)
    registry = served.registry
    assert isinstance(registry, SqlRegistry)
    with registry.engine.begin() as connection:
        again = mail_table.c.digest.is_not(None)
        connection.execute(mail_table.update().where(again).values(digest=None))
    moving.now = NOW + timedelta(minutes=5)
    service.deliver(served)
    assert len(sink.taken) == before
    moving.now = NOW + timedelta(minutes=66)
    service.deliver(served)
    assert len(sink.taken) > before
    told = {mail.guid for mail in sink.taken if mail.recipient == "a@x.example"}
    digests = [guid for mail in sink.taken if mail.kind == "resumen" for guid in listed(mail)]
    assert told | set(digests) >= set(guids)


def test_five_days_without_a_server_lose_nothing_and_drain_in_order(
    workspace: Path, served: Ports, sink: Sink, moving: Moving
) -> None:
    sink.answer = "SMTPConnectError"
    for number in range(4):
        drop(workspace, file_of(GOOD.replace("MEDICO", f"MEDICO {number}")))
        service.once(served)
    while moving.now < NOW + timedelta(days=5):
        moving.now += timedelta(minutes=30)
        service.deliver(served)
    waiting = sum(run["mails"].get("reintento", 0) for run in served.registry.runs())
    assert waiting == sum(sum(run["mails"].values()) for run in served.registry.runs()) > 0
    assert sink.tries / waiting < 60, "a server that is down is left in peace"
    sink.answer = None
    moving.now += timedelta(hours=7)
    service.deliver(served)
    assert {state for run in served.registry.runs() for state in run["mails"]} == {"enviado"}
    assert [mail.id for mail in sink.taken] == sorted(mail.id for mail in sink.taken)


def test_a_refusal_for_good_is_not_repeated_and_operations_see_it(
    workspace: Path, served: Ports, sink: Sink, moving: Moving
) -> None:
    sink.answer = f"{REFUSED}destinatario (550)"
    drop(workspace, file_of(GOOD))
    service.once(served)
    tries = sink.tries
    moving.now += timedelta(days=1)
    assert service.deliver(served) == (0, 0)
    assert sink.tries == tries
    (run,) = served.registry.runs()
    assert set(run["mails"]) == {"rechazado"}


#: What may stand in a header of ours, and nothing else.
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
}  # fmt: skip


def hostile_subjects() -> list[str]:
    seeds = [
        "a\r\nBcc: x@y.example", "a\nBcc: x@y.example", "a\rBcc: x@y.example", "=?utf-8?q?=0ABcc=3A_x@y.example?=",
        "=?utf-8?b?CkJjYzogeEB5LmV4YW1wbGU=?=", "a\x00b", "a\x0bBcc: x", "a\x85Bcc: x", "a\u2028Bcc: x", "a\u2029Bcc: x",
        "a\x0cBcc: x", "a\x1cBcc: x", "\r\n\r\n<html>", "a\r\n.\r\nMAIL FROM:<x@y.example>", "\udcff\udcfe",
        "=?utf-8?q?a?=\r\n =?utf-8?q?=0ABcc=3A_x?=", ": :", "\t\r\n\tBcc: x",
    ]  # fmt: skip
    return [
        ("x" * pad) + seed + tail
        for seed in seeds
        for pad in (0, 1, 30, 66, 69, 70, 71, 75, 200)
        for tail in ("", "\r\n", "?=")
    ]


def test_no_text_becomes_a_header_whatever_it_is() -> None:
    corpus = hostile_subjects()
    assert len(corpus) >= 480
    passed = 0
    for subject in corpus:
        letter = Letter("acta", ("a@x.example",), subject, "<p>x</p>", "x")
        try:
            (made,) = reports.render(letter, "guid", NOW, "PISIS <no-responder@pisis.example>")
        except (ValueError, UnicodeError):
            continue  # refused: nothing is sent
        passed += 1
        head = made.body.partition(b"\r\n\r\n")[0]
        names = {line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"}
        assert names == HEADERS, subject
        assert b"\n" not in head.replace(b"\r\n", b"")
        assert b"\r" not in head.replace(b"\r\n", b"")
    assert passed > 0
