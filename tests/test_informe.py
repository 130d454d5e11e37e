"""The interactive report, opened in a browser: nothing runs that should not, everything is found, everybody can use it."""

import dataclasses
import html
import re
from pathlib import Path

import browser
import pytest
from outcomes import HOSTILE, OUTCOMES, PAYLOAD, judged
from playwright.sync_api import Browser, Page
from worlds import NOW

from pisis_batch import reports
from pisis_batch.model import Findings, Outcome
from pisis_batch.reports import columnas, documentos, informe
from pisis_batch.reports.told import Told

SHELL = 300_000
BREAKOUT = "</SCRIPT><script>document.title=1</script><!--"


def many(lines: int) -> Outcome:
    """Two thirds of the lines with one error, the others with two."""
    right = "2|{0}|CC|109{0:07d}|Juan{1}|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO"
    wrong = "2|{0}|CC|109{0:07d}|JUAN|PEREZ|X|3150000000|MEDICO|1||JUAN{0}@ESE"
    return judged("\n".join((right if n % 3 else wrong).format(n, n % 977) for n in range(1, lines + 1)))


def report(outcome: Outcome) -> str:
    told = Told(outcome, NOW)
    page = documentos.resultado(told) if outcome.examined.sound else documentos.acta(told)
    return informe.report(told, page).decode()


