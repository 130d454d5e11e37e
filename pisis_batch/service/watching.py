"""The service: the inbox is scanned after every hint and every few seconds; hints may be lost, scans are not."""

import gc
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog

from pisis_batch.model import Outcome
from pisis_batch.ports import Hints, Ports
from pisis_batch.service.beats import Beats
from pisis_batch.service.delivery import deliver
from pisis_batch.service.intake import take_in
from pisis_batch.service.publishing import PublishingBeside
from pisis_batch.service.work import FileWork

_log = structlog.get_logger()
T = TypeVar("T")
_BUSY_SECONDS = 0.2  # how soon to look again while files are still settling
_LOOK_SECONDS = 1.0  # how soon to look at the queue again, where another service may have put what nobody tells us of
_ROUND_SECONDS = 0.15  # from the start of one round of mail to that of the next
_YOUNG = 10_000  # objects after which the collector looks at the new ones: rows and messages of a file are thousands
_DRAIN_SECONDS = 4.0  # systemd and the runbooks promise an end within ten


def watch(
    ports: Ports,
    hints: Hints,
    *,
    rescan_seconds: float,
    stop: threading.Event,
    on_outcome: Callable[[Outcome], None] | None = None,
    on_ready: Callable[[], None] = lambda: None,
    beats: Beats | None = None,
) -> bool:
    """Serve until `stop` is set: the file in hand is finished if that is soon, nothing new is begun.

    Whether everything in hand ended; what did not is lost with the process and done again by the next.
    """
    wake, told, ready = threading.Event(), threading.Event(), threading.Event()
    beats = beats or Beats()
    stopped = _asked(stop, beats, "cola")
    intake = (ports, (wake, ready, stop), rescan_seconds, _asked(stop, beats, "buzón"))
    beside = [threading.Thread(target=_take_in_until, args=intake, name="intake", daemon=True)]
    if ports.queue.here:
        post = (ports, (told, stop), _asked(stop, beats, "correo"))
        beside.append(threading.Thread(target=_deliver_until, args=post, name="mail", daemon=True))

    publishing = PublishingBeside(ports, on_outcome)
    work = FileWork(ports, lambda _: told.set(), {"correo"}, publishing)
    ports.judge.warm()
    gc.collect()
    gc.freeze()  # what is loaded stays: it need not be looked through again and again
    gc.set_threshold(_YOUNG)
    with hints.listening(wake.set):
        for thread in beside:
            thread.start()
        on_ready()
        while not stopped():
            ready.clear()
            busy = _guarded(lambda: ports.queue.pump(work, stopped))
            told.set()
            _pause(ready, stop, _BUSY_SECONDS if busy else min(rescan_seconds, _LOOK_SECONDS))
    told.set()
    ports.queue.drain(_DRAIN_SECONDS)
    ports.judge.close()  # whatever is still in hand goes back in line
    done = ports.queue.drain(_DRAIN_SECONDS / 4)
    if not done:  # a thread that hears nothing: its file goes back without it, and its fence keeps it from writing
        beside.append(threading.Thread(target=_give_back, args=(ports, ports.queue.in_hand()), daemon=True))
        beside[-1].start()
    _guarded(lambda: publishing.close(_DRAIN_SECONDS / 4))
    for thread in beside:
        thread.join(timeout=_DRAIN_SECONDS / 4)
    return done and not any(thread.is_alive() for thread in beside)


def _give_back(ports: Ports, guids: list[str]) -> None:
    """Put files that were in hand back in line, and not as an attempt."""
    for guid in guids:
        receipt = _guarded(partial(ports.registry.receipt, guid))
        if receipt is not None and receipt.state == "procesando":
            _guarded(partial(ports.registry.give_back, guid, receipt.fence, counted=False))


def _asked(stop: threading.Event, beats: Beats, loop: str) -> Callable[[], bool]:
    """Whether to stop; whoever asks shows that the loop goes round."""

    def stopped() -> bool:
        beats.beat(loop)
        return stop.is_set()

    stopped()  # a loop that never begins is a silent one
    return stopped


def _take_in_until(
    ports: Ports, signals: tuple[threading.Event, ...], rescan_seconds: float, stopped: Callable[[], bool]
) -> None:
    """Intake in a thread of its own: a file is safe before its turn comes, however many are ahead of it."""
    wake, ready, stop = signals

    def accepted() -> None:
        ready.set()
        ports.queue.hear()

    while not stopped():
        wake.clear()
        _guarded(lambda: take_in(ports, stop=stopped, accepted_some=accepted))
        _pause(wake, stop, _BUSY_SECONDS if _guarded(ports.inbox.waiting) else rescan_seconds)


def _pause(wake: threading.Event, stop: threading.Event, seconds: float) -> None:
    left = seconds
    while left > 0 and not stop.is_set() and not wake.wait(min(left, 0.5)):
        left -= 0.5
    if wake.is_set() and seconds <= _BUSY_SECONDS:
        stop.wait(_BUSY_SECONDS)  # a writer that never pauses must not keep us spinning


def _deliver_until(ports: Ports, signals: tuple[threading.Event, ...], stopped: Callable[[], bool]) -> None:
    """Mail in a thread of its own: a server that hangs does not hold up the inbox.

    While files end one after the other there are some rounds a second, each for several of them.
    """
    told, stop = signals
    while True:
        begun = time.monotonic()
        _guarded(lambda: deliver(ports))
        if stopped():
            return
        told.wait(5)
        stop.wait(begun + _ROUND_SECONDS - time.monotonic())
        told.clear()


def _guarded(step: Callable[[], T]) -> T | None:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 the service outlives any one step
        _log.error("step_failed", error=type(error).__name__)
        return None
