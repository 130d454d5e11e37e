"""What a disk may hold after the power was cut: a model of files, names and what had been synced.

What was synced is there. Of what was not, any part may be: writes of a file in any subset, one of them torn at a sector
or a page; names made, moved and removed in the order they were (as a journal keeps them) or in any subset that makes
sense. A move is whole or not at all, and is synced with either of its two folders; a file whose own name was synced,
but not its bytes, may be empty or full of holes.
"""

import hashlib
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import ClassVar

from campaign import shim
from campaign.shim import Call

_SECTOR, _PAGE = 512, 4096
_NUMBERS = itertools.count()


@dataclass(slots=True, eq=False)
class _File:
    """Bytes that were synced, and the writes since: place and data, None for a cut at the place."""

    durable: bytes
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    version: int = field(default_factory=lambda: next(_NUMBERS))

    def sync(self) -> None:
        self.durable, self.pending, self.version = _written(self.durable, self.pending), [], next(_NUMBERS)


@dataclass(frozen=True, slots=True)
class _Naming:
    """A change of names that has not been synced."""

    what: int
    path: str
    second: str
    file: _File | None

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(_folder(path) for path in (self.path, self.second) if path)


class Disk:
    """A workspace on a disk; `take` the calls one by one, and ask what might be left."""

    def __init__(self, root: Path) -> None:
        self._names: dict[str, _File | None] = {}  # as a process sees them
        for path in sorted(root.rglob("*")):
            self._names[str(path.relative_to(root))] = None if path.is_dir() else _File(path.read_bytes())
        self._durable = dict(self._names)
        self._naming: list[_Naming] = []

    def take(self, call: Call) -> None:
        """The next call that succeeded."""
        if call.what in {shim.WRITE, shim.TRUNC}:
            file = self._names.get(call.path)
            if file is not None:
                file.pending.append((call.place, call.data if call.what == shim.WRITE else None))
        elif call.what == shim.SYNC:
            self._sync(call.path)
        elif call.what == shim.SYNC_DISK:
            for file in self._names.values():
                if file is not None:
                    file.sync()
            self._durable, self._naming = dict(self._names), []
        elif call.what != shim.MARK:
            new = _File(b"") if call.what == shim.CREATE else self._names.get(call.path)
            naming = _Naming(call.what, call.path, call.second, new)
            _name(self._names, naming)
            self._naming.append(naming)

    def _sync(self, path: str) -> None:
        file = self._names.get(path)
        if file is not None:
            file.sync()
            return
        path = "" if path.startswith("/") else path
        for naming in [one for one in self._naming if path in one.folders]:
            if naming not in self._naming:
                continue  # a later move took it along
            if naming.what == shim.RENAME:  # the file is there under its last name, whatever came of the one before
                earlier = [one for one in self._naming if one.path == naming.path and one.file is naming.file]
                for made in earlier[: earlier.index(naming)]:
                    self._naming.remove(made)
                self._durable[naming.path] = naming.file
            _name(self._durable, naming)
            self._naming.remove(naming)

    def left(self, chance: random.Random, how: int) -> tuple[tuple[object, ...], dict[str, "_Bytes"]]:
        """One thing that might be left: what tells it from others, and the names with their bytes to be.

        `how`: 0 nothing of what was not synced, 1 all of it, otherwise by lot.
        """
        names = dict(self._durable)
        kept = {0: 0, 1: len(self._naming)}.get(how, chance.randint(0, len(self._naming)))
        journal = how < 2 or chance.random() < 0.5
        chosen = self._naming[:kept] if journal else [one for one in self._naming if chance.random() < 0.5]
        for naming in chosen:
            _name(names, naming)
        names = {path: file for path, file in names.items() if _reachable(path, names)}
        drawn: dict[_File, _Bytes] = {}
        for file in names.values():
            if file is not None and file not in drawn:
                drawn[file] = _Bytes(file, _part(file.pending, chance, how))
        empty = _Bytes(None, ())
        found = {path: empty if file is None else drawn[file] for path, file in names.items()}
        return tuple((path, found[path].key) for path in sorted(found)), found


