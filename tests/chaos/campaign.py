"""One round: files are dropped while harm is done; then peace, and the history is checked."""

import contextlib
import dataclasses
import random
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
    lease: float = 3.0
    patience: float = 90.0
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
            nemesis.end()
        return checker.check(made, plan.files), nemesis.done


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
