"""The service dies with a file in hand: that is weak evidence against the file, and a file that kills it each time ends."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import BOTH, GOOD
from test_service import drop, mails
from worlds import file_of

from pisis_batch import service
from pisis_batch.adapters import sql_figures, sql_lanes
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.ports import JudgeError, Ports, Receipt, UnavailableError
from pisis_batch.service import processing, work
from pisis_batch.service.processing import INTERRUPTIONS
from pisis_batch.settings import Settings

#: Of each file it is told of: processes that take it, one after the other, and are killed with it in hand.
DYING = """
import os, signal, sys
import psycopg  # once for all that die
from pisis_batch.adapters.sql_registry import SqlRegistry
for line in sys.stdin:
    url, guid, many = line.split()
    for _ in range(int(many)):
        if not (pid := os.fork()):
            taken = SqlRegistry(url).take(guid)
            os.kill(os.getpid(), signal.SIGKILL if taken else signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    print("dead", flush=True)
"""

Deaths = Callable[[str, int], None]


@pytest.fixture(scope="module")
def dying() -> Iterator[subprocess.Popen[str]]:
    """One process for all: to load the registry costs more than to die."""
    command = [sys.executable, "-c", DYING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.fixture
def deaths(workspace: Path, dying: subprocess.Popen[str]) -> Deaths:
    url = Settings.load(workspace).database.get_secret_value()

    def died(guid: str, many: int) -> None:
        assert dying.stdin
        assert dying.stdout
        dying.stdin.write(f"{url} {guid} {many}\n")
        dying.stdin.flush()
        assert dying.stdout.readline() == "dead\n"

    return died


@pytest.fixture
def guid(workspace: Path, ports: Ports) -> str:
    drop(workspace, file_of(GOOD))
    (found,) = service.take_in(ports)
    return found


def now(ports: Ports, guid: str) -> Receipt:
    found = ports.registry.receipt(guid)
    assert found
    return found


def rested(ports: Ports) -> None:
    assert isinstance(ports.registry, SqlRegistry)
    with ports.registry.engine.begin() as connection:
        connection.execute(sa.text("UPDATE lane SET lease_until = 0"))


@BOTH
def test_three_deaths_of_the_service_are_not_the_files_fault(ports: Ports, guid: str, deaths: Deaths) -> None:
    deaths(guid, 3)
    assert (now(ports, guid).attempts, now(ports, guid).interruptions) == (1, 2)
    working = service.FileWork(ports)
    assert working.file(guid) == work.TURN  # it rests, so that what was in hand with it is done without it
    assert now(ports, guid).interruptions == 2
    assert isinstance(ports.registry, SqlRegistry)
    with ports.registry.engine.connect() as connection:
        assert sql_figures.interrupted(connection) == 1
    rested(ports)
    assert working.file(guid) is None
    (run,) = ports.registry.runs()
    assert (run["verdict"], now(ports, guid).attempts, now(ports, guid).interruptions) == ("cargado", 1, 3)
    assert service.fsck(ports).offenders == ()


def test_after_one_death_it_is_taken_up_at_once(ports: Ports, guid: str, deaths: Deaths) -> None:
    deaths(guid, 1)
    assert service.FileWork(ports).file(guid) is None
    assert now(ports, guid).state == "terminado"


def test_a_person_who_asks_waits_for_no_rest(ports: Ports, guid: str, deaths: Deaths) -> None:
    deaths(guid, 4)
    assert [outcome.verdict for outcome in service.once(ports)] == ["cargado"]


@BOTH
def test_a_file_that_kills_the_service_each_time_comes_to_its_end(
    workspace: Path, ports: Ports, guid: str, deaths: Deaths
) -> None:
    deaths(guid, INTERRUPTIONS)
    rested(ports)
    outcome = service.process(guid, ports)
    assert outcome
    assert [finding.code for finding in outcome.findings] == ["SIS001"]
    assert (now(ports, guid).state, now(ports, guid).interruptions) == ("cuarentena", INTERRUPTIONS)
    service.deliver(ports)
    assert mails(workspace)


def test_deaths_and_faults_are_counted_apart(ports: Ports, guid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise JudgeError("señal 11")

    monkeypatch.setattr(processing, "_judge", failing)
    seen = []
    for dies in (False, True, False, True, True):
        if dies:  # as far as anybody can tell
            assert ports.registry.attempt(guid)
            rested(ports)
        else:
            assert service.process(guid, ports) is None
        seen.append((now(ports, guid).attempts, now(ports, guid).interruptions))
    assert seen == [(1, 0), (2, 0), (2, 1), (3, 1), (3, 2)]
    assert service.process(guid, ports)
    assert now(ports, guid).state == "cuarentena"


def test_a_file_is_in_nobodys_hand_before_it_can_be_judged(
    ports: Ports, guid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starting(*, wait: bool = False) -> None:
        assert wait
        assert now(ports, guid).state == "recibido"
        raise UnavailableError("hijos")

    monkeypatch.setattr(ports.judge, "warm", starting)
    assert service.process(guid, ports) is None
    assert (now(ports, guid).state, now(ports, guid).attempts) == ("recibido", 0)


def test_rests_grow_and_no_two_files_wake_together() -> None:
    lease = sql_lanes.LEASE_SECONDS
    rests = [sql_lanes.rest("a", deaths, lease) for deaths in range(12)]
    assert rests[:2] == [0.0, 0.0]
    for deaths, seconds in enumerate([2, 4, 8, 16, 32, 60, 60, 60], 2):
        assert seconds <= rests[deaths] < 2 * seconds
    assert len({sql_lanes.rest(guid, 5, lease) for guid in "abcdef"}) == 6
    assert sum(rests[: INTERRUPTIONS + 1]) < 15 * 60  # a file that kills the service each time is at its end by then
