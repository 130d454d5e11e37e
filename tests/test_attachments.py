"""What goes with a message: the answer for programs, the workbook, and the annotated copy."""

import dataclasses
import io
import json
import zipfile

import openpyxl
import pytest
from jsonschema import Draft202012Validator
from outcomes import GOOD, HOSTILE, OUTCOMES, judged
from worlds import NOW

from pisis_batch import pipeline, reports
from pisis_batch.annotations import stripped
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits, Outcome
from pisis_batch.reports import anotado, hoja


def document(outcome: Outcome, name: str) -> bytes:
    (found,) = (d.content for d in reports.answer(outcome, NOW).documents if d.name == name)
    return found


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_answer_for_programs_fits_its_published_schema(name: str) -> None:
    schema = reports.ack_schema()
    Draft202012Validator.check_schema(schema)
    answers = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    said = json.loads(document(OUTCOMES[name], "ack.json"))
    if name != "falla":  # the one file whose bytes could not be read back
        answers.validate(said)
    assert not list(answers.iter_errors({**said, "added_later": 1, "sha256": "0" * 64}))
    for key in schema["required"]:
        assert list(answers.iter_errors({k: v for k, v in said.items() if k != key})), key


def test_the_workbook_has_three_sheets_and_nothing_that_runs() -> None:
    outcome = judged(HOSTILE)
    content = document(outcome, "hallazgos.xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist() if name.endswith((".xml", ".rels"))}
    assert not [name for name, text in parts.items() if "<f>" in text or "<hyperlink" in text or "External" in text]
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["causas", "hallazgos", "archivo anotado"]
    for sheet in book:
        assert (sheet.freeze_panes, sheet.auto_filter.ref is not None) == ("A2", True)
    found = book["hallazgos"]
    assert found.max_row == len(outcome.findings) + 1
    assert {type(row[0]) for row in found.iter_rows(min_row=2, values_only=True) if row[0]} == {int}
    lines = list(book["archivo anotado"].iter_rows(min_row=2, values_only=True))
    assert [line[0] for line in lines] == [1, 2, 3]
    assert lines[1][5:8] == ("=1+1", "@SUM(A1)", "https://x.example")
    assert lines[2][5:8] == ("12␀⍰", "⇥=1", "_x0041_")
    assert book["archivo anotado"]["F3"].fill.bgColor.rgb != book["archivo anotado"]["D3"].fill.bgColor.rgb
    assert content == document(outcome, "hallazgos.xlsx")


def test_the_workbook_stays_within_what_excel_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hoja, "MOST", 3)
    outcome = judged("2|1|CC|1|" + "X" * 40_000 + "|" + "|" * 300 + "\n" + "\n".join(f"2|{n}|CC|x|y" for n in range(9)))
    book = openpyxl.load_workbook(io.BytesIO(document(outcome, "hallazgos.xlsx")))
    last = list(book["hallazgos"].iter_rows(values_only=True))[-1]
    assert f"hay {len(outcome.findings) - 3} más en hallazgos.csv" in str(last)
    assert max(len(str(cell)) for row in book["archivo anotado"].iter_rows(values_only=True) for cell in row) <= 32_000


def test_the_annotated_copy_gives_the_file_back_and_says_what_is_wrong() -> None:
    outcome = OUTCOMES["estructura"]
    copy = document(outcome, "anotado.txt")
    assert stripped(copy) == outcome.received.content
    lines = copy.decode("cp1252").split("\r\n")
    at = lines.index(GOOD.replace("JUAN|", "Juan|"))
    assert lines[at - 1].startswith("#! EST")
    assert " campo 4: «" in lines[at - 1]
    assert "se quitan al leer" in lines[1]
    again = pipeline.examine(dataclasses.replace(outcome.received, content=copy), shelf(), Limits())
    assert again.findings.frame.equals(outcome.examined.findings.frame)
    assert document(dataclasses.replace(outcome, examined=again), "anotado.txt") == copy


def test_a_file_too_large_for_an_editor_gets_no_annotated_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anotado, "LARGEST", 10)
    assert "anotado.txt" not in {d.name for d in reports.answer(OUTCOMES["estructura"], NOW).documents}
    monkeypatch.setattr(anotado, "LARGEST", 10_000)
    monkeypatch.setattr(anotado, "MOST", 1)
    text = document(OUTCOMES["estructura"], "anotado.txt")
    assert text.count(b"\n#! EST") == 1
    assert b"primeros 1 hallazgos" in text
