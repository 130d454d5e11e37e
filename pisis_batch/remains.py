"""What remains of the lines of a large file: how many there were, and numbers that grow in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pisis_batch import fingerprints
from pisis_batch.model import Persons

if TYPE_CHECKING:
    from pisis_batch.frames import pl

NO_LINES = np.empty(0, np.uint32)
_ROOM = 1 << 18  # numbers to grow by


class _Column:
    """Numbers that grow in place, for parts put together at the end would be in memory twice."""

    def __init__(self, dtype: type[np.unsignedinteger[Any]]) -> None:
        self._numbers, self._many = np.empty(0, dtype), 0

    def __len__(self) -> int:
        return self._many

    def add(self, part: np.ndarray) -> None:
        """Put some more at the end."""
        many = self._many + len(part)
        if many > len(self._numbers):
            self._numbers.resize(many + _ROOM, refcheck=False)
        self._numbers[self._many : many] = part
        self._many = many

    def all(self) -> np.ndarray:
        """What was added; nothing may be added after this."""
        return self._numbers[: self._many]


class _Lines:
    """Line numbers as runs of neighbours, for nearly all of a large file are."""

    def __init__(self) -> None:
        self._firsts: list[np.ndarray] = []
        self._places: list[np.ndarray] = []  # of the first of each run among all
        self._many = 0

    def __len__(self) -> int:
        return self._many

    def add(self, lines: np.ndarray) -> None:
        """Put some more at the end."""
        starts = np.flatnonzero(np.diff(lines, prepend=lines[:1] - 2) != 1)
        self._firsts.append(lines[starts])
        self._places.append(starts + self._many)
        self._many += len(lines)

    def __getitem__(self, chosen: np.ndarray) -> np.ndarray:
        """The lines where an array of truth values of this length says so."""
        wanted = np.flatnonzero(chosen)
        if not len(wanted):
            return np.empty(0, np.uint32)
        firsts, places = np.concatenate(self._firsts), np.concatenate(self._places)
        run = np.searchsorted(places, wanted, side="right") - 1
        lines: np.ndarray = (firsts[run] + (wanted - places[run])).astype(np.uint32)
        return lines


@dataclass(slots=True)
class Remains:
    """Of the lines of one record: how many, the first, their hashed keys with their line, and rows to keep whole."""

    height: int = 0
    first: int | None = None
    keys: _Column = field(default_factory=lambda: _Column(np.uint64))
    people: _Column = field(default_factory=lambda: _Column(np.uint64))
    said: _Column = field(default_factory=lambda: _Column(np.uint64))
    lines: _Lines = field(default_factory=_Lines)
    rows: list[pl.DataFrame] = field(default_factory=list)

    def add(self, lines: np.ndarray, numbers: Mapping[str, np.ndarray]) -> None:
        """Take some lines, in order, with the numbers that are kept of them (key, who, said)."""
        self.height += len(lines)
        self.first = min(int(lines[0]), self.first or int(lines[0]))
        self.lines.add(lines)
        for column, name in ((self.keys, "key"), (self.people, "who"), (self.said, "said")):
            if name in numbers:
                column.add(numbers[name])

    def persons(self) -> Persons:
        """The persons of the lines, when that is what they are about."""
        said = self.said.all() if len(self.said) else None
        if len(self.people):  # the key is more than the person
            return Persons(self.lines, self.people.all(), self.keys.all() if len(self.keys) else None, said)
        return Persons(self.lines, self.keys.all(), None, said)

    def repeated(self) -> np.ndarray:
        """The lines whose key is somebody else's too."""
        keys = self.keys.all()
        twice = fingerprints.repeated(keys)
        return self.lines[fingerprints.among(keys, twice)] if len(twice) else NO_LINES
