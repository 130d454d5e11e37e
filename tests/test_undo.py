"""Why somebody is linked, and the file that takes another one back: applied, the registry is as it was."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import BOTH, GOOD, load
from worlds import NAME, NOW, file_of

from pisis_batch import pipeline, service
from pisis_batch.adapters import mapped
from pisis_batch.adapters.spool import Spool
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.cli import root
from pisis_batch.model import Id, Outcome
from pisis_batch.ports import Ports

NEW = [1090000011 + (7 * place) % 11 for place in range(11)]  # in no order
USERS = "entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo\n"


def later(ports: Ports, minutes: int) -> Ports:
    return dataclasses.replace(ports, clock=lambda: NOW + timedelta(minutes=minutes))


def drop(workspace: Path, ports: Ports, content: bytes, name: str = NAME) -> Outcome:
    folder = workspace / "inbox/CC10000001"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    (outcome,) = service.once(ports)
    assert outcome.verdict == "cargado", outcome.findings.frame
    return outcome


def pisis(workspace: Path, *arguments: str) -> Result:
    env = {"PISIS_NOW": "2026-07-15T23:00:00"}
    return CliRunner().invoke(root, ["-w", str(workspace), *arguments], env=env)


def state(ports: Ports) -> dict[str, tuple[str, ...]]:
    found = ports.registry.entity(Id("NI", "900123456"))
    assert found
    return {
        user["num_id"]: (user["telefono"], user["cargo"], user["fecha_fin"], user["correo"], *user["perfiles"])
        for user in found[1]
    }


@BOTH
def test_a_counter_file_on_either_database(workspace: Path, ports: Ports) -> None:
    before = state(ports)
    done = drop(workspace, later(ports, 1), file_of(GOOD))
    made = service.undo(done.received.guid, later(ports, 2), force=False)
    assert made is not None
    assert made.conflicts.is_empty()
    drop(workspace, later(ports, 3), made.content, made.name)
    assert state(ports).keys() == before.keys()
    again = service.undo(done.received.guid, later(ports, 4), force=False)
    assert again is not None
    assert {f"{kind} {number}" for kind, number, _ in again.conflicts.iter_rows()} == {
        "CC 1090000001",
        "CC 1090000002",
        "CC 1090000003",
    }


def test_undone_the_registry_is_as_it_was(workspace: Path, ports: Ports) -> None:
    load(ports, "users", USERS + "NI,900123456,CC,1090000002,3111111111,AUXILIAR,1,,maria@ese.gov.co\n")
    first = "2|1|CC|1090000002|MARIA|GOMEZ|V|3111111111|AUXILIAR|1||maria@ese.gov.co\n3|2|CC|1090000002|186|A|1274"
    drop(workspace, later(ports, 1), file_of(first))
    before = state(ports)
    done = drop(
        workspace, later(ports, 2), file_of(GOOD.replace("CC|1090000001|186|A|1274", "CC|1090000002|186|A|1300"))
    )
    assert state(ports) != before
    out = workspace / "undo"
    told = pisis(workspace, "runs", "undo", done.received.guid, "--output", str(out), "--format", "json")
    assert told.exit_code == 0, told.output
    said = json.loads(told.output)
    assert said["conflicts"] == []
    assert said["plan"]["counts"]["linked"] == 1
    assert said["plan"]["counts"]["unlinked"] == 1
    path = Path(said["path"])
    assert path.name == NAME
    again = drop(workspace, later(ports, 3), path.read_bytes())
    assert state(ports) == before
    text = pisis(workspace, "runs", "undo", again.received.guid, "--output", str(out))
    assert "Nada se aplicó" in text.output
    assert "Plan " in text.output


def test_people_touched_later_are_named_and_left_out(workspace: Path, ports: Ports) -> None:
    done = drop(workspace, later(ports, 1), file_of(GOOD))
    other = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000009|JEFE|1||JUAN.PEREZ@ESE.GOV.CO"
    touched = drop(workspace, later(ports, 2), file_of(other))
    told = pisis(
        workspace, "runs", "undo", done.received.guid[:8], "--output", str(workspace / "u"), "--format", "json"
    )
    said = json.loads(told.output)
    assert said["conflicts"] == [{"id": "CC 1090000001", "guid": touched.received.guid, "file_name": NAME}]
    assert "1090000001" not in Path(said["path"]).read_text("cp1252")
    forced = pisis(workspace, "runs", "undo", done.received.guid, "--output", str(workspace / "f"), "--force")
    assert forced.exit_code == 0, forced.output
    assert "••••0001  SEG500USIN" in forced.output
    assert "CC|1090000001|JUAN|PEREZ|O|||||" in (workspace / "f" / NAME).read_text("cp1252")


def test_nothing_to_undo(workspace: Path, ports: Ports) -> None:
    drop(workspace, ports, file_of(GOOD))
    folder = workspace / "inbox/CC10000001"
    (folder / NAME).write_bytes(file_of(GOOD))
    (same,) = service.once(ports)
    assert "no hay nada que deshacer" in pisis(workspace, "runs", "undo", same.received.guid).output
    assert pisis(workspace, "runs", "undo", "ffff").exit_code == 2


@BOTH
def test_why_tells_file_line_day_and_rules(workspace: Path, ports: Ports) -> None:
    outcome = drop(workspace, later(ports, 1), file_of(GOOD))
    text = pisis(workspace, "registry", "why", "CC:1090000001").output
    guid = outcome.received.guid[:8]
    assert f"vinculado el 2026-07-15 21:38:45 por {NAME}, línea 2 (GUID {guid}, enviado por CC10000001" in text
    assert f"reglas {outcome.ruleset}" in text
    assert "Perfil: 186/1274 SI-APS FICTICIO" in text
    assert "línea 5" in text
    left = pisis(workspace, "registry", "why", "CC:1090000003", "--entity", "NI:900123456").output
    assert "por la carga del registro" in left
    assert "desvinculado el 2026-07-15" in left
    other = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000009|JEFE|1||JUAN.PEREZ@ESE.GOV.CO\n3|2|CC|1090000001|186|A|1300"
    drop(workspace, later(ports, 2), file_of(other))
    said = json.loads(pisis(workspace, "registry", "why", "CC:1090000001", "--format", "json").output)
    links = [fact for fact in said["facts"] if fact["kind"] == "link"]
    assert [(fact["what"], fact["began"]["action"]) for fact in links] == [
        ("MEDICO GENERAL", "vinculado"),
        ("JEFE", "actualizado"),
    ]
    assert links[0]["ended"]["action"] == "actualizado"
    assert links[1]["ended"] is None
    assert pisis(workspace, "registry", "why", "CC:1090000001", "--entity", "NI:900654321").exit_code == 1
    assert pisis(workspace, "registry", "why", "x").exit_code == 2


def many(workspace: Path, ports: Ports) -> Outcome:
    """A file that links many, after GOOD: somebody changes, somebody leaves, a profile is withdrawn."""
    drop(workspace, later(ports, 1), file_of(GOOD))
    people = "".join(f"CC,{number},JUAN,,PEREZ,,\n" for number in NEW)
    heading = "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n"
    load(ports, "persons", heading + people)
    coming = [f"CC|{number}|JUAN|PEREZ|V|3150000000|ENFERMERO|1||J{number}@ESE.GOV.CO" for number in NEW]
    users = [
        "CC|1090000001|JUAN|PEREZ|V|3150000001|JEFE|1||JUAN.PEREZ@ESE.GOV.CO",
        *coming,
        "CC|1090000002|MARIA|GOMEZ|O|||||",
    ]
    profiles = ["CC|1090000001|186|R|", *(f"CC|{number}|186|A|1274" for number in NEW[::3])]
    lines = [f"2|{at}|{line}" for at, line in enumerate(users, 1)]
    lines += [f"3|{at}|{line}" for at, line in enumerate(profiles, len(lines) + 1)]
    return drop(workspace, later(ports, 2), file_of("\n".join(lines)))


def by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on two rows are many, and every file is very large."""
    monkeypatch.setattr(SqlRegistry.traces, "__defaults__", (2,))
    monkeypatch.setattr(Spool.__init__, "__defaults__", (None, 2**20, 2, 4))
    monkeypatch.setattr(mapped, "LARGE", 0)
    monkeypatch.setattr(pipeline, "MIDDLING", 0)
    monkeypatch.setattr(pipeline, "LARGE", 0)


