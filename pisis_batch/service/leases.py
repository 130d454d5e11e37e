"""Leases of the files in hand: one thread renews them all, so that a small file starts none of its own."""

import contextlib
import threading
import time
from collections.abc import Iterator
from functools import cache

import structlog

from pisis_batch.ports import Ports, Registry

_log = structlog.get_logger()


@contextlib.contextmanager
def kept(guid: str, fence: int, ports: Ports) -> Iterator[None]:
    """Keep a lease while the file is in hand, however long it takes; a process that is paused keeps nothing."""
    leases, mine = _leases(ports.beat_seconds), (guid, fence)
    leases.add(mine, ports.registry)
    try:
        yield
    finally:
        leases.drop(mine)


@cache
def _leases(beat_seconds: float) -> "_Leases":
    return _Leases(beat_seconds)


class _Leases:
    """What is held, and a thread for as long as anything is."""

    def __init__(self, beat_seconds: float) -> None:
        self._beat = beat_seconds
        self._held: dict[tuple[str, int], Registry] = {}
        self._running = False
        self._lock = threading.Lock()

    def add(self, mine: tuple[str, int], registry: Registry) -> None:
        with self._lock:
            self._held[mine] = registry
            if not self._running:
                self._running = True
                threading.Thread(target=self._keep, name="leases", daemon=True).start()

    def drop(self, mine: tuple[str, int]) -> None:
        with self._lock:
            self._held.pop(mine, None)

    def _keep(self) -> None:
        """Renew at every beat; one that ended meanwhile is renewed in vain, for nobody has it any more."""
        while True:
            time.sleep(self._beat)
            with self._lock:
                held = list(self._held.items())
                if not held:
                    self._running = False
                    return
            for mine, registry in held:
                try:
                    if not registry.renew(*mine):
                        self.drop(mine)
                except Exception as error:  # noqa: BLE001 it is tried again; the fence guards the rest
                    _log.warning("lease_not_kept", guid=mine[0], error=type(error).__name__)
