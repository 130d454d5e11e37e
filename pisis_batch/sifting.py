r"""A large file in chunks: what must be looked at is kept, the rest is counted, and of it only keys remain.

One walk over the bytes of each chunk says which lines have no fault in any cell. Those are counted; of them only the
consecutive and 64-bit hashes of the unique keys are read. Every other
line is read as `reading` reads it and its cells are judged at once. Then come the lines that only the whole file shows
to be wrong: repeated keys, lines out of order, where the consecutive breaks. The batch that results has few rows and
the figures of all (`model.Figures`), and the rules find in it what they find in the whole.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from pisis_batch import fingerprints, reading
from pisis_batch.chunks import (
    ONCE,
    Asks,
    Numbers,
    Piece,
    Suspects,
    about_persons,
    apart,
    chunks,
    fetched,
    numbers_of,
    taken_apart,
)
from pisis_batch.cutting import irregular, nothing
from pisis_batch.frames import pl
from pisis_batch.layouts import Field, Layout, Record
from pisis_batch.model import Batch, Brief, Content, Doubts, Figures, Limits, Persons, Rows, unreadable
from pisis_batch.numbering import Numbering

_WORKERS, _TURN = 2, 0.0005  # threads that take chunks apart; seconds
_FLUSH = 200_000  # suspects, or kinds of cells, judged at a time: each time has its set-up, and each takes memory
_TOGETHER, _SUSPECTS = 350_000, 30_000  # lines looked at together, fewer when so many are suspects
_DIGITS = 18
_NO_LINES = np.empty(0, np.uint32)
_ROOM = 1 << 18  # numbers to grow by


@dataclass(frozen=True, slots=True)
class Judge:
    """Findings of the rows of a record that are suspect, and of its cells in doubt; what those are asked with."""

    rows: Callable[[pl.DataFrame, Record], Brief]
    doubts: Callable[[Doubts, Record], Brief]
    asks: Asks


#: By record, the accepted lines and their numbers.
Accepted = dict[str, tuple[np.ndarray, Numbers]]


def can_sift(layout: Layout) -> bool:
    """Whether the rules of an annex find the same in a sifted file: none may compare lines but by key and number."""
    repeats = any(one.same_as for record in layout.details for one in record.fields)
    plain = layout.separator == "|" and layout.effect.kind != "registros" and not layout.check and not repeats
    return plain and all(map(_countable, _numbered(layout)))


def _numbered(layout: Layout) -> list[Field]:
    sequence = layout.sequence
    return [layout.record[name].by_name[sequence.field] for name in sequence.over] if sequence else []


def _countable(field_: Field) -> bool:
    """Whether every sound value of a field is a number of one spelling that fits 64 bits."""
    short = field_.type == "N" and field_.max is not None and field_.max <= _DIGITS
    return short and field_.required and not (field_.leading_zeros or field_.condition or field_.empty_if)


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
class _Kept:
    """Of the lines of one record: how many, the first, their hashed keys with their line, and rows to keep whole."""

    height: int = 0
    first: int | None = None
    keys: _Column = field(default_factory=lambda: _Column(np.uint64))
    people: _Column = field(default_factory=lambda: _Column(np.uint64))
    said: _Column = field(default_factory=lambda: _Column(np.uint64))
    lines: _Lines = field(default_factory=_Lines)
    rows: list[pl.DataFrame] = field(default_factory=list)


def sift(
    content: Content, layout: Layout, name: str, limits: Limits, judge: Judge, *, today: date, sound: bool = False
) -> tuple[Batch, list[Brief]] | None:
    """The batch with the figures of the whole file, and what `judge` says of the cells. None: read it the other way.

    `today`: the day of reception, against which the ends of contracts are held. `sound`: only a sound file is wanted,
    so that the first doubt ends it.
    """
    if not can_sift(layout):
        return None
    work = _Sifting(layout, limits, judge, today, sound=sound)
    bom = content[:3] == reading.BOM
    if reading.whole_problem(content, limits):
        return None
    how = apart(layout, today) if sound else apart(layout, today, judge.asks, limits.line)
    if how is None:
        return None
    with _turns(), ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(_WORKERS) as pool:
        if not sound:  # what judges doubts, and what the registry is compared with, is loaded while the walk goes on
            beside.submit(lambda: [*map(judge.asks, how.records)])
        waiting: list[tuple[int, Future[Piece | None]]] = []
        for begin, end in chunks(content, 3 if bom else 0):
            waiting.append((begin, pool.submit(taken_apart, content, begin, end, how)))
            if len(waiting) > _WORKERS and not work.add(*_next(waiting)):
                return None
        while waiting:
            if not work.add(*_next(waiting), last=len(waiting) == 0):
                return None
    if bom:
        work.odd.insert(0, irregular([{"line": 1, "problem": "bom"}]))
    return work.batch(content, name), work.cells


@contextmanager
def _turns() -> Iterator[None]:
    """Short turns at the interpreter: who comes back from polars or numpy waits no five milliseconds for the other."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(_TURN, usual))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _together(pieces: list[tuple[int, Piece]]) -> tuple[Accepted, pl.DataFrame | None]:
    """Neighbouring pieces, each with its first line, as one: accepted lines by record, and the suspects if any."""
    accepted: dict[str, list[tuple[np.ndarray, Numbers]]] = {}
    for first, piece in pieces:
        for name, (places, numbers) in piece.accepted.items():
            accepted.setdefault(name, []).append((places + np.uint32(first), numbers))
    suspects = [piece.suspects.frame(first) for first, piece in pieces if len(piece.suspects)]
    joined = {name: _joined(found) for name, found in accepted.items()}
    return joined, pl.concat(suspects) if suspects else None


