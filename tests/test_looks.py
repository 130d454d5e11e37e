"""Messages as they are seen: readable by everybody on a wide screen and on a narrow one, and as plain text alone."""

from pathlib import Path

import browser
import looks
import pytest
from outcomes import OUTCOMES, judged
from playwright.sync_api import Browser
from worlds import NOW

from pisis_batch import reports

PAGES = dict(looks.pages())


@browser.needed
@pytest.mark.parametrize(("width", "dark"), [(760, False), (320, True)])
@pytest.mark.parametrize("name", ["estructura-acta", "contenido-resultado", "sin-confirmar-confirmacion"])
def test_everybody_can_read_a_message(chromium: Browser, tmp_path: Path, name: str, *, width: int, dark: bool) -> None:
    path = tmp_path / "mail.html"
    path.write_text(PAGES[name], "utf-8")
    with browser.opened(chromium, width=width, dark=dark) as page:
        page.goto(path.as_uri())
        assert browser.complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_text_part_fits_a_terminal_and_names_the_documents(name: str) -> None:
    answer = reports.answer(OUTCOMES[name], NOW)
    for letter in answer.letters:
        assert max(map(len, letter.text.split("\n"))) <= 78
    rejected = [
        letter.text for letter in answer.letters if letter.attachments and OUTCOMES[name].verdict == "rechazado"
    ]
    for text in rejected:
        assert all(
            document.name in text for document in answer.documents if not document.name.startswith(("acta", "resul"))
        )


def test_a_long_name_does_not_widen_the_text() -> None:
    for letter in reports.answer(judged("2|1|CC", name="A" * 300 + ".TXT"), NOW).letters:
        assert max(map(len, letter.text.split("\n"))) <= 78