@BOTH
def test_by_parts_the_file_is_the_same(workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    done = many(workspace, ports)
    drop(workspace, later(ports, 3), file_of("2|1|CC|1090000014|JUAN|PEREZ|V|3150000009|JEFE|1||J@ESE.GOV.CO"))
    whole = [service.undo(done.received.guid, later(ports, 4), force=force) for force in (False, True)]
    assert len(list(ports.registry.traces(done.received.guid))) == 1
    by_parts(monkeypatch)
    assert len(list(ports.registry.traces(done.received.guid))) > 3
    for force, expected in zip((False, True), whole, strict=True):
        made = service.undo(done.received.guid, later(ports, 4), force=force)
        assert made is not None
        assert expected is not None
        assert made.content[:] == expected.content
        assert made.name == expected.name
        assert made.conflicts.equals(expected.conflicts)
        assert made.conflicts.height == 1
        assert made.later == expected.later
        assert made.outcome is not None
        assert expected.outcome is not None
        assert made.outcome.verdict == expected.outcome.verdict == "cargado"
        assert made.outcome.changes.counts() == expected.outcome.changes.counts()
        assert made.outcome.changes.linked.is_empty()


def test_of_a_very_large_plan_the_numbers_are_shown(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = many(workspace, ports)
    expected = service.undo(done.received.guid, ports, force=False)
    assert expected is not None
    by_parts(monkeypatch)
    order = ("runs", "undo", done.received.guid, "--output", str(workspace / "u"))
    said = json.loads(pisis(workspace, *order, "--format", "json").output)
    assert (said["plan"]["listed"], said["plan"]["hash"]) == (False, None)
    assert said["plan"]["counts"]["unlinked"] == len(NEW)
    text = pisis(workspace, *order).output
    assert "Plan (por su tamaño, solo las cantidades)" in text
    assert f"Se desvinculan: {len(NEW)}" in text
    assert (workspace / "u" / NAME).read_bytes() == expected.content
    assert list((workspace / "var").rglob("spool/*")) == []
