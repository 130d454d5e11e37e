"""A new annex from its table to an answered file, without a line of Python; versions in words; whose verdict changes."""

import json
from pathlib import Path
from typing import Any

import pytest
from annexes import APORTES
from click.testing import CliRunner
from test_stored import aportes, knowing, sent

from pisis_batch.cli import root
from pisis_batch.layouts import Shelf, parse, shelf
from pisis_batch.layouts.difference import difference
from pisis_batch.layouts.draft import draft
from pisis_batch.layouts.style import gaps
from pisis_batch.layouts.table import TableError, read
from pisis_batch.ports import Ports
from pisis_batch.reports.anexo import annex_html
from pisis_batch.settings import FILE

TABLE = """Tipo de registro;No.;Nombre del campo;Tipo de dato;Longitud máxima;Obligatorio;Valores permitidos;Observaciones
Registro tipo 1: Control;0;Tipo de registro;N;1;SI;1;
Registro tipo 1: Control;1;Tipo de identificación de la entidad;A;2;SI;NI: NIT;
Registro tipo 1: Control;2;Número de identificación de la entidad;N;12;SI;;
Registro tipo 1: Control;3;Fecha de corte;Fecha;10;SI;;
Registro tipo 1: Control;4;Total de registros;N;8;SI;;
Registro tipo 2: Vacunas;0;Tipo de registro;N;1;SI;2;
Registro tipo 2: Vacunas;1;Consecutivo de registro;N;8;SI;;
Registro tipo 2: Vacunas;2;Biológico;Alfanumérico;2;SI;"01: BCG; 02: Polio";
Registro tipo 2: Vacunas;3;Fecha de aplicación;F;10;cuando el campo 2 es 01;;
Registro tipo 2: Vacunas;4;Valor;D;12,2;NO;;con IVA
Registro tipo 2: Vacunas;5;Lote;A;;SI;;
"""


def pisis(*arguments: str) -> Any:
    return CliRunner(env={"PISIS_NOW": "2026-07-15T21:37:45"}).invoke(root, list(arguments))


