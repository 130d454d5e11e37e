"""Metrics and the doctor of a cluster: figures, and nothing about anybody."""

import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import BOTH, GOOD, filled
from test_service import drop
from test_workers import ports as ports  # noqa: PLC0414 the fixture that enlists
from worlds import NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import status_server
from pisis_batch.cli import root
from pisis_batch.ports import Ports
from pisis_batch.settings import Settings

PERSONAL = ("1090000001", "JUAN", "PEREZ", "900123456", "CC10000001", "ese.gov.co")


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


@BOTH
def test_metrics_tell_what_waits_and_what_was_done(
    workspace: Path, database: str | None, request: pytest.FixtureRequest
) -> None:
    made: Ports = request.getfixturevalue("ports") if database else request.getfixturevalue("inline_ports")
    metrics = wiring.metrics(made)
    work = metrics.around(service.FileWork(made, metrics.ended))
    vitals = wiring.vitals(Settings.load(workspace), made, list)
    close = status_server.serve(19_464, vitals, metrics.page)
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(made)
    before = scraped(19_464)
    assert 'pisis_receipts{state="recibido"} 1.0' in before
    if database:
        assert 'pisis_jobs{queue="archivos",status="todo"} 1.0' in before
    assert work.file(guid) is None
    after = scraped(19_464)
    close()
    for line in (
        'pisis_files_total{verdict="cargado"} 1.0',
        "pisis_records_total 4.0",
        'pisis_receipts{state="terminado"} 1.0',
        "pisis_mails_waiting 4.0",
        "pisis_unpublished 0.0",
        "pisis_interrupted 0.0",
        'pisis_job_seconds_count{outcome="done"} 1.0',
        "pisis_up 1.0",
    ):
        assert line in after
    assert [word for word in PERSONAL if word in after] == []


@pytest.fixture
def inline_ports(workspace: Path) -> Ports:
    return filled(wiring.ports(Settings.load(workspace, now=NOW, settle_seconds=0)))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_doctor_visits_the_cluster(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    service.take_in(ports)
    (workspace / "outbox").mkdir(exist_ok=True)
    said = CliRunner().invoke(root, ["-w", str(workspace), "doctor"])
    assert said.exit_code == 3
    assert "✓ reloj del servidor: difiere" in said.output
    assert "✓ actualización: completa" in said.output
    assert "✗ trabajadores: 1 archivos esperan y no hay trabajadores" in said.output
