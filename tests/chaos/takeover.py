"""How long the file of a dead worker waits until another one has it: from the kill to the new owner of its lane."""

import random
import time
from collections.abc import Callable
from typing import Any

import postgresql as pg
import sqlalchemy as sa

from chaos import campaign, checker, world
from pisis_batch.settings import FILE

_PEOPLE = sa.text(
    "INSERT INTO person (tipo_id, num_id, primer_nombre, segundo_nombre, primer_apellido, segundo_apellido, correo_personal) "
    "SELECT 'CC', (1090000000 + place)::text, 'JUAN', '', 'PEREZ', '', '' FROM generate_series(1, :many) place "
    "ON CONFLICT DO NOTHING"
)
_APPLIED = sa.text(
    "SELECT (SELECT count(*) FROM run WHERE verdict = 'cargado') AS runs, (SELECT count(*) FROM link) AS links, "
    "(SELECT count(*) FROM link WHERE valid_to IS NULL) AS open_links, "
    "(SELECT count(*) FROM mail WHERE sent_at IS NOT NULL) AS mails, (SELECT max(attempts) FROM receipt) AS attempts, (SELECT max(interruptions) FROM receipt) AS interruptions"
)
_APPLIES = sa.text("SELECT 1 FROM pg_locks WHERE relation = 'link'::regclass AND mode = 'RowExclusiveLock' LIMIT 1")
_OWNER = sa.text("SELECT owner FROM lane WHERE lease_until IS NOT NULL")


def measured(times: int, lease: float, say: Callable[[str], None]) -> dict[str, Any]:
    """So many deaths; the seconds of each. Worker and successor are on hosts of their own."""
    seconds, well = [], True
    with pg.running() as server:
        for _ in range(times):
            spent, verdict = once(lease, server)
            say(f"taken over in {spent:.1f} s: {'well' if verdict.well else verdict.details}")
            seconds.append(round(spent, 1))
            well = well and verdict.well
    return {"kind": "takeover", "well": well and max(seconds) <= 30, "lease": lease, "seconds": seconds}


def large(
    records: int, lease: float, server: pg.PostgreSQL, *, after: float = 0.0, applying: bool = False
) -> tuple[float, dict[str, int]]:
    """A worker is killed with a large file in hand; seconds until another has it, and what was done then.

    It dies `after` seconds while its child judges, or within the transaction that applies the changes.
    """
    with world.made(entities=1, files=1, lease=lease, server=server) as made:
        (made.root / FILE).write_text((made.root / FILE).read_text("utf-8").replace("isolation = false\n", ""), "utf-8")
        with made.registry.engine.begin() as connection:
            connection.execute(_PEOPLE, {"many": records})
        hosts = [made.host("watcher", 0), made.host("worker", 1), made.host("worker", 2)]
        try:
            _until(lambda: _registered(made) >= 6)  # two queues and chores of each
            made.drop(0, records)
            _until(lambda: _owner(made) != "", 120 + records / 2000)
            held = _owner(made)
            assert held, "the file is too small to be found in hand"
            if applying:
                _until(lambda: _applies(made), 120 + records / 2000)
            time.sleep(after)
            hosts[1 if held.startswith("host-worker-1/") else 2].kill()
            begun = time.monotonic()
            _until(lambda: _fence(made) > 1)
            spent = time.monotonic() - begun
            campaign.settle(made, 1, 600 + records / 2000, lambda: None)
        finally:
            for host in hosts:
                host.end()
        with made.registry.engine.connect() as connection:
            return spent, dict(connection.execute(_APPLIED).one()._mapping)


def once(lease: float, server: pg.PostgreSQL) -> tuple[float, checker.Verdict]:
    """A worker that works on a file is killed; when the one that waits has it."""
    with world.made(entities=1, files=1, lease=lease, server=server) as made:
        hosts = [made.host("watcher", 0), made.host("worker", 1, stop_at="before_commit+")]
        try:
            made.drop(0)
            _until(lambda: _owner(made).startswith("host-worker-1/"))
            hosts.append(made.host("worker", 2))
            _until(lambda: _registered(made) >= 4)  # two queues, chores: the successor is there
            time.sleep(random.uniform(0.0, lease / 4))  # anywhere between two signs of life
            hosts[1].kill()
            begun = time.monotonic()
            _until(lambda: _fence(made) > 1)
            spent = time.monotonic() - begun
            campaign.settle(made, 1, 60, lambda: None)
        finally:
            for host in hosts:
                host.end()
        return spent, checker.check(made, 1)


def _registered(made: world.World) -> int:
    with made.registry.engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM procrastinate_workers")) or 0)


def _owner(made: world.World) -> str:
    with made.registry.engine.connect() as connection:
        return str(connection.scalar(_OWNER) or "")


def _applies(made: world.World) -> bool:
    with made.registry.engine.connect() as connection:
        return connection.scalar(_APPLIES) is not None


def _fence(made: world.World) -> int:
    with made.registry.engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT max(fence) FROM lane")) or 0)


def _until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
