"""The command line as its users run it: a process of its own, its exit code, its words."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import GOOD, REGISTRY
from worlds import CONTROL, NAME, file_of

BAD = GOOD.replace("JUAN|", "Juan|")


def pisis(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("PISIS_")}
    command = [sys.executable, "-c", "from pisis_batch.cli import main; main()", *arguments]
    env = {
        **known,
        **({} if arguments[0] == "demo" else {"PISIS_NOW": "2026-07-15T21:37:45"}),
        "PISIS_SETTLE_SECONDS": "0",
        "COLUMNS": "80",
        **env,
    }
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("espacio")
    assert pisis("init", cwd=folder).returncode == 0
    for table, text in REGISTRY.items():
        (folder / f"{table}.csv").write_text(text, "utf-8")
        loaded = pisis("registry", "load", table, f"{table}.csv", cwd=folder)
        assert loaded.returncode == 0, loaded.stderr
    return folder


def test_check_process_and_look_up(home: Path) -> None:
    (home / NAME).write_bytes(file_of(GOOD))
    checked = pisis("check", NAME, "--format", "json", cwd=home)
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["verdict"] == "cargado"
    processed = pisis("process", NAME, "--sender", "CC10000001", cwd=home)
    assert processed.returncode == 0
    assert "CARGADO" in processed.stdout
    (run,) = json.loads(pisis("runs", "list", "--format", "json", cwd=home).stdout)
    shown = pisis("runs", "show", run["guid"][:8], cwd=home)
    assert run["guid"] in shown.stdout
    assert "186/1274" in pisis("registry", "show", "user", "CC:1090000001", cwd=home).stdout
    assert json.loads(pisis("registry", "show", "user", "CC:1090000001", "--format", "json", cwd=home).stdout)["links"]
    assert "1090000002" in pisis("registry", "show", "entity", "NI:900123456", cwd=home).stdout
    assert pisis("registry", "show", "user", "CC:99", cwd=home).returncode == 1
    past = pisis("registry", "show", "entity", "NI:900123456", "--as-of", "2020-01-01", cwd=home)
    assert "1090000002" not in past.stdout


def test_the_inbox_is_processed_and_a_rejection_flips(home: Path) -> None:
    folder = home / "inbox/CC10000001"
    folder.mkdir(parents=True)
    line = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||J@ESE.GOV.CO\n3|2|CC|1090000001|186|A|4444"
    (folder / NAME).write_bytes(file_of(line))
    rejected = pisis("process", "--once", "--format", "json", cwd=home)
    assert rejected.returncode == 1
    ack = json.loads(rejected.stdout)
    assert [(finding["code"], finding["line"], finding["field"]) for finding in ack["findings"]] == [
        ("PRF021", 3, "perfil")
    ]
    assert (home / "outbox/CC10000001" / ack["guid"] / "resultado.html").is_file()
    catalog = "codigo,nombre,cod_aplicacion,nombre_aplicacion,tipos_entidad,habilitado\n4444,NUEVO,186,A,,1\n"
    (home / "mas.csv").write_text(catalog, "utf-8")
    assert pisis("registry", "load", "profiles", "mas.csv", cwd=home).returncode == 0
    dry = pisis("reprocess", "--rejected", cwd=home)
    assert "rechazado → cargado" in dry.stdout
    assert "--apply" in dry.stdout
    applied = pisis("reprocess", ack["guid"][:8], "--apply", cwd=home)
    assert applied.returncode == 0, applied.stderr
    assert pisis("deliver", cwd=home).returncode == 0
    assert pisis("runs", "list", "--verdict", "rechazado", cwd=home).stdout == ""
    assert pisis("runs", "list", "--format", "csv", cwd=home).stdout.startswith("guid,")


def test_check_without_a_workspace_judges_the_structure(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(file_of(BAD))
    checked = pisis("check", NAME, cwd=tmp_path)
    assert checked.returncode == 1
    assert "EST021" in checked.stdout
    assert "solo la estructura" in checked.stderr
    assert pisis("check", "--offline", "--format", "csv", NAME, cwd=tmp_path).stdout.count("\n") == 2
    (tmp_path / NAME).write_bytes(file_of(GOOD))
    assert "ESTRUCTURA CORRECTA" in pisis("check", "--offline", NAME, cwd=tmp_path).stdout


def test_check_leaves_the_documents_that_help_to_correct(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(file_of(BAD))
    checked = pisis("check", NAME, "--offline", "--documents", "revision", cwd=tmp_path)
    assert checked.returncode == 1, checked.stderr
    kept = tmp_path / "revision" / NAME
    assert {"informe.html", "hallazgos.xlsx", "anotado.txt"} <= {path.name for path in kept.iterdir()}
    assert not {"acta.html", "resultado.html"} & {path.name for path in kept.iterdir()}
    copy = tmp_path / "otra" / NAME
    copy.parent.mkdir()
    copy.write_bytes((kept / "anotado.txt").read_bytes().replace(b"Juan|", b"JUAN|"))
    assert pisis("check", str(copy), "--offline", cwd=tmp_path).returncode == 0


def test_faults_and_misuse_are_sentences(tmp_path: Path, home: Path) -> None:
    nowhere = pisis("runs", "list", cwd=tmp_path)
    assert (nowhere.returncode, "pisis init" in nowhere.stderr, "Traceback" in nowhere.stderr) == (3, True, False)
    assert pisis("check", "no-existe.TXT", cwd=tmp_path).returncode == 2
    assert pisis("process", str(home / "pisis.toml"), cwd=home).returncode == 2
    assert pisis("reprocess", cwd=home).returncode == 2
    frozen = pisis("watch", cwd=home)
    assert (frozen.returncode, "PISIS_NOW" in frozen.stderr) == (3, True)
    broken = pisis("runs", "list", cwd=home, PISIS_MAIL="correo")
    assert (broken.returncode, "smtp://" in broken.stderr) == (3, True)


def test_a_bad_table_is_told_by_line_and_nothing_is_loaded(home: Path) -> None:
    (home / "malo.csv").write_text(
        "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\nCC,1 2,A,,B,,\n,77,,,C,,\n",
        "utf-8",
    )
    bad = pisis("registry", "load", "persons", "malo.csv", cwd=home)
    assert bad.returncode == 1
    assert "línea 2: num_id" in bad.stderr
    assert "línea 3: primer_nombre" in bad.stderr
    (home / "malo.csv").write_text("tipo_id,apodo\nCC,X\n", "utf-8")
    assert "columna desconocida: apodo" in pisis("registry", "load", "persons", "malo.csv", cwd=home).stderr
    stranger = "entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo\nNI,1,CC,5,,,,,\n"
    (home / "malo.csv").write_text(stranger, "utf-8")
    assert "línea 2: la entidad" in pisis("registry", "load", "users", "malo.csv", cwd=home).stderr


def test_what_is_known_can_be_read(home: Path, tmp_path: Path) -> None:
    assert "Contrato ya terminado" in pisis("explain", "usr030", cwd=tmp_path).stdout
    assert "USR030" in pisis("explain", "USR039", cwd=tmp_path).stderr
    assert "SEG500USIN" in pisis("layouts", "list", cwd=tmp_path).stdout
    assert "SI cuando" in pisis("layouts", "show", "SEG500USIN", cwd=tmp_path).stdout
    assert pisis("layouts", "lint", cwd=tmp_path).returncode == 0
    (tmp_path / "x.toml").write_text('annex = "ABC"\n', "utf-8")
    assert pisis("layouts", "lint", "x.toml", cwd=tmp_path).returncode == 1
    assert json.loads(pisis("layouts", "schema", cwd=tmp_path).stdout)["title"] == "Layout"
    path = pisis("layouts", "sample", "SEG500USIN", "--cut", "2026-07-15", "--rows", "20", cwd=tmp_path).stdout.strip()
    assert pisis("check", "--offline", path, cwd=tmp_path).returncode == 0
    assert pisis("layouts", "show", "XYZ", cwd=tmp_path).returncode == 2
    assert "✓ base de datos" in pisis("doctor", cwd=home).stdout
    assert "pisis, version" in pisis("--version", cwd=tmp_path).stdout


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys\nfrom pisis_batch.cli import root\nroot(['--help'], standalone_mode=False)\nprint(sorted({'polars', 'pandera', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip().endswith("[]"), done.stdout


def test_the_demonstration_runs(tmp_path: Path) -> None:
    shown = pisis("demo", str(tmp_path), cwd=tmp_path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "rechazado → cargado" in shown.stdout
    assert max(len(line) for line in shown.stdout.split("\n") if "/" not in line) <= 80


def test_control_of_another_is_a_usage_error(home: Path) -> None:
    (home / NAME).write_bytes(file_of(CONTROL.format(total=0)))
    assert pisis("process", NAME, "--sender", "!!", cwd=home).returncode == 2
