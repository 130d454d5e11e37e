"""Whole lines as numbers in one walk over their bytes: which have no fault in any cell, and what their cells say.

    b"2|1|CC|1000000001|…" -> record 0, sums {"key": 0x9F…}, values {"number": 1}

The walk itself is `walk.c`, for nothing else here is as fast: it is compiled when the package is installed. Where
it was not, files of any size are read whole (`AVAILABLE`). The tables it reads are made here from a layout.
"""

import ctypes
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from pisis_batch import accepting, automata
from pisis_batch.layouts import Record

NOBODY = 255  # of a line that is not accepted
BITS = 64  # as many cells of a record may be in doubt
_ENDS = b"|\r\n"
_WEIGHT = 0x9E3779B97F4A7C15  # odd, as its powers are: no bit of a hash is lost
_MOST_SUMS = 8  # as many as walk.c adds up at a time
_FEW = 32  # walkers kept
_LARGEST = 3  # bytes of a letter of cp1252 in UTF-8


def _loaded() -> Any:
    """The compiled walk; None where there is none."""
    try:
        library = ctypes.CDLL(str(resources.files("pisis_batch") / "walk.so"))
    except OSError:
        return None
    library.pisis_walk.restype = library.pisis_lines.restype = library.pisis_kinds.restype = ctypes.c_int64
    return library


