"""Leases and fences: one worker per entity, in order, and a worker who slept past its lease changes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from conftest import GOOD, load
from test_service import drop, linked
from worlds import NAME, NOW, file_of

from pisis_batch import service
from pisis_batch.adapters import sql_lanes
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.ports import Ports, Receipt
from pisis_batch.service import processing
from pisis_batch.settings import Settings


def received(ports: Ports, *names: str, sender: str = "CC10000001") -> list[str]:
    guids = []
    for place, name in enumerate(names):
        guid = f"00000000-0000-4000-8000-{place:012d}"
        ports.registry.accept(
            Receipt(guid, name, "a" * 64, "B" * 32, 0, sender, NOW, lane=service.lane(name, sender, ports))
        )
        guids.append(guid)
    return guids


@pytest.fixture
def other(workspace: Path) -> SqlRegistry:
    return SqlRegistry(Settings.load(workspace).database.get_secret_value())


def test_files_of_one_entity_are_worked_on_one_at_a_time_and_in_order(ports: Ports, other: SqlRegistry) -> None:
    first, second = received(ports, NAME, NAME)
    assert other.attempt(second) is None
    fence = ports.registry.attempt(first)
    assert fence == 1
    assert other.attempt(first) is None
    assert other.attempt(second) is None
    ports.registry.give_back(first, fence)
    assert other.attempt(first) == 2
    other.close()


def test_files_of_two_entities_do_not_wait_for_each_other(ports: Ports, other: SqlRegistry) -> None:
    first, second = received(ports, NAME, NAME.replace("900123456", "900654321"))
    assert ports.registry.attempt(first) == 1
    assert other.attempt(second) == 1
    other.close()


def test_a_name_that_tells_no_entity_queues_by_its_sender(ports: Ports) -> None:
    assert service.lane(NAME, "CC10000001", ports) == "NI 900123456"
    assert service.lane(NAME, "CC10000002", ports) == "NI 900123456"
    assert service.lane("LEAME.TXT", "CC10000001", ports) == "@CC10000001"
    assert service.lane("LEAME.TXT", None, ports) == "@"


@pytest.mark.parametrize("sender", ["CC10000050", "CC10000099", "LEAME", None])
def test_whoever_may_not_send_for_an_entity_stands_in_nobodys_way(ports: Ports, sender: str | None) -> None:
    """A flood of files named after an entity, by a stranger, does not hold up the entity's own."""
    theirs = received(ports, *[NAME] * 5, sender=sender or "")
    assert service.lane(NAME, sender, ports) == f"NI 900123456 @{sender or ''}"
    own = "00000000-0000-4000-8000-000000000099"
    lane = service.lane(NAME, "CC10000001", ports)
    ports.registry.accept(Receipt(own, NAME, "a" * 64, "B" * 32, 0, "CC10000001", NOW, lane=lane))
    assert ports.registry.attempt(theirs[0]) == 1
    assert ports.registry.ahead(own) == [own]
    assert ports.registry.attempt(own) == 1


def test_who_was_a_stranger_on_reception_is_judged_as_one_until_asked_again(workspace: Path, ports: Ports) -> None:
    """Its queue is not the entity's, so what was granted while it waited must not let it change anything there."""
    drop(workspace, file_of(GOOD), sender="CC10000050")
    (guid,) = service.take_in(ports)
    load(
        ports,
        "users",
        "entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo\n"
        "NI,900123456,CC,10000050,3000000003,MEDICO,1,,eva@ese.gov.co\n",
    )
    outcome = service.process(guid, ports)
    assert outcome
    assert [finding.code for finding in outcome.findings] == ["REM003"]
    assert service.reprocess(guid, ports, apply=False).verdict == "cargado"


def test_a_worker_that_slept_past_its_lease_writes_nothing(
    workspace: Path, ports: Ports, other: SqlRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports.registry.lease_seconds = -1.0  # type: ignore[attr-defined]  # the database adapter has it
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    judge = processing._judge
    stolen: list[int | None] = []

    def slow(*args: object, **more: object) -> object:
        stolen.append(other.attempt(guid))
        return judge(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(processing, "_judge", slow)
    assert service.process(guid, ports) is None
    assert stolen == [2]
    assert linked(ports) == ["1090000003 PISIS/NEO"]
    found = ports.registry.receipt(guid)
    assert found
    assert (found.state, found.attempts, found.interruptions, found.fence) == ("procesando", 1, 1, 2)
    assert not ports.registry.renew(guid, 1)
    assert other.renew(guid, 2)
    other.close()


def test_the_lease_of_a_dead_process_of_this_host_is_taken_over_at_once(workspace: Path, ports: Ports) -> None:
    (guid,) = received(ports, NAME)
    program = (
        "import os, sys\nfrom pisis_batch.adapters.sql_registry import SqlRegistry\n"
        "fence = SqlRegistry(sys.argv[1]).attempt(sys.argv[2])\nos._exit(fence)\n"
    )
    url = Settings.load(workspace).database.get_secret_value()
    assert subprocess.run([sys.executable, "-c", program, url, guid], check=False).returncode == 1
    assert ports.registry.attempt(guid) == 2


def test_owners_are_told_apart() -> None:
    assert not sql_lanes.dead(sql_lanes.owner())
    host = sql_lanes.owner().partition(" ")[0]
    assert sql_lanes.dead(f"{host} 1 12345678901 ab")
    assert sql_lanes.dead(f"{host} 99999999 1 ab")
    assert not sql_lanes.dead("otra/maquina 1 1 ab")
    assert not sql_lanes.dead("")


def test_a_reprocess_while_the_entity_is_being_worked_on_is_refused(
    workspace: Path, ports: Ports, other: SqlRegistry
) -> None:
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    (waiting,) = received(ports, NAME)
    assert other.attempt(waiting)
    with pytest.raises(service.BusyError):
        service.reprocess(outcome.received.guid, ports, apply=True)
    other.close()


def test_a_registry_of_the_first_release_is_brought_along(tmp_path: Path) -> None:
    registry = SqlRegistry(f"sqlite:///{tmp_path / 'old.db'}")
    settings = Config()
    settings.set_main_option("script_location", str(Path(sql_lanes.__file__).parent / "migrations"))
    with registry.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        for place in (1, 2):
            connection.execute(
                sa.text(
                    "INSERT INTO receipt (guid, file_name, sha256, md5, size, sender, received_at, state, attempts) "
                    "VALUES (:guid, 'a', 'b', 'c', 1, 'CC1', :at, 'recibido', 0)"
                ),
                {"guid": f"g{place}", "at": NOW.isoformat()},
            )
    registry.migrate()
    assert [(one.guid, one.lane) for one in registry.pending()] == [("g1", "@CC1"), ("g2", "@CC1")]
    assert registry.attempt("g2") is None
    assert registry.attempt("g1") == 1
    registry.accept(Receipt("g3", "a", "b", "c", 1, "CC1", NOW, lane="@CC1"))
    registry.close()
