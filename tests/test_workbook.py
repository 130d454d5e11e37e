"""A template filled and built is the same file; what Excel does to what is typed comes out right, or is told by cell."""
# ruff: noqa: DTZ001 the dates of Excel have no zone

import io
import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from annexes import APORTES, NOVEDADES
from click.testing import CliRunner

from pisis_batch import reading, workbook
from pisis_batch.cli import root
from pisis_batch.layouts import Field, Layout, NameFault, parse, shelf
from pisis_batch.layouts.strict import validated
from pisis_batch.model import Limits
from pisis_batch.workbook.cells import CellError, text_of
from pisis_batch.writing import sample

CUT = date(2026, 6, 30)
LAYOUTS = [*shelf(), parse(APORTES), parse(NOVEDADES)]


def filled(layout: Layout, rows: int = 4, seed: int = 1) -> tuple[str, bytes, bytes]:
    name, content = sample(layout, rows, cut=max(CUT, layout.valid_from), seed=seed)
    batch = reading.read(content, layout, name, Limits())
    stated = layout.file_name.read(name)
    assert not isinstance(stated, NameFault)
    return name, content, workbook.template(layout, batch.records, stated)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.annex}-{layout.version}")
def test_a_sample_goes_through_excel_unchanged(layout: Layout) -> None:
    name, content, book = filled(layout)
    built = workbook.build(book, layout)
    assert built.problems == ()
    assert built.name == name
    assert built.content == content
    assert workbook.annex_of(book) == (layout.annex, layout.version)


def test_a_template_has_lists_help_and_text_cells() -> None:
    layout = shelf().get("SEG500USIN")
    assert layout
    book = openpyxl.load_workbook(io.BytesIO(workbook.template(layout)))
    assert book.sheetnames == ["Instrucciones", "control", "usuario", "perfil", "Listas"]
    sheet = book["usuario"]
    assert [cell.value for cell in sheet[3]][:3] == ["tipo_id", "num_id", "primer_nombre"]
    assert sheet.row_dimensions[3].hidden
    asked = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    assert (asked["A4"].type, asked["A4"].formula1) == ("list", "Listas!$C$2:$C$6")
    assert "obligatorio" in asked["E4"].promptTitle.lower() or "V" in asked["E4"].prompt
    assert (asked["C4"].type, asked["C4"].formula1, asked["C4"].errorStyle) == ("textLength", "60", "warning")
    assert sheet.column_dimensions["B"].number_format == "@" or sheet["B4"].number_format in {"@", "General"}
    assert not [cell for page in book for row in page.iter_rows() for cell in row if cell.data_type == "f"]


@pytest.mark.parametrize(
    ("value", "said", "expected"),
    [
        (datetime(2026, 7, 15), {"type": "F"}, "2026-07-15"),
        (date(2026, 7, 15), {"type": "F"}, "2026-07-15"),
        (46218.0, {"type": "F"}, "2026-07-15"),
        ("1845-01-01", {"type": "F"}, "1845-01-01"),
        (1.0, {"max": 3}, "1"),
        (1.0, {"max": 2, "values": {"01": "uno", "02": "dos"}}, "01"),
        (3150000000.0, {"max": 10}, "3150000000"),
        (123456789012.0, {"max": 12}, "123456789012"),
        (5001.0, {"max": 5, "min": 5, "leading_zeros": True}, "05001"),
        (0.1 + 0.2, {"type": "D", "max": 9, "decimals": 2}, "0.3"),
        (1e-05, {"type": "D", "max": 9, "decimals": 5}, "0.00001"),
        (1234567.891, {"type": "D", "max": 12, "decimals": 3}, "1234567.891"),
        (True, {"max": 1, "values": {"1": "sí", "0": "no"}}, "1"),
        (False, {"type": "A", "max": 2, "values": {"SI": "", "NO": ""}}, "NO"),
        (time(7, 5), {"type": "H"}, "07:05"),
        (datetime(1899, 12, 31, 7, 5), {"type": "H"}, "07:05"),
        (" ANA\u00a0", {"type": "T", "max": 9}, "ANA"),
        (None, {"max": 1}, ""),
    ],
)
def test_what_excel_makes_of_a_value(value: Any, said: dict[str, Any], expected: str) -> None:
    assert text_of(value, validated(Field, {"name": "x", "label": "X", **said})) == expected


@pytest.mark.parametrize("value", [1e15, "A|B", "A\nB", "A→B"])
def test_what_no_file_can_hold_is_said(value: Any) -> None:
    with pytest.raises(CellError):
        text_of(value, None)


def _typed(book: bytes, cells: dict[str, Any], sheet: str = "aporte") -> bytes:
    opened = openpyxl.load_workbook(io.BytesIO(book))
    for place, value in cells.items():
        opened[sheet][place] = value
    packed = io.BytesIO()
    opened.save(packed)
    return packed.getvalue()


def test_typed_numbers_and_gaps_make_the_right_file(tmp_path: Path) -> None:
    layout = parse(APORTES)
    book = _typed(workbook.template(layout), {"A4": 900123456, "B4": datetime(2026, 6, 30)}, "cabeza")
    book = _typed(book, {"A4": "A1", "B4": 10.5, "A6": 7, "B6": 1})
    built = workbook.build(book, layout)
    assert built.name == "XYZ100APOR20260630NI000900123456.TXT"
    assert built.content == b"1|900123456|2026-06-30|2\r\n2|A1|10.5\r\n2|7|1"
    assert built.where(3, "valor") == "hoja aporte, celda B6"
    assert built.where(3, "marca") == "hoja aporte, fila 6"
    assert built.where(None, None) == "todo el libro"


def test_build_writes_the_file_or_says_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def pisis(*arguments: str) -> Any:
        return CliRunner().invoke(root, list(arguments))

    name, content, book = filled(next(x for x in LAYOUTS if x.annex == "SEG500USIN"))
    (tmp_path / "plano").mkdir()
    (tmp_path / "plano" / name).write_bytes(content)
    assert pisis("layouts", "template", "SEG500USIN", "--from", f"plano/{name}", "-o", "x.xlsx").exit_code == 0
    done = pisis("build", "x.xlsx", "-o", "hecho", "--offline")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "hecho" / name).read_bytes() == content
    (tmp_path / "y.xlsx").write_bytes(_typed(book, {"C5": "juan"}, "usuario"))
    wrong = pisis("build", "y.xlsx", "-o", "otro", "--offline")
    assert wrong.exit_code == 1
    assert "hoja usuario, celda C5:" in wrong.stdout
    assert not (tmp_path / "otro").exists()
    (tmp_path / "z.xlsx").write_bytes(_typed(book, {"C5": "JUAN|PEREZ"}, "usuario"))
    told = json.loads(pisis("build", "z.xlsx", "--format", "json", "--offline").stdout)
    assert told["file"] is None
    assert told["findings"][0]["where"] == "hoja usuario, celda C5"
    (tmp_path / "no.xlsx").write_bytes(b"PK nada")
    assert pisis("build", "no.xlsx").exit_code == 2
