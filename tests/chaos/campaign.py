"""One round: files are dropped while harm is done; then peace, and the history is checked."""

import contextlib
import dataclasses
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

import postgresql as pg
import sqlalchemy as sa

from chaos import checker, world
from chaos.nemesis import Nemesis


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How much, how long (seconds) and with whom."""

    workers: int = 4
    watchers: int = 2
    entities: int = 6
    files: int = 12
    seconds: float = 40.0
    every: float = 1.5  # between two harms, on average
    lease: float = 6.0
    patience: float = 150.0  # without anything getting done
    crashes: bool = True
    skews: tuple[int, ...] = (3600, -3600)


_LEFT = sa.text(
    "SELECT (SELECT count(*) FROM receipt WHERE state IN ('recibido', 'procesando')) "
    "+ (SELECT count(*) FROM mail WHERE sent_at IS NULL) + (SELECT count(*) FROM run WHERE NOT published) "
    "+ :files - (SELECT count(DISTINCT file_name) FROM receipt)"
)
#: Whatever was ever done: it only grows.
_DONE = sa.text(
    "SELECT (SELECT count(*) FROM receipt) + (SELECT count(*) FROM run) + (SELECT count(*) FROM run WHERE published) "
    "+ (SELECT count(*) FROM mail WHERE sent_at IS NOT NULL) + (SELECT coalesce(sum(fence), 0) FROM lane)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """What a round came to: the checker's word, the harm that was done, and seconds from peace to the last mail."""

    verdict: checker.Verdict
    harm: Counter[str]
    settled: float


def run(plan: Plan, seed: int, server: pg.PostgreSQL | None = None) -> Round:
    """A round from the first file to the checker."""
    with world.made(entities=plan.entities, files=plan.files, lease=plan.lease, server=server) as made:
        nemesis = Nemesis(made, seed, workers=plan.workers, watchers=plan.watchers, skews=plan.skews)
        try:
            _harm(plan, made, nemesis, random.Random(seed + 1))
            settled = settle(made, plan.files * plan.entities, plan.patience, nemesis.rest)
        finally:
            if "CHAOS_KEEP" in os.environ:
                _tell(made)
            nemesis.end()
        return Round(checker.check(made, plan.files), nemesis.done, settled)


def _tell(made: world.World) -> None:
    """What is left, for whoever looks into a round that went wrong."""
    with made.registry.engine.connect() as connection:
        for query in (
            "SELECT lane, lane_place, state, attempts, fence, guid FROM receipt WHERE state <> 'terminado' ORDER BY 1, 2",
            "SELECT * FROM lane",
            "SELECT id, queue_name, status, lock, queueing_lock, attempts, scheduled_at, worker_id FROM procrastinate_jobs",
            "SELECT id, now() - last_heartbeat FROM procrastinate_workers",
            "SELECT pid, application_name, state, wait_event, now() - state_change, left(query, 80) FROM pg_stat_activity",
        ):
            sys.stderr.write(f"-- {query}\n")
            for row in connection.execute(sa.text(query)).all()[:40]:
                sys.stderr.write(f"{tuple(row)}\n")


def _harm(plan: Plan, made: world.World, nemesis: Nemesis, lot: random.Random) -> None:
    begun = time.monotonic()
    strike = begun + 3.0
    for place in range(plan.files):
        made.drop(place)
        until = begun + plan.seconds * (place + 1) / plan.files
        while time.monotonic() < until:
            nemesis.tend()
            if time.monotonic() >= strike:
                nemesis.strike(crashes=plan.crashes)
                strike = time.monotonic() + lot.uniform(0.3, 2 * plan.every - 0.3)
            time.sleep(0.05)


def settle(made: world.World, files: int, patience: float, tend: Callable[[], None]) -> float:
    """Wait until nothing is left to do, or until nothing got done for so many seconds; how long it took.

    A slow machine takes its time, and is given it: what counts is that the work goes on.
    """
    begun = moved = time.monotonic()
    done = -1
    while time.monotonic() < moved + patience:
        tend()
        with contextlib.suppress(sa.exc.DBAPIError), made.registry.engine.connect() as connection:
            if connection.scalar(_LEFT, {"files": files}) == 0:
                break
            so_far = connection.scalar(_DONE)
            if so_far != done:
                done, moved = so_far, time.monotonic()
        time.sleep(0.2)
    return time.monotonic() - begun