def _joined(found: list[tuple[np.ndarray, Numbers]]) -> tuple[np.ndarray, Numbers]:
    if len(found) == 1:
        return found[0]
    numbers = {name: np.concatenate([numbers[name] for _, numbers in found]) for name in found[0][1]}
    return np.concatenate([places for places, _ in found]), numbers


def _next(waiting: list[tuple[int, Future[Piece | None]]]) -> tuple[int, Piece | None]:
    offset, coming = waiting.pop(0)
    return offset, coming.result()


def _in_order(accepted: list[tuple[np.ndarray, np.ndarray]], others: list[pl.DataFrame]) -> np.ndarray | None:
    """The numbers of some lines in the order of the lines, 0 where none is written; None when there is no line."""
    told = [_written(frame) for frame in others]
    lines = [places for places, _ in accepted] + [frame["line"].to_numpy() for frame in told]
    numbers: list[np.ndarray] = [found for _, found in accepted] + [frame["value"].to_numpy() for frame in told]
    if len(lines) <= 1:
        return numbers[0] if lines else None
    return np.concatenate(numbers)[np.argsort(np.concatenate(lines), kind="stable")]


def _written(frame: pl.DataFrame) -> pl.DataFrame:
    """The same lines with their numbers (value)."""
    written = pl.col("value").str.contains(f"^[1-9][0-9]{{0,{_DIGITS - 1}}}$")
    return frame.select("line", value=pl.when(written).then(pl.col("value").cast(pl.Int64, strict=False)).fill_null(0))


def _steady(numbers: np.ndarray) -> bool:
    """Whether each number is one more than the one before."""
    return bool((np.diff(numbers) == 1).all())


