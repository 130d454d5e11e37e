"""Persons who must not be met again: put into files, names and faults, and looked for in everything written for others."""

import re
from pathlib import Path

import pytest
import structlog
from conftest import GOOD
from test_service import drop, mails
from worlds import NAME, file_of

from pisis_batch import service
from pisis_batch.model import Facts, Questions
from pisis_batch.ports import Ports

#: A number and names that occur nowhere else.
NUMBER, NAMES = "1090777123", ("CANARIOUNO", "CANARIODOS")
CANARIES = re.compile("|".join((NUMBER, *NAMES)), re.IGNORECASE)
FILE = f"2|1|CC|{NUMBER}|{NAMES[0]}|{NAMES[1]}|V|3150000000|MEDICO|0|2026-12-31|{NAMES[0]}@ese.gov.co"


@pytest.fixture
def logged() -> list[str]:
    """Every line of the log, as it would be written."""
    lines: list[str] = []

    def keep(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        lines.append(repr(event))
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    return lines


@pytest.fixture(autouse=True)
def restored() -> object:
    yield
    structlog.reset_defaults()


def test_logs_and_message_bodies_never_name_a_person(workspace: Path, ports: Ports, logged: list[str]) -> None:
    for content in (file_of(FILE), file_of(FILE.replace("|V|", "|Z|")), file_of(GOOD + f"\n{FILE}")):
        drop(workspace, content)
        service.once(ports)
    assert mails(workspace)
    for message in mails(workspace):
        said = [str(value) for value in message.values()]
        parts = [part for part in message.walk() if part.get_content_maintype() == "text" and not part.get_filename()]
        said += [str(part.get_content()) for part in parts]
        assert NUMBER not in "\n".join(said), "a body shows at most the last four digits"
        assert not CANARIES.search("\n".join(str(value) for value in message.values()))
    assert not CANARIES.search("\n".join(logged))


FAULTS = [
    ValueError,
    lambda text: UnicodeDecodeError("utf-8", text.encode(), 0, 1, text),
    lambda text: OSError(5, text, text),
    KeyError,
    RuntimeError,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_carries_a_person_is_told_by_kind_alone(
    workspace: Path,
    ports: Ports,
    logged: list[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: object,
) -> None:
    def failing(questions: Questions) -> Facts:
        raise fault(f"{NUMBER} {NAMES[0]}")  # type: ignore[operator]

    ask = ports.registry.ask
    tries: list[int] = []

    def thrice(questions: Questions) -> Facts:
        tries.append(1)
        return failing(questions) if len(tries) <= 3 else ask(questions)

    monkeypatch.setattr(ports.registry, "ask", thrice)
    drop(workspace, file_of(FILE), name=NAME)
    service.once(ports)
    monkeypatch.undo()
    (run,) = ports.registry.runs()
    assert run["state"] == "cuarentena"
    assert [line for line in logged if "attempt_failed" in line]
    assert not CANARIES.search("\n".join(logged))
    for message in mails(workspace):
        assert not CANARIES.search(message.as_string())


def test_fixtures_name_nobody_outside_the_fictitious_ranges() -> None:
    """Identifications in the tests are CC 10xxxxxx, 1090xxxxxx and NIT 900xxxxxx, and addresses are of nobody."""
    root = Path(__file__).parent
    for path in [*root.rglob("*.case"), *root.rglob("*.py")]:
        for number in re.findall(r"\|(?:CC|TI)\|([0-9]{6,10})\|", path.read_text("utf-8", "replace")):
            assert number.startswith(("10", "99", "00", "12", "90")), f"{path.name}: {number}"
