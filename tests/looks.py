"""The pages that people open, seen. `accessibility` prints what axe says of each of them, `pictures` draws one for the
README, `speed` times the interactive report: make targets `accessibility`, `pictures` and `report-speed`.
"""

import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import browser
from outcomes import GOOD, OUTCOMES, judged
from playwright.sync_api import sync_playwright
from worlds import NOW, facts

from pisis_batch import reports
from pisis_batch.model import Outcome, RegisteredEntity
from pisis_batch.reports import documentos, informe
from pisis_batch.reports.told import Told

PICTURE = Path(__file__).parent.parent / "docs/img/informe.png"
#: Pixels: a desk and a telephone; a message is never wider than 760.
WIDTHS = {"informe": (1440, 320), "mensaje": (760, 320)}


def pages() -> Iterator[tuple[str, str]]:
    """(name, HTML) of every message that says something of its own, and of the interactive report."""
    entity = facts().entity
    assert isinstance(entity, RegisteredEntity)
    unconfirmed = judged(GOOD, entity=dataclasses.replace(entity, correo_confirmado=False))
    for name, outcome in (*OUTCOMES.items(), ("sin-confirmar", unconfirmed)):
        answer = reports.answer(outcome, NOW)
        for letter in answer.letters:
            if letter.kind == "acta" and outcome.examined.sound and name != "cargado":
                continue  # the Acta of a sound file is always the same
            yield f"{name}-{letter.kind}", letter.html
        for document in answer.documents:
            if document.name == "informe.html":
                yield f"{name}-informe", document.content.decode()


def many_mistakes() -> Outcome:
    """A file as they come: one habit throughout, and a few slips."""
    lines = []
    for n in range(1, 241):
        name, action, mail = (
            ("Juan", "V", f"USUARIO{n}@ESE.GOV.CO") if n > 40 else ("JUAN", "V", f"USUARIO{n}@ESE.GOV.CO")
        )
        if n % 37 == 0:
            mail = f"USUARIO{n}.ESE.GOV.CO"
        if n % 53 == 0:
            action = "X"
        lines.append(f"2|{n}|CC|1090000{n:03d}|{name}|PEREZ|{action}|3150000{n:03d}|AUXILIAR|1||{mail}")
    return judged("\n".join(lines))


def accessibility() -> int:
    """Every page, in every width, light and dark; the number of complaints."""
    total = 0
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=list(browser.QUIET))
        for name, html in pages():
            path = Path(folder) / f"{name}.html"
            path.write_text(html, "utf-8")
            for width in WIDTHS["informe" if name.endswith("informe") else "mensaje"]:
                for dark in (False, True):
                    with browser.opened(chromium, width=width, dark=dark) as page:
                        page.goto(path.as_uri())
                        found = browser.complaints(page)
                        if page.evaluate("document.documentElement.scrollWidth") > width:
                            found.append(f"wider than {width} px")
                    print(f"{name:28} {width:5} px {'dark ' if dark else 'light'} {len(found) or 'nothing'} found")  # noqa: T201
                    print(*found, sep="\n", end="\n" if found else "")  # noqa: T201
                    total += len(found)
        chromium.close()
    return total


def pictures() -> None:
    """The interactive report of a fictitious file, with a finding open."""
    (html,) = (d.content for d in reports.answer(many_mistakes(), NOW).documents if d.name == "informe.html")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=list(browser.QUIET))
        path = Path(folder) / "informe.html"
        path.write_bytes(html)
        with browser.opened(chromium, width=1000, height=480, scale=0.72) as page:
            page.goto(path.as_uri())
            page.wait_for_selector("[role=option]")
            page.locator("[role=option]").nth(2).click()
            page.wait_for_selector("#ficha .cells")
            page.evaluate("document.querySelectorAll('details.cause').forEach((one, n) => { one.open = n < 1; })")
            PICTURE.parent.mkdir(exist_ok=True)
            page.evaluate(
                "document.querySelectorAll('.figures, details.cause:not([open])').forEach((one) => one.remove())"
            )
            page.evaluate("document.getElementById('lista').style.height = '414px', draw()")
            height = page.evaluate("document.querySelector('.desk').getBoundingClientRect().bottom + scrollY") + 16
            page.screenshot(path=str(PICTURE), full_page=True, clip={"x": 0, "y": 0, "width": 1000, "height": height})
        chromium.close()
    print(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes")  # noqa: T201


def speed() -> None:
    """The report of 100,000 findings: how long it takes to be made, to be there, and to be searched."""
    lines = (
        "2|{0}|CC|109{0:07d}|Juan{1}|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO"
        if n % 3
        else "2|{0}|CC|109{0:07d}|JUAN|PEREZ|X|3150000000|MEDICO|1||JUAN{0}@ESE"
        for n in range(1, 75_001)
    )
    outcome = judged("\n".join(line.format(n, n % 977) for n, line in enumerate(lines, start=1)))
    told = Told(outcome, NOW)
    page = documentos.acta(told)
    started = time.perf_counter()
    html = informe.report(told, page)
    print(f"{len(outcome.findings)} findings, made in {time.perf_counter() - started:.2f} s, {len(html)} bytes")  # noqa: T201
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=list(browser.QUIET))
        path = Path(folder) / "informe.html"
        path.write_bytes(html)
        with browser.opened(chromium, width=1440) as page_:
            page_.goto(path.as_uri())
            page_.wait_for_selector("html[data-ready] [role=option]")
            print(f"first view: {page_.evaluate('readyAt'):.0f} ms")  # noqa: T201
            while page_.evaluate("hay.length") < len(outcome.findings):
                page_.wait_for_timeout(50)
            for words in ("juan503", "linea 74999", "accion x", "no esta"):
                took = page_.evaluate(
                    """(words) => {
                      document.getElementById("busca").value = words;
                      const from = performance.now();
                      filter();
                      document.body.offsetHeight;
                      return performance.now() - from;
                    }""",
                    words,
                )
                print(f"search «{words}»: {took:.0f} ms, {page_.locator('#cuantos').inner_text()}")  # noqa: T201
        chromium.close()


if __name__ == "__main__":
    if browser.CHROMIUM is None:
        sys.exit("Chromium is not installed (Debian: apt-get install chromium)")
    if sys.argv[1:] == ["pictures"]:
        pictures()
    elif sys.argv[1:] == ["speed"]:
        speed()
    else:
        sys.exit(1 if accessibility() else 0)
