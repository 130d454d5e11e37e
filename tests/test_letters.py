"""`pisis deliver --status`: what waits, since when, why, and what was refused; nobody's address in full."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import BOTH, GOOD
from test_service import drop
from worlds import NOW, file_of

from pisis_batch import service
from pisis_batch.adapters import sqlite_driver
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.cli import root
from pisis_batch.model import Rendered
from pisis_batch.ports import REFUSED, Ports
from pisis_batch.reports import mime


@BOTH
def test_the_queue_of_messages_is_told_with_its_refusals(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    assert service.process(guid, ports)
    first, second, third, *_ = ports.registry.mails_due(NOW)
    ports.registry.mail_sent([first], NOW)
    ports.registry.mail_refused(second, f"{REFUSED}destinatario (550)")
    ports.registry.mail_failed(third, "SMTPConnectTimeoutError", NOW)
    letters = ports.registry.letters()
    assert letters.states == {"enviado": 1, "rechazado": 1, "reintento": 1, "en cola": 1}
    assert letters.oldest == NOW
    assert letters.reasons == {"SMTPConnectTimeoutError": 1}
    monkeypatch.setenv("PISIS_NOW", NOW.isoformat())
    told = CliRunner().invoke(root, ["-w", str(workspace), "deliver", "--status"])
    assert told.exit_code == 0, told.output
    assert "rechazado: 1" in told.output
    assert "destinatario (550)" in told.output
    assert second.recipient not in told.output
    assert second.recipient.partition("@")[2] in told.output
    monkeypatch.setenv("PISIS_NOW", NOW.replace(hour=23).isoformat())
    late = CliRunner().invoke(root, ["-w", str(workspace), "deliver", "--status", "--format", "json"])
    assert late.exit_code == 3
    assert json.loads(late.output)["states"]["reintento"] == 1
    assert second.recipient not in late.output


def test_a_message_that_went_out_is_not_written_again(tmp_path: Path) -> None:
    """SQLite writes over a row that keeps its size, and only pages that differ: none of a body but its last."""
    if not sqlite_driver.has_sound_log():
        pytest.skip("esta SQLite no escribe un diario que se pueda contar")
    registry = SqlRegistry(f"sqlite:///{tmp_path / 'registry.db'}")
    registry.migrate()
    long = random.Random(1).randbytes(40_000)
    told = [Rendered("acta", f"{n}@x.example", "s", f"<{n}@pisis.example>", long) for n in range(4)]
    assert registry.notify("g", told, NOW)
    log = tmp_path / "registry.db-wal"
    before, due = log.stat().st_size, registry.mails_due(NOW)
    assert [mail.body for mail in due] == [long] * 4
    registry.mail_sent(due, NOW)
    pages = (log.stat().st_size - before) // (24 + 4096)
    assert 0 < pages <= 10  # of 40: the last of each body, what tells of all four, and three indexes
    assert registry.mails_due(NOW) == []
    assert registry.letters().states == {"enviado": 4}
    registry.close()


@pytest.mark.parametrize(
    "subject",
    [
        "Cargado: SEG500USIN20260715NI000900123456.TXT (e70e425b)",
        "Estructura correcta: a_b-c.TXT (00000000)",
        "Estructura correcta: SEG500USIN20260715NI000900123456.TXT (e70e425b)",
        *("a" * many for many in (60, 61, 66, 67)),
        *(" ".join(["palabra"] * many)[: -cut or None] for many in (9, 10, 25) for cut in range(8)),
        *(f"{'a' * many} {'b' * 60} c" for many in (5, 8, 9, 10, 16, 17, 60)),
        "=?utf-8?q?x?=",
        "dos  espacios",
        "tildes: sí",
        "(sin cerrar, \\ y «comillas»",
    ],
)
def test_a_plain_subject_is_sent_as_the_library_sends_it(subject: str) -> None:
    _, parsed = mime._POLICY.header_store_parse("Subject", subject)
    assert mime._header("Subject", subject) == mime._POLICY.fold_binary("Subject", parsed)
