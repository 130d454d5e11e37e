"""Work handed to any number of workers on any number of machines by procrastinate, on the registry's own PostgreSQL.

The job of a receipt is put in the very transaction that records it, under the lock of its entity's lane. The engine
only tells a worker that there is something to do: who may do it, and in what order, is the lane's lease and fence
(`sql_lanes`), so that a worker who was paused, cut off or thought dead does no harm. Nothing depends on a job: a
receipt that waits without one is given another.
"""

import asyncio
import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
import sqlalchemy as sa
import structlog
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from pisis_batch.adapters import procrastinate_connector, procrastinate_log, procrastinate_tending
from pisis_batch.adapters.sql_clock import DatabaseClock
from pisis_batch.adapters.sql_ready import driven
from pisis_batch.ports import OPEN, Receipt, Work

#: The queues: files, files so large that they would hold the others up, and what the calendar asks for.
FILES, LARGE, CHORES = "archivos", "grandes", "tareas"
TASK = "archivo"
#: Parts of a lease: how often a worker says that it lives, and after how long a silence it is thought dead. So another
#: has its file before the lease, the search for silent workers and two polls have gone by: 27 s with a lease of 20.
HEARTBEAT, SILENCE = 0.25, 0.75
#: How many leases a chore may take: a mail server may keep one waiting for ten minutes.
CHORE = 45
_POLL_SECONDS = 2.0
_FAULT_PAUSE = timedelta(seconds=10)
_log = structlog.get_logger()

#: The engine's own function for deferring, on our connection: its errors are ours to try again.
_PUT = """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW($1, $2, 0, $3, $4::text, jsonb_build_object('guid', $4::text), NULL)::procrastinate_job_to_defer_v1])
"""


class _LaterError(Exception):
    """Not now: the job comes back after the pause. Never says why, for a reason may carry what a file says."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(str(pause))
        self.pause = pause


class _ComesBack(BaseRetryStrategy):
    """Every job comes back, by the database's clock, until its receipt has its end."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        del job
        pause = exception.pause if isinstance(exception, _LaterError) else _FAULT_PAUSE
        return RetryDecision(retry_at=self._clock().astimezone(UTC) + pause)


@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    """How many files a worker has in hand at once: `files` of any size but large, `large` ones besides, and chores."""

    files: int = 1
    large: int = 1
    chores: bool = True


class ProcrastinateQueue:
    """Fulfils `ports.Queue` for a process that only takes files in; `serve` is a worker."""

    here = False

    def __init__(self, engine: sa.Engine, large_bytes: int, lease_seconds: float) -> None:
        self._engine, self._large, self._lease = engine, large_bytes, lease_seconds
        procrastinate_log.quiet()

    def enlist(self, connection: sa.Connection, receipt: Receipt) -> None:
        """Put a receipt's job in line within the caller's transaction."""
        queue = LARGE if receipt.size > self._large else FILES
        driven(connection, _PUT, (queue, TASK, receipt.lane, receipt.guid))

    def pump(self, work: Work, stop: Callable[[], bool]) -> bool:
        """Nothing: workers do it."""
        del work, stop
        return False

    def hear(self) -> None:
        """Workers hear of it from the engine."""

    def in_hand(self) -> list[str]:
        """None: workers have them."""
        return []

    def drain(self, seconds: float) -> bool:
        """Nothing is in hand here."""
        del seconds
        return True

    def serve(
        self,
        work: Work,
        slots: Slots,
        stop: threading.Event,
        *,
        beat: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        """Be a worker until `stop`: files in hand are finished, nothing new is begun.

        `beat` is called as often as the worker says to the others that it lives; `on_ready` once it draws work.
        """
        asyncio.run(self._serve(work, slots, stop, beat, on_ready))

    async def _serve(
        self,
        work: Work,
        slots: Slots,
        stop: threading.Event,
        beat: Callable[[], None],
        on_ready: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(procrastinate_log.kind_only)
        # each job has a thread, and so has who waits for the stop and who tends: a loop's own are as few as the cores
        loop.set_default_executor(ThreadPoolExecutor(slots.files + slots.large + slots.chores + 4))
        clock = await asyncio.to_thread(DatabaseClock, self._engine)
        async with procrastinate_connector.opened(self._engine) as connector:
            files, chores = _apps(connector, work, clock)
            roles: list[tuple[procrastinate.App, str, int]] = [(files, FILES, slots.files), (files, LARGE, slots.large)]
            if slots.chores:
                roles.append((chores, CHORES, 1))
            tasks = [asyncio.create_task(_steady(app, queue, many, self._lease)) for app, queue, many in roles if many]
            tasks += [asyncio.create_task(self._tend(stop)), asyncio.create_task(self._beating(beat))]
            on_ready()
            await asyncio.to_thread(stop.wait)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _beating(self, beat: Callable[[], None]) -> None:
        while True:
            beat()
            await asyncio.sleep(self._lease * HEARTBEAT)

    async def _tend(self, stop: threading.Event) -> None:
        """Give dead workers' jobs back, and jobs to receipts that have none; one worker of all at a time."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(self.tend)
            except sa.exc.SQLAlchemyError as error:
                _log.warning("tending_failed", error=type(error).__name__)
            await asyncio.sleep(self._lease * HEARTBEAT)

    def tend(self) -> tuple[int, int]:
        """(jobs taken from silent workers, receipts that had no job and have one now)."""
        waits = {"silence": self._lease * SILENCE, "chore": self._lease * CHORE, "task": TASK, "chores": CHORES}
        said = {"large": self._large, "large_queue": LARGE, "queue": FILES, "task": TASK, "open": list(OPEN)}
        return procrastinate_tending.tend(self._engine, waits, said)


def _apps(
    connector: procrastinate.PsycopgConnector, work: Work, clock: Callable[[], datetime]
) -> tuple[procrastinate.App, procrastinate.App]:
    """An app for files and one for chores: only the second follows the calendar."""
    files = procrastinate.App(connector=connector)
    chores = procrastinate.App(connector=connector, periodic_defaults={"max_delay": 86_400})
    again = _ComesBack(clock)

    @files.task(name=TASK, retry=again)
    def file(guid: str) -> None:
        pause = _careful(lambda: work.file(guid), guid)
        if pause is not None:
            raise _LaterError(pause)

    for chore in work.chores:
        run = chore.run

        def once(timestamp: int, run: Callable[[], None] = run, name: str = chore.name) -> None:
            del timestamp
            _careful(run, name)

        named: Any = chores.task(name=chore.name, queue=CHORES, lock=chore.name, queueing_lock=chore.name)(once)
        chores.periodic(cron=chore.cron)(named)
    return files, chores


def _careful(step: Callable[[], Any], what: str) -> Any:
    """What goes wrong is told by its kind only, and the job comes back."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001 whatever it is, the worker goes on
        _log.error("job_failed", of=what, error=type(error).__name__)
    raise _LaterError(_FAULT_PAUSE)


async def _steady(app: procrastinate.App, queue: str, many: int, lease: float) -> None:
    """A worker of the engine that begins anew when the database was away."""
    while True:
        try:
            await app.run_worker_async(
                queues=[queue],
                concurrency=many,
                install_signal_handlers=False,
                fetch_job_polling_interval=_POLL_SECONDS,
                update_heartbeat_interval=lease * HEARTBEAT,
                stalled_worker_timeout=4 * lease,
                delete_jobs="successful",
            )
        except Exception as error:  # noqa: BLE001 whatever it is, it is tried again
            _log.warning("worker_restarts", queue=queue, error=type(error).__name__)
        await asyncio.sleep(1)
