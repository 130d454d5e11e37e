"""One round: files are dropped while harm is done; then peace, and the history is checked."""

import contextlib
import dataclasses
import os
import random
import sys
import time
from collections import Counter

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
    files: int = 20
    seconds: float = 60.0
    every: float = 1.5  # between two harms, on average
    lease: float = 6.0
    patience: float = 200.0
    crashes: bool = True
    skews: tuple[int, ...] = (3600, -3600)
    defect: str = ""


_LEFT = sa.text(
    "SELECT (SELECT count(*) FROM receipt WHERE state IN ('recibido', 'procesando')) "
    "+ (SELECT count(*) FROM mail WHERE sent_at IS NULL) + (SELECT count(*) FROM run WHERE NOT published) "
    "+ :files - (SELECT count(DISTINCT file_name) FROM receipt)"
)


def run(plan: Plan, seed: int, server: pg.PostgreSQL | None = None) -> tuple[checker.Verdict, Counter[str]]:
    """A round; what the checker found, and what harm was done."""
    with world.made(entities=plan.entities, files=plan.files, lease=plan.lease, server=server) as made:
        nemesis = Nemesis(
            made,
            seed,
            workers=plan.workers,
            watchers=plan.watchers,
            defect=plan.defect,
            skews=plan.skews if not plan.defect else (),
        )
        try:
            _harm(plan, made, nemesis, random.Random(seed + 1))
            nemesis.rest()
            _settle(plan, made, nemesis)
        finally:
            if "CHAOS_KEEP" in os.environ:
                _tell(made)
            nemesis.end()
        return checker.check(made, plan.files), nemesis.done


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


def _settle(plan: Plan, made: world.World, nemesis: Nemesis) -> None:
    """Wait until nothing is left to do, or patience ends."""
    until = time.monotonic() + plan.patience
    while time.monotonic() < until:
        nemesis.rest()
        with contextlib.suppress(sa.exc.DBAPIError), made.registry.engine.connect() as connection:
            if connection.scalar(_LEFT, {"files": plan.files * plan.entities}) == 0:
                return
        time.sleep(0.5)
