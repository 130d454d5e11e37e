"""The documents as they are sent: official sections, escaping, figures, and bytes that never change by themselves."""

import binascii
import csv
import dataclasses
import io
import json
import os
import random
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from outcomes import FROM, GOOD, GUID, OUTCOMES, PAYLOAD, judged
from worlds import CONTROL, NAME, NOW

from pisis_batch import reports, suggestions
from pisis_batch.model import Brief, Findings, Outcome, findings, letters
from pisis_batch.reports import hoja, informe, listas, look, mime, stencil, told
from pisis_batch.reports.page import Cause, Page, Row
from pisis_batch.validators import texts

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", OUTCOMES)
def test_golden_letters(name: str) -> None:
    for letter in reports.answer(OUTCOMES[name], NOW).letters:
        for suffix, text in (("html", letter.html), ("txt", f"{letter.subject}\n{letter.to}\n\n{letter.text}")):
            stable = re.sub(r"Reglas: [0-9a-f]{12}", "Reglas: (conjunto)", text)
            path = GOLDEN / f"{name}-{letter.kind}.{suffix}"
            if os.environ.get("PISIS_UPDATE_GOLDEN"):
                path.parent.mkdir(exist_ok=True)
                path.write_text(stable, "utf-8")
            assert stable == path.read_text("utf-8")


def test_official_sentences_stand_as_printed() -> None:
    html = {kind: {one.kind: one for one in reports.answer(OUTCOMES[kind], NOW).letters} for kind in OUTCOMES}
    assert "La Estructura del Archivo es Correcta" in html["cargado"]["acta"].html
    assert "no se cargo ningun registro" in html["control"]["resultado"].html
    assert "El archivo se procesó correctamente" in html["cargado"]["resultado"].text
    for one in html["contenido"].values():
        for section in ("Contacta", "Para dudas o sugerencias contacte a la Mesa de Ayuda.", f"GUID: {GUID}", "MD5: "):
            assert section in one.html


def test_identification_numbers_are_masked_in_bodies_and_whole_in_the_attachment() -> None:
    (acta, resultado) = reports.answer(OUTCOMES["contenido"], NOW).letters
    for body in (acta.html, acta.text, resultado.html, resultado.text):
        assert "1090000009" not in body
    assert "••••0009" in resultado.html
    assert b"1090000009" in resultado.attachments[0].content


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert name not in {"onerror", "onload", "src"}, (name, value)
            assert "javascript:" not in (value or "")


def test_nothing_a_sender_writes_becomes_markup() -> None:
    cells = f"2|1|CC|{PAYLOAD}|{PAYLOAD}|{PAYLOAD}|V|{PAYLOAD}|{PAYLOAD}|1|{PAYLOAD}|{PAYLOAD}"
    lines = CONTROL.format(total=1).replace("ESE HOSPITAL EJEMPLO", PAYLOAD) + "\n" + cells
    for name in (NAME, f"SEG500USIN{PAYLOAD}.TXT", f"{PAYLOAD}.TXT"):
        outcome = judged(lines, name=name)
        for letter in reports.answer(outcome, NOW).letters:
            read = _Elements()
            read.feed(letter.html)
            assert "script" not in read.tags
            assert not {"img", "iframe", "link", "form"} & set(read.tags)
        for document in reports.answer(outcome, NOW).documents:
            if document.media_type == "text/html":
                assert PAYLOAD.encode() not in document.content
                # the interactive report has its data and its one script
                assert (b"<script" in document.content) == (document.name == "informe.html")


def test_the_csv_is_complete_and_excel_runs_none_of_it() -> None:
    lines = "\n".join(f"2|{n}|CC|109000000{n}|=1+{n}|@SUM|V|3150000000|-MEDICO|1||A@E.CO" for n in range(1, 6))
    outcome = judged(lines)
    (table,) = (d for d in reports.answer(outcome, NOW).documents if d.name == "hallazgos.csv")
    assert table.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == len(outcome.findings) + 1
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and cell]


