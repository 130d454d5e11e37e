"""An operator's folder of definitions works in every command; lint sees what one definition cannot."""

import json
from pathlib import Path
from typing import Any

import pytest
from annexes import APORTES
from click.testing import CliRunner

from pisis_batch import pipeline, wiring
from pisis_batch.adapters.folder_layouts import shelf_with
from pisis_batch.cli import root
from pisis_batch.layouts import CATALOGS, LayoutError, parse, shelf
from pisis_batch.layouts.overlap import overlaps
from pisis_batch.layouts.style import unclear
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, Settings

NAME = "XYZ100APOR20260630NI000900123456.TXT"
GOOD = b"1|900123456|2026-06-30|1\r\n2|A1|10.50"
TABLE = '[Sedes]\ntitle = "Sedes"\ncodes = { S1 = "Norte" }\n'


def pisis(*arguments: str, **env: str) -> Any:
    return CliRunner(env={"PISIS_NOW": "2026-07-15T21:37:45", **env}).invoke(root, list(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "anexos"
    made.mkdir()
    field = '  { name = "sede", label = "Sede", type = "A", max = 2, required = false, catalog = "Sedes" },\n'
    (made / "aportes.toml").write_text(APORTES.replace('  { name = "valor"', field + '  { name = "valor"'), "utf-8")
    (made / "catalogos.toml").write_text(TABLE, "utf-8")
    return made


def test_check_and_layouts_know_the_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).write_bytes(b"1|900123456|2026-06-30|2\r\n2|A1|S1|10.50\r\n2|A2|S2|1.00")
    checked = pisis("check", "--layouts", str(folder), "--offline", "--format", "json", NAME)
    (finding,) = json.loads(checked.stdout)["findings"]
    assert (finding["line"], finding["field"]) == (3, "sede")
    assert "XYZ100APOR" in pisis("layouts", "--layouts", str(folder), "list").stdout
    assert "Sede" in pisis("layouts", "show", "XYZ100APOR", PISIS_LAYOUTS=str(folder)).stdout
    assert pisis("layouts", "show", "XYZ100APOR").exit_code == 2
    assert pisis("layouts", "--layouts", str(folder), "lint").exit_code == 0


def test_process_knows_the_folder_of_the_settings(workspace: Path, ports: Ports, folder: Path) -> None:
    with (workspace / FILE).open("a") as settings:
        settings.write(f'layouts = "{folder.name}"\n')
    path = workspace / NAME
    path.write_bytes(b"1|900123456|2026-06-30|1\r\n2|A1|S1|10.50")
    done = pisis("-w", str(workspace), "process", str(path), "--sender", "CC10000001", "--format", "json")
    assert json.loads(done.stdout)["layout"] == {"annex": "XYZ100APOR", "version": "1"}, done.output
    assert "A1,S1,10.50" in pisis("-w", str(workspace), "data", "XYZ100APOR").stdout
    made = wiring.ports(Settings.load(workspace))
    assert made.shelf.get("XYZ100APOR")
    made.registry.close()  # type: ignore[attr-defined]


def test_the_hash_of_the_rules_counts_the_folder(folder: Path) -> None:
    layout = shelf_with(folder).get("XYZ100APOR")
    own = shelf().get("SEG500USIN")
    assert pipeline.ruleset(own) == pipeline.ruleset() != pipeline.ruleset(layout)


def test_a_folder_with_a_mistake_is_refused_whole(folder: Path) -> None:
    (folder / "otro.toml").write_text(APORTES, "utf-8")
    with pytest.raises(LayoutError, match="vale desde 2026-01-01"):
        shelf_with(folder)
    (folder / "otro.toml").unlink()
    (folder / "catalogos.toml").write_text(TABLE.replace("Sedes]", "TipoIdPersona]"), "utf-8")
    with pytest.raises(LayoutError, match="ya viene incluida"):
        shelf_with(folder)
    assert "CC" in CATALOGS["TipoIdPersona"].codes
    with pytest.raises(LayoutError, match="no existe"):
        shelf_with(folder / "nada")


def test_lint_finds_gaps_labels_and_overlaps(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(
        APORTES.replace('label = "Valor"', 'label = "Número"')
        .replace("max = 9, decimals = 2 },", "max = 9, decimals = 2 },  # FALTA: longitud")
        .replace("XYZ100APOR", "XYZ100APO"),
        "utf-8",
    )
    told = pisis("layouts", "lint", str(path))
    assert told.exit_code == 1
    assert "x.toml: línea 26: falta longitud" in told.stdout
    assert "«Número» es también el rótulo de numero" in told.stdout
    first = parse(APORTES)
    assert overlaps([first, first.but(version="2")]) == ["XYZ100APOR 2: vale desde 2026-01-01, igual que la versión 1"]
    short = parse(APORTES.replace("XYZ100APOR", "XYZ100APO"))
    assert "también del anexo XYZ100APO" in overlaps([short, first])[0]


def test_lint_finds_a_condition_that_another_one_excludes() -> None:

    chained = APORTES.replace(
        '  { name = "valor"',
        """  { name = "clase", label = "Clase", type = "A", max = 1, values = { X = "una", Y = "otra" } },
  { name = "sub", label = "Subclase", type = "A", max = 1, only_if = { clase = "X" }, values = { P = "p", 2 = "" } },
  { name = "resto", label = "Resto", type = "A", max = 1, only_if = { clase = "Y", sub = "P" } },
  { name = "valor\"""",
    )
    found = unclear(parse(chained))
    assert any("(resto).only_if: nunca se cumple" in problem for problem in found)
    assert any("«2» no tiene significado" in problem for problem in found)
