"""The accounting invariant finds whatever is taken from it, and a verdict never rests on facts that are no more."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from conftest import BOTH, GOOD, load
from test_service import drop, linked
from worlds import NAME, file_of

from pisis_batch import service
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.cli import root
from pisis_batch.model import Facts, Questions
from pisis_batch.ports import Ports

OTHER = file_of(GOOD.split("\n", maxsplit=1)[0].replace("3150000000", "3159999999"))


@pytest.fixture
def told(workspace: Path, ports: Ports) -> list[str]:
    """Two files of one entity, to their ends; their guids in order of arrival."""
    for content in (file_of(GOOD), OTHER):
        drop(workspace, content)
        service.once(ports)
    return [receipt["guid"] for receipt in reversed(ports.registry.runs())]


def broken(ports: Ports, statement: str, **values: object) -> set[tuple[str, str]]:
    registry = ports.registry
    assert isinstance(registry, SqlRegistry)
    with registry.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        assert connection.execute(sa.text(statement), values).rowcount
    return {(offender.guid, offender.what) for offender in service.fsck(ports).offenders}


def test_a_sound_registry_adds_up(ports: Ports, told: list[str]) -> None:
    accounts = service.fsck(ports)
    assert accounts.offenders == ()
    assert accounts.totals["archivos terminado"] == 2
    assert accounts.totals["correos enviados"] > 0


TAKEN = {
    "UPDATE receipt SET state = 'perdido' WHERE guid = :guid": "está en un estado que no existe",
    "UPDATE run SET latest = 0 WHERE guid = :guid": "terminó sin veredicto",
    "UPDATE receipt SET state = 'recibido' WHERE guid = :guid": "espera y ya tiene veredicto",
    "DELETE FROM document WHERE run_id IN (SELECT id FROM run WHERE guid = :guid)": "tiene un veredicto sin documentos",
    "DELETE FROM audit WHERE guid = :guid AND action = 'recibido'": "su recepción no está en la auditoría",
    "DELETE FROM audit WHERE guid = :guid AND action LIKE 'veredicto%'": "su veredicto no está en la auditoría",
    "UPDATE receipt SET lane_place = 9 WHERE guid = :guid": "está más allá del fin de su fila",
    "UPDATE receipt SET interruptions = 9 WHERE guid = :guid": "se interrumpió más veces de las que se empezó",
}


@pytest.mark.parametrize(("statement", "what"), TAKEN.items())
def test_whatever_is_taken_is_found(ports: Ports, told: list[str], statement: str, what: str) -> None:
    assert (told[0], what) in broken(ports, statement, guid=told[0])


@BOTH
def test_a_link_of_no_entity_is_found(ports: Ports, told: list[str]) -> None:
    """SQLite refuses it; PostgreSQL is told that whoever opens rows holds the entity, and is asked afterwards."""
    assert isinstance(ports.registry, SqlRegistry)
    statement = sa.text("UPDATE link SET entity_id = 999 WHERE from_guid = :guid")
    if ports.registry.engine.dialect.name == "sqlite":
        with ports.registry.engine.begin() as connection, pytest.raises(sa.exc.IntegrityError):
            connection.execute(statement, {"guid": told[0]})
        return
    assert (told[0], "una fila de link nombra algo que no existe") in broken(ports, statement.text, guid=told[0])


def test_a_file_applied_twice_is_found(ports: Ports, told: list[str]) -> None:
    statement = (
        "UPDATE receipt SET sha256 = (SELECT sha256 FROM receipt WHERE guid = :first) WHERE guid IN (:first, :second)"
    )
    found = broken(ports, statement, first=told[0], second=told[1])
    verdicts = [run["verdict"] for run in reversed(ports.registry.runs())]
    assert verdicts == ["cargado", "cargado"], "the two files must both be loaded for this to mean anything"
    assert (told[1], "se aplicó dos veces") in found


def test_effects_out_of_order_are_found(ports: Ports, told: list[str]) -> None:
    statement = "UPDATE receipt SET lane_place = CASE guid WHEN :first THEN 1002 ELSE 1001 END"
    assert (told[0], "tuvo efecto fuera de su orden") in broken(ports, statement, first=told[0])


def test_an_original_that_changed_and_documents_that_went_are_found(
    workspace: Path, ports: Ports, told: list[str]
) -> None:
    receipt = ports.registry.receipt(told[0])
    assert receipt
    original = workspace / "var/archive" / receipt.sha256[:2] / receipt.sha256
    original.chmod(0o600)
    original.write_bytes(b"otra cosa")
    shutil.rmtree(workspace / "outbox/CC10000001" / told[1])
    assert {(one.guid, one.what) for one in service.fsck(ports).offenders} == {
        (told[0], "su original no está, o ya no es el que se recibió"),
        (told[1], "sus documentos no están en la carpeta de salida"),
    }


def test_doctor_names_the_offender_and_fails(workspace: Path, ports: Ports, told: list[str]) -> None:
    sound = CliRunner().invoke(root, ["-w", str(workspace), "doctor", "--fsck"])
    assert sound.exit_code == 0, sound.output
    assert "archivos terminado: 2" in sound.output
    broken(ports, "UPDATE receipt SET state = 'perdido' WHERE guid = :guid", guid=told[0])
    unsound = CliRunner().invoke(root, ["-w", str(workspace), "doctor", "--fsck"])
    assert unsound.exit_code == 3
    assert f"✗ {told[0]}: está en un estado que no existe" in unsound.output


def test_a_registry_that_changes_between_verdict_and_commit_is_judged_again(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = ports.registry.ask, []

    def meanwhile(questions: Questions) -> Facts:
        facts = ask(questions)
        asked.append(facts.revision)
        if len(asked) == 1:  # the profile is withdrawn after it was read
            columns = "codigo,nombre,cod_aplicacion,nombre_aplicacion,tipos_entidad,habilitado"
            load(ports, "profiles", f"{columns}\n1274,SI-APS FICTICIO,186,APLICACION 186,IPS;EPS,0\n")
        return facts

    monkeypatch.setattr(ports.registry, "ask", meanwhile)
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    assert outcome.verdict == "rechazado"
    assert len(set(asked)) == 2
    assert linked(ports) == ["1090000003 PISIS/NEO"]
    receipt = ports.registry.receipt(outcome.received.guid)
    assert receipt
    assert receipt.attempts == 1


def test_an_effect_of_the_same_entity_in_between_is_judged_again(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = ports.registry.ask, []

    def meanwhile(questions: Questions) -> Facts:
        facts = ask(questions)
        asked.append(facts)
        if len(asked) == 1:  # another file of the entity takes effect in another lane
            twin = workspace / NAME
            twin.write_bytes(file_of("2|1|CC|1090000003|PEDRO|RUIZ|O|||||"))
            guid = service.submit(twin, "CC10000002", ports)
            registry = ports.registry
            assert isinstance(registry, SqlRegistry)
            with registry.engine.begin() as connection:
                connection.execute(
                    sa.text("UPDATE receipt SET lane = '@', lane_place = 1 WHERE guid = :guid"), {"guid": guid}
                )
                connection.execute(sa.text("INSERT INTO lane (name, last_place, fence) VALUES ('@', 1, 0)"))
            assert service.process(guid, ports)
        return facts

    monkeypatch.setattr(ports.registry, "ask", meanwhile)
    drop(workspace, file_of(GOOD))
    outcomes = service.once(ports)
    assert [str(outcome.verdict) for outcome in outcomes] == ["rechazado"], "whom it unlinks is unlinked already"
    assert linked(ports) == []
