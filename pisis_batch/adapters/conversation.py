"""What this process and a child say to each other about one file, and how long it waits.

It speaks over one socket and keeps the wall clock; nothing else of this process's is inherited: no database, no mail
server, no password, no open file. What a child dies of is told by kind, never in its own words.
"""

import dataclasses
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pisis_batch import judging
from pisis_batch.adapters import wire
from pisis_batch.adapters.mapped import MappedFile
from pisis_batch.adapters.nursery import Nursery
from pisis_batch.adapters.spool import Spool
from pisis_batch.judging import Ask, Judged, Task
from pisis_batch.layouts import Shelf
from pisis_batch.model import Facts
from pisis_batch.ports import JudgeError, UnavailableError

_ENOUGH_TASKS = 1000
_BEAT_SECONDS = 10.0
_SPOOL, _SPOOL_PER_BYTE = 64 * 2**20, 8  # bytes that the changes of a file may take on disk


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


class Child:
    """One child and the socket to it."""

    def __init__(self, nursery: Nursery, *, wide: bool = False) -> None:
        self._nursery = nursery
        self.copy, self._channel = nursery.child(wide=wide)
        self._tasks = 0
        self._heaviest = 0

    @property
    def pid(self) -> int:
        """Its number."""
        return self.copy.pid

    def fresh(self, bounds: Bounds) -> bool:
        """Whether it may take another task."""
        return self._silent() and self._tasks < _ENOUGH_TASKS and self._heaviest < bounds.heavy

    def _silent(self) -> bool:
        """Whether it waits for a task: it is there, and says nothing."""
        try:
            self._channel.settimeout(0)
            self._channel.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self._channel.close()
        self._nursery.kill(self.copy)

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
        facts: Facts | None = None
        size = len(task.received.content)
        seconds = bounds.wall(size)
        until = time.monotonic() + seconds
        self._tasks += 1
        self._give(task, 2 * seconds, bounds.space(size))
        while True:
            word, said = self._take(shelf, until, alive, facts)
            if word == "asks":
                started = time.monotonic()
                facts = ask(said)
                self._put(facts)
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

    def _take(self, shelf: Shelf, until: float, alive: Callable[[], bool], facts: Facts | None) -> Any:
        self._wait(until, alive)
        try:
            self._channel.settimeout(max(until - time.monotonic(), 1.0))
            return wire.loads(wire.take(self._channel), shelf, facts)
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
        """What the child died of. Raises UnavailableError when it went with the process that made it."""
        code = self._nursery.ended(self.copy)
        if code is None:
            return JudgeError("canal cortado")
        if code == -signal.SIGXCPU:
            return JudgeError("tiempo de procesador")
        return JudgeError(f"señal {-code}" if code < 0 else f"salida {code}")


def _kept(spool: Spool, said: Any) -> None:
    """Changes as a child tells them, on disk."""
    try:
        spool.keep(said)
    except OSError:
        raise UnavailableError("disco") from None
    except Exception:  # noqa: BLE001 what a child says may be anything
        raise JudgeError("mensaje imposible") from None
