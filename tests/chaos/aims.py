"""For each planted defect a small round whose harm is done in the very window in which the defect shows.

The same round without the defect must be quiet, so that what is found is the defect and not the round.
"""

import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable, Iterator

import postgresql as pg
import sqlalchemy as sa

from chaos import campaign, checker, world


@dataclasses.dataclass(frozen=True, slots=True)
class Aim:
    """A round: one host that dies, falls asleep, or fails twice, at a point; the healthy ones come after it.

    `shows`: what the checker must count for the defect to be found. `patience`: seconds without anything done.
    """

    shows: tuple[str, ...]
    entities: int = 2
    files: int = 3
    worker_dies: str = ""
    worker_sleeps: str = ""
    worker_fails: str = ""
    watcher_dies: str = ""
    workers: int = 2  # healthy ones
    crash: bool = False  # of the database, as soon as every file was taken in
    patience: float = 25.0


#: A minute may go by until what a dead worker left unpublished is found.
_MINUTES = 100.0

AIMS: dict[str, Aim] = {
    "no_fence": Aim(("doubled", "disordered"), worker_sleeps="before_commit"),
    "no_lane": Aim(("doubled", "disordered", "open_links"), entities=1, files=8),
    "no_order": Aim(("disordered",), entities=1, files=4, worker_fails="before_commit", patience=60.0),
    "split_effect": Aim(("lost",), worker_dies="split"),
    "job_apart": Aim(("lost",), files=1, watcher_dies="accepted"),
    "no_rescue": Aim(("lost",), worker_dies="before_commit"),
    "early_receipt": Aim(("lost",), files=1, worker_dies="attempted"),
    "marked_before_sent": Aim(("unreported",), files=1, worker_dies="sent", patience=_MINUTES),
    "marked_before_published": Aim(("unreported",), files=1, worker_dies="published", patience=_MINUTES),
    "claim_forgotten_early": Aim(("lost",), files=1, watcher_dies="archived"),
    "another_guid": Aim(("doubled",), files=1, watcher_dies="accepted"),
    "lazy_commit": Aim(("lost",), crash=True),
    "stale_answers": Aim(("doubled", "open_links"), entities=1, files=4, workers=1),
}


def run(aim: Aim, defect: str, server: pg.PostgreSQL) -> checker.Verdict:
    """A round with a defect, or with "" without one."""
    with world.made(entities=aim.entities, files=aim.files, lease=3.0, server=server) as made:
        hosts: list[world.Host] = []

        def start(role: str, **more: str) -> world.Host:
            hosts.append(made.host(role, len(hosts), defect=defect, **more))
            return hosts[-1]

        try:
            with _late_to_disk(server) if aim.crash else contextlib.nullcontext():
                _take_in(aim, made, start)
                if aim.crash:
                    server.restart("immediate")
            sleeper = _work(aim, made, start)
            total = aim.files * aim.entities
            campaign.settle(made, total, aim.patience, lambda: None)
            if sleeper:
                sleeper.signal(signal.SIGCONT)
                time.sleep(3.0)
                campaign.settle(made, total, aim.patience, lambda: None)
        finally:
            for host in hosts:
                host.signal(signal.SIGCONT)
                host.signal(signal.SIGTERM)
            for host in hosts:
                host.end()
        return checker.check(made, aim.files)


def _take_in(aim: Aim, made: world.World, start: Callable[..., world.Host]) -> None:
    """Every file received in order, by a watcher that may die of it and the one that comes after."""
    first = start("watcher", crash_at=aim.watcher_dies)
    for place in range(aim.files):
        made.drop(place)
        _until(lambda: not first.alive or made.quiet(), 20)
    if aim.watcher_dies:
        _until(lambda: not first.alive, 5)
        start("watcher")
    _until(made.quiet, 20)


def _work(aim: Aim, made: world.World, start: Callable[..., world.Host]) -> world.Host | None:
    """The worker that the harm is meant for, then the healthy ones; the first, if it sleeps."""
    first = None
    if aim.worker_dies or aim.worker_sleeps:
        first = start("worker", crash_at=aim.worker_dies, stop_at=aim.worker_sleeps)
        dies = bool(aim.worker_dies)
        _until(lambda: not first.alive if dies else first.asleep, 30)
    if aim.worker_fails:  # alone: its file is the oldest, which then rests for half a minute, and the others do not
        start("worker", stop_at=f"{aim.worker_fails}!")
        _until(lambda: _failed(made), 60)
    for _ in range(aim.workers):
        start("worker")
    return first if aim.worker_sleeps else None


def _failed(made: world.World) -> bool:
    """Whether the second attempt came to nothing too, or another file was done before it."""
    query = (
        "SELECT (SELECT count(*) FROM receipt WHERE attempts > 1 AND state = 'recibido') + (SELECT count(*) FROM run)"
    )
    with made.registry.engine.connect() as connection:
        return bool(connection.scalar(sa.text(query)))


def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for something that may not come: then the checker says what is wrong."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


@contextlib.contextmanager
def _late_to_disk(server: pg.PostgreSQL) -> Iterator[None]:
    """A commit that does not wait for the disk would wait long for it."""
    server.run("ALTER SYSTEM SET wal_writer_delay = '10s'")
    server.run("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        server.run("ALTER SYSTEM RESET wal_writer_delay")
        server.run("SELECT pg_reload_conf()")
