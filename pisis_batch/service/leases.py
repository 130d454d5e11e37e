"""Leases of the files in hand: a file that takes longer than a beat has a thread that renews its own.

A small file starts none: one thread looks at every beat who is still there. Renewals do not wait for each other, for
while the changes of a large file are written its own waits for the database.
"""

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
    leases, lease = _leases(ports.beat_seconds), _Lease(guid, fence, ports.registry)
    leases.add(lease)
    try:
        yield
    finally:
        leases.drop(lease)


@cache
def _leases(beat_seconds: float) -> "_Leases":
    return _Leases(beat_seconds)


class _Lease:
    """What is held, under which fence, and the thread that renews it when it is held for long."""

    def __init__(self, guid: str, fence: int, registry: Registry) -> None:
        self._guid, self._fence, self._registry = guid, fence, registry
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def outlive(self, beat_seconds: float) -> None:
        """Have it renewed at every beat from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._renew, args=(beat_seconds,), name="lease", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Nothing of it is under way when this returns."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _renew(self, beat_seconds: float) -> None:
        while not self._over.is_set():
            try:
                if not self._registry.renew(self._guid, self._fence):
                    return
            except Exception as error:  # noqa: BLE001 it is tried again; the fence guards the rest
                _log.warning("lease_not_kept", guid=self._guid, error=type(error).__name__)
            self._over.wait(beat_seconds)


class _Leases:
    """Those in hand, and a thread for as long as there are any."""

    def __init__(self, beat_seconds: float) -> None:
        self._beat = beat_seconds
        self._held: set[_Lease] = set()
        self._looks = False
        self._lock = threading.Lock()

    def add(self, lease: _Lease) -> None:
        with self._lock:
            self._held.add(lease)
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._look, name="leases", daemon=True).start()

    def drop(self, lease: _Lease) -> None:
        with self._lock:
            self._held.discard(lease)
        lease.end()

    def _look(self) -> None:
        """At every beat, have those renewed that are still there."""
        while True:
            time.sleep(self._beat)
            with self._lock:
                if not self._held:
                    self._looks = False
                    return
                for lease in self._held:
                    lease.outlive(self._beat)
