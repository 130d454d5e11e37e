"""Messages as they are sent: the same bytes every time, and no header that a sender wrote."""

import dataclasses
import email
import email.policy

import polars as pl
import pytest
from outcomes import FROM, GOOD, GUID, OUTCOMES, judged
from worlds import NOW

from pisis_batch import reports
from pisis_batch.model import Attachment, Letter


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
