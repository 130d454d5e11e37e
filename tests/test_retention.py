"""What is let go: nothing that waits, nothing twice, and afterwards nothing of it is anywhere."""

import dataclasses
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from conftest import BOTH, GOOD
from test_service import drop
from worlds import NOW, file_of

from pisis_batch import service
from pisis_batch.adapters import sql_retention
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import chain, document, finding, lane, link, mail, metadata, receipt, run
from pisis_batch.cli import root
from pisis_batch.model import Id
from pisis_batch.ports import OF_RECEIPTS, Ports, Retention, UnavailableError
from pisis_batch.service import keeping

NUMBER, NAME = "1090777123", "CANARIOUNO"
CANARY = f"2|1|CC|{NUMBER}|{NAME}|CANARIODOS|V|3150777123|MEDICO|0|2026-12-31|{NAME}@ese.gov.co"
WRONG = file_of(CANARY.replace("|2026-12-31|", "|2026-13-31|").replace("|3150777123|", f"|{NAME}X|"))
YEAR = Retention(originales=365, documentos=365, cartas=365, valores=365, historia=365, auditoria=365)
SCAN = re.compile(rb"1090777123|CANARIO|3150777123", re.IGNORECASE)


def registry(ports: Ports) -> SqlRegistry:
    assert isinstance(ports.registry, SqlRegistry)
    return ports.registry


def later(ports: Ports, days: int = 400, retention: Retention = YEAR) -> Ports:
    return dataclasses.replace(ports, clock=lambda: NOW + timedelta(days=days), retention=retention)


def seen(workspace: Path, ports: Ports) -> list[str]:
    """Where a canary is still met: files of the workspace, and every text of the database."""
    found = [
        str(path.relative_to(workspace))
        for path in workspace.rglob("*")
        if path.is_file() and SCAN.search(path.read_bytes() + path.name.encode())
    ]
    with registry(ports).engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(sa.select(table)).all()
            found += [f"{table.name}: {row}" for row in rows if SCAN.search(str(tuple(row)).encode())]
    return found


def one(ports: Ports, query: sa.Select[tuple[int]]) -> int:
    with registry(ports).engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


@pytest.fixture
def rejected(workspace: Path, ports: Ports) -> str:
    drop(workspace, WRONG)
    (outcome,) = service.once(ports)
    assert outcome.verdict == "rechazado"
    assert len(seen(workspace, ports)) > 8, "there is something to let go of"
    return outcome.received.guid


@BOTH
def test_after_its_time_nothing_of_a_file_is_left(workspace: Path, ports: Ports, rejected: str) -> None:
    assert service.retain(later(ports, 364)) == {}
    done = service.retain(later(ports))
    assert {kind: done[kind] > 0 for kind in done} == dict.fromkeys([*OF_RECEIPTS, "auditoria"], True)
    ports.registry.compact()
    assert seen(workspace, ports) == []
    assert one(ports, sa.select(sa.func.count()).select_from(document)) == 0
    with registry(ports).engine.connect() as connection:
        (told,) = connection.execute(sa.select(receipt)).all()
        letters = connection.execute(sa.select(mail)).all()
        codes = list(connection.scalars(sa.select(finding.c.code)))
    assert (told.guid, told.state, len(codes) > 0) == (rejected, "terminado", True)
    assert all(letter.sent_at and not letter.body and "@" not in letter.recipient for letter in letters)
    assert service.fsck(ports).offenders == ()
    assert service.retain(later(ports)) == {}


UNSETTLED = {
    "its mail waits": mail.update().values(sent_at=None),
    "a digest that tells of it waits": mail.update().where(mail.c.kind != "resumen").values(sent_at=None, digest="d"),
    "its documents are not out": run.update().values(published=False),
    "it is held": receipt.update().values(state="retenido"),
    "it waits": receipt.update().values(state="recibido"),
    "it is judged again": lane.update().values(lease_until=4e9, owner="x"),
}


