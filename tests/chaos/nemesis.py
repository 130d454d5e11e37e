"""What goes wrong, by lot."""

import collections
import contextlib
import random
import signal
import time

import sqlalchemy as sa

from chaos.world import Host, World

POINTS = ("attempted", "before_commit", "committed", "published", "sent")
INTAKE = ("claimed", "archived", "accepted", "released")
_CUT = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3"
)


class Nemesis:
    """Keeps the hosts of a world, harms them, and puts new ones in the place of the dead."""

    def __init__(self, world: World, seed: int, *, workers: int, watchers: int, skews: tuple[int, ...] = ()) -> None:
        self.world, self.lot = world, random.Random(seed)
        self.done: collections.Counter[str] = collections.Counter()
        self.hosts: list[Host] = []
        self._woken: list[tuple[float, Host]] = []
        skew = dict(enumerate(skews))
        for number in range(workers):
            self.hosts.append(world.host("worker", number, skew=skew.get(number, 0)))
        for number in range(watchers):
            self.hosts.append(world.host("watcher", number))

    def tend(self) -> None:
        """Wake who has slept long enough; replace the dead, now and then by one that dies at a given point."""
        now = time.monotonic()
        for when, host in [one for one in self._woken if one[0] <= now]:
            host.signal(signal.SIGCONT)
            self._woken.remove((when, host))
        for place, host in enumerate(self.hosts):
            if host.alive:
                continue
            points = POINTS if host.role == "worker" else INTAKE
            at = self.lot.choice(points) if self.lot.random() < 0.4 else ""
            self.done[f"dies at {at}" if at else "restart"] += 1
            self.hosts[place] = self.world.host(host.role, host.number, crash_at=at)

    def strike(self, *, crashes: bool) -> None:
        """One harm."""
        kinds = ["kill"] * 4 + ["pause"] * 3 + ["cut"] * 3 + (["crash"] if crashes else [])
        kind = self.lot.choice(kinds)
        self.done[kind] += 1
        host = self.lot.choice(self.hosts)
        if kind == "kill":
            host.signal(signal.SIGKILL)
        elif kind == "pause":
            host.signal(signal.SIGSTOP)
            self._woken.append((time.monotonic() + 2 * self.world.lease, host))
        elif kind == "cut":
            with contextlib.suppress(sa.exc.DBAPIError), self.world.registry.engine.connect() as connection:
                connection.execute(_CUT)
        else:
            self.world.server.restart("immediate")

    def rest(self) -> None:
        """No more harm: everybody is woken, the dead are replaced by healthy ones."""
        for _, host in self._woken:
            host.signal(signal.SIGCONT)
        self._woken.clear()
        for place, host in enumerate(self.hosts):
            if not host.alive:
                self.hosts[place] = self.world.host(host.role, host.number)

    def end(self) -> None:
        """Everybody home."""
        for host in self.hosts:
            host.signal(signal.SIGCONT)
            host.signal(signal.SIGTERM)
        for host in self.hosts:
            host.end()
