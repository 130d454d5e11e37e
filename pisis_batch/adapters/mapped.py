"""A large file as bytes that are not held in memory: pages that were read are given back at once."""

import hashlib
import mmap
from pathlib import Path
from typing import BinaryIO

#: Bytes from which an original is not read whole.
LARGE = 32 * 1024 * 1024
_PAGES = 1 << 20  # a slice from this size on is not read twice soon
_STRETCH = 4 << 20  # what is looked through before it is given back
_FOLIO = 2 << 20  # pages that Linux keeps together at most, and maps together when one of them is read


class MappedFile:
    """Fulfils `model.Content`. `file`: open for reading; it is mapped as long as this lives, and may have no name."""

    def __init__(self, file: Path | BinaryIO) -> None:
        self._file = file.open("rb") if isinstance(file, Path) else file
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)

    def fileno(self) -> int:
        """The descriptor, to be handed to another process."""
        return self._file.fileno()

    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the bytes."""
        digest = hashlib.sha256()
        for start in range(0, len(self._map), 4 * _PAGES):
            digest.update(self[start : start + 4 * _PAGES])
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self._map)

    def __getitem__(self, place: slice) -> bytes:
        start, stop, _ = place.indices(len(self._map))
        found = self._map[start:stop]
        if stop - start >= _PAGES:
            self._give_back(start, stop)
        return found

    def _give_back(self, start: int, stop: int) -> None:
        first, last = start - start % _FOLIO, min(stop + -stop % _FOLIO, len(self._map))
        self._map.madvise(mmap.MADV_DONTNEED, first, last - first)

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:
        """As of bytes, a stretch at a time."""
        start, stop, _ = slice(start, end).indices(len(self._map))
        while stop - start > _STRETCH:
            found = self._map.find(sub, start, min(stop, start + _STRETCH + len(sub) - 1))
            self._give_back(start, start + _STRETCH)
            if found >= 0:
                return found
            start += _STRETCH
        found = self._map.find(sub, start, stop)
        if stop - start >= _PAGES:
            self._give_back(start, stop)
        return found

    def rfind(self, sub: bytes, start: int = 0, end: int | None = None) -> int:
        """As of bytes."""
        return self._map.rfind(sub, start, len(self._map) if end is None else end)

    def __del__(self) -> None:
        self._file.close()


def unchanged(content: MappedFile | bytes, sha256: str) -> MappedFile | bytes:
    """An original that is what was kept. Raises ValueError when its hash is another."""
    found = content.sha256() if isinstance(content, MappedFile) else hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"the original {sha256} no longer matches its hash")
    return content
