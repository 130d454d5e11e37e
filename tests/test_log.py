"""The log of the database: transactions last when their block is left, and the disk is waited for outside of them."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from pisis_batch.adapters import sqlite_driver
from pisis_batch.adapters.sql_engine import engine, settle, soon, writer
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import erasure, mail, run
from pisis_batch.adapters.sqlite_driver import sqlite
from pisis_batch.ports import Receipt, UnavailableError

pytestmark = pytest.mark.skipif(
    not sqlite_driver.has_sound_log(), reason="with the rollback journal SQLite itself waits for the disk"
)
_NOW = datetime(2026, 7, 20, 12, tzinfo=UTC)
_RECEIPT = Receipt("a", "A.TXT", "0" * 64, "0" * 32, 1, None, _NOW, lane="x")


class _Disk:
    """Waits for the disk, each with what the database said when it began; `holds` keeps them waiting."""

    def __init__(self, path: Path) -> None:
        self._path, self._sync = path, os.fdatasync
        self.seen: list[list[int]] = []
        self.files: set[str] = set()
        self.fails = False
        self.holds, self.waits = threading.Event(), threading.Event()
        self.holds.set()

    def fdatasync(self, handle: int) -> None:
        self.files.add(Path(f"/proc/self/fd/{handle}").readlink().name)
        self.seen.append(_numbers(self._path))
        self.waits.set()
        assert self.holds.wait(30)
        if self.fails:
            raise OSError(5, "Input/output error")
        self._sync(handle)


def _numbers(path: Path) -> list[int]:
    with sqlite.connect(path) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM said ORDER BY number")]


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Disk:
    made = _Disk(tmp_path / "said.db")
    prepared = engine(f"sqlite:///{made._path}")
    with prepared.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE said (number INTEGER)")
    prepared.dispose()
    monkeypatch.setattr(os, "fdatasync", made.fdatasync)
    return made


@pytest.fixture
def add(tmp_path: Path) -> Callable[[int], None]:
    turns = writer(engine(f"sqlite:///{tmp_path / 'said.db'}"))

    def added(number: int) -> None:
        with turns.begin() as connection:
            connection.exec_driver_sql("INSERT INTO said VALUES (?)", (number,))

    return added


def test_what_a_block_wrote_is_synced_before_it_is_left(disk: _Disk, add: Callable[[int], None]) -> None:
    add(1)
    add(2)
    assert disk.seen == [[1], [1, 2]]
    assert disk.files == {"said.db-wal"}


def test_the_database_is_free_while_the_disk_is_waited_for(disk: _Disk, add: Callable[[int], None]) -> None:
    """The next one writes meanwhile, and those that wrote meanwhile share one wait."""
    disk.holds.clear()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(add, 1)]
        assert disk.waits.wait(30)
        waiting += [pool.submit(add, number) for number in (2, 3, 4)]
        until = time.monotonic() + 30
        while _numbers(disk._path) != [1, 2, 3, 4] and time.monotonic() < until:
            time.sleep(0.005)
        assert not any(one.done() for one in waiting)
        disk.holds.set()
        for one in waiting:
            one.result(30)
    assert disk.seen == [[1], [1, 2, 3, 4]]


def test_what_nobody_waits_for_is_synced_in_a_moment(disk: _Disk) -> None:
    turns = writer(engine(f"sqlite:///{disk._path}"))
    disk.holds.clear()
    with soon(turns).begin() as connection:
        connection.exec_driver_sql("INSERT INTO said VALUES (1)")
    assert disk.waits.wait(30)  # by a thread of its own, for we are here
    disk.holds.set()
    with turns.begin():
        pass
    assert disk.seen[0] == [1]


def test_one_who_did_not_write_waits_for_what_another_process_wrote(disk: _Disk, add: Callable[[int], None]) -> None:
    """It was killed between its commit and its wait: what it wrote is read, and must last before anything rests on it."""
    with sqlite.connect(disk._path) as killed:
        killed.execute("INSERT INTO said VALUES (7)")
    other = writer(engine(f"sqlite:///{disk._path}"))
    settle(other)
    assert disk.seen == [[7]]
    with other.begin():
        pass
    assert disk.seen == [[7], [7]]
    add(8)


def test_a_disk_that_failed_is_not_believed_until_all_was_copied(
    disk: _Disk, add: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error the system takes for written what is not: only the pages written once more can be trusted."""
    add(1)
    disk.fails = True
    with pytest.raises(UnavailableError):
        add(2)
    disk.fails, before = False, len(disk.seen)
    with sqlite.connect(disk._path) as reading:
        reading.execute("BEGIN")
        assert reading.execute("SELECT count(*) FROM said").fetchone() == (2,)
        connection = sqlite.connect(disk._path, isolation_level=None)
        connection.execute("INSERT INTO said VALUES (9)")
        connection.close()
        with monkeypatch.context() as hurried:
            hurried.setattr(sqlite_driver, "PATIENCE_SECONDS", 0.05)
            with pytest.raises(UnavailableError, match="ocupada"):  # somebody still reads the log
                add(3)
    add(4)
    assert len(disk.seen) == before  # nobody asked that disk again
    looking = sqlite_driver.looking(disk._path)  # at the file alone, without its log
    assert looking.execute("SELECT count(*) FROM said").fetchone() == (5,)
    looking.close()
    add(5)
    assert disk.seen[-1] == [1, 2, 3, 4, 5, 9]