class _Bytes:
    """The bytes of a file in one state, put together when asked for."""

    _known: ClassVar[dict[object, tuple[str, bytes]]] = {}

    def __init__(self, file: _File | None, part: tuple[tuple[int, int], ...]) -> None:
        self._file, self._part = file, part
        self.key = None if file is None else (file.version, part)

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self._file is None

    @property
    def content(self) -> bytes:
        """The bytes."""
        return self._both()[1]

    @property
    def digest(self) -> str:
        """Their SHA-256."""
        return self._both()[0]

    def _both(self) -> tuple[str, bytes]:
        if self._file is None:
            return "", b""
        known = self._known.get(self.key)
        if known is None:
            writes = [_torn(self._file.pending[place], length) for place, length in self._part]
            content = _written(self._file.durable, writes)
            if len(self._known) > 3000:  # enough for the states of a moment
                self._known.clear()
            known = self._known[self.key] = (hashlib.sha256(content).hexdigest(), content)
        return known


def _torn(write: tuple[int, bytes | None], length: int) -> tuple[int, bytes | None]:
    place, data = write
    return place, None if data is None else data[:length]


def _part(pending: list[tuple[int, bytes | None]], chance: random.Random, how: int) -> tuple[tuple[int, int], ...]:
    """Which pending writes arrived, and how much of each."""
    whole = [(place, len(data or b"")) for place, (_, data) in enumerate(pending)]
    if how == 0 or not pending:
        return ()
    if how == 1:
        return tuple(whole)
    kind = chance.randrange(4)
    if kind == 0:
        return ()
    if kind == 1:
        chosen = whole[: chance.randint(1, len(whole))]
    elif kind == 2:
        chosen = [one for one in whole if chance.random() < 0.5]
    else:
        chosen = whole
    if chosen and chance.random() < 0.5:
        at = chance.randrange(len(chosen))
        unit = chance.choice((_SECTOR, _PAGE))
        place, length = chosen[at]
        chosen[at] = (place, unit * chance.randint(0, length // unit))
    return tuple(chosen)


def _written(content: bytes, writes: list[tuple[int, bytes | None]]) -> bytes:
    if not writes:
        return content
    whole = bytearray(content)
    for place, data in writes:
        if data is None:
            del whole[place:]
            whole.extend(bytes(place - len(whole)))
        elif data:
            whole.extend(bytes(max(0, place - len(whole))))
            whole[place : place + len(data)] = data
    return bytes(whole)


def _name(names: dict[str, _File | None], naming: _Naming) -> None:
    """Change names as far as it makes sense where other changes may be missing."""
    what, path, second, file = naming.what, naming.path, naming.second, naming.file
    if what in {shim.CREATE, shim.MKDIR}:
        names.setdefault(path, file if what == shim.CREATE else None)
    elif what == shim.RENAME:
        if path in names and names[path] is file:
            names[second] = names.pop(path)
    elif what == shim.LINK:
        if path in names and names[path] is file:
            names[second] = file
    elif what == shim.RMDIR:
        if path in names and not any(other.startswith(f"{path}/") for other in names):
            del names[path]
    elif path in names and names[path] is file:
        del names[path]


def _folder(path: str) -> str:
    folder = str(PurePosixPath(path).parent)
    return "" if folder == "." else folder


def _reachable(path: str, names: Mapping[str, _File | None]) -> bool:
    folder = _folder(path)
    while folder:
        if folder not in names:
            return False
        folder = _folder(folder)
    return True


def states(disk: Disk, chance: random.Random, many: int) -> Iterator[tuple[tuple[object, ...], dict[str, "_Bytes"]]]:
    """So many things that might be left now."""
    for how in range(many):
        yield disk.left(chance, how)