def test_nothing_that_waits_is_let_go(ports: Ports, rejected: str) -> None:
    """Each reason to wait alone, taken back after it was tried."""
    told = {"guid": "-", "kind": "resumen", "recipient": "a@b.example", "subject": "", "message_id": "d"}
    for what, statement in {"nothing": None, **UNSETTLED}.items():
        for kind in OF_RECEIPTS:
            with registry(ports).engine.connect() as connection, connection.begin() as transaction:
                if statement is not None:
                    connection.execute(statement)
                    connection.execute(mail.insert().values(**told, body=b"x", next_try="2026"))
                keys = registry(ports).keys
                taken = sql_retention.take(connection, keys, kind, "2030-01-01", NOW.isoformat(), guids=None)
                transaction.rollback()
            assert taken == ([rejected] if what == "nothing" else []), (what, kind)


class KilledError(BaseException):
    pass


def test_an_interrupted_run_is_taken_up(
    workspace: Path, ports: Ports, rejected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, point in (("documentos", "let_go"), ("cartas", "removing"), ("originales", "removed")):

        def dying(name: str, point: str = point) -> None:
            if name == point:
                raise KilledError

        with monkeypatch.context() as patch:
            patch.setattr(keeping, "crashpoint", dying)
            with pytest.raises(KilledError):
                keeping.erase_class(later(ports), kind, date(2030, 1, 1))
        assert ports.registry.unfinished()
        assert service.fsck(ports).offenders == ()
        keeping.finish(ports)
        assert ports.registry.unfinished() == []
    keeping.erase_class(later(ports), "valores", date(2030, 1, 1))
    ports.registry.compact()
    assert seen(workspace, ports) == []
    assert service.fsck(ports).offenders == ()


def test_an_original_stays_as_long_as_any_receipt_needs_it(workspace: Path, ports: Ports, rejected: str) -> None:
    drop(workspace, WRONG)
    service.once(later(ports, 300))
    assert keeping.erase_class(later(ports), "originales", keeping.limit(later(ports), "originales") or date.min) == 0
    assert service.fsck(ports).offenders == ()
    much_later = later(ports, 700)
    assert keeping.erase_class(much_later, "originales", keeping.limit(much_later, "originales") or date.min) == 2
    assert not list((workspace / "var/archive").glob("??/*"))
    assert service.fsck(ports).offenders == ()


def test_the_same_bytes_that_arrive_while_they_are_erased_are_not_lost(
    workspace: Path, ports: Ports, rejected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever comes first: the new receipt is seen, or its intake sees that the bytes are gone."""
    erase = type(ports.archive).erase
    sender = workspace / "again.TXT"
    sender.write_bytes(WRONG)

    def racing(archive: object, sha256: str, wanted: Callable[[], bool]) -> bool:
        def meanwhile() -> bool:
            service.submit(sender, "CC10000001", ports)
            return wanted()

        return erase(archive, sha256, meanwhile)  # type: ignore[arg-type]

    monkeypatch.setattr(type(ports.archive), "erase", racing)
    keeping.erase_class(later(ports), "originales", date(2030, 1, 1))
    monkeypatch.undo()
    keep, gone = type(ports.archive).keep, []

    def lost(archive: object, source: Path) -> tuple[str, str, int]:
        kept = keep(archive, source)  # type: ignore[arg-type]
        if not gone:
            gone.append(kept)
            (workspace / "var/archive" / kept[0][:2] / kept[0]).unlink()
        return kept

    monkeypatch.setattr(type(ports.archive), "keep", lost)
    service.submit(sender, "CC10000001", ports)
    monkeypatch.undo()
    assert [offender.what for offender in service.fsck(ports).offenders] == []
    assert len(service.once(ports)) == 2


def test_what_is_judged_again_is_told_again_and_young(workspace: Path, ports: Ports, rejected: str) -> None:
    keeping.erase_class(later(ports), "documentos", date(2030, 1, 1))
    folder = workspace / "outbox/CC10000001" / rejected
    assert not folder.exists()
    service.reprocess(rejected, later(ports), apply=True)
    service.once(later(ports))
    assert (folder / "ack.json").exists()
    assert "documentos" not in service.retain(later(ports, 401))
    assert (folder / "ack.json").exists()
    assert service.fsck(ports).offenders == ()


def test_a_thinned_audit_is_still_whole_and_what_is_not_said_is_found(
    workspace: Path, ports: Ports, rejected: str
) -> None:
    before = ports.registry.audit_head()
    keeping.erase_class(later(ports), "auditoria", date(2027, 1, 1))
    found = ports.registry.audit_verify(before)
    assert (found.offenders, found.thinned, found.entries) == ((), before.seq, 1)
    assert service.fsck(ports).offenders == ()
    drop(workspace, file_of(GOOD))
    service.once(later(ports))
    with registry(ports).engine.begin() as connection:
        last = connection.scalar(sa.select(sa.func.max(chain.c.seq)))
        connection.execute(
            sa.text("DELETE FROM audit WHERE batch = (SELECT batch FROM audit_chain WHERE seq = :s)"), {"s": last}
        )
    assert any("se borraron" in one.what for one in ports.registry.audit_verify().offenders)


def test_history_that_ended_long_ago_goes_and_what_holds_stays(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    service.once(ports)
    assert service.retain(later(ports, 400, Retention(historia=365)))["historia"] == 2
    with registry(ports).engine.connect() as connection:
        left = connection.execute(sa.select(link.c.num_id, link.c.valid_to)).all()
    assert sorted(tuple(row) for row in left) == [("1090000001", None), ("1090000002", None)]
    assert service.fsck(ports).offenders == ()


def test_without_a_day_nothing_is_let_go(ports: Ports, rejected: str) -> None:
    assert service.retain(later(ports, 4000, Retention(0, 0, 0, 0, 0, 0))) == {}


# one person


@BOTH
def test_a_person_is_taken_out_of_everything(workspace: Path, ports: Ports, rejected: str) -> None:
    for content in (file_of(CANARY), file_of(f"2|1|CC|{NUMBER}|{NAME}|CANARIODOS|O|||||")):
        drop(workspace, content)
        assert [str(outcome.verdict) for outcome in service.once(ports)] == ["cargado"]
    who = Id("CC", NUMBER)
    fixed = service.erase_person(ports, who, "CC10000080")
    assert (fixed.obstacles, fixed.waiting, len(fixed.originals)) == ((), (), 3)
    left = [where for where in seen(workspace, ports) if "var/archive" not in where and "registry.db" not in where]
    assert left == []
    assert service.erase_person(ports, who, "CC10000080", originals=True).originals == ()
    ports.registry.compact()
    assert seen(workspace, ports) == []
    found = ports.registry.audit_verify()
    assert found.offenders == ()
    assert any(entry.who == "CC10000080" for entry in ports.registry.audit_entries("retencion"))
    assert service.fsck(ports).offenders == ()


def test_who_is_a_user_stays_until_its_entity_says_so(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(CANARY))
    (outcome,) = service.once(ports)
    assert outcome.verdict == "cargado", outcome.findings.frame
    before = seen(workspace, ports)
    kept = service.erase_person(ports, Id("CC", NUMBER), "CC10000080", originals=True)
    assert kept.obstacles == ("sigue vinculada a NI 900123456", "tiene un perfil en NI 900123456")
    assert ports.registry.unname(Id("CC", NUMBER), NOW, "CC10000080") == 0
    assert seen(workspace, ports) == before
    for number, why in (("10000001", "representa a"), ("10000002", "es contacto de")):
        assert any(one.startswith(why) for one in ports.registry.trace(Id("CC", number)).obstacles)


def test_a_sender_and_an_approver_leave_their_pseudonym(workspace: Path, ports: Ports) -> None:
    drop(workspace, WRONG, name="SIN NOMBRE.TXT", sender=f"CC{NUMBER}")
    (outcome,) = service.once(ports)
    ports.registry.let_go("historia", date(2030, 1, 1), NOW, by=f"CC{NUMBER}")
    done = service.erase_person(ports, Id("CC", NUMBER), "CC10000080", originals=True)
    assert (done.obstacles, done.waiting) == ((), ())
    ports.registry.compact()
    (workspace / f"inbox/CC{NUMBER}").rmdir()
    (workspace / f"outbox/CC{NUMBER}").rmdir()
    assert seen(workspace, ports) == []
    assert ports.registry.audit_verify().offenders == ()
    assert service.fsck(ports).offenders == ()
    kept = ports.registry.receipt(outcome.received.guid)
    assert kept
    assert re.fullmatch("[0-9a-f]{40}", kept.sender or "")


# as an operator does it


def said(workspace: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(root, ["-w", str(workspace), *words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_an_operator_sees_first_and_then_lets_go(
    workspace: Path, ports: Ports, rejected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PISIS_NOW", (NOW + timedelta(days=400)).isoformat())
    plan = said(workspace, "retention")
    assert "originales  se guardan siempre" in plan
    assert re.search(r"documentos +365 días: 1 archivos anteriores a 2026-07-15, desde|documentos +365 días: 1 ", plan)
    assert "repita la orden con --apply" in plan
    assert (workspace / "outbox/CC10000001" / rejected).exists()
    assert said(workspace, "retention", "--apply").endswith("Borrado.\n")
    assert not (workspace / "outbox/CC10000001" / rejected).exists()
    assert said(workspace, "retention", "--apply").endswith("No había nada que borrar.\n")
    said(workspace, "retention", "--apply", "--dry-run", code=2)
    assert "Se borrarían 1 archivos" in said(
        workspace, "erase", "class", "originales", "--before", "2030-01-01", "--by", "CC10000080"
    )
    words = ["erase", "class", "originales", "--before", "2030-01-01", "--by", "CC10000080", "--apply"]
    assert said(workspace, *words) == "Borrado: 1 archivos de la clase originales.\n"
    assert seen(workspace, ports) == []
    assert "EST0" in said(workspace, "runs", "show", rejected)
    assert "borrar originales anteriores a 2030-01-01: 1, CC10000080" in said(workspace, "audit", "show", "retencion")
    assert said(workspace, "doctor", "--fsck", code=0)


def test_an_operator_takes_a_person_out(workspace: Path, ports: Ports, rejected: str) -> None:
    plan = said(workspace, "erase", "person", f"CC:{NUMBER}", "--by", "CC10000080")
    assert "1 archivos; 1 en su original" in plan
    done = said(workspace, "erase", "person", f"CC:{NUMBER}", "--by", "CC10000080", "--apply")
    assert f"{rejected}: su original la nombra y se conserva" in done
    stays = said(workspace, "erase", "person", "CC:10000001", "--by", "CC10000080", "--apply", code=1)
    assert "representa a NI 900123456" in stays
    said(workspace, "erase", "person", "CC:10000001", "--by", "?", code=2)


def test_a_database_in_use_is_emptied_and_not_rewritten(workspace: Path, ports: Ports, rejected: str) -> None:
    with registry(ports).engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
        with registry(ports).engine.connect() as other:
            other.connection.driver_connection.execute("PRAGMA busy_timeout=50")  # type: ignore[union-attr]
        with pytest.raises(UnavailableError):
            registry(ports).compact()


def test_a_run_of_an_erased_original_says_so(workspace: Path, ports: Ports, rejected: str) -> None:
    keeping.erase_class(later(ports), "originales", date(2030, 1, 1))
    assert "su original ya se borró" in said(workspace, "reprocess", "--rejected", code=1)
