"""Bytes on their way into the archive: copies under names that nobody looks for, until they last."""

import contextlib
import hashlib
import itertools
import os
import stat
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pisis_batch.adapters import durable

_CHUNK = 1 << 20
_TRIES = 50
_PATIENCE = 1.0  # seconds after which a file that does not hold still is left for another time
_STALE_SECONDS = 24 * 3600
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


_State = tuple[int, int, int, int]


@dataclass(slots=True)
class Copy:
    """A copy that is open, of a source as it was; whether its bytes last, and whether it was given its name."""

    source: Path
    state: _State
    path: str
    handle: int
    sha256: str = ""
    lasts: bool = False
    placed: bool = False


class Copies:
    """The copies of a batch in a folder: one open file each, and nothing is left of those that were not placed.

    `alone`: the bytes of each last before it is looked once more whether its source held still. Otherwise those of all
    small files come to last together, when it is asked for, and a source that moved meanwhile spoils the batch.
    """

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        self._within, self._numbers = f"{folder}{os.sep}.{uuid.uuid4()}.", itertools.count()
        self._alone = alone
        self.all: list[Copy] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for copy in self.all:
            _close(copy)

    def take(self, source: Path) -> tuple[str, str, int]:
        """Copy bytes that hold still meanwhile: an uploader with the file still open cannot slip others in."""
        until = time.monotonic() + _PATIENCE
        for _ in range(_TRIES):
            taken = self._taken(source)
            if taken is not None:
                return taken
            if time.monotonic() > until:  # the others of its batch wait
                break
        raise OSError("the file never held still while it was copied")

    def sync(self) -> None:
        """Have the bytes of all last. Raises OSError, too, when a source did not hold still until then."""
        waiting = [copy for copy in self.all if not copy.lasts]
        durable.sync_files([copy.handle for copy in waiting])
        for copy in waiting:
            if _state(os.lstat(copy.source)) != copy.state:
                raise OSError("a file changed after it was copied")
            copy.lasts = True

    def _taken(self, source: Path) -> tuple[str, str, int] | None:
        with _opened(source) as handle:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise OSError("what was claimed is not a regular file")
            path = f"{self._within}{next(self._numbers)}.tmp"
            opened = os.open(path, _WRITE, 0o400)  # nobody opens it for writing again
            copy = Copy(source, _state(before), path, opened)
            held_still = False
            try:
                copy.sha256, md5, size = _through(handle, copy.handle, before.st_size)
                if self._alone or size > _CHUNK:  # nor do large files fill the memory until the last is copied
                    os.fsync(copy.handle)
                    copy.lasts = True
                after = os.fstat(handle)
                held_still = copy.state == _state(after) and size == after.st_size
            finally:
                if not held_still:
                    _close(copy)
        if not held_still:
            return None
        self.all.append(copy)
        return copy.sha256, md5, size


def _through(source: int, copy: int, expected: int) -> tuple[str, str, int]:
    """Copy from one open file to another; SHA-256, MD5 and size. What grows meanwhile is not followed."""
    sha, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    while chunk := os.read(source, min(_CHUNK, expected - size + 1)):
        sha.update(chunk)
        md5.update(chunk)
        size += len(chunk)
        durable.put(copy, chunk)
    return sha.hexdigest(), md5.hexdigest().upper(), size


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[int]:
    handle = os.open(source, _READ)
    try:
        yield handle
    finally:
        os.close(handle)


def _close(copy: Copy) -> None:
    with contextlib.suppress(OSError):
        os.close(copy.handle)
    if not copy.placed:
        with contextlib.suppress(OSError):
            os.unlink(copy.path)  # noqa: PTH108 a path of its own for each would cost more than to remove it


def _state(found: os.stat_result) -> _State:
    """What no writer can leave as it was: the time of the last change is the kernel's alone."""
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def sweep(folder: Path) -> None:
    """Take away what was left by whoever died over a copy, long ago."""
    for entry in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - entry.lstat().st_mtime > _STALE_SECONDS:
                entry.unlink()
