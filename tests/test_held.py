"""The plan before applying, and the brake: a file that unlinks many waits for two people and exactly its plan."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from conftest import BOTH, GOOD, load
from worlds import NAME, NOW, file_of

from pisis_batch import effects, service
from pisis_batch.cli import root
from pisis_batch.model import Brake, Id, Received, Verdict
from pisis_batch.ports import Ports

MANY = 12
COLUMNS = "entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo\n"
LEAVING = "\n".join(f"2|{n}|CC|{1091000000 + n}|ANA|RUIZ|O|||||" for n in range(1, MANY + 1))


def crowd(ports: Ports) -> None:
    people = [f"CC,{1091000000 + n},ANA,,RUIZ,," for n in range(1, MANY + 1)]
    users = [f"NI,900123456,CC,{1091000000 + n},3000000003,CONDUCTOR,1,,a@ese.gov.co" for n in range(1, MANY + 1)]
    load(
        ports,
        "persons",
        "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n"
        + "\n".join(people),
    )
    load(
        ports,
        "users",
        "entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo\n"
        + "\n".join(users),
    )


def drop(workspace: Path, lines: str) -> None:
    folder = workspace / "inbox/CC10000001"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_bytes(file_of(lines))


@pytest.fixture
def held(workspace: Path, ports: Ports) -> str:
    crowd(ports)
    drop(workspace, LEAVING)
    (outcome,) = service.once(ports)
    assert outcome.verdict == "retenido"
    return outcome.received.guid


def users(ports: Ports) -> int:
    found = ports.registry.entity(Id("NI", "900123456"))
    assert found
    return len(found[1])


def run(workspace: Path, *arguments: str, code: int = 0) -> str:
    env = {"PISIS_NOW": "2026-07-15T21:37:45", "PISIS_SETTLE_SECONDS": "0"}
    result = CliRunner().invoke(root, ["-w", str(workspace), *arguments], env=env)
    assert result.exit_code == code, result.output
    return result.output


def test_a_held_file_changes_nothing_and_its_entity_is_told(workspace: Path, ports: Ports, held: str) -> None:
    assert users(ports) == MANY + 1
    folder = workspace / "outbox/CC10000001" / held
    assert sorted(path.name for path in folder.iterdir()) == ["espera.html", "plan.csv"]
    assert "12 de los 13 usuarios" in (folder / "espera.html").read_text("utf-8")
    assert (folder / "plan.csv").read_text("utf-8-sig").count("se desvincula") == MANY
    mails = list((workspace / "outbox/correo").glob("*.eml"))
    assert len(mails) == 2
    assert all(b"En espera" in path.read_bytes() for path in mails)
    (listed,) = ports.registry.runs()
    assert (listed["state"], listed["verdict"]) == ("retenido", "retenido")
    assert service.once(ports) == []
    assert "retenido" in run(workspace, "runs", "list")


def test_two_people_apply_exactly_the_plan(workspace: Path, ports: Ports, held: str) -> None:
    assert "nadie todavía" in run(workspace, "runs", "show", held)
    first = run(workspace, "runs", "approve", held[:8], "--by", "CC10000080")
    assert "Falta otra persona" in first
    again = run(workspace, "runs", "approve", held, "--by", "cc10000080")
    assert "Falta otra persona" in again
    assert users(ports) == MANY + 1
    second = run(workspace, "runs", "approve", held, "--by", "CC10000081")
    assert "el plan se aplicó" in second
    assert users(ports) == 1
    folder = workspace / "outbox/CC10000001" / held
    assert not (folder / "espera.html").exists()
    assert json.loads((folder / "ack.json").read_text("utf-8"))["verdict"] == "cargado"
    run(workspace, "runs", "approve", held, "--by", "CC10000082", code=1)
    audited = pl.read_database(
        "SELECT action || ' por ' || who AS action FROM audit WHERE guid = :g",
        ports.registry.engine,
        execute_options={"parameters": {"g": held}},
    )["action"].to_list()  # type: ignore[attr-defined]
    assert [action for action in audited if action and "aprobado" in action] == [
        "aprobado por CC10000080",
        "aprobado por CC10000081",
    ]


@BOTH
def test_approval_on_either_database(workspace: Path, ports: Ports, held: str) -> None:
    assert service.approve(held, "CC10000080", ports).kind == "waiting"
    load(ports, "users", COLUMNS + "NI,900123456,CC,1091000001,3000000003,JEFE,1,,a@ese.gov.co\n")
    assert service.approve(held, "CC10000081", ports).kind == "stale"
    assert service.reprocess(held, ports, apply=True).verdict is Verdict.RETENIDO
    assert service.approve(held, "CC10000081", ports).kind == "waiting"
    decision = service.approve(held, "CC10000080", ports)
    assert (decision.kind, decision.by, users(ports)) == ("applied", ("CC10000081", "CC10000080"), 1)
    origin = ports.registry.origins([held])[held]
    assert (origin.file_name, origin.sender) == (NAME, "CC10000001")
    assert sorted(origin.approved_by) == ["CC10000080", "CC10000081"]


def test_a_plan_that_is_no_longer_the_same_is_refused(workspace: Path, ports: Ports, held: str) -> None:
    run(workspace, "runs", "approve", held, "--by", "CC10000080")
    grown = "entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo\n"
    load(ports, "users", grown + "NI,900123456,CC,1091000001,3000000003,JEFE,1,,a@ese.gov.co\n")
    refused = run(workspace, "runs", "approve", held, "--by", "CC10000081", code=1)
    assert "Plan " in refused
    assert "ya no es el mismo" in refused
    assert users(ports) == MANY + 1
    assert service.reprocess(held, ports, apply=True).verdict is Verdict.RETENIDO
    assert ports.registry.held(held).approvals == ()  # type: ignore[union-attr]
    run(workspace, "runs", "approve", held, "--by", "CC10000081")
    assert service.reprocess(held, ports, apply=True).verdict is Verdict.RETENIDO  # same plan: the approval stays
    run(workspace, "runs", "approve", held, "--by", "CC10000080")
    assert users(ports) == 1


def test_a_change_of_other_people_does_not_void_the_plan(workspace: Path, ports: Ports, held: str) -> None:
    load(
        ports,
        "users",
        "entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo\n"
        "NI,900123456,CC,1090000001,3000000003,JEFE,1,,a@ese.gov.co\n",
    )
    run(workspace, "runs", "approve", held, "--by", "CC10000080")
    run(workspace, "runs", "approve", held, "--by", "CC10000081")
    assert users(ports) == 2


def test_a_held_file_can_be_rejected_with_a_reason(workspace: Path, ports: Ports, held: str) -> None:
    run(workspace, "runs", "reject", held, "--by", "CC10000080", "--reason", "la entidad dice que fue un error")
    assert users(ports) == MANY + 1
    ack = json.loads((workspace / "outbox/CC10000001" / held / "ack.json").read_text("utf-8"))
    assert ack["verdict"] == "rechazado"
    assert [finding["code"] for finding in ack["findings"] if finding["severity"] == "error"] == ["CTL040"]
    assert "fue un error" in ack["findings"][0]["message"]
    run(workspace, "runs", "reject", held, "--by", "CC10000080", "--reason", "x", code=1)
    run(workspace, "runs", "approve", held, "--by", "!", code=2)


def test_check_prints_the_plan_that_is_applied(workspace: Path, ports: Ports) -> None:
    path = workspace / NAME
    path.write_bytes(file_of(GOOD))
    said = json.loads(run(workspace, "check", str(path), "--plan", "--format", "json"))
    assert said["plan"]["counts"] == said["changes"] | {"unchanged": 0}
    assert [row["num_id"] for row in said["plan"]["unlinked"]] == ["1090000003"]
    text = run(workspace, "check", str(path), "--plan")
    assert said["plan"]["hash"] in text
    assert "••••0003" in text
    run(workspace, "check", str(path), "--plan", "--offline", code=2)
    drop(workspace, GOOD)
    (outcome,) = service.once(ports)
    assert effects.digest(outcome) == said["plan"]["hash"]
    path.write_bytes(file_of("\n".join(GOOD.replace("MEDICO GENERAL", "MEDICO").split("\n")[:2])))
    later = json.loads(run(workspace, "check", str(path), "--plan", "--format", "json"))
    counts = later["plan"]["counts"]
    assert (counts["updated"], counts["linked"], counts["unchanged"]) == (1, 0, 1)
    assert later["plan"]["unchanged"][0]["num_id"] == "1090000002"


@pytest.mark.parametrize(
    ("brake", "leaving", "total", "expected"),
    [
        (Brake(20, 50), 20, 100, False),
        (Brake(20, 50), 21, 100, True),
        (Brake(0, 50), 50, 100, False),
        (Brake(0, 50), 51, 100, True),
        (Brake(20, 50), 4, 4, False),
        (Brake(20, 50), 5, 5, True),
        (Brake(0, 0), 99, 99, False),
    ],
)
def test_when_the_brake_holds(*, brake: Brake, leaving: int, total: int, expected: bool, ports: Ports) -> None:
    received = Received("g", NAME, file_of(GOOD), NOW, "CC10000001")
    outcome = service.check(received, ports, shelf=ports.shelf, limits=ports.limits)
    assert outcome.facts is not None
    many = pl.DataFrame({name: ["x"] * leaving for name in outcome.changes.unlinked.columns[1:]})
    changes = effects.dataclasses.replace(outcome.changes, unlinked=many.with_row_index("line"))
    facts = effects.dataclasses.replace(outcome.facts, users=total)
    tried = effects.dataclasses.replace(outcome, changes=changes, facts=facts)
    assert effects.holds(tried, brake) is expected


def test_killed_at_the_second_approval_it_is_applied_once(workspace: Path, ports: Ports, held: str) -> None:
    run(workspace, "runs", "approve", held, "--by", "CC10000080")
    command = [sys.executable, "-c", "from pisis_batch.cli import main; main()"]
    command += ["-w", str(workspace), "runs", "approve", held, "--by", "CC10000081"]
    env = {**os.environ, "PISIS_NOW": "2026-07-15T21:37:45", "PISIS_CRASH_AT": "before_commit"}
    killed = subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert users(ports) == MANY + 1
    run(workspace, "runs", "approve", held, "--by", "CC10000081")
    assert users(ports) == 1
