"""Durable system calls counted, refused or recorded: what `shim.c` does, seen from Python.

It is compiled when it is first needed and loaded before libc, so a process that wants it starts itself anew.
"""

import atexit
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COUNT, KILL_BEFORE, KILL_AFTER, KILL_HALF, FAIL, FAIL_ON, RECORD = range(1, 8)
WRITE, SYNC, RENAME, LINK, UNLINK, RMDIR, MKDIR, CREATE, TRUNC, MARK, SYNC_DISK = range(1, 12)
_SOURCE = Path(__file__).with_name("shim.c")
_HEAD = 6 * 8


class _Order(ctypes.Structure):
    _fields_ = (
        ("mode", ctypes.c_int32),
        ("error", ctypes.c_int32),
        ("log", ctypes.c_int32),
        ("fired", ctypes.c_int32),
        ("at", ctypes.c_int64),
        ("passed", ctypes.c_int64),
        ("call", ctypes.c_char * 32),
        ("root", ctypes.c_char * 256),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """A durable call that succeeded."""

    what: int
    path: str
    second: str
    place: int
    data: bytes


def possible() -> bool:
    """Whether it can be compiled here."""
    return sys.platform == "linux" and shutil.which("gcc") is not None


def start_anew() -> None:
    """Replace this process by the same one with the library in front, unless it is there."""
    if built := os.environ.get("PISIS_SHIM"):
        atexit.register(_gone, os.getpid(), Path(built).parent)
        return
    built = Path(tempfile.mkdtemp(prefix="pisis-shim-")) / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", built, _SOURCE, "-ldl"], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(built), "PISIS_SHIM": str(built)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606  # ourselves


def _gone(pid: int, folder: Path) -> None:
    """What was built, when the process ends that started itself anew; its forks leave it."""
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.shim_order.restype = ctypes.POINTER(_Order)
    return library


class Shim:
    """Orders for the forks of this process; the orders lie in memory they share."""

    def __init__(self) -> None:
        self._library = _library()
        self._order = self._library.shim_order().contents

    def order(self, root: Path, mode: int, at: int = 0, error: int = 0, log: int = -1) -> None:
        """What the next fork is to do at its `at`-th durable call under `root`."""
        self._order.mode = 0
        self._order.root, self._order.error, self._order.log = os.fsencode(root), error, log
        self._order.at, self._order.passed, self._order.fired, self._order.call = at, 0, 0, b""
        self._order.mode = mode

    def off(self) -> None:
        """Nothing from here on."""
        self._order.mode = 0

    @property
    def passed(self) -> int:
        """Calls since the order was given."""
        return int(self._order.passed)

    @property
    def fired(self) -> str:
        """The call it took place at; empty when it did not take place."""
        return self._order.call.decode() if self._order.fired else ""

    def mark(self, text: str) -> None:
        """Put a word of ours between the recorded calls."""
        self._library.shim_mark(text.encode())


@contextmanager
def recording(shim: Shim, root: Path, log: Path) -> Iterator[None]:
    """Record what forks do under `root`."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    shim.order(root, RECORD, log=handle)
    try:
        yield
    finally:
        shim.off()
        os.close(handle)


def recorded(log: Path, root: Path) -> list[Call]:
    """The calls of a log in their order, paths relative to `root`."""
    content, at, found, base = log.read_bytes(), 0, [], f"{root}/"
    while at < len(content):
        what, first, second, place, many, _ = memoryview(content)[at : at + _HEAD].cast("Q")
        at += _HEAD
        names = []
        for length in (first, second):
            names.append(os.fsdecode(content[at : at + length]).removeprefix(base))
            at += length
        found.append(Call(what, names[0], names[1], place, content[at : at + many]))
        at += many
    return found
