"""A large file as bytes that are not held in memory: pages that were read are given back at once."""

import mmap
from pathlib import Path

_PAGES = 1 << 20  # a slice from this size on is not read twice soon


class MappedFile:
    """Fulfils `model.Content`, and the buffer protocol by its `view`."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self._map)

    def __getitem__(self, place: slice) -> bytes:
        start, stop, _ = place.indices(len(self._map))
        found = self._map[start:stop]
        if stop - start >= _PAGES:
            first = start - start % mmap.PAGESIZE
            self._map.madvise(mmap.MADV_DONTNEED, first, stop - first)
        return found

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:
        """As of bytes."""
        return self._map.find(sub, start, len(self._map) if end is None else end)

    def rfind(self, sub: bytes, start: int = 0, end: int | None = None) -> int:
        """As of bytes."""
        return self._map.rfind(sub, start, len(self._map) if end is None else end)