def test_the_walk_of_a_new_annex(workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    """What CONTRIBUTING tells, step by step, with 0 lines of Python."""
    monkeypatch.chdir(workspace)
    (workspace / "vacunas.csv").write_text(TABLE, "utf-8")
    (workspace / "anexos").mkdir()
    path = workspace / "anexos/VAC900VACU.toml"
    made = pisis("layouts", "new", "VAC900VACU", "--from", "vacunas.csv", "-o", "anexos/VAC900VACU.toml")
    assert made.exit_code == 0, made.output
    assert "11 campos" in made.stdout
    assert path.with_name("layout.schema.json").is_file()
    assert path.read_text("utf-8").startswith("#:schema ./layout.schema.json\n")
    linted = pisis("layouts", "lint", str(path))
    assert linted.exit_code == 1
    assert "falta el título del anexo" in linted.stdout
    assert "falta la longitud" in linted.stdout
    done = "\n".join(line.split("  # FALTA")[0] for line in path.read_text("utf-8").split("\n"))
    path.write_text(done.replace("Sin título", "Vacunas aplicadas"), "utf-8")
    with (workspace / FILE).open("a") as settings:
        settings.write('layouts = "anexos"\n')
    assert pisis("layouts", "lint").exit_code == 0
    name = pisis("layouts", "sample", "VAC900VACU", "--cut", "2026-06-30", "--rows", "4").stdout.strip()
    assert name == "VAC900VACU20260630NI000900123456.TXT"
    book = pisis("layouts", "template", "VAC900VACU", "--from", name, "-o", "vacunas.xlsx")
    assert book.exit_code == 0, book.output
    assert pisis("build", "vacunas.xlsx", "-o", "hecho").exit_code == 0
    assert (workspace / "hecho" / name).read_bytes() == (workspace / name).read_bytes()
    processed = pisis("process", name, "--sender", "CC10000001", "--format", "json")
    assert json.loads(processed.stdout)["changes"]["stored"] == 4, processed.output
    assert pisis("data", "VAC900VACU").stdout.count("\n") == 5
    assert "Vacunas aplicadas" in pisis("layouts", "show", "VAC900VACU", "--format", "html").stdout


def test_a_draft_says_what_the_table_said_and_marks_the_rest() -> None:
    text = draft("VAC900VACU", read(TABLE.encode()), valid_from=shelf().layouts[0].valid_from)
    layout = parse(text)
    assert layout.order == ("control", "vacunas")
    assert layout.file_name.pattern == (
        "VAC900VACU{fecha_corte:AAAAMMDD}{tipo_identificacion_entidad:2}{numero_identificacion_entidad:012}.TXT"
    )
    assert layout.sequence
    assert layout.sequence.over == ("vacunas",)
    assert layout.total
    assert layout.total.field == "control.total_registros"
    fields = layout.record["vacunas"].by_name
    assert fields["biologico"].values == {"01": "BCG", "02": "Polio"}
    assert fields["fecha_aplicacion"].required_if == {"biologico": ("01",)}
    assert (fields["valor"].digits, fields["valor"].decimals, fields["valor"].required) == (12, 2, False)
    assert fields["lote"].unread == ("max",)
    assert fields["valor"].note == "con IVA"
    told = gaps(text)
    assert len(told) == text.count("# FALTA")
    assert any("la longitud" in gap for gap in told)


@pytest.mark.parametrize(
    "head",
    ["registro,numero,campo,tipo,longitud,requerido", "Tipo registro\tNo\tVARIABLE\tTipo\tTamaño\tReq."],
)
def test_headings_are_read_forgivingly(head: str) -> None:
    separator = "\t" if "\t" in head else ","
    line = separator.join(["1", "0", "Tipo de registro", "N", "1", "SI"])
    (row,) = read(f"{head}\n{line}\n\n".encode("cp1252"))
    assert (row.record, row.number, row.label, row.type, row.length, row.required) == (
        "1",
        0,
        "Tipo de registro",
        "N",
        1,
        True,
    )


def test_a_table_without_names_is_refused() -> None:
    with pytest.raises(TableError, match="ningún encabezado"):
        read(b"uno;dos\n1;2\n")
    with pytest.raises(TableError, match="vacía"):
        read(b"\n")


NEWER = (
    APORTES.replace('version = "1"', 'version = "2"')
    .replace("2026-01-01", "2026-07-01")
    .replace("decimals = 2", "decimals = 3")
    .replace('label = "Número"', 'label = "Número del aporte"')
    .replace('  { name = "valor"', '  { name = "sede", label = "Sede", type = "A", max = 3 },\n  { name = "valor"')
)


def test_a_new_version_is_told_in_words(tmp_path: Path) -> None:
    old, new = parse(APORTES), parse(NEWER)
    text = "\n".join(difference(old, new))
    assert "# XYZ100APOR: qué cambia de la versión 1 a la 2" in text
    assert "Tenía 3 campos y ahora tiene 4" in text
    assert "Campo 2, «Sede»: es **nuevo**" in text
    assert "se llamaba «Número»" in text
    assert "era el campo 2" in text
    assert "3 decimales" in text
    assert "## Control" not in text
    assert "«Sede» (era el campo 2): **se quita**" in "\n".join(difference(new, old))
    assert difference(old, old) == []
    for name, content in (("a.toml", APORTES), ("b.toml", NEWER)):
        (tmp_path / name).write_text(content, "utf-8")
    assert "es **nuevo**" in pisis("layouts", "diff", str(tmp_path / "a.toml"), str(tmp_path / "b.toml")).stdout
    assert pisis("layouts", "diff", str(tmp_path / "a.toml"), "SEG500USIN").exit_code == 2


def test_impact_replays_originals_and_changes_nothing(workspace: Path, ports: Ports) -> None:
    stores = knowing(ports, Shelf((parse(APORTES),)))
    sent(workspace, stores, aportes(["A1|10.50"]))
    sent(workspace, stores, aportes(["A1|10.555"]))
    before = ports.registry.runs(limit=None)
    (workspace / "a.toml").write_text(APORTES, "utf-8")
    (workspace / "b.toml").write_text(APORTES.replace("decimals = 2", "decimals = 3"), "utf-8")
    arguments = ("-w", str(workspace), "layouts", "impact", str(workspace / "a.toml"), str(workspace / "b.toml"))
    told = json.loads(pisis(*arguments, "--format", "json").stdout)
    assert told["replayed"] == 2
    assert [(row["before"], row["after"]) for row in told["changed"]] == [("rechazado", "cargado")]
    assert "cambiaría el veredicto de 1" in pisis(*arguments).stdout
    assert ports.registry.runs(limit=None) == before


@pytest.mark.parametrize("layout", list(shelf()), ids=lambda layout: f"{layout.annex}-{layout.version}")
def test_the_page_of_an_annex_is_whole_and_has_nothing_remote(layout: Any) -> None:
    page = annex_html(layout)
    for record in layout.records:
        for number, field in enumerate(record.fields):
            assert f'id="{record.name}-{number}"' in page
            assert f"<code>{field.name}</code>" in page
    assert "http" not in page.replace(layout.source, "")
    assert "src=" not in page
    for other in shelf():
        assert difference(layout, other) is not None