def opened(page: Page, folder: Path, text: str) -> Page:
    path = folder / "informe.html"
    path.write_text(text, "utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    return page


def test_the_report_is_one_light_file_that_fetches_nothing() -> None:
    text = report(OUTCOMES["estructura"])
    assert len(text.encode()) <= SHELL
    assert not re.search(r"""\s(src|srcset|action|formaction|on\w+|style)\s*=\s*["']""", text.split("<script>")[0])
    assert not re.search(r"https?:|url\(|@import|innerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
    assert {one[:1] for one in re.findall(r'href="([^"]*)"', text)} == {"#"}
    assert "default-src 'none'" in html.unescape(text)
    assert text == report(OUTCOMES["estructura"])


def test_nothing_found_is_said_in_a_sentence() -> None:
    text = report(dataclasses.replace(OUTCOMES["cargado"], findings=Findings()))
    assert "No hay nada que corregir" in text
    assert 'id="datos"' not in text


def test_large_columns_are_packed_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(informe, "MOST", 20)
    monkeypatch.setattr(columnas, "_PLAIN", 10)
    outcome = many(30)
    text = report(outcome)
    assert 'type="application/octet-stream" id="datos"' in text
    assert f"Aquí están los primeros 20 hallazgos; hay {len(outcome.findings) - 20} más." in text
    monkeypatch.setattr(columnas, "_LINES_MOST", 100)
    assert 'id="l0"' not in report(outcome)


@browser.needed
def test_what_a_sender_writes_stays_text(chromium: Browser, tmp_path: Path) -> None:
    cells = f"2|1|CC|{PAYLOAD}|{BREAKOUT}|x{BREAKOUT}|V|{PAYLOAD}|{PAYLOAD}|1|{BREAKOUT}|{PAYLOAD}"
    outcome = judged(cells + "\n" + HOSTILE, name=f"{BREAKOUT}{PAYLOAD}.TXT")
    for text in (report(outcome), report(judged(cells + "\n" + HOSTILE))):
        with browser.opened(chromium) as page:
            opened(page, tmp_path, text)
            assert page.title().startswith("Informe de hallazgos: ")
            scripts = page.evaluate("[...document.scripts].map(s => s.type)")
            assert scripts.count("") == 1
            page.locator("[role=option]").first.click()
            assert page.evaluate("document.querySelectorAll('#ficha script, #ficha img, #lista script').length") == 0


@browser.needed
def test_a_finding_opens_its_line_with_the_datum_marked_and_its_rule(chromium: Browser, tmp_path: Path) -> None:
    with browser.opened(chromium) as page:
        opened(page, tmp_path, report(judged(HOSTILE)))
        page.get_by_label("Buscar").fill("numero de IDENTIFICACION control")
        page.wait_for_selector("#cuantos:has-text('1 de')")
        page.locator("[role=option]").click()
        wrong = page.locator("#ficha .cells .wrong")
        assert wrong.locator(".n").inner_text().startswith("3")
        assert wrong.locator(".v").inner_text() == "12␀␋"
        assert "carácter de control" in page.locator("#ficha").inner_text()
        assert page.locator("#ficha .also li").count() >= 2
        page.locator("#ficha a", has_text="La regla EST027").click()
        assert page.locator("#regla-EST027").get_attribute("open") is not None
        page.get_by_role("button", name="Quitar filtros").click()
        page.get_by_label("Líneas").fill("2")
        assert "de " in page.locator("#cuantos").inner_text()
        page.locator("#lista").focus()
        page.keyboard.press("End")
        assert page.locator("[aria-selected=true]").inner_text().startswith("línea 2")


@browser.needed
def test_filters_by_cause_code_and_field(chromium: Browser, tmp_path: Path) -> None:
    outcome = many(60)
    with browser.opened(chromium) as page:
        opened(page, tmp_path, report(outcome))
        for control, column in (("#codigo", "code"), ("#campo", "field")):
            many_choices = page.locator(f"{control} option").count()
            assert many_choices == outcome.findings.frame[column].n_unique() + 1
            for n in range(1, many_choices):
                page.locator(control).select_option(index=n)
                shown = int(page.locator("#cuantos").inner_text().split()[0])
                assert shown in outcome.findings.frame[column].value_counts()["count"].to_list()
            page.get_by_role("button", name="Quitar filtros").click()
        page.locator("details.cause .go a").first.click()
        assert page.locator("#causa").input_value() == "0"
        assert page.locator("#cuantos").inner_text().startswith("40 de 80")


@browser.needed
@pytest.mark.parametrize(("width", "dark"), [(1440, False), (320, True)])
def test_everybody_can_use_it(chromium: Browser, tmp_path: Path, width: int, dark: bool) -> None:  # noqa: FBT001 a table of cases
    with browser.opened(chromium, width=width, dark=dark) as page:
        opened(page, tmp_path, report(judged(HOSTILE)))
        page.locator("[role=option]").nth(1).click()
        page.wait_for_selector("#ficha .cells")
        assert browser.complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == 320:
            page.keyboard.press("Escape")
            assert page.evaluate("document.activeElement.id") == "lista"
            assert browser.complaints(page) == []


@browser.needed
def test_it_prints_what_was_found(chromium: Browser, tmp_path: Path) -> None:
    with browser.opened(chromium) as page:
        opened(page, tmp_path, report(many(12)))
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.locator("#papel tr").count() == 16
        assert page.locator("#papel").is_visible()
        assert not page.locator("#lista").is_visible()


@browser.needed
def test_a_hundred_thousand_findings_are_all_searched_and_only_a_screenful_is_drawn(
    chromium: Browser, tmp_path: Path
) -> None:
    outcome = many(75_000)
    assert len(outcome.findings) == 100_000
    with browser.opened(chromium) as page:
        opened(page, tmp_path, report(outcome))
        while page.evaluate("hay.length") < 100_000:
            page.wait_for_timeout(50)
        found = page.evaluate(
            """["linea 74999", "no esta"].map((words) => {
              document.getElementById("busca").value = words;
              filter();
              return document.getElementById("cuantos").innerText;
            })"""
        )
        drawn = page.locator("#lista *").count()
    # how quick it is, `make report-speed` tells: what makes it quick is that the page holds a screenful
    assert drawn < 1_000
    assert found[1].startswith("0 ")
    assert 0 < int(found[0].split()[0].replace(".", "")) < 100


def test_the_report_is_in_the_outbox() -> None:
    assert "informe.html" in {d.name for d in reports.answer(OUTCOMES["contenido"], NOW).documents}
