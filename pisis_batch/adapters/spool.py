"""Changes of a very large file on disk until they are applied, and in the order of their keys when they are read.

One file without a name: it is nobody else's to open, and it is gone when its process is, however that ends.
"""

import io
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pisis_batch.model import KINDS, Changes, placed

_BLOCK = 4_096  # rows read back at a time of each part
_READ = 100_000  # rows handed on at a time, about
_KEY = ("tipo_id", "num_id")


class FullError(RuntimeError):
    """More changes came than a file of its size can cause."""


class _Block(NamedTuple):
    """Some rows of one part in the file: where, and the keys of the first and the last."""

    start: int
    size: int
    first: tuple[str, str]
    last: tuple[str, str]


class Spool:
    """Fulfils `model.Parts` and `ports.Sorted`. `most`: bytes that it may take."""

    def __init__(self, folder: Path | None = None, most: int = 2**62, block: int = _BLOCK, read: int = _READ) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 open until `close`
        self._most, self._block, self._read = most, block, read
        self._end = 0
        self._blocks: defaultdict[str, list[_Block]] = defaultdict(list)

    def keep(self, changes: Changes) -> None:
        """Add the changes of a part. Raises FullError."""
        for kind in KINDS:
            self.put(kind, getattr(changes, kind))

    def put(self, kind: str, rows: pl.DataFrame) -> None:
        """Add rows of a kind, with the columns tipo_id and num_id. Raises FullError."""
        if not rows.is_empty():
            for some in rows.sort(placed(rows)).iter_slices(self._block):
                self._blocks[kind].append(self._written(some))

    def _written(self, rows: pl.DataFrame) -> _Block:
        said = io.BytesIO()
        rows.write_ipc_stream(said, compression="lz4")
        start, size = self._end, said.tell()
        self._end += size
        if self._end > self._most:
            raise FullError
        self._file.seek(start)
        left = said.getbuffer()
        while left:
            left = left[self._file.write(left) :]
        return _Block(start, size, rows.select(_KEY).row(0), rows.select(_KEY).row(-1))

    def ordered(self, kind: str) -> Iterator[pl.DataFrame]:
        """The rows of a kind in the order of their keys, some at a time: of every part the stretch between two keys."""
        blocks = sorted(self._blocks[kind], key=lambda block: block.first)
        every = max(1, self._read // self._block)
        ends = list(dict.fromkeys(block.first for block in blocks[every::every]))
        open_: list[tuple[_Block, pl.DataFrame]] = []
        place = 0
        for end in [*ends, None]:
            while place < len(blocks) and (end is None or blocks[place].first < end):
                open_.append((blocks[place], self._rows(blocks[place])))
                place += 1
            if not open_:
                continue
            found = pl.concat([rows if end is None else rows.filter(_before(end)) for _, rows in open_])
            if end is not None:
                open_ = [(one, rows.filter(~_before(end))) for one, rows in open_ if one.last >= end]
            if found.height:
                yield found.sort(placed(found))

    def _rows(self, block: _Block) -> pl.DataFrame:
        self._file.seek(block.start)
        return pl.read_ipc_stream(io.BytesIO(self._file.read(block.size) or b""))

    def close(self) -> None:
        """Give the room back."""
        self._file.close()


def _before(key: tuple[str, str]) -> pl.Expr:
    first, second = (pl.col(name) for name in _KEY)
    return (first < key[0]) | ((first == key[0]) & (second < key[1]))
