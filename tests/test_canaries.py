"""Persons who must not be met again: put into files, names and faults, and looked for in everything written for others."""

import dataclasses
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pydantic
import pytest
import sqlalchemy as sa
import structlog
from conftest import BOTH, GOOD
from smtp_faults import faulty
from test_service import drop, mails
from worlds import NAME, NOW, file_of

from pisis_batch import cli, service
from pisis_batch.adapters import sql_runs
from pisis_batch.adapters.smtp_mailer import SmtpMailer
from pisis_batch.adapters.sql_ready import execute
from pisis_batch.adapters.sql_tables import mail as mail_table
from pisis_batch.adapters.sql_tables import receipt
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


class Said(pydantic.BaseModel):
    number: int


def _pandera() -> None:
    schema = pa.DataFrameSchema({"num_id": pa.Column(str, pa.Check.str_matches("^x$"))})
    schema.validate(pl.DataFrame({"num_id": [NUMBER]}), lazy=True)


def _polars() -> None:
    pl.DataFrame({"a": [f"{NAMES[0]} {NUMBER}"]}).cast(pl.Int64)


def _pydantic() -> None:
    Said.model_validate({"number": NAMES[0]})


_REFUSED = receipt.insert()


def _database(connection: sa.Connection) -> None:
    execute(connection, _REFUSED, {"guid": None, "file_name": NAMES[0], "sender": f"CC{NUMBER}"})


#: Real faults of the libraries, each with a person in its text.
LEAKING = [_pandera, _polars, _pydantic]


@pytest.fixture
def met(
    capfd: pytest.CaptureFixture[str], workspace: Path, logged: list[str], caplog: pytest.LogCaptureFixture
) -> Callable[[], str]:
    """Everything that was written where others look: terminal, log, standard logging, message bodies."""

    def told() -> str:
        terminal = capfd.readouterr()
        letters = [mail.as_string() for mail in mails(workspace)]
        return "\n".join([terminal.out, terminal.err, *logged, caplog.text, *letters])

    return told


@pytest.mark.parametrize("leak", LEAKING, ids=lambda leak: leak.__name__)
def test_a_fault_of_a_library_is_told_by_kind_alone(
    leak: Callable[[], None], ports: Ports, logged: list[str], met: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Exception, match=CANARIES):  # the library does say it
        leak()
    tries: list[int] = []
    judge = ports.judge.judge

    def failing(*words: object) -> object:
        tries.append(1)
        if len(tries) <= 3:
            leak()
        return judge(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(ports.judge, "judge", failing)
    drop(ports.outbox._root.parent, file_of(GOOD), name=NAME)  # type: ignore[attr-defined]  # the workspace
    service.once(ports)
    (run,) = ports.registry.runs()
    assert run["state"] == "cuarentena"
    assert len([line for line in logged if "attempt_failed" in line]) == 3
    assert not CANARIES.search(met())


@BOTH
def test_a_row_that_the_database_refuses_is_told_by_kind_alone(
    workspace: Path, ports: Ports, logged: list[str], met: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = sql_runs.insert_run

    def refused(connection: sa.Connection, *rest: object, **more: bool) -> int:
        _database(connection)
        return insert(connection, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(sql_runs, "insert_run", refused)
    drop(workspace, file_of(FILE))
    with pytest.raises(sa.exc.IntegrityError):
        service.once(ports)  # quarantine meets the same fault
    monkeypatch.undo()
    assert [line for line in logged if "attempt_failed" in line]
    assert not CANARIES.search(met())


def test_what_a_mail_server_says_is_not_repeated(
    workspace: Path, ports: Ports, logged: list[str], met: Callable[[], str]
) -> None:
    drop(workspace, file_of(FILE.replace("|V|", "|Z|")))
    said = f"<{NAMES[0]}@ese.gov.co> {NUMBER}\r\n".encode()
    scripts = [{"RCPT": b"450 4.1.1 " + said}, {"DATA": b"451 " + said}, {"": b"554 " + said}, {".": b"550 " + said}]
    for day, script in enumerate(scripts):
        with faulty(script) as server:
            mailer, now = SmtpMailer(f"smtp://127.0.0.1:{server.port}?tls=none"), NOW + timedelta(days=day)
            service.once(dataclasses.replace(ports, mailer=mailer, clock=lambda now=now: now))
    assert len([line for line in logged if "mail_failed" in line]) > 4
    assert not CANARIES.search(met())
    with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]  # the database adapter has it
        reasons = list(connection.scalars(sa.select(mail_table.c.last_error)))
    assert any(reasons)
    assert not CANARIES.search(repr(reasons))


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_command_that_fails_shows_where_and_not_what(
    debug: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(**words: object) -> None:
        try:
            _polars()
        except Exception as error:
            raise ValueError(f"{NAMES[0]} {NUMBER}") from error

    monkeypatch.setattr(cli, "root", failing)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setenv("PISIS_DEBUG", debug)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    thread = threading.Thread(target=failing)
    thread.start()
    thread.join()
    assert ended.value.code == 3
    told = capfd.readouterr().err
    assert ("test_canaries.py" in told) is bool(debug)
    assert "falla interna aparte (ValueError)" in told
    assert not CANARIES.search(told)


def test_the_service_writes_no_person_where_systemd_reads(workspace: Path, ports: Ports) -> None:
    """The real program: a registry that leaks, a link, files of every verdict; its streams are what the journal gets."""
    program = workspace / "program.py"
    program.write_text(_LEAKY, "utf-8")
    env = {**os.environ, "PISIS_SETTLE_SECONDS": "0", "PISIS_NOW": NOW.isoformat()}
    drop(workspace, file_of(FILE), sender=f"CC{NUMBER}")
    (workspace / f"inbox/CC{NUMBER}/{NAMES[0]}.TXT").symlink_to("/etc/hostname")
    order = [sys.executable, str(program), "-w", str(workspace), "watch", "--allow-fixed-clock"]
    with subprocess.Popen(order, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as served:
        for _ in range(400):
            if len([one for one in ports.registry.runs() if one["verdict"]]) == 2:
                break
            time.sleep(0.1)
        served.terminate()
        said = served.communicate(timeout=20)[0].decode()
    assert len(ports.registry.runs()) == 2, said
    assert "attempt_failed" in said
    assert "not_read" in said
    assert not CANARIES.search(said)


#: `pisis` with a registry whose first answers are faults that carry a person.
_LEAKY = f"""
from pisis_batch.adapters.sql_registry import SqlRegistry
ask, tries = SqlRegistry.ask, []
def leaking(self, questions):
    tries.append(1)
    if len(tries) < 3:
        raise ValueError('{NUMBER} {NAMES[0]}')
    return ask(self, questions)
SqlRegistry.ask = leaking
from pisis_batch.cli import main
main()
"""


def test_fixtures_name_nobody_outside_the_fictitious_ranges() -> None:
    """Identifications in the tests are CC 10xxxxxx, 1090xxxxxx and NIT 900xxxxxx, and addresses are of nobody."""
    root = Path(__file__).parent
    for path in [*root.rglob("*.case"), *root.rglob("*.py")]:
        for number in re.findall(r"\|(?:CC|TI)\|([0-9]{6,10})\|", path.read_text("utf-8", "replace")):
            assert number.startswith(("10", "99", "00", "12", "90")), f"{path.name}: {number}"