def test_a_log_that_is_gone_was_copied(disk: _Disk) -> None:
    """Whoever lets go of the database last copies its log, durably, and takes it away."""
    assert not disk._path.with_name("said.db-wal").exists()
    settle(writer(engine(f"sqlite:///{disk._path}")))
    assert disk.seen == []


def test_only_who_waits_afterwards_commits_without_waiting(tmp_path: Path) -> None:
    """Every other session of the engine (migrations, restoring) waits within its commit."""
    made = engine(f"sqlite:///{tmp_path / 'said.db'}")
    with writer(made).begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    with made.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[SqlRegistry]:
    made = SqlRegistry(f"sqlite:///{tmp_path / 'registry.db'}")
    made.migrate()
    yield made
    made.close()


def test_a_file_is_taken_without_waiting_and_accepted_after_it(
    registry: SqlRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = list[int]()
    monkeypatch.setattr("pisis_batch.adapters.sqlite_log.Log._synced", lambda self: waits.append(threading.get_ident()))
    registry.accept(_RECEIPT)
    assert waits == [threading.get_ident()]
    assert registry.take("a") is not None
    assert waits == [threading.get_ident()]


@pytest.mark.parametrize("asked", ["mails_due", "unpublished", "unfinished"])
def test_what_is_told_outside_lasts_before(registry: SqlRegistry, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    """Whoever reads what is to go out may read what another has just written, and nobody knows yet whether it lasts."""
    registry.accept(_RECEIPT)
    with registry.engine.begin() as connection:
        _written(connection, _NOW.isoformat())
    waits = list[int]()
    monkeypatch.setattr("pisis_batch.adapters.sqlite_log.Log._synced", lambda self: waits.append(1))
    arguments = {"mails_due": (_NOW,)}.get(asked, ())
    assert len(list(getattr(registry, asked)(*arguments))) == 1
    assert waits == [1]


def _written(connection: sa.Connection, now: str) -> None:
    """A message, a run without documents in the outbox, and something to be erased."""
    judged = {"verdict": "rechazado", "ruleset": "", "counts": {}, "changes": {}, "errors": 0, "fence": 1, "at": now}
    connection.execute(run.insert(), {"guid": "a", "latest": True, "published": False, **judged})
    said = {"kind": "acta", "recipient": "a@b.example", "subject": "s", "message_id": "m", "body": b"b"}
    connection.execute(mail.insert(), {"guid": "a", "next_try": now, **said})
    connection.execute(erasure.insert(), {"guid": "a", "kind": "documentos", "at": now, "done": False})
