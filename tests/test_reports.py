"""The documents as they are sent: official sections, escaping, figures, and bytes that never change by themselves."""

import binascii
import csv
import dataclasses
import email
import email.policy
import io
import json
import os
import random
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from jsonschema import Draft202012Validator
from worlds import CONTROL, NAME, NOW, facts, file_of

from pisis_batch import pipeline, reports, suggestions
from pisis_batch.annotations import stripped
from pisis_batch.layouts import shelf
from pisis_batch.model import Attachment, Brief, Earlier, Findings, Letter, Limits, Outcome, Received, findings, letters
from pisis_batch.reports import anotado, hoja, informe, listas, look, mime, stencil, told
from pisis_batch.reports.page import Cause, Page, Row
from pisis_batch.validators import texts

GUID = "e70e425b-9264-4385-8660-8aa9c25f1bda"
FROM = "PISIS <no-responder@pisis.example>"
GOOD = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO"
PAYLOAD = "<script>alert(1)</script>"
GOLDEN = Path(__file__).parent / "golden"


def judged(lines: str, *, name: str = NAME, **said: object) -> Outcome:
    received = Received(GUID, name, file_of(lines), NOW, "CC10000001")
    examined = pipeline.examine(received, shelf(), Limits())
    known = dataclasses.replace(facts(), **said)  # type: ignore[arg-type]
    return pipeline.judge(examined, known) if examined.sound else pipeline.conclude(examined, known)


OUTCOMES = {
    "cargado": judged(GOOD),
    "sin-cambios": judged(GOOD, earlier=Earlier("0f0f0f0f-0000-4000-8000-000000000001", NOW)),
    "contenido": judged("2|1|CC|1090000009|ANA|RUIZ|O|||||\n2|2|CC|12|EVA|DIAZ|O|||||"),
    "control": judged(CONTROL.format(total=1).replace("HOSPITAL", "CLINICA") + "\n" + GOOD),
    "estructura": judged(GOOD.replace("JUAN|", "Juan|") + "\n2|3|CC|1090000002|ANA|RUIZ|X|||||"),
    "falla": dataclasses.replace(pipeline.broken(Received(GUID, NAME, b"", NOW, "CC10000001"), shelf()), facts=facts()),
}


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


def test_a_message_is_the_same_bytes_every_time_and_has_only_its_headers() -> None:
    (_, letter) = reports.answer(OUTCOMES["cargado"], NOW).letters
    first, second = (reports.render(letter, GUID, NOW, FROM) for _ in range(2))
    assert first == second
    message = email.message_from_bytes(first[0].body, policy=email.policy.default)
    assert set(message) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
    body = message.get_body(("html",))
    assert body is not None
    assert body.get_content().split() == letter.html.split()
    assert [part.get_filename() for part in message.iter_attachments()] == ["hallazgos.csv", "ack.json"]


def test_a_hostile_name_never_enters_a_header() -> None:
    name = "SEG500USIN" + "x" * 60 + " =?utf-8?q?=0ABcc=3A_evil@evil.example?=.TXT"
    for letter in reports.answer(judged(GOOD, name=name), NOW).letters:
        assert "evil" not in letter.subject
        for sent in reports.render(letter, GUID, NOW, FROM):
            assert email.message_from_bytes(sent.body)["Bcc"] is None


def test_an_address_that_is_no_address_gets_no_message() -> None:
    letter = Letter("acta", ("a@x.example, b@y.example", "ñ@x.example", "a@x.example"), "s", "<p>h</p>", "t")
    assert [sent.recipient for sent in reports.render(letter, GUID, NOW, FROM)] == ["a@x.example"]


def test_a_heavy_list_is_zipped() -> None:
    outcome = OUTCOMES["contenido"]
    many = pl.concat([outcome.findings.frame] * 30_000)
    (_, letter) = reports.answer(dataclasses.replace(outcome, findings=type(outcome.findings)(many)), NOW).letters
    (sent, *_) = reports.render(letter, GUID, NOW, FROM)
    message = email.message_from_bytes(sent.body, policy=email.policy.default)
    assert [part.get_filename() for part in message.iter_attachments()] == ["hallazgos.zip"]
    assert "hallazgos más" in letter.text


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


HOSTILE = "2|1|CC|=1+1|@SUM(A1)|https://x.example|V|mailto:a@b.co|-MEDICO|1||A@E.CO\n2|2|CC|12\\x00\\x0b|\\t=1|_x0041_|V|1|2|1||x"


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


def test_a_message_of_odd_text_says_what_was_written() -> None:
    text = "Señor:\n.\nFrom aquí\n" + "ñ" * 300 + "\nfin \u2028\x85\n=20\n\ttab\t\n"
    files = (
        Attachment("ack.json", "application/json", bytes(range(256)) * 9),
        Attachment("vacio.csv", "text/csv", b""),
    )
    letter = Letter("resultado", ("a@x.example",), "Cargado: año " + "largo " * 30, f"<p>{text}</p>", text, files)
    (sent,) = reports.render(letter, GUID, NOW, "PISIS Ñ <p@pisis.example>")
    message = email.message_from_bytes(sent.body, policy=email.policy.default)
    assert message["Subject"].split() == letter.subject.split()
    assert message["From"].addresses[0].display_name == "PISIS Ñ"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    told = [part.get_content().replace("\r\n", "\n") for part in (plain, html)]
    assert told == [text, f"<p>{text}</p>\n"]
    found = {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}
    assert found == {file.name: file.content for file in files}
    assert not message.defects
    assert max(map(len, sent.body.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 78
    assert b"\n" not in sent.body.replace(b"\r\n", b"")


def test_a_line_end_in_a_subject_makes_no_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        reports.render(Letter("acta", ("a@x.example",), "s\r\nBcc: e@x.example", "<p>h</p>", "t"), GUID, NOW, FROM)


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
