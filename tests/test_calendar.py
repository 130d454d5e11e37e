"""What the calendar asks for: contracts that end, periods about to close, what need not be kept."""

import dataclasses
from datetime import date, timedelta
from pathlib import Path

import pytest
from conftest import BOTH, GOOD, load
from test_service import drop, linked, mails
from worlds import NOW, file_of

from pisis_batch import service
from pisis_batch.adapters.inline_queue import InlineQueue
from pisis_batch.model import Id
from pisis_batch.ports import Calendar, Chore, Ports
from pisis_batch.service import chores

PERIODS = """anexo,inicio,corte,reporte_desde,reporte_hasta
SEG500USIN,2026-07-01,2026-07-15,2026-07-10,2026-07-31
SEG500USIN,2026-08-01,2026-08-15,2026-08-10,2026-08-31
"""


def later(ports: Ports, days: int) -> Ports:
    return dataclasses.replace(ports, clock=lambda: NOW + timedelta(days=days))


@BOTH
def test_a_contract_that_ended_is_closed_once_told_and_needs_v_again(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    service.once(ports)
    ended_on = date(2026, 12, 31)
    last_day = later(ports, (ended_on - NOW.date()).days)
    assert service.expire(last_day) == []
    next_day = later(ports, (ended_on - NOW.date()).days + 1)
    (ended,) = service.expire(next_day, "CC10000002")
    assert ended.users["num_id"].to_list() == ["1090000002"]
    assert [one.who for one in ports.registry.audit_entries("vencimiento")] == ["CC10000002"]
    assert service.expire(next_day) == []
    assert linked(ports) == ["1090000001 186/1274 PISIS/NEO"]
    user = ports.registry.user(Id("CC", "1090000002"))
    assert user
    assert [row["to_guid"] for row in (*user["links"], *user["grants"])] == ["vencimiento"] * 2
    service.deliver(next_day)
    (told,) = [message for message in mails(workspace) if str(message["Subject"]).startswith("Contratos terminados")]
    assert told["To"] == "contacto@ese.gov.co"
    body = told.get_body(("plain",))
    assert body
    assert "1090000002" not in body.get_content()
    (attached,) = told.iter_attachments()
    assert '"1090000002"' in attached.get_content()


def test_a_file_in_hand_keeps_its_entitys_contracts_for_the_next_hour(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    service.once(ports)
    year_later = later(ports, 365)
    (guid,) = [run["guid"] for run in ports.registry.runs()]
    fence = ports.registry.attempt(guid, again=True)
    assert fence
    assert service.expire(year_later) == []
    ports.registry.give_back(guid, fence)
    assert len(service.expire(year_later)) == 1
    assert not ports.registry.renew(guid, fence)


@BOTH
def test_who_reported_before_and_not_yet_is_reminded_once(workspace: Path, ports: Ports) -> None:
    load(ports, "periods", PERIODS)
    drop(workspace, file_of(GOOD))
    service.once(ports)
    on = {day: (date.fromisoformat(day) - NOW.date()).days for day in ("2026-07-30", "2026-08-20", "2026-08-29")}
    assert chores.remind(later(ports, on["2026-07-30"])) == 0  # reported
    assert chores.remind(later(ports, on["2026-08-20"])) == 0  # there is time
    assert chores.remind(dataclasses.replace(later(ports, on["2026-08-29"]), calendar=Calendar(remind=0))) == 0
    assert chores.remind(later(ports, on["2026-08-29"])) == 1
    assert chores.remind(later(ports, on["2026-08-29"])) == 0
    service.deliver(later(ports, on["2026-08-29"]))
    (told,) = [message for message in mails(workspace) if str(message["Subject"]).startswith("Recordatorio")]
    assert "termina en 2 días, el 2026-08-31" in str(told["Subject"])


def test_only_what_was_handed_over_long_ago_is_forgotten(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    assert chores.forget(later(ports, 400)) == 0
    keeping = dataclasses.replace(ports, calendar=Calendar(keep=30))
    assert chores.forget(keeping) == 0
    assert chores.forget(dataclasses.replace(keeping, clock=lambda: NOW + timedelta(days=31))) > 4
    assert ports.archive.fetch(outcome.received.sha256) == file_of(GOOD)
    assert ports.registry.runs()[0]["mails"] == {"enviado": 4}


def test_one_process_does_chores_when_they_are_due_and_survives_them(ports: Ports) -> None:
    done: list[str] = []

    def failing() -> None:
        done.append("failed")
        raise RuntimeError("1090000001")

    class Work:
        chores = (
            Chore("a", failing, timedelta(hours=1), ""),
            Chore("b", lambda: done.append("b"), timedelta(0), ""),
        )

        def file(self, guid: str) -> None:
            raise AssertionError(guid)

    queue = InlineQueue(ports.registry)
    for _ in range(2):
        queue.pump(Work(), lambda: False)
    assert done == ["failed", "b", "b"]


@pytest.mark.parametrize("chore", ["correo", "publicar", "vencimientos", "recordatorios"])
def test_every_chore_runs_on_an_empty_registry(ports: Ports, chore: str) -> None:
    (found,) = [one for one in chores.chores(ports) if one.name == chore]
    found.run()
