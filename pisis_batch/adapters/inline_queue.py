"""One process does everything: no engine, no other machine. Receipts wait in the registry, in order of arrival."""

import threading
import time

import structlog

from pisis_batch.ports import Registry, Work

_log = structlog.get_logger()


class InlineQueue:
    """Fulfils `ports.Queue`: a receipt whose attempt failed rests for its pause, its entity's later ones behind it."""

    here = True

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._resting: dict[str, float] = {}
        self._done: dict[str, float] = {}

    def pump(self, work: Work, stop: threading.Event) -> None:
        """Every receipt that waits and is not resting, then every chore that is due; until `stop`."""
        for receipt in self._registry.pending():
            if stop.is_set():
                return
            if self._resting.get(receipt.guid, 0.0) > time.monotonic():
                continue
            pause = work.file(receipt.guid)
            self._resting.pop(receipt.guid, None)
            if pause is not None:
                self._resting[receipt.guid] = time.monotonic() + pause.total_seconds()
        for chore in work.chores:
            since = time.monotonic() - self._done.get(chore.name, float("-inf"))
            if since < chore.every.total_seconds() or stop.is_set():
                continue
            self._done[chore.name] = time.monotonic()
            try:
                chore.run()
            except Exception as error:  # noqa: BLE001 a chore that fails comes back; the files go on
                _log.error("chore_failed", chore=chore.name, error=type(error).__name__)
