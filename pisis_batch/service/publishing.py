"""Documents of verdicts that were just committed, to the outbox; what nobody noted is written once more, the same.

Whoever judges one file at a time writes them itself (`Publishing`). A service that is busy has a thread for it
(`PublishingBeside`): files that end while the disk is waited for go out together, and nobody judges later for it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

import structlog

from pisis_batch.judging import Judged
from pisis_batch.model import Outcome
from pisis_batch.ports import Ports, UnavailableError
from pisis_batch.service.crash import crashpoint

#: What a crash may have published again: so many runs at most, written within so many seconds.
_UNNOTED, NOTED_SECONDS = 20, 0.5
#: Runs written together, and seconds from the start of one round to that of the next: while idle there is no waiting.
_TOGETHER, _ROUND_SECONDS = 16, 0.15
_ROOM = 16 * 1024 * 1024  # bytes of documents that wait in memory
_log = structlog.get_logger()
_Waiting = tuple[Judged, int]


class Publishing:
    """Documents are written and noted at once."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def publish(self, judged: Judged, fence: int) -> None:
        """Write the documents of a run."""
        received = judged.outcome.received
        try:
            self._ports.outbox.publish(received.sender, received.guid, judged.documents)
            crashpoint("published")
            self._ports.registry.each_published([(received.guid, fence)])
        except (OSError, UnavailableError) as error:  # a chore publishes what is left over
            _log.error("publishing_failed", guid=received.guid, error=type(error).__name__)

    def note(self) -> None:
        """Note what was written and is not noted yet."""


class PublishingBeside(Publishing):
    """Documents are written by a thread of its own, noted some at a time, and then the outcome is told."""

    def __init__(self, ports: Ports, told: Callable[[Outcome], None] | None = None) -> None:
        super().__init__(ports)
        self._told = told or (lambda _: None)
        self._waiting: deque[_Waiting] = deque()
        self._bytes = self._writing = 0
        self._written: list[tuple[str, int]] = []
        self._changed = threading.Condition()
        self._begun = False

    def publish(self, judged: Judged, fence: int) -> None:
        """Have the documents of a run written soon; when too much waits already, wait for room."""
        with self._changed:
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._write, name="documents", daemon=True).start()
            self._changed.wait_for(lambda: not self._bytes or self._bytes + _size(judged) <= _ROOM)
            self._waiting.append((judged, fence))
            self._bytes += _size(judged)
            self._changed.notify_all()

    def note(self) -> None:
        """Note what was written."""
        with self._changed:
            written, self._written = self._written, []
        if written:
            self._ports.registry.each_published(written)

    def close(self, seconds: float) -> None:
        """Wait until everything is written, no longer than that, and note it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._writing, seconds)
        self.note()

    def _write(self) -> None:
        begun = float("-inf")
        while True:
            time.sleep(max(0.0, begun + _ROUND_SECONDS - time.monotonic()))
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                some = [self._waiting.popleft() for _ in range(min(_TOGETHER, len(self._waiting)))]
                self._writing = len(some)
            begun = time.monotonic()
            try:
                self._together(some)
                if not self._waiting:  # nobody else may note for as long as no file comes
                    self.note()
            except Exception as error:  # noqa: BLE001 the thread outlives any round; a chore publishes what is left over
                _log.error("publishing_failed", error=type(error).__name__)
            with self._changed:
                self._writing = 0
                self._bytes -= sum(_size(judged) for judged, _ in some)
                self._changed.notify_all()

    def _together(self, some: list[_Waiting]) -> None:
        """Write the documents of some runs; when that fails, one after the other, so that one holds up no other."""
        runs = [(judged.outcome.received, judged.documents, fence) for judged, fence in some]
        try:
            self._ports.outbox.publish_each([(one.sender, one.guid, documents) for one, documents, _ in runs])
        except (OSError, UnavailableError):
            for one in some:
                super().publish(*one)
        else:
            self._wrote([(one.guid, fence) for one, _, fence in runs])
        finally:
            for judged, _ in some:
                self._told(judged.outcome)

    def _wrote(self, runs: list[tuple[str, int]]) -> None:
        for run in runs:
            crashpoint("published")
            with self._changed:
                self._written.append(run)
        if len(self._written) >= _UNNOTED:
            self.note()


def _size(judged: Judged) -> int:
    return sum(len(one.held) for one in judged.documents)