def test_the_answer_for_programs_keeps_its_contract() -> None:
    said = json.loads(json.dumps(reports.ack(OUTCOMES["contenido"])))
    assert list(said) == [
        "schema", "guid", "file_name", "size", "sha256", "md5", "received_at", "sender", "entity", "layout", "ruleset", "verdict",
        "repeats", "counts", "causes", "findings", "changes",
    ]  # fmt: skip
    assert said["verdict"] == "rechazado"
    assert said["entity"] == {"type": "NI", "number": "900123456"}
    assert said["counts"] == {"read": 2, "correct": 0, "with_errors": 2, "duplicated": 0, "loaded": 0, "warnings": 0}
    first = said["findings"][0]
    assert (first["line"], first["field_no"], first["field"], first["severity"]) == (2, 3, "num_id", "error")
    assert list(said["changes"]) == ["linked", "updated", "unlinked", "assigned", "withdrawn", "stored"]


MANY = "\n".join(
    [GOOD.replace("|JUAN|", f"|Juan{n % 13}|").replace("2|1|", f"2|{n}|") for n in range(1, 60)]
    + ["2|60|CC|12|EVA|DIAZ|X|||||", "2|7|", "9|x", "", "2|61|CC|1\\x00\\t2|=1|" + "Z" * 90 + "|X|||||"]
)


@pytest.mark.parametrize("forms", [200, 1])
@pytest.mark.parametrize("outcome", [OUTCOMES["contenido"], judged(MANY)], ids=["contenido", "muchos"])
def test_findings_told_a_few_at_a_time_make_the_same_documents(
    outcome: Outcome, forms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "_FORMS", forms)
    monkeypatch.setattr(hoja, "MOST", 40)
    whole = reports.answer(outcome, NOW)
    for module, name in ((told, "STRETCH"), (listas, "STRETCH"), (suggestions, "_STRETCH")):
        monkeypatch.setattr(module, name, 7)
    monkeypatch.setattr(letters, "_LONG", 100)
    monkeypatch.setattr(findings, "_FEW", 0)
    monkeypatch.setattr(texts, "_MANY", 1)  # and each kind of sentence is made once
    parts = reports.answer(outcome, NOW)
    packed = {one.name for one in parts.documents if one.packed}
    assert packed == {"hallazgos.csv", "ack.json"}
    for one, other in zip(whole.documents, parts.documents, strict=True):
        assert (one.name, one.content, one.size) == (other.name, other.content, other.size)
        assert b"".join(other.pieces()) == other.content
    sent = [reports.render(letter, GUID, NOW, FROM) for letter in whole.letters]
    assert sent == [reports.render(letter, GUID, NOW, FROM) for letter in parts.letters]


def test_odd_values_and_words_are_written_alike_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = (
        None,
        "",
        '"',
        'a"b\\c',
        "\x00",
        "x\n",
        "\t=1",
        "=1",
        "  -1",
        "'",
        "@",
        "Ñ" * 99,
        "PEÑA (1.5) <x@y.co>",
        "A" * 81,
        "\u202e",
        "\ufdd0",
        "\x7f\u2028",
    )
    outcome = judged(MANY)
    kinds = outcome.findings.frame.unique(["code", "record", "field", "details"], maintain_order=True)
    worded = kinds.head(2).with_columns(details=pl.lit('{"condicion":"\\"=\\\\","condition":"","valores":"\ufdd0"}'))
    rows = [kinds, *(pl.concat([kinds, worded]).with_columns(value=pl.lit(one, dtype=pl.String)) for one in odd)]
    rows.append(kinds.with_columns(line=None, field=None, field_no=None, record=None).cast(kinds.schema))
    for some in (pl.concat(rows), pl.concat([rows[2], rows[8]]), rows[13], rows[14], pl.concat([worded] * 3)):
        changed = dataclasses.replace(outcome, findings=Findings(some))
        with monkeypatch.context() as patch:
            patch.setattr(findings, "_FEW", len(some))
            one = listas.lists(told.Told(changed, NOW))
            patch.setattr(findings, "_FEW", 0)
            patch.setattr(listas, "STRETCH", 50)
            other = listas.lists(told.Told(changed, NOW))
            brief = dataclasses.replace(outcome, findings=Findings(some, Brief.of(some)))
            short = listas.lists(told.Told(brief, NOW))
        for few, many, known in zip(one, other, short, strict=True):
            assert few.content.splitlines() == many.content.splitlines() == known.content.splitlines()