class _Sifting:
    """What is known of the file after the chunks seen so far."""

    def __init__(self, layout: Layout, limits: Limits, judge: Judge, today: date, *, sound: bool) -> None:
        self.layout, self.limits, self.judge, self.today, self.sound = layout, limits, judge, today, sound
        self.kept = {record.name: _Kept() for record in layout.records}
        self.odd: list[pl.DataFrame] = []
        self._opening: Suspects | None = None  # the control as the first line, until something else is in doubt
        self.cells: list[Brief] = []
        self.last = 0
        self._starts: list[tuple[int, int]] = []  # offset and first line of each chunk
        self._group: list[tuple[int, Piece]] = []  # chunks not looked at yet, with their first line
        self._late: list[np.ndarray] = []
        self._elsewhere: list[pl.Series] = []
        self._doubts: dict[str, list[Doubts]] = {record.name: [] for record in layout.records}
        self._waiting: dict[str, list[pl.DataFrame]] = {record.name: [] for record in layout.records}
        sequence = layout.sequence
        over = (
            (sequence.over if sequence else ())
            if sequence and sequence.restart
            else [sequence.over]
            if sequence
            else []
        )
        self._runs = [(tuple([run] if isinstance(run, str) else run), Numbering()) for run in over]

    def add(self, offset: int, piece: Piece | None, *, last: bool = False) -> bool:
        """Take the next chunk; False when the file has to be read another way."""
        if piece is None:
            return False
        self._starts.append((offset, self.last + 1))
        if self.last == 0:
            piece = self._opened(piece)
        if self.sound and piece.doubtful:
            return False
        self._group.append((self.last + 1, piece))
        for name, doubts in piece.doubts.items():
            lines = doubts.lines + np.uint32(self.last + 1)
            self._doubts[name].append(dataclasses.replace(doubts, lines=lines))
            self._elsewhere.append(pl.Series(lines))
        self.last += piece.many
        doubtful = sum(len(one.suspects) for _, one in self._group)
        lines = sum(one.many for _, one in self._group)
        if last or not doubtful or doubtful >= _SUSPECTS or lines >= _TOGETHER:
            accepted, suspects = _together(self._group)
            self._group.clear()
            self._take(accepted, suspects, last=last)
        return True

    def _opened(self, piece: Piece) -> Piece:
        """The first piece without its first line, when that is the only one in doubt and marked as the control."""
        mark = f"{self.layout.control.mark}|".encode()
        if len(piece.suspects) != 1 or piece.suspects.places[0] != 0 or not piece.suspects.raw.startswith(mark):
            return piece
        self._opening = piece.suspects
        return dataclasses.replace(piece, suspects=dataclasses.replace(piece.suspects, places=_NO_LINES, raw=b""))

    def _open(self) -> None:
        """Take the first line as one in doubt like any other."""
        opening, self._opening = self._opening, None
        if opening is not None:
            self._take({}, opening.frame(1), last=self.last == 1)

    def _take(self, accepted: Accepted, suspects: pl.DataFrame | None, *, last: bool) -> None:
        """Count, number and judge the lines of some neighbouring chunks."""
        if suspects is not None:
            self._open()
        rows, odd = ({}, None) if suspects is None else self._read(suspects, last=last)
        for name, kept in self.kept.items():
            if name in accepted:
                self._keep(kept, *accepted[name])
            if name in rows:
                self._keep_rows(kept, self.layout.record[name], rows[name])
        self._order(rows, {name: places for name, (places, _) in accepted.items()})
        self._number(rows, accepted, odd)
        self._judge(rows)

    def _read(self, suspects: pl.DataFrame, *, last: bool) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
        """The suspects as rows of the records that have some, and those that are none."""
        if last and suspects["line"][-1] == self.last:
            suspects, mark = reading.without_end_mark(suspects)
            self.odd.append(mark)
        rows, odd = reading.rows_of(suspects, self.layout, self.limits)
        self.odd.append(odd)
        return rows, odd

    def _keep_rows(self, kept: _Kept, record: Record, rows: pl.DataFrame) -> None:
        if record.occurs in ONCE:
            kept.rows.append(rows)
        self._keep(kept, rows["line"].to_numpy(), numbers_of(rows, record, self.layout, self.today))

    @staticmethod
    def _keep(kept: _Kept, lines: np.ndarray, numbers: Numbers) -> None:
        kept.height += len(lines)
        kept.first = min(int(lines[0]), kept.first or int(lines[0]))
        kept.lines.add(lines)
        for column, name in ((kept.keys, "key"), (kept.people, "who"), (kept.said, "said")):
            if name in numbers:
                column.add(numbers[name])

    def _order(self, rows: dict[str, pl.DataFrame], places: dict[str, np.ndarray]) -> None:
        """Lines after the first of a record that should follow theirs."""
        if not self.layout.grouped:
            return
        names = [record.name for record in self.layout.details]
        for rank, name in enumerate(names):
            later = [first for other in names[rank + 1 :] if (first := self.kept[other].first) is not None]
            if later:
                lines = [places[name]] if name in places else []
                lines += [rows[name]["line"].to_numpy()] if name in rows else []
                self._late += [found[found > min(later)] for found in lines]

    def _number(self, rows: dict[str, pl.DataFrame], accepted: Accepted, odd: pl.DataFrame | None) -> None:
        """The consecutives of some chunks, at a glance when they are right."""
        unread = None if odd is None else unreadable(odd, self.layout).select("line").sort("line")
        field_ = self.layout.sequence.field if self.layout.sequence else ""
        for over, numbering in self._runs:
            found = {name: (accepted[name][0], accepted[name][1]["number"]) for name in over if name in accepted}
            others = [rows[name].select("line", record=pl.lit(name), value=field_) for name in over if name in rows]
            if unread is None or unread.is_empty():
                numbers = _in_order(list(found.values()), others)
                if numbers is None or (_steady(numbers) and numbering.add_right(int(numbers[0]), len(numbers))):
                    continue
            parts = [self._numbered(name, *lines) for name, lines in found.items()] + others
            empty = pl.DataFrame(schema={"line": pl.UInt32, "record": pl.String, "value": pl.String})
            none = pl.DataFrame(schema={"line": pl.UInt32})
            numbering.add(pl.concat([empty, *parts]).sort("line"), none if unread is None else unread)

    @staticmethod
    def _numbered(name: str, places: np.ndarray, numbers: np.ndarray) -> pl.DataFrame:
        line, value = pl.Series("line", places, dtype=pl.UInt32), pl.Series(numbers).cast(pl.String)
        return pl.DataFrame({"line": line, "value": value}).select("line", record=pl.lit(name), value="value")

    def _judge(self, rows: dict[str, pl.DataFrame], *, rest: bool = False) -> None:
        """Judge the cells of the suspects when there are enough of them, or at the end."""
        for name, waiting in self._waiting.items():
            if name in rows:
                waiting.append(rows[name])
                self._elsewhere.append(rows[name]["line"])
            if waiting and (rest or sum(frame.height for frame in waiting) >= _FLUSH):
                for part in pl.concat(waiting).iter_slices(2 * _FLUSH):
                    self.cells.append(self.judge.rows(part, self.layout.record[name]))
                waiting.clear()
        for name, doubts in self._doubts.items():
            if doubts and (rest or sum(len(some.fields) for some in doubts) >= _FLUSH):
                self.cells.append(self.judge.doubts(_all_doubts(doubts), self.layout.record[name]))
                doubts.clear()

    def batch(self, content: Content, name: str) -> Batch:
        """What the rules have to see, and the figures of everything."""
        doubled = [_repeated(kept.keys.all(), kept.lines) for kept in self.kept.values()]
        seen = [*self._late, *doubled]
        if self._opening is not None:
            right = not (any(map(len, seen)) or self.odd or self._elsewhere) and all(one.right for _, one in self._runs)
            first = reading.read(self._opening.raw, self.layout, name, self.limits) if right else None
            if first is not None and not first.odd and isinstance(first.records, Rows):
                return Batch(self.layout, name, first.records, last_line=self.last, figures=self._figures(()))
            self._open()
        self._judge({}, rest=True)
        breaks = [numbering.breaks() for _, numbering in self._runs]
        seen += [found["line"].to_numpy() for found in [*breaks, *self.odd[:1]]]  # a byte order mark has its line
        lines = fingerprints.distinct(np.sort(np.concatenate([_NO_LINES, *seen])))
        rows = list(fetched(content, self._chunks(), lines, self.layout, self.limits))
        records = {}
        for record in self.layout.records:
            again = pl.concat([nothing(record), *(part[record.name] for part in rows)])
            kept = self.kept[record.name].rows
            records[record.name] = pl.concat([again, *kept]).unique("line").sort("line") if kept else again
        odd = pl.concat([irregular([]), *self.odd]).sort("line", nulls_last=False, maintain_order=True)
        return Batch(self.layout, name, records, odd, self.last, self._figures(tuple(breaks)))

    def _chunks(self) -> np.ndarray:
        return np.array(self._starts, dtype=np.int64).reshape(-1, 2)

    def _figures(self, breaks: tuple[pl.DataFrame, ...]) -> Figures:
        control = self.layout.control.name
        opened = {control: 1} if self._opening is not None else {}
        people = {
            n: _persons(kept)
            for n, kept in self.kept.items()
            if len(kept.lines) and about_persons(self.layout.record[n])
        }
        return Figures(
            heights={n: kept.height for n, kept in self.kept.items()} | opened,
            firsts={n: kept.first for n, kept in self.kept.items()} | opened,
            breaks=breaks,
            elsewhere=pl.concat(self._elsewhere) if self._elsewhere else None,
            people=people,
            today=self.today,
            chunks=self._chunks(),
        )


def _persons(kept: _Kept) -> Persons:
    said = kept.said.all() if len(kept.said) else None
    if len(kept.people):  # the key is more than the person
        return Persons(kept.lines, kept.people.all(), kept.keys.all() if len(kept.keys) else None, said)
    return Persons(kept.lines, kept.keys.all(), None, said)


def _all_doubts(some: list[Doubts]) -> Doubts:
    """The doubts about the lines of several chunks; what is of one kind in two chunks is of two."""
    starts = np.cumsum([0, *(len(one.fields) for one in some)], dtype=np.uint32)
    kinds = [one.kinds + start for one, start in zip(some, starts, strict=False)]
    lines, fields = (np.concatenate([getattr(one, name) for one in some]) for name in ("lines", "fields"))
    texts = ["".join(parts) for parts in zip(*(one.texts for one in some), strict=True)]
    return Doubts(lines, np.concatenate(kinds), fields, texts)


def _repeated(keys: np.ndarray, lines: _Lines) -> np.ndarray:
    """The lines whose key is somebody else's too."""
    twice = fingerprints.repeated(keys)
    return lines[fingerprints.among(keys, twice)] if len(twice) else _NO_LINES
