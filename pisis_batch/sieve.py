"""What is known of a large file after some of its chunks: figures of all lines, the rows of those to be looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from pisis_batch import fingerprints, reading
from pisis_batch.chunks import ONCE, Asks, Numbers, Piece, Suspects, about_persons, fetched, numbers_of
from pisis_batch.consecutives import Consecutives
from pisis_batch.cutting import irregular, nothing
from pisis_batch.frames import pl
from pisis_batch.layouts import Layout, Record
from pisis_batch.model import Batch, Brief, Content, Doubts, Figures, Limits, Rows
from pisis_batch.remains import NO_LINES, Remains

_FLUSH = 200_000  # suspects, or kinds of cells, judged at a time: each time has its set-up, and each takes memory
_TOGETHER, _SUSPECTS = 350_000, 30_000  # lines looked at together, fewer when so many are suspects


@dataclass(frozen=True, slots=True)
class Judge:
    """Findings of the rows of a record that are suspect, and of its cells in doubt; what those are asked with."""

    rows: Callable[[pl.DataFrame, Record], Brief]
    doubts: Callable[[Doubts, Record], Brief]
    asks: Asks


#: By record, the accepted lines and their numbers.
Accepted = dict[str, tuple[np.ndarray, Numbers]]


class Sieve:
    """What is known of the file after the chunks seen so far."""

    def __init__(self, layout: Layout, limits: Limits, judge: Judge, today: date, *, sound: bool) -> None:
        self.layout, self.limits, self.judge, self.today, self.sound = layout, limits, judge, today, sound
        self.kept = {record.name: Remains() for record in layout.records}
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
        self._consecutives = Consecutives(layout)

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
        return dataclasses.replace(piece, suspects=dataclasses.replace(piece.suspects, places=NO_LINES, raw=b""))

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
                kept.add(*accepted[name])
            if name in rows:
                self._keep_rows(kept, self.layout.record[name], rows[name])
        self._order(rows, {name: places for name, (places, _) in accepted.items()})
        known = {name: (lines, numbers["number"]) for name, (lines, numbers) in accepted.items() if "number" in numbers}
        self._consecutives.add(rows, known, odd)
        self._judge(rows)

    def _read(self, suspects: pl.DataFrame, *, last: bool) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
        """The suspects as rows of the records that have some, and those that are none."""
        if last and suspects["line"][-1] == self.last:
            suspects, mark = reading.without_end_mark(suspects)
            self.odd.append(mark)
        rows, odd = reading.rows_of(suspects, self.layout, self.limits)
        self.odd.append(odd)
        return rows, odd

    def _keep_rows(self, kept: Remains, record: Record, rows: pl.DataFrame) -> None:
        if record.occurs in ONCE:
            kept.rows.append(rows)
        kept.add(rows["line"].to_numpy(), numbers_of(rows, record, self.layout, self.today))

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
        doubled = [kept.repeated() for kept in self.kept.values()]
        seen = [*self._late, *doubled]
        if self._opening is not None:
            right = not (any(map(len, seen)) or self.odd or self._elsewhere) and self._consecutives.right
            first = reading.read(self._opening.raw, self.layout, name, self.limits) if right else None
            if first is not None and not first.odd and isinstance(first.records, Rows):
                return Batch(self.layout, name, first.records, last_line=self.last, figures=self._figures(()))
            self._open()
        self._judge({}, rest=True)
        breaks = self._consecutives.breaks()
        seen += [found["line"].to_numpy() for found in [*breaks, *self.odd[:1]]]  # a byte order mark has its line
        lines = fingerprints.distinct(np.sort(np.concatenate([NO_LINES, *seen])))
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
            n: kept.persons()
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


def _all_doubts(some: list[Doubts]) -> Doubts:
    """The doubts about the lines of several chunks; what is of one kind in two chunks is of two."""
    starts = np.cumsum([0, *(len(one.fields) for one in some)], dtype=np.uint32)
    kinds = [one.kinds + start for one, start in zip(some, starts, strict=False)]
    lines, fields = (np.concatenate([getattr(one, name) for one in some]) for name in ("lines", "fields"))
    texts = ["".join(parts) for parts in zip(*(one.texts for one in some), strict=True)]
    return Doubts(lines, np.concatenate(kinds), fields, texts)