_GROWTH = """
import dataclasses
from pathlib import Path
from typing import Any
import polars as pl
from worlds import NAME, NOW, file_of
from pisis_batch import pipeline
from pisis_batch.layouts import shelf
from pisis_batch.model import Findings, Limits, Received
from pisis_batch.reports.listas import lists
from pisis_batch.reports.told import Told

def resident(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) // 1024

received = Received("-", NAME, file_of("2|1|CC|1090000001|Juan|PEREZ|X|3150000000|||| "), NOW, None)
outcome = pipeline.conclude(pipeline.examine(received, shelf(), Limits()), None)
many = Findings(pl.concat([outcome.findings.frame] * (300_000 // len(outcome.findings)), rechunk=True))
lists(Told(outcome, NOW))
Path("/proc/self/clear_refs").write_text("5")  # the highest so far is forgotten
before = resident("VmRSS")
made = lists(Told(dataclasses.replace(outcome, findings=many), NOW))
print(resident("VmHWM") - before, sum(one.size for one in made) // 2**20)
"""


def test_lists_of_many_findings_take_a_fraction_of_their_own_size() -> None:
    folder = Path(__file__).parent
    said = subprocess.run([sys.executable, "-c", _GROWTH], cwd=folder, capture_output=True, check=True, text=True)
    growth, size = map(int, said.stdout.split())
    assert size > 140
    assert growth < size * 5 // 6, f"{growth} MiB for documents of {size} MiB"


_ODD_TEXTS = ("", "A", "a & b <c> \"d\" 'e'", "¿?", "?", "Ñ\u00a0x", "x\ny", "\ue000", "«•»")


@pytest.mark.parametrize("template", ["acta", "resultado", "aviso"])
def test_a_page_filled_in_is_the_page_rendered(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(template)

    def text(*, plain: bool) -> str:
        return chance.choice(_ODD_TEXTS[:5] if plain else _ODD_TEXTS)

    def filled(kind: type[Any], **own: object) -> Any:
        said = {one.name: text(plain=plain) for one in dataclasses.fields(kind) if one.type in {str, "str"}}
        return kind(**{**said, **own})

    for number in range(60):
        plain = number % 3 > 0  # the others are rendered as they are
        severity = chance.choice(["error", "advertencia"])
        page = filled(
            Page,
            tone=chance.choice(["aceptado", "rechazado"]),
            figures=tuple((text(plain=plain), text(plain=plain)) for _ in range(chance.randrange(3))),
            causes=tuple(filled(Cause, severity=severity, times=number) for _ in range(chance.randrange(3))),
            rows=tuple(filled(Row) for _ in range(chance.randrange(3))),
            paragraphs=tuple(text(plain=plain) for _ in range(chance.randrange(3))),
        )
        assert look.html(template, page) == look._inlined(template, page, page.at[:10])
        written = look.text(page)
        with monkeypatch.context() as patch:
            patch.setattr(stencil, "marked", lambda _: None)
            assert look.text(page) == written
        assert (stencil.marked(page) is not None) >= plain
        none = dataclasses.replace(page, causes=())
        assert informe._of_none(none) == informe._rendered(none, rules=[], blocks=[])


def test_lines_are_quoted_as_the_whole_text_is() -> None:
    chance = random.Random(1)
    some = ["a", "=", "é", "€", " ", "\t", "\n", "\r", "\r\n", "\n.\n", " \n", "x" * 80]
    for _ in range(3_000):
        text = "".join(chance.choices(some, k=chance.randrange(12)))
        ended = re.sub("\r\n?|\n", "\r\n", text if text.endswith("\n") else text + "\n")
        assert mime._text("plain", text).partition(b"\r\n\r\n")[2] == binascii.b2a_qp(ended.encode())