_LIBRARY = _loaded()
AVAILABLE = _LIBRARY is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of the lines of a record.

    `sums`: by name, cells that are hashed, weighed by their place and added up. `values`: by name, a cell whose digits
    are a number.
    """

    sums: Mapping[str, Sequence[str]]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Walked:
    """Of each line its record (by its place, or NOBODY), where it ends (offset of its LF), and what was asked.

    wholes: of a line that is not accepted but has the cells of a record, that record. doubts: its cells that nothing
    vouches for, as bits by their place; never none. Arrays of one length: uint8, int64 and uint64.
    """

    records: np.ndarray
    ends: np.ndarray
    sums: Mapping[str, np.ndarray]
    values: Mapping[str, np.ndarray]
    wholes: np.ndarray
    doubts: np.ndarray


@dataclass(frozen=True, slots=True)
class Kinds:
    """Cells in doubt, in the order of lines and cells: of each its line, by its place, and its kind (uint32).

    cells: of each kind its cell (uint8). texts: of each cell those it is asked with, by kind, an LF after each.
    """

    lines: np.ndarray
    kinds: np.ndarray
    cells: np.ndarray
    texts: Sequence[bytes]


class _Table(ctypes.Structure):
    """As walk.c has it."""

    ARRAYS = ("classes", "steps", "accepts", "starts", "widths", "roles", "asked", "weights", "governs")
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ARRAYS),
        ("most", ctypes.c_uint32),
        ("sums", ctypes.c_uint32),
    )


class Walker:
    """A table, and the walk by it. Threads may share it."""

    def __init__(
        self,
        cells: automata.Cells,
        names: Sequence[Sequence[str]],
        asked: Sequence[Asked],
        governs: Sequence[Collection[str]] = (),
    ) -> None:
        """`cells`: first what tells the records apart, then all cells of the first record but its first, and so on.

        `governs`: of each record the cells whose values tell its cases apart.
        """
        self.sums = tuple(dict.fromkeys(name for one in asked for name in one.sums))
        self.values = tuple(dict.fromkeys(name for one in asked for name in one.values))
        if len(self.sums) > _MOST_SUMS:
            raise ValueError(f"more than {_MOST_SUMS} sums")
        most = max(map(len, names))
        arrays = {
            **_rows(cells),
            "starts": np.zeros((len(names), most), np.uint32),
            "widths": np.array([len(own) for own in names], np.uint32),
            "roles": np.full((len(names), most), -1, np.int8),
            "asked": np.zeros((len(names), most), np.uint8),
            "weights": np.zeros((len(names), most, len(self.sums)), np.uint64),
            "governs": np.zeros(len(names), np.uint64),
        }
        for place, (own, those) in enumerate(zip(names, governs, strict=False)):
            arrays["governs"][place] = sum(1 << own.index(name) for name in those if own.index(name) < BITS)
        row = arrays["steps"].strides[0]
        begins = iter(cells.starts)
        first = next(begins) * row
        for place, (own, one) in enumerate(zip(names, asked, strict=True)):
            arrays["starts"][place, : len(own)] = [first, *(next(begins) * row for _ in own[1:])]
            for name, cell in one.values.items():
                arrays["roles"][place, own.index(cell)] = self.values.index(name)
            for name, those in one.sums.items():
                for power, cell in enumerate(those):
                    arrays["asked"][place, own.index(cell)] = 1
                    arrays["weights"][place, own.index(cell), self.sums.index(name)] = pow(_WEIGHT, power, 2**64)
        self._arrays = arrays  # the table holds but their addresses
        self._table = _Table(*(arrays[name].ctypes.data for name in _Table.ARRAYS), most, len(self.sums))

    def walk(self, raw: bytes, longest: int = 0) -> Walked:
        """Look at lines, each ended by an LF but perhaps the last one.

        `longest`: bytes of UTF-8 of a line of cp1252 whose doubts are told; 0 for none.
        """
        whole = raw if raw.endswith(b"\n") or not raw else raw + b"\n"
        many = whole.count(b"\n")
        records, ends = np.empty(many, np.uint8), np.empty(many, np.int64)
        sums, values = (np.empty((len(kind), many), np.uint64) for kind in (self.sums, self.values))
        told = many if longest else 0
        wholes, doubts = np.empty(told, np.uint8), np.empty(told, np.uint64)
        places = [ctypes.c_void_p(array.ctypes.data) for array in (records, ends, sums, values, wholes, doubts)]
        size = (ctypes.c_int64(len(whole)), ctypes.c_int64(many), ctypes.c_uint8(NOBODY))
        _LIBRARY.pisis_walk(ctypes.byref(self._table), whole, *size, ctypes.c_int64(longest // _LARGEST), *places)
        found = dict(zip(self.sums, sums, strict=True)), dict(zip(self.values, values, strict=True))
        return Walked(records, ends, *found, wholes, doubts)


def kinds_of(raw: bytes, ends: np.ndarray, lines: np.ndarray, doubts: np.ndarray, asks: Sequence[int]) -> Kinds:
    """The kinds of the cells in doubt of some lines, told apart by what they are asked with.

    `ends` as in `Walked`; `lines` by their place (uint32), `doubts` their cells as there. `asks`: of each cell those it
    is asked with, itself among them, as bits by their place.
    """
    whole = raw if raw.endswith(b"\n") else raw + b"\n"
    many = int(np.bitwise_count(doubts).sum())
    before = np.where(lines > 0, ends[lines - (lines > 0)], -1)  # of few lines, sooner than the length of each there is
    room = int((ends[lines] - before).sum())
    slots = np.zeros(1 << many.bit_length() + 1, np.uint32)
    at, kinds, cells, begins = (np.empty(many, kind) for kind in (np.uint32, np.uint32, np.uint8, np.int64))
    out, sizes = [np.empty(room, np.uint8) for _ in asks], np.zeros(len(asks), np.int64)
    addresses = (ctypes.c_void_p * len(out))(*(one.ctypes.data for one in out))
    those = np.array(asks, np.uint64)
    first, then = (
        [ctypes.c_void_p(array.ctypes.data) for array in some]
        for some in ((doubts, those, slots), (at, kinds, cells, begins))
    )
    size, mask = ctypes.c_int64(len(lines)), ctypes.c_uint64(len(slots) - 1)
    given = (ctypes.c_void_p(ends.ctypes.data), ctypes.c_void_p(lines.ctypes.data), size, *first, mask, *then)
    found = _LIBRARY.pisis_kinds(whole, *given, addresses, ctypes.c_void_p(sizes.ctypes.data))
    texts = [one[:size].tobytes() for one, size in zip(out, sizes.tolist(), strict=True)]
    return Kinds(at, kinds, cells[:found], texts)


def lines_of(raw: bytes, lines: np.ndarray) -> tuple[bytes, bool]:
    """Some lines by their place (uint32, in order), each with an LF after it; whether the last is the last of all."""
    out, last = np.empty(len(raw) + 1, np.uint8), ctypes.c_uint8()
    given = (ctypes.c_void_p(lines.ctypes.data), ctypes.c_int64(len(lines)), ctypes.c_void_p(out.ctypes.data))
    size = _LIBRARY.pisis_lines(raw, ctypes.c_int64(len(raw)), *given, ctypes.byref(last))
    return out[:size].tobytes(), bool(last.value)


def _rows(cells: automata.Cells) -> dict[str, np.ndarray]:
    """The steps as offsets of rows in bytes, each row with the number of what its state accepts before."""
    columns = max(cells.classes) + 2
    classes = np.array(cells.classes, np.uint8) + 1
    classes[list(_ENDS)] = 0
    accepts = sorted({0, *cells.accepts})
    numbers = {accepted: number for number, accepted in enumerate(accepts)}
    steps = np.empty((len(cells.steps), columns), np.uint32)
    steps[:, 0] = [numbers[accepted] for accepted in cells.accepts]
    steps[:, 1:] = np.array(cells.steps, np.uint32) * (columns * steps.itemsize)
    return {"classes": classes, "steps": steps, "accepts": np.array(accepts, np.uint64)}


def accepting_walker(records: Sequence[Record], asked: Sequence[Asked]) -> Walker | None:
    """The walker that accepts of some records the lines without a fault in any cell; None when that is not worth it."""
    cells: list[automata.Alternatives] = [{record.mark: 1 << place for place, record in enumerate(records)}]
    governs: list[Collection[str]] = []
    for record in records:
        cases, patterns = accepting.cells(record)
        governs.append(cases[0].keys() if cases else ())
        cells += [_alternatives(patterns.get(field.name, {})) for field in record.fields[1:]]
    try:
        table = automata.cells(cells, "cp1252")
    except automata.TooLargeError:
        return None
    return Walker(table, [[field.name for field in record.fields] for record in records], asked, governs)


def _alternatives(patterns: Mapping[str, list[int] | None]) -> automata.Alternatives:
    return {
        pattern: automata.EVERY if cases is None else sum(1 << case for case in cases)
        for pattern, cases in patterns.items()
    }


def told(lines: bytes, names: Sequence[str], asked: Asked) -> Walked:
    """What any lines of some cells say, be they right or not: a bar before each cell, an LF after each line."""
    kinds = tuple((name, tuple(those)) for name, those in asked.sums.items())
    return _any_walker(tuple(names), kinds, tuple(asked.values.items())).walk(lines)


@lru_cache(_FEW)
def _any_walker(
    names: tuple[str, ...], sums: tuple[tuple[str, tuple[str, ...]], ...], values: tuple[tuple[str, str], ...]
) -> Walker:
    anything = automata.Cells([0] * 256, [[0], [1]], [0, automata.EVERY], [1] * (len(names) + 1))
    walker = Walker(anything, [["", *names]], [Asked(dict(sums), dict(values))])
    walker._arrays["classes"][ord("\r")] = 1  # noqa: SLF001 a lone CR is part of its cell
    return walker
