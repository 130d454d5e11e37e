"""Stretches of a large file, each taken apart: lines with no fault in any cell as a few numbers, the others as text.

One walk over the bytes (`walking`) says which lines have no fault in any cell, and of those the consecutive and hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pisis_batch import accepting, fingerprints, reading, walking
from pisis_batch.cutting import nothing
from pisis_batch.frames import pl
from pisis_batch.layouts import Layout, Record
from pisis_batch.model import Content, Doubts, Limits
from pisis_batch.reading import lines_of

CHUNK = 2 * 1024 * 1024
ONCE = {"1", "0..1"}
_CUT = 30_000  # lines cut into cells at a time
_LF, _ENYE = 0x0A, b"\xd1"


Numbers = Mapping[str, np.ndarray]
#: Of a record, the fields that each of its fields is asked with.
Asks = Callable[[Record], Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Suspects:
    """Lines of a chunk that were not accepted: their places in it, and their bytes with what ends them."""

    places: np.ndarray
    raw: bytes
    layout: Layout

    def __len__(self) -> int:
        return len(self.places)

    def frame(self, first: int) -> pl.DataFrame:
        """Columns line and text; `first` is the line that the chunk begins with."""
        text = lines_of(reading.decoded(self.raw, self.layout.encoding).encode())
        lines = self.places + np.uint32(first)
        return pl.DataFrame({"line": lines, "text": text}, schema={"line": pl.UInt32, "text": pl.String})


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk taken apart: per record the places of its lines that are rows and their `numbers_of`; the suspects.

    A row is a line that was accepted, or one with `doubts` about some of its cells (lines counted from 0).
    """

    many: int
    accepted: dict[str, tuple[np.ndarray, Numbers]]
    doubts: dict[str, Doubts]
    suspects: Suspects

    @property
    def doubtful(self) -> int:
        """How many lines have to be looked at."""
        return len(self.suspects) + sum(len(doubts.lines) for doubts in self.doubts.values())


@dataclass(frozen=True, slots=True)
class Apart:
    """How the chunks of a file are taken apart: the records that may be accepted, and the walk."""

    layout: Layout
    records: tuple[Record, ...]
    walker: walking.Walker
    today: date
    asks: Asks
    longest: int


def apart(layout: Layout, today: date, asks: Asks = lambda _: {}, longest: int = 0) -> Apart | None:
    """Made once for a file: `today` is what `numbers_of` says of it. None when such files have to be read whole.

    `asks`: of a record, what doubts about its cells are asked with (`Doubts`). Doubtful lines of more than `longest`
    bytes are suspects, or with 0 all of them.
    """
    if not walking.AVAILABLE:
        return None
    records = tuple(one for one in layout.details if one.occurs not in ONCE and accepting.expression(one) is not None)
    walker = walking.accepting_walker(records, [asked(record, layout) for record in records]) if records else None
    if walker is None:
        return None
    return Apart(layout, records, walker, today, asks, longest if layout.encoding == "cp1252" else 0)


def asked(record: Record, layout: Layout) -> walking.Asked:
    """What is read of the lines of a record that are not kept."""
    numbered = layout.sequence is not None and record.name in layout.sequence.over
    values = {"number": layout.sequence.field} if layout.sequence and numbered else {}
    sums = {"key": record.unique} if record.unique else {}
    if not about_persons(record):
        return walking.Asked(sums, values)
    if record.unique != fingerprints.WHO:
        sums["who"] = fingerprints.WHO
    if speaks(record, layout):
        sums |= fingerprints.SAID[record.name]
        values |= fingerprints.UNTIL[record.name]
    return walking.Asked(sums, values)


def chunks(content: Content, start: int) -> Iterator[tuple[int, int]]:
    """Where stretches of whole lines begin and end, the LF of the last one included."""
    end = len(content)
    while start < end:
        cut = end
        if start + CHUNK < end:
            cut = content.rfind(b"\n", start, start + CHUNK) + 1 or content.find(b"\n", start + CHUNK) + 1 or end
        yield start, cut
        start = cut


def taken_apart(content: Content, begin: int, end: int, how: Apart) -> Piece | None:
    """A stretch of the content. None when the chunk has marks of an annotated copy: such a file is read whole."""
    raw = content[begin:end]
    if b"#" in raw and b"#!" in raw:  # the search for one byte is many times faster
        return None
    told = how.walker.walk(raw if how.layout.encoding == "cp1252" else _enye(raw), how.longest)
    accepted, doubts, suspect = {}, {}, told.records == walking.NOBODY
    for number, record in enumerate(how.records):
        rows = told.records == number
        if len(told.wholes) and len(record.fields) <= walking.BITS:
            unsure = _unsure(told, number, record, how.layout)
            if len(places := np.flatnonzero(unsure).astype(np.uint32)):
                doubts[record.name] = _doubts(raw, told, places, record, how)
                rows, suspect = rows | unsure, suspect & ~unsure
        fine = np.flatnonzero(rows).astype(np.uint32)
        if len(fine):
            accepted[record.name] = fine, _numbers(told, asked(record, how.layout), record, how.today, fine)
    doubtful = np.flatnonzero(suspect).astype(np.uint32)
    suspects = Suspects(doubtful, _bytes_of(raw, doubtful, told, how.layout), how.layout)
    return Piece(len(told.records), accepted, doubts, suspects)


