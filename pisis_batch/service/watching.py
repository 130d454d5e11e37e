"""The service: the inbox is scanned after every hint and every few seconds; hints may be lost, scans are not."""

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from pisis_batch.model import Outcome
from pisis_batch.ports import Hints, Ports
from pisis_batch.service.delivery import deliver
from pisis_batch.service.intake import take_in
from pisis_batch.service.work import FileWork

_log = structlog.get_logger()
T = TypeVar("T")
_BUSY_SECONDS = 0.2  # how soon to look again while files are still settling
_DRAIN_SECONDS = 6.0


def watch(
    ports: Ports,
    hints: Hints,
    *,
    rescan_seconds: float,
    stop: threading.Event,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> None:
    """Serve until `stop` is set: the file in hand is finished, nothing new is begun."""
    wake, told, ready = threading.Event(), threading.Event(), threading.Event()
    beside = [threading.Thread(target=_take_in_until, args=(ports, wake, ready, stop, rescan_seconds), name="intake")]
    if ports.queue.here:
        beside.append(threading.Thread(target=_deliver_until, args=(ports, told, stop), name="mail", daemon=True))

    def answered(outcome: Outcome) -> None:
        told.set()
        if on_outcome:
            on_outcome(outcome)

    work = FileWork(ports, answered, apart={"correo"})
    ports.judge.warm()
    with hints.listening(wake.set):
        for thread in beside:
            thread.start()
        while not stop.is_set():
            ready.clear()
            busy = _guarded(lambda: ports.queue.pump(work, stop))
            told.set()
            _pause(ready, stop, _BUSY_SECONDS if busy else rescan_seconds)
    told.set()
    ports.queue.drain(_DRAIN_SECONDS)
    ports.judge.close()  # whatever is still in hand goes back in line
    ports.queue.drain(_DRAIN_SECONDS / 4)
    for thread in beside:
        thread.join(timeout=_DRAIN_SECONDS / 4)


def _take_in_until(
    ports: Ports, wake: threading.Event, ready: threading.Event, stop: threading.Event, rescan_seconds: float
) -> None:
    """Intake in a thread of its own: a file is safe before its turn comes, however many are ahead of it."""
    while not stop.is_set():
        wake.clear()
        _guarded(lambda: take_in(ports, stop=stop.is_set, accepted_one=ready.set))
        _pause(wake, stop, _BUSY_SECONDS if _guarded(ports.inbox.waiting) else rescan_seconds)


def _pause(wake: threading.Event, stop: threading.Event, seconds: float) -> None:
    left = seconds
    while left > 0 and not stop.is_set() and not wake.wait(min(left, 0.5)):
        left -= 0.5
    if wake.is_set() and seconds <= _BUSY_SECONDS:
        stop.wait(_BUSY_SECONDS)  # a writer that never pauses must not keep us spinning


def _deliver_until(ports: Ports, told: threading.Event, stop: threading.Event) -> None:
    """Mail in a thread of its own: a server that hangs does not hold up the inbox."""
    while True:
        _guarded(lambda: deliver(ports))
        if stop.is_set():
            return
        told.wait(5)
        told.clear()


def _guarded(step: Callable[[], T]) -> T | None:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 the service outlives any one step
        _log.error("step_failed", error=type(error).__name__)
        return None
