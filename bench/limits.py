"""Where the limit lies: commits of the database, with and without the audit's chain, and the queue's own cost."""

import statistics
import threading
import time

import postgresql as pg
import sqlalchemy as sa
from entities import NOW, workspace

from pisis_batch import wiring
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.procrastinate_queue import ProcrastinateQueue, Slots
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.ports import Receipt


def commits(server: pg.PostgreSQL, seconds: float, hands: int, *, audited: bool = False) -> float:
    """Commits a second from so many connections, each of one row of its own: the disk's limit.

    `audited`: each adds a link to the one chain of the audit, so that they go one after another.
    """
    made, keys = sa.create_engine(server.database(), pool_size=hands), Keyring()
    with made.begin() as connection:
        connection.execute(sa.text("CREATE TABLE beat (hand int PRIMARY KEY, times int)"))
        for hand in range(hands):
            connection.execute(sa.text("INSERT INTO beat VALUES (:hand, 0)"), {"hand": hand})
    until = time.monotonic() + seconds
    done = [0] * hands

    def beat(hand: int) -> None:
        with made.connect() as connection:
            while time.monotonic() < until:
                connection.execute(sa.text("UPDATE beat SET times = times + 1 WHERE hand = :hand"), {"hand": hand})
                if audited:
                    trail = Trail(connection, keys, f"beat-{hand}", NOW.isoformat())
                    trail.tell("medida")
                    trail.close()
                connection.commit()
                done[hand] += 1

    threads = [threading.Thread(target=beat, args=(hand,)) for hand in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.dispose()
    return sum(done) / seconds


def queue_cost(server: pg.PostgreSQL, jobs: int) -> dict[str, float]:
    """What the engine costs for a file whose work is nothing: to put its job, and to fetch and end it."""
    with workspace(server.database(), 1, 1) as (_, settings):
        ports = wiring.ports(settings, workers=True)
        queue = ports.queue
        assert isinstance(queue, ProcrastinateQueue)  # noqa: S101
        engine = ports.registry.engine  # type: ignore[attr-defined]
        put = []
        with engine.begin() as connection:
            for place in range(jobs):
                at = time.perf_counter()
                queue.enlist(connection, Receipt(f"{place}", "", "", "", 0, None, NOW, lane=f"NI {place}"))
                put.append(time.perf_counter() - at)

        class Nothing:
            chores = ()
            done = 0
            stop = threading.Event()

            def file(self, guid: str) -> None:
                del guid
                self.done += 1
                if self.done == jobs:
                    self.stop.set()

        nothing = Nothing()
        begun = time.perf_counter()
        queue.serve(nothing, Slots(1, 0, chores=False), nothing.stop)
        spent = time.perf_counter() - begun
        ports.registry.close()  # type: ignore[attr-defined]
    return {"put_ms": 1000 * statistics.median(put), "fetch_and_end_ms": 1000 * spent / jobs}
