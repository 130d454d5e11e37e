"""Where children come from: one process that has loaded everything and copies itself on demand (`child`).

A new child costs milliseconds instead of a new interpreter with its libraries, and shares with the others the memory of
what is loaded. The process reads no file of a sender; when it is gone, so are its children, and another is started.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from pisis_batch.ports import UnavailableError

_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_END_SECONDS = 5.0
_TRIES = 3
_POLL_SECONDS = 0.005
_SAID = 4096
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


class Copy(NamedTuple):
    """A child by its number, and by which process made it."""

    pid: int
    origin: int


class Nursery:
    """Makes children, says how they ended, and ends them. Threads may ask at the same time."""

    def __init__(self, layouts: Path | None = None) -> None:
        self._layouts = layouts
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False
        self._origin = 0
        self.confined: dict[str, bool] = {}

    def start(self, *, wait: bool = False) -> None:
        """Start the process, and with `wait` until it is ready. Raises UnavailableError when it is gone instead."""
        if self._ready and self._control is not None:
            return  # looked at without the lock, for every file comes by
        with self._lock:
            if wait:
                self._listened()
            else:
                self._started()

    def close(self) -> None:
        """End it, and with it every child."""
        if (process := self._process) is not None:
            process.kill()  # whoever waits for it holds the lock, and hears of it now
        with self._lock:
            self._gone()

    def child(self, *, wide: bool) -> tuple[Copy, socket.socket]:
        """A new child that is ready, and the socket to it. Raises UnavailableError when none can be had.

        A `wide` one is for a large file: several threads, and others go first.
        """
        for _ in range(_TRIES):
            copy, channel = self._copied(wide=wide)
            channel.settimeout(_ANSWER_SECONDS)
            with contextlib.suppress(OSError):
                if channel.recv(1):
                    return copy, channel
            channel.close()
            self.kill(copy)
        raise UnavailableError("hijos")

    def _copied(self, *, wide: bool) -> tuple[Copy, socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                said, origin = self._asked({"do": "copy", "wide": wide}, theirs)
            except BaseException:
                ours.close()
                raise
        if said["pid"] is None:
            ours.close()
            raise UnavailableError("hijos")
        return Copy(said["pid"], origin), ours

    def kill(self, copy: Copy) -> None:
        """End a child, whatever it is doing."""
        self._ended("kill", copy)

    def ended(self, copy: Copy) -> int | None:
        """How a child ended that is said to be gone: exit code, or its signal below zero. None: it lives.

        Raises UnavailableError when it went with the process that made it.
        """
        code = self._ended("ask", copy)
        if copy.origin != self._origin:
            raise UnavailableError("hijos")
        return code

    def _ended(self, what: str, copy: Copy) -> int | None:
        until = time.monotonic() + _END_SECONDS
        while copy.origin == self._origin:
            try:
                said, origin = self._asked({"do": what, "pid": copy.pid}, origin=copy.origin)
            except UnavailableError:
                return None
            if said["code"] is not None or time.monotonic() > until:
                return said["code"] if origin == copy.origin else None
            time.sleep(_POLL_SECONDS)
        return None

    def _asked(
        self, said: dict[str, Any], handle: socket.socket | None = None, *, origin: int | None = None
    ) -> tuple[Any, int]:
        """One request, its answer and whose it is; with an `origin` nobody else is asked.

        Raises UnavailableError when the process is gone; whoever wants a child next starts another.
        """
        with self._lock:
            if origin not in {None, self._origin}:
                raise UnavailableError("hijos")
            control = self._listened()
            try:
                handles = [handle.fileno()] if handle else []
                socket.send_fds(control, [json.dumps(said).encode("ascii")], handles)
                return json.loads(control.recv(_SAID)), self._origin
            except (OSError, ValueError):
                self._gone()
                raise UnavailableError("hijos") from None

    def _listened(self) -> socket.socket:
        """The way to the process that was started, once it says that it is ready."""
        control = self._started()
        if self._ready:
            return control
        try:
            control.settimeout(_START_SECONDS)
            self.confined = json.loads(control.recv(_SAID))
            control.settimeout(_ANSWER_SECONDS)
        except (OSError, ValueError):
            self._gone()
            raise UnavailableError("hijos") from None
        self._ready = True
        return control

    def _started(self) -> socket.socket:
        if self._control is not None:
            return self._control
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._origin += 1
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        folder = [str(self._layouts)] if self._layouts else []
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
        return self._control

    def _gone(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None
        self._ready = False
        self._origin += 1
