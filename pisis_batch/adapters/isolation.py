"""Judging in children: warm ones, reused, replaced after a crash, a limit, or when they have grown.

The parent speaks to a child over one socket pair and keeps the wall clock; nothing else of the parent's is inherited:
no database, no mail server, no password, no open file. What a child dies of is told by kind, never in its own words.
"""

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pisis_batch import judging
from pisis_batch.adapters import wire
from pisis_batch.adapters.mapped import MappedFile
from pisis_batch.adapters.spool import Spool
from pisis_batch.judging import Ask, Judged, Task
from pisis_batch.layouts import Shelf
from pisis_batch.ports import JudgeError, UnavailableError

_START_SECONDS = 60.0
_ENOUGH_TASKS = 1000
_BEAT_SECONDS = 10.0
_SPOOL, _SPOOL_PER_BYTE = 64 * 2**20, 8  # bytes that the changes of a file may take on disk
_IDLE = 2  # one to work and one to spare, at least; as many as were busy at once are kept
_POLARS = ("POLARS_MAX_THREADS", "POLARS_SKIP_CPU_CHECK")  # the latter where no page is both written and run
#: Names of the environment that a child needs; no setting and no secret of ours is among them.
_ENVIRONMENT = (
    "LANG",
    "LC_ALL",
    "PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "TZ",
    "POLARS_MAX_THREADS",
    "POLARS_SKIP_CPU_CHECK",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """What one file may take: seconds of wall clock and bytes of address space, more of both for a larger file."""

    seconds: float = 30.0
    seconds_per_mib: float = 1.0
    memory: int = 4 * 2**30
    memory_per_byte: int = 24
    heavy: int = 768 * 2**20  # a child that has used so much is not kept

    def wall(self, size: int) -> float:
        """Seconds for a file of so many bytes."""
        return self.seconds + self.seconds_per_mib * size / 2**20

    def space(self, size: int) -> int:
        """Bytes of address space for a file of so many bytes; the libraries alone take more than one GiB."""
        return self.memory + self.memory_per_byte * size


class ChildJudge:
    """Fulfils `ports.Judge`. Threads may judge at the same time, each in a child of its own."""

    def __init__(
        self, shelf: Shelf, bounds: Bounds | None = None, layouts: Path | None = None, folder: Path | None = None
    ) -> None:
        self._shelf, self._bounds, self._layouts, self._folder = shelf, bounds or Bounds(), layouts, folder
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._spare = self._closed = False
        self._most = _IDLE
        self._lock = threading.Lock()
        weakref.finalize(self, _dismiss, self._idle)

    def warm(self) -> None:
        """Have a child ready, or on its way, and from now on always one more than is busy."""
        with self._lock:
            self._spare = True
            while len(self._idle) < _IDLE:
                self._idle.append(_Child(self._layouts))

    def close(self) -> None:
        """Send the children home; what a busy one had in hand is no attempt."""
        with self._lock:
            self._closed = True
            _dismiss(self._idle)
            for child in self._busy:
                child.stop()

    def judge(self, task: Task, ask: Ask, alive: Callable[[], bool] = lambda: True) -> Judged:
        """Judge in a child. Raises JudgeError when it died, took too long, or failed inside."""
        child, kept = self._taken(), False
        try:
            judged = child.judge(task, self._shelf, ask, alive, self._bounds, folder=self._folder)
            kept = True
        except JudgeError as error:
            kept = error.kind.startswith("dentro")
            if self._closed:
                raise UnavailableError("detenido") from None
            raise
        finally:
            self._back(child, kept=kept)
        return judged

    def _taken(self) -> "_Child":
        with self._lock:
            if self._closed:
                raise UnavailableError("detenido")
            child = self._idle.pop() if self._idle else _Child(self._layouts)
            if not child.fresh(self._bounds):
                child.kill()
                child = _Child(self._layouts)
            self._busy.add(child)
            self._most = max(self._most, len(self._busy))
            if self._spare and not self._idle:
                self._idle.append(_Child(self._layouts))
        return child

    def _back(self, child: "_Child", *, kept: bool) -> None:
        with self._lock:
            self._busy.discard(child)
            if kept and not self._closed and len(self._idle) + len(self._busy) < self._most + self._spare:
                self._idle.append(child)
                return
        child.kill()


def _kept(spool: Spool, said: Any) -> None:
    """Changes as a child tells them, on disk."""
    try:
        spool.keep(said)
    except OSError:
        raise UnavailableError("disco") from None
    except Exception:  # noqa: BLE001 what a child says may be anything
        raise JudgeError("mensaje imposible") from None


def _dismiss(children: "list[_Child]") -> None:
    while children:
        children.pop().kill()


class _Child:
    """One process and the socket to it."""

    def __init__(self, layouts: Path | None = None) -> None:
        self._channel, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        folder = [str(layouts)] if layouts else []
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [sys.executable, "-B", "-P", "-m", "pisis_batch.adapters.child", str(theirs.fileno()), *folder],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a library's last words may carry what the file says
                pass_fds=(theirs.fileno(),),
                env=environment,
            )
        self._ready = False
        self._tasks = 0
        self._heaviest = 0
        self.confined: dict[str, bool] = {}

    def fresh(self, bounds: Bounds) -> bool:
        """Whether it may take another task."""
        return self._process.poll() is None and self._tasks < _ENOUGH_TASKS and self._heaviest < bounds.heavy

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it while another thread speaks to it."""
        self._process.kill()

    def judge(
        self,
        task: Task,
        shelf: Shelf,
        ask: Ask,
        alive: Callable[[], bool],
        bounds: Bounds,
        *,
        folder: Path | None = None,
    ) -> Judged:
        """One task to its end."""
        spool: Spool | None = None
        if not self._ready:
            _, self.confined = self._take(shelf, time.monotonic() + _START_SECONDS, alive)
            self._ready = True
        size = len(task.received.content)
        seconds = bounds.wall(size)
        until = time.monotonic() + seconds
        self._tasks += 1
        self._give(task, 2 * seconds, bounds.space(size))
        while True:
            word, said = self._take(shelf, until, alive)
            if word == "asks":
                started = time.monotonic()
                self._put(ask(said))
                until += time.monotonic() - started  # the registry's time is not the file's
            elif word == "part":
                spool = spool or Spool(folder, most=_SPOOL + _SPOOL_PER_BYTE * size)
                _kept(spool, said)
            elif word == "ends":
                judged, self._heaviest = said
                judged = judging.with_received(judged, task.received)
                return judging.with_parts(judged, spool) if spool else judged
            else:
                raise JudgeError(f"dentro: {said}")

    def _give(self, task: Task, seconds: float, memory: int) -> None:
        """Hand over a task; a large original as an open file, which the child can read and nothing else."""
        content = task.received.content
        if not isinstance(content, MappedFile):
            self._put((task, seconds, memory, False))
            return
        received = dataclasses.replace(task.received, content=b"")
        self._put((dataclasses.replace(task, received=received), seconds, memory, True))
        try:
            socket.send_fds(self._channel, [b"f"], [content.fileno()])
        except OSError:
            raise self._end() from None

    def _put(self, value: object) -> None:
        try:
            self._channel.settimeout(_BEAT_SECONDS * 6)
            wire.put(self._channel, wire.dumps(value))
        except OSError:
            raise self._end() from None

    def _take(self, shelf: Shelf, until: float, alive: Callable[[], bool]) -> Any:
        self._wait(until, alive)
        try:
            self._channel.settimeout(max(until - time.monotonic(), 1.0))
            return wire.loads(wire.take(self._channel), shelf)
        except TimeoutError:
            raise JudgeError("tiempo") from None
        except (OSError, wire.GoneError):
            raise self._end() from None
        except Exception:  # noqa: BLE001  # bytes of a child that has been taken over may be anything
            raise JudgeError("mensaje imposible") from None

    def _wait(self, until: float, alive: Callable[[], bool]) -> None:
        """Wait for the first byte, and say meanwhile that the attempt goes on."""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise JudgeError("tiempo")
            self._channel.settimeout(min(left, _BEAT_SECONDS))
            try:
                self._channel.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                if not alive():
                    raise JudgeError("turno perdido") from None
                continue
            except OSError:
                raise self._end() from None
            return

    def _end(self) -> JudgeError:
        """What the child died of."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=5)
            if code == -signal.SIGXCPU:
                return JudgeError("tiempo de procesador")
            return JudgeError(f"señal {-code}" if code < 0 else f"salida {code}")
        return JudgeError("canal cortado")
