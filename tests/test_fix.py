"""`pisis fix` as entities run it, and the corrected copy that waits in the outbox of a rejected file."""

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import GOOD
from worlds import NAME, file_of

from pisis_batch import service
from pisis_batch.cli import root
from pisis_batch.ports import Ports

WRONG = GOOD.replace("|JUAN|", "|Juán |").replace("2026-12-31", "31/12/2026")
WORSE = WRONG.replace("|3150000000|", "|315-0000000|")


def pisis(*arguments: str) -> Result:
    env = {"PISIS_NOW": "2026-07-15T21:37:45", "COLUMNS": "140"}
    return CliRunner().invoke(root, list(arguments), env=env)


def test_a_copy_that_loads(workspace: Path, ports: Ports) -> None:
    path = workspace / NAME
    path.write_bytes(file_of(WRONG))
    result = pisis("-w", str(workspace), "fix", str(path))
    assert result.exit_code == 0, result.output
    assert "2 arreglos hechos" in result.output
    assert "CARGADO" in result.output
    assert path.read_bytes() == file_of(WRONG)
    assert (workspace / "corregido" / NAME).read_bytes() == file_of(GOOD)
    again = pisis("-w", str(workspace), "fix", str(workspace / "corregido" / NAME), "--output", str(workspace / "otra"))
    assert "No hay nada que arreglar" in again.output
    assert (workspace / "otra" / NAME).read_bytes() == file_of(GOOD)
    assert pisis("fix", str(path), "--output", str(workspace)).exit_code == 2


def test_what_remains_is_told_and_proposals_are_not_done(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(file_of(WORSE))
    result = pisis("fix", str(path), "--offline")
    assert result.exit_code == 1
    assert "véalas con --propose" in result.output
    assert "EST016" in result.output
    assert "alta" in pisis("fix", str(path), "--offline", "--propose").output
    said = json.loads(pisis("fix", str(path), "--offline", "--format", "json").output)
    assert [row["before"] for row in said["repairs"]] == ["Juán ", "31/12/2026"]
    assert [row["after"] for row in said["proposals"]] == ["3150000000"]
    assert [finding["code"] for finding in said["result"]["findings"]] == ["EST016"]
    assert pisis("fix", str(path), "--offline", "--format", "csv").output.count("\n") == 3


@pytest.mark.parametrize(("option", "folder", "numbers"), [("--only-rejected", "rechazados", ["1090000001"] * 2), ("--only-correct", "correctos", ["1090000002", "1090000003"])])  # fmt: skip
def test_the_halves(tmp_path: Path, option: str, folder: str, numbers: list[str]) -> None:
    path = tmp_path / NAME
    path.write_bytes(file_of(WORSE))
    result = pisis("fix", str(path), "--offline", option)
    lines = (tmp_path / folder / NAME).read_text("cp1252").split("\n")
    assert [line.split("|")[3] for line in lines[1:]] == numbers
    assert [line.split("|")[1] for line in lines[1:]] == ["1", "2"]
    assert ("de un envío rechazado" in " ".join(result.output.split())) is (option == "--only-rejected")


def test_nothing_to_separate_and_nothing_to_read(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(file_of(GOOD))
    assert "ningún registro tiene error" in pisis("fix", str(path), "--offline", "--only-rejected").output
    path.write_bytes(b"PK\x03\x04")
    assert "no se puede corregir" in pisis("fix", str(path), "--offline").output
    (tmp_path / "usuarios.txt").write_bytes(file_of(GOOD))
    named = pisis("fix", str(tmp_path / "usuarios.txt"), "--offline", "--annex", "SEG500USIN")
    assert named.exit_code == 0, named.output
    assert (tmp_path / "corregido" / NAME).exists()
    assert pisis("fix", str(path), "--annex", "NADA").exit_code == 2


def test_a_rejected_file_is_answered_with_its_correction(workspace: Path, ports: Ports) -> None:
    folder = workspace / "inbox/CC10000001"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(file_of(WRONG))
    (outcome,) = service.once(ports)
    out = workspace / "outbox/CC10000001" / outcome.received.guid
    assert (out / "corregido.txt").read_bytes() == file_of(GOOD)
    assert "Tildes" in (out / "correcciones.csv").read_text("utf-8-sig")
    assert f"con el nombre {NAME} y envíelo" in (out / "acta.html").read_text("utf-8")
    mail = message_from_bytes(next((workspace / "outbox/correo").glob("*.eml")).read_bytes(), policy=policy.default)
    assert "corregido.txt" in [part.get_filename() for part in mail.iter_attachments()]
    (folder / NAME).write_bytes((out / "corregido.txt").read_bytes())
    (second,) = service.once(ports)
    assert second.verdict == "cargado"
