"""Files handed to workers: the job is in the receipt's transaction, order is the entity's, dead and paused ones do no harm."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import GOOD, filled
from test_service import drop, linked, mails
from worlds import NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import procrastinate_queue
from pisis_batch.adapters.procrastinate_queue import ProcrastinateQueue, Slots
from pisis_batch.ports import Ports
from pisis_batch.service import leases
from pisis_batch.service import work as work_module
from pisis_batch.settings import FILE, Settings, SettingsError

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
JOBS = sa.text(
    "SELECT args->>'guid', lock, queue_name, status::text FROM procrastinate_jobs WHERE task_name = 'archivo' ORDER BY id"
)


def settings_of(workspace: Path) -> Settings:
    return Settings.load(workspace, now=NOW, settle_seconds=0)


@pytest.fixture
def ports(workspace: Path) -> Iterator[Ports]:
    made = filled(wiring.ports(settings_of(workspace), workers=True))
    yield made
    made.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def engine(ports: Ports) -> sa.Engine:
    return ports.registry.engine  # type: ignore[attr-defined,no-any-return]


def jobs(ports: Ports) -> list[tuple[str, ...]]:
    with engine(ports).begin() as connection:
        return [tuple(row) for row in connection.execute(JOBS)]


@contextmanager
def worker(workspace: Path, slots: Slots = Slots()) -> Iterator[list[str]]:  # noqa: B008 a value
    """A worker in a thread, with connections of its own; the guids it ended, in order."""
    ports, queue = wiring.worker(settings_of(workspace))
    stop, ended = threading.Event(), list[str]()
    work = service.FileWork(ports, lambda outcome: ended.append(outcome.received.guid))
    thread = threading.Thread(target=queue.serve, args=(work, slots, stop))
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join(20)
        ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
        assert not thread.is_alive()


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_receipt_and_its_job_are_recorded_together_or_not_at_all(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    assert jobs(ports) == [(guid, "NI 900123456", "archivos", "todo")]
    with engine(ports).begin() as connection:
        connection.execute(sa.text("ALTER TABLE procrastinate_jobs RENAME TO gone"))
    drop(workspace, file_of(GOOD), name=NAME.replace("0715", "0716"))
    with pytest.raises(sa.exc.DBAPIError):
        service.take_in(ports)
    with engine(ports).begin() as connection:
        connection.execute(sa.text("ALTER TABLE gone RENAME TO procrastinate_jobs"))
    assert [receipt.guid for receipt in ports.registry.pending()] == [guid]
    assert len(service.take_in(ports)) == 1  # the claim was kept, and is taken in now
    assert len(jobs(ports)) == 2


def test_workers_do_everything_that_one_process_does(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    drop(workspace, file_of(GOOD.replace("186|A|1274", "186|A|4444")), sender="CC10000002")
    with worker(workspace) as ended:
        first, second = service.take_in(ports)
        ports.queue.pump(service.FileWork(ports), lambda: False)
        assert ports.registry.runs()[0]["verdict"] is None or ended
        until(lambda: len(ended) == 2)
        until(lambda: len(mails(workspace)) == 8)
    assert ended == [first, second]
    verdicts = {run["guid"]: run["verdict"] for run in ports.registry.runs()}
    assert verdicts == {first: "cargado", second: "rechazado"}
    assert linked(ports) == ["1090000001 186/1274 PISIS/NEO", "1090000002 PISIS/NEO"]
    assert (workspace / "outbox/CC10000001" / first / "ack.json").is_file()
    assert jobs(ports) == []


def test_a_receipt_without_a_job_is_given_one(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    with engine(ports).begin() as connection:
        connection.execute(sa.text("DELETE FROM procrastinate_jobs"))
    queue = ports.queue
    assert isinstance(queue, ProcrastinateQueue)
    assert queue.tend() == (0, 1)
    assert queue.tend() == (0, 0)
    assert jobs(ports) == [(guid, "NI 900123456", "archivos", "todo")]


def test_a_later_job_works_on_the_older_file_first(workspace: Path, ports: Ports) -> None:
    for place in range(3):
        drop(workspace, file_of(GOOD), name=NAME.replace("0715", f"071{place}"))
        service.take_in(ports)
    order = [receipt.guid for receipt in ports.registry.pending()]
    ended: list[str] = []
    work = service.FileWork(ports, lambda outcome: ended.append(outcome.received.guid))
    assert work.file(order[1]) is None
    assert ended == order[:2]
    assert work.file(order[0]) is None
    assert work.file(order[2]) is None
    assert ended == order


def test_the_job_of_a_silent_worker_is_given_to_another(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procrastinate_queue, "SILENCE", 0.01)
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    with engine(ports).begin() as connection:
        silent = connection.scalar(sa.text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        connection.execute(sa.text("SELECT procrastinate_fetch_job_v2(NULL, :worker)"), {"worker": silent})
    assert [job[3] for job in jobs(ports)] == ["doing"]
    time.sleep(0.3)
    queue = ports.queue
    assert isinstance(queue, ProcrastinateQueue)
    assert queue.tend() == (1, 0)
    assert jobs(ports) == [(guid, "NI 900123456", "archivos", "todo")]


def test_a_paused_worker_that_wakes_up_changes_nothing(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    fence = ports.registry.attempt(guid)
    assert fence is not None
    with engine(ports).begin() as connection:
        connection.execute(sa.text("UPDATE lane SET lease_until = 0"))
    outcome = service.process(guid, ports)
    assert outcome is not None
    before = ports.registry.runs()
    assert not ports.registry.commit(outcome, [], [], NOW, fence=fence)
    assert not ports.registry.renew(guid, fence)
    assert ports.registry.runs() == before


def test_a_failing_file_rests_between_attempts_and_ends_in_quarantine(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(sha256: str) -> bytes:
        raise RuntimeError(sha256)

    monkeypatch.setattr(ports.archive, "fetch", failing)
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    work = service.FileWork(ports)
    assert [work.file(guid) for _ in range(4)] == [*work_module.RESTS, None, None]
    receipt = ports.registry.receipt(guid)
    assert receipt
    assert receipt.state == "cuarentena"


def test_a_large_file_goes_its_own_way(workspace: Path, ports: Ports) -> None:
    drop(workspace, b"1|" + b"x" * 9 * 2**20)
    service.take_in(ports)
    assert [job[2] for job in jobs(ports)] == ["grandes"]


def test_the_clock_is_the_servers(workspace: Path, ports: Ports) -> None:
    clock = wiring.clock(by_the_clock(workspace), ports.registry)  # type: ignore[arg-type]  # it is the SQL one
    with engine(ports).begin() as connection:
        told = connection.scalar(sa.text("SELECT now()"))
    assert abs(clock() - told) < timedelta(seconds=5)  # type: ignore[operator]  # a time
    assert str(clock().tzinfo) == "America/Bogota"


def by_the_clock(workspace: Path) -> Settings:
    return Settings.load(workspace, settle_seconds=0)


def test_workers_need_postgresql(tmp_path: Path, database: str) -> None:
    (tmp_path / FILE).write_text("", "utf-8")
    with pytest.raises(SettingsError, match="PostgreSQL"):
        wiring.ports(Settings.load(tmp_path), workers=True)


def test_a_job_whose_end_was_not_heard_does_not_hold_up_its_entity(workspace: Path, ports: Ports) -> None:
    for place in range(2):
        drop(workspace, file_of(GOOD), name=NAME.replace("0715", f"071{place}"))
    first, second = service.take_in(ports)
    with engine(ports).begin() as connection:
        alive = connection.scalar(sa.text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
        connection.execute(sa.text("SELECT procrastinate_fetch_job_v2(NULL, :worker)"), {"worker": alive})
        connection.execute(sa.text("UPDATE procrastinate_events SET at = now() - interval '1 minute'"))
        connection.execute(sa.text("UPDATE procrastinate_workers SET last_heartbeat = now()"))
    fence = ports.registry.attempt(first)
    queue = ports.queue
    assert isinstance(queue, ProcrastinateQueue)
    assert fence
    assert queue.tend() == (0, 0)  # somebody holds the lease
    ports.registry.give_back(first, fence)
    assert queue.tend() == (1, 0)
    assert [(job[0], job[3]) for job in jobs(ports)] == [(first, "todo"), (second, "todo")]


def test_a_stuck_job_with_a_twin_in_line_is_struck_off(workspace: Path, ports: Ports) -> None:
    put = sa.text(
        "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('tareas', 'correo', 0, 'correo', 'correo', '{}', NULL)"
        "::procrastinate_job_to_defer_v1])"
    )
    with engine(ports).begin() as connection:
        connection.execute(put)
        connection.execute(sa.text("UPDATE procrastinate_jobs SET status = 'doing'"))
        connection.execute(put)
    queue = ports.queue
    assert isinstance(queue, ProcrastinateQueue)
    assert queue.tend() == (1, 0)
    with engine(ports).begin() as connection:
        assert list(connection.scalars(sa.text("SELECT status::text FROM procrastinate_jobs"))) == ["todo"]


def test_the_lease_is_kept_however_long_a_file_takes(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(workspace, file_of(GOOD))
    (guid,) = service.take_in(ports)
    quick = dataclasses.replace(ports, beat_seconds=0.05)
    fetch, renewed = ports.archive.fetch, list[str]()
    renew = ports.registry.renew

    def counted(guid: str, fence: int) -> bool:
        renewed.append(guid)
        return renew(guid, fence)

    def slow(sha256: str) -> bytes:
        time.sleep(0.4)
        return fetch(sha256)

    monkeypatch.setattr(ports.archive, "fetch", slow)
    monkeypatch.setattr(ports.registry, "renew", counted)
    assert service.process(guid, quick)
    assert len(renewed) >= 2


def test_a_renewal_that_waits_holds_up_no_other(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = dataclasses.replace(ports, beat_seconds=0.05)
    waits, renewed = threading.Event(), threading.Event()

    def renew(guid: str, fence: int) -> bool:
        if guid == "large":
            waits.wait(10)
        elif not waits.is_set():
            renewed.set()
        return True

    monkeypatch.setattr(ports.registry, "renew", renew)
    with leases.kept("large", 1, quick), leases.kept("other", 1, quick):
        assert renewed.wait(5)
        waits.set()
