"""Originals, for ever: `archive/ab/abcdef…`, named by the SHA-256 of their bytes, written once."""

import contextlib
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from pisis_batch.adapters import durable
from pisis_batch.adapters.durable import sync_folder
from pisis_batch.adapters.mapped import LARGE, MappedFile, unchanged
from pisis_batch.model import Content

_CHUNK = 1 << 20
_TRIES = 50
_PATIENCE = 1.0  # seconds after which a file that does not hold still is left for another time
_ASIDE = ".apartados"  # originals whose time is over, for a moment


class FolderArchive:
    """Fulfils `ports.Archive`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable: set[str] = set()  # folders whose own name is
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, source: Path) -> tuple[str, str, int]:
        """Copy a file's bytes durably."""
        with self.keeping() as keep:
            return keep(source)

    @contextlib.contextmanager
    def keeping(self) -> Iterator[Callable[[Path], tuple[str, str, int]]]:
        """Copy many: the bytes of each are durable at once, the names of all of them when the block ends."""
        folders: set[str] = set()
        yield lambda source: self._kept(source, folders)
        for folder in sorted(folders):
            sync_folder(self._root / folder)
        if folders - self._durable:  # made by us, or by one who may have died before it was durable
            sync_folder(self._root)
            self._durable |= folders

    def _kept(self, source: Path, folders: set[str]) -> tuple[str, str, int]:
        """Copy bytes that hold still meanwhile: an uploader with the file still open cannot slip others in."""
        until = time.monotonic() + _PATIENCE
        for _ in range(_TRIES):
            kept = self._copy(source, folders)
            if kept is not None:
                return kept
            if time.monotonic() > until:  # the others of its batch wait
                break
        raise OSError("the file never held still while it was copied")

    def _copy(self, source: Path, folders: set[str]) -> tuple[str, str, int] | None:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        temporary = self._root / f".{uuid.uuid4()}.tmp"
        sha, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, handle)
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise OSError("what was claimed is not a regular file")
            # nobody opens it for writing again
            copy = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o400)
            opened.callback(os.close, copy)
            while chunk := os.read(handle, min(_CHUNK, before.st_size - size + 1)):
                sha.update(chunk)
                md5.update(chunk)
                size += len(chunk)
                durable.put(copy, chunk)
            os.fsync(copy)
            after = os.fstat(handle)
        if _state(before) != _state(after) or size != after.st_size:
            temporary.unlink()
            return None
        sha256 = sha.hexdigest()
        target = self.path(sha256)
        try:
            temporary.replace(target)
        except FileNotFoundError:  # the first of its folder
            target.parent.mkdir(exist_ok=True, mode=0o700)
            self._durable.discard(sha256[:2])  # whatever we knew was of another folder
            temporary.replace(target)
        folders.add(sha256[:2])
        return sha256, md5.hexdigest().upper(), size

    def fetch(self, sha256: str) -> Content:
        """The very bytes kept; those of a large file stay on disk."""
        path = self.path(sha256) if self.has(sha256) else self._aside(sha256)
        if not path.is_file():
            raise KeyError(sha256)
        content = MappedFile(path) if path.stat().st_size >= LARGE else path.read_bytes()
        return unchanged(content, sha256)

    def put(self, sha256: str, content: bytes) -> None:
        """Keep bytes whose hash is known."""
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        durable.write(target, content, 0o400)

    def has(self, sha256: str) -> bool:
        """Whether the bytes are in their place."""
        return self.path(sha256).is_file()

    def erase(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Out of their place first; back again when they are wanted."""
        path, aside = self.path(sha256), self._aside(sha256)
        if path.exists():
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            path.replace(aside)
            sync_folder(path.parent)
        if not aside.exists():
            return True
        if wanted():
            aside.replace(path)
        else:
            aside.unlink()
        sync_folder(path.parent)
        sync_folder(aside.parent)
        return not path.exists()

    def set_apart(self) -> list[str]:
        """What an interrupted `erase` left."""
        folder = self._root / _ASIDE
        return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []

    def _aside(self, sha256: str) -> Path:
        return self._root / _ASIDE / sha256

    def path(self, sha256: str) -> Path:
        """Where the bytes of a hash lie, or would."""
        return self._root.joinpath(sha256[:2], sha256)


def _state(found: os.stat_result) -> tuple[int, int, int, int]:
    """What no writer can leave as it was: the time of the last change is the kernel's alone."""
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
