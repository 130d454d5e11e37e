"""Judging in children: warm ones, reused, replaced after a crash, a limit, or when they have grown.

A child is a copy of a process that has everything loaded (`nursery`), so that one more costs milliseconds and a file
that hangs or kills holds up nobody else's.
"""

import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from pisis_batch.adapters.conversation import Bounds, Child
from pisis_batch.adapters.nursery import Nursery
from pisis_batch.judging import Ask, Judged, Task
from pisis_batch.layouts import Shelf
from pisis_batch.ports import JudgeError, UnavailableError

__all__ = ["Bounds", "ChildJudge"]

_WIDE = 1024 * 1024  # bytes from which several threads are worth their cost, and a child of its own
_IDLE = 2  # as many as were busy at once are kept, and at least these


class ChildJudge:
    """Fulfils `ports.Judge`. Threads may judge at the same time, each in a child of its own."""

    def __init__(
        self, shelf: Shelf, bounds: Bounds | None = None, layouts: Path | None = None, folder: Path | None = None
    ) -> None:
        self._shelf, self._bounds, self._folder = shelf, bounds or Bounds(), folder
        self._nursery = Nursery(layouts)
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._closed = False
        self._most = _IDLE
        self._lock = threading.Lock()
        weakref.finalize(self, _dismiss, self._nursery, self._idle)

    def warm(self, *, wait: bool = False) -> None:
        """Have what children are made of on its way, or with `wait` ready."""
        if wait and self._closed:
            raise UnavailableError("detenido")
        self._nursery.start(wait=wait)

    def close(self) -> None:
        """Send the children home; what a busy one had in hand is no attempt."""
        with self._lock:
            self._closed = True
        _dismiss(self._nursery, self._idle)

    def judge(self, task: Task, ask: Ask, alive: Callable[[], bool] = lambda: True) -> Judged:
        """Judge in a child. Raises JudgeError when it died, took too long, or failed inside."""
        wide = len(task.received.content) >= _WIDE
        child, kept = self._taken(wide=wide), False
        try:
            judged = child.judge(task, self._shelf, ask, alive, self._bounds, folder=self._folder)
            kept = not wide
        except (JudgeError, UnavailableError) as error:
            kept = not wide and isinstance(error, JudgeError) and error.kind.startswith("dentro")
            if self._closed:
                raise UnavailableError("detenido") from None
            raise
        finally:
            self._back(child, kept=kept)
        return judged

    def _taken(self, *, wide: bool) -> Child:
        """A child that rests, or a new one. A large file has one of its own, which is not for the next."""
        child: Child | None = None
        while child is None:
            with self._lock:
                if self._closed:
                    raise UnavailableError("detenido")
                resting = self._idle.pop() if self._idle and not wide else None
            if resting is None:
                child = Child(self._nursery, wide=wide)
            elif resting.fresh(self._bounds):
                child = resting
            else:
                resting.kill()
        with self._lock:
            self._busy.add(child)
            self._most = max(self._most, len(self._busy))
        return child

    def _back(self, child: Child, *, kept: bool) -> None:
        with self._lock:
            self._busy.discard(child)
            if kept and not self._closed and len(self._idle) + len(self._busy) < self._most:
                self._idle.append(child)
                return
        child.kill()


def _dismiss(nursery: Nursery, idle: list[Child]) -> None:
    nursery.close()
    while idle:
        idle.pop().kill()
