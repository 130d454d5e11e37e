"""Originals, for ever: `archive/ab/abcdef…`, named by the SHA-256 of their bytes, written once."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from pisis_batch.adapters import durable
from pisis_batch.adapters.durable import sync_folder
from pisis_batch.adapters.folder_copies import Copies, Copy, sweep
from pisis_batch.adapters.mapped import LARGE, MappedFile, unchanged
from pisis_batch.model import Content

_ASIDE = ".apartados"  # originals whose time is over, for a moment


class FolderArchive:
    """Fulfils `ports.Archive`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable: set[str] = set()  # folders whose own name is
        self._swept = False
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, source: Path) -> tuple[str, str, int]:
        """Copy a file's bytes durably."""
        with self._keeping(Copies(self._root, alone=True)) as keep:
            return keep(source)

    def keeping(self) -> AbstractContextManager[Callable[[Path], tuple[str, str, int]]]:
        """Copy many: when the block ends the bytes of all come to last, then they get their names, then those last."""
        return self._keeping(Copies(self._root))

    @contextlib.contextmanager
    def _keeping(self, opened: Copies) -> Iterator[Callable[[Path], tuple[str, str, int]]]:
        if not self._swept:
            sweep(self._root)
            self._swept = True
        with opened as copies:
            yield copies.take
            copies.sync()
            folders = {self._place(copy) for copy in copies.all}
        made = folders - self._durable  # by us, or by one who may have died before it was durable
        durable.sync_folders([*(self._root / folder for folder in sorted(folders)), *([self._root] if made else [])])
        self._durable |= made

    def _place(self, copy: Copy) -> str:
        """Give a copy that lasts its name; its folder."""
        folder, target = copy.sha256[:2], self._target(copy.sha256)
        try:
            os.replace(copy.path, target)  # noqa: PTH105 see `_target`
        except FileNotFoundError:  # the first of its folder
            self.path(copy.sha256).parent.mkdir(exist_ok=True, mode=0o700)
            self._durable.discard(folder)  # whatever we knew was of another folder
            os.replace(copy.path, target)  # noqa: PTH105 see `_target`
        copy.placed = True
        return folder

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
        return os.path.isfile(self._target(sha256))  # noqa: PTH113 see `_target`

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
        return Path(self._target(sha256))

    def _target(self, sha256: str) -> str:
        """A path for each of many would cost more than to rename it."""
        return f"{self._root}{os.sep}{sha256[:2]}{os.sep}{sha256}"
