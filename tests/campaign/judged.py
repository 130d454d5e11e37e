"""Whether a hostile file was judged as it must be, and whether what is told of it is harmless."""

import time
from html.parser import HTMLParser

from worlds import NOW, facts

from campaign.hostile import Hostile
from pisis_batch import judging
from pisis_batch.judging import Judged, Task
from pisis_batch.layouts import Shelf
from pisis_batch.model import Limits, Received

GUID = "e70e425b-9264-4385-8660-8aa9c25f1bda"
_PEOPLE = "persons = [" + ", ".join(f'"CC 109000{number:04} JUAN PEREZ"' for number in range(1, 10)) + "]"
SLOWEST = 10.0
_TAGS = {"img", "iframe", "object", "embed"}  # our own documents have none of them


def judge(case: Hostile, shelf: Shelf) -> Judged:
    """The verdict, documents and messages, against the fictitious registry."""
    task = Task(Received(GUID, case.name, case.content, NOW, "CC10000001"), Limits(), NOW, "PISIS <a@b.example>")
    return judging.judge(task, shelf, lambda questions: facts(_PEOPLE))


def wrong(case: Hostile, shelf: Shelf) -> list[str]:
    """What is not as it must be; nothing that raises is right."""
    started = time.process_time()
    try:
        judged = judge(case, shelf)
    except Exception as error:  # noqa: BLE001  # exactly what must never happen
        return [f"it raised {type(error).__name__}"]
    spent = time.process_time() - started
    outcome = judged.outcome
    found = [] if spent < SLOWEST else [f"it took {spent:.0f} s"]
    if (outcome.verdict == "rechazado") != case.rejected:
        found.append(f"its verdict is {outcome.verdict}")
    errors = outcome.findings.where("error").frame
    if case.rejected and not case.anywhere:
        places = set(errors.select("line", "field_no").iter_rows())
        if not any(line == case.line and (case.field is None or field == case.field) for line, field in places):
            found.append(f"no error at line {case.line}, field {case.field}: {sorted(map(str, places))[:5]}")
    counts = outcome.counts
    if counts.read != counts.correct + counts.with_errors:
        found.append("its figures do not add up")
    return found + harmful(judged)


class _Watcher(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.harm: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        handlers = [name for name, _ in attrs if name.startswith("on")]
        links = [value for name, value in attrs if name in {"href", "src"} and (value or "").startswith("javascript")]
        if tag in _TAGS or handlers or links:
            self.harm.append(f"<{tag}> in a document")


def harmful(judged: Judged) -> list[str]:
    """What could do harm in documents and messages."""
    found = []
    for document in judged.documents:
        if document.name.endswith(".html"):
            text = document.content.decode("utf-8")
            watcher = _Watcher()
            watcher.feed(text)
            found += watcher.harm
            if "alert(1)</script>" in text or any(sign in text for sign in "\x1b\u202e\x00"):
                found.append(f"unescaped text in {document.name}")
        if document.name.endswith(".csv"):
            cells = document.content.decode("utf-8").split('";"')
            found += ["a formula in a CSV" for cell in cells if cell.startswith(("=", "+", "@", "\t"))][:1]
    for mail in judged.mails:
        if len(mail.body) > 12 * 2**20:
            found.append("a message of more than 12 MiB")
    return found