def _unsure(told: walking.Walked, number: int, record: Record, layout: Layout) -> np.ndarray:
    """Which lines are rows of the record with doubts about some cells, but none about the consecutive."""
    found: np.ndarray = told.wholes == number
    if layout.sequence and record.name in layout.sequence.over:
        found &= (told.doubts >> np.uint64(record.number(layout.sequence.field)) & np.uint64(1)) == 0
    return found


def _doubts(raw: bytes, told: walking.Walked, places: np.ndarray, record: Record, how: Apart) -> Doubts:
    """The cells in doubt of some lines."""
    asks = how.asks(record)
    names = [field.name for field in record.fields]
    asked = [sum(1 << names.index(other) for other in asks[name]) for name in names]
    found = walking.kinds_of(raw, told.ends, places, told.doubts[places], asked)
    texts = [reading.decoded(text, how.layout.encoding) for text in found.texts]
    return Doubts(found.lines, found.kinds, found.cells, texts)


def _enye(raw: bytes) -> bytes:
    """UTF-8 with the Ñ as one byte, as in cp1252: one that no UTF-8 has there, so that no two texts become one."""
    return raw if raw.isascii() else raw.replace("Ñ".encode(), _ENYE)


def _bytes_of(raw: bytes, places: np.ndarray, told: walking.Walked, layout: Layout) -> bytes:
    """Some lines of a chunk and nothing else of it."""
    if len(places) in {0, len(told.records)}:
        return raw if len(places) else b""
    ends = told.ends if layout.encoding == "cp1252" else np.flatnonzero(np.frombuffer(raw, np.uint8) == _LF)
    return b"\n".join([*(raw[start:end] for start, end in _spans(ends, len(raw), places)), b""])


def numbers_of(rows: pl.DataFrame, record: Record, layout: Layout, today: date) -> Numbers:
    """The unique key (key) of each line and its person (who), and what the registry may vouch for (said, packed)."""
    wanted = asked(record, layout)
    wanted = walking.Asked(wanted.sums, {name: cell for name, cell in wanted.values.items() if name != "number"})
    if not wanted.sums:
        return {}
    return _numbers(fingerprints.of_rows(rows, wanted), wanted, record, today)


def _numbers(
    told: walking.Walked, wanted: walking.Asked, record: Record, today: date, which: np.ndarray | None = None
) -> Numbers:
    """What was asked of some lines of a record, or of all."""

    def of(numbers: np.ndarray) -> np.ndarray:
        return numbers if which is None or len(which) == len(numbers) else numbers[which]

    found = {name: of(told.sums[name]) for name in ("key", "who") if name in wanted.sums}
    if "number" in wanted.values:
        found["number"] = of(told.values["number"]).view(np.int64)
    if "said" in wanted.sums:
        until = of(told.values["until"]) if "until" in wanted.values else None
        said, action = of(told.sums["said"]), of(told.sums["action"])
        found["said"] = fingerprints.packed(said, action, record.name, until, today)
    return found


def about_persons(record: Record) -> bool:
    """Whether the lines of a record name a person."""
    return set(fingerprints.WHO) <= set(record.by_name)


def speaks(record: Record, layout: Layout) -> bool:
    """Whether the registry can vouch for lines of a record."""
    keys = {"usuario": fingerprints.WHO, "perfil": fingerprints.HELD}
    return layout.effect.kind == "usuarios" and record.unique == keys.get(record.name)


def fetched(
    content: Content, starts: np.ndarray, lines: np.ndarray, layout: Layout, limits: Limits
) -> Iterator[dict[str, pl.DataFrame]]:
    """The rows of some lines (in order), read again from the chunks they are in (offset and first line of each).

    Nothing else of a chunk is decoded. They come cut into cells some tens of thousands of lines at a time, for what
    that costs at least.
    """
    of_chunk = np.searchsorted(starts[:, 1], lines, side="right") - 1
    places = np.unique(of_chunk)
    found: list[bytes] = []
    first = many = 0
    for place in places:
        raw = content[int(starts[place][0]) : int(starts[place + 1][0]) if place + 1 < len(starts) else len(content)]
        chosen = lines[of_chunk == place] - int(starts[place][1])
        whole, is_last = walking.lines_of(raw, chosen.astype(np.uint32))
        found.append(whole)
        many += len(chosen)
        if many >= _CUT or place == places[-1]:
            text = lines_of(reading.decoded(b"".join(found), layout.encoding).encode())
            frame = pl.DataFrame({"line": pl.Series(lines[first : first + many], dtype=pl.UInt32), "text": text})
            if is_last and place == len(starts) - 1:
                frame, _ = reading.without_end_mark(frame)
            rows, _ = reading.rows_of(frame, layout, limits)
            yield {record.name: rows.get(record.name, nothing(record)) for record in layout.records}
            first, many, found = first + many, 0, []


def _spans(ends: np.ndarray, size: int, chosen: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where some lines of a chunk begin and end, by the places of its line feeds."""
    edges = np.concatenate([[-1], ends, [size]])
    return zip((edges[chosen] + 1).tolist(), edges[chosen + 1].tolist(), strict=True)
