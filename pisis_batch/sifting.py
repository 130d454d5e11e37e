r"""A large file in chunks: what must be looked at is kept, the rest is counted, and of it only keys remain.

Each chunk becomes one column of lines, and the accepting expression of each record says which of them have no fault in
any cell. Those are counted; of them only the consecutive and 64-bit hashes of the unique keys are read. Every other
line is read as `reading` reads it and its cells are judged at once. Then come the lines that only the whole file shows
to be wrong: repeated keys, lines out of order, where the consecutive breaks. The batch that results has few rows and
the figures of all (`model.Figures`), and the rules find in it what they find in the whole.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pisis_batch import accepting, reading
from pisis_batch.cutting import irregular, nothing
from pisis_batch.layouts import Field, Layout, Record
from pisis_batch.model import Batch, Content, Figures, Limits, unreadable
from pisis_batch.numbering import Numbering

CHUNK = 8 * 1024 * 1024
_PIECE = 64 * 1024  # decoded at a time: it stays in the cache
_WORKERS = 2
_LOOK = 256  # bytes at the start of a chunk that tell a blank beginning
_ABSENT = b"\x01"  # the separator of a column of whole lines
_FLUSH = 15_000  # suspects judged at a time
_DIGITS = 18
_C1 = (0x80, 0x9F)  # bytes that cp1252 reads otherwise than Latin-1
_ONCE = {"1", "0..1"}

WHO = ("tipo_id", "num_id")

Judge = Callable[[pl.DataFrame, Record], pl.DataFrame]


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


@dataclass(slots=True)
class _Kept:
    """Of the lines of one record: how many, the first, their hashed keys with their line, and rows to keep whole."""

    height: int = 0
    first: int | None = None
    keys: list[np.ndarray] = field(default_factory=list)
    people: list[np.ndarray] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)
    rows: list[pl.DataFrame] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk taken apart: per record the places of its accepted lines and their projected cells; the suspects."""

    many: int
    accepted: dict[str, tuple[np.ndarray, pl.DataFrame]]
    suspects: pl.DataFrame


def sift(
    content: Content, layout: Layout, name: str, limits: Limits, judge: Judge
) -> tuple[Batch, list[pl.DataFrame]] | None:
    """The batch with the figures of the whole file, and what `judge` says of the cells. None: read it the other way."""
    if not can_sift(layout):
        return None
    work = _Sifting(layout, limits, judge)
    bom = content[:3] == reading.BOM
    if reading.whole_problem(content, limits):
        return None
    with ThreadPoolExecutor(_WORKERS) as pool:
        waiting: list[tuple[int, Future[_Piece | None]]] = []
        for offset, raw in _chunks(content, 3 if bom else 0):
            waiting.append((offset, pool.submit(_taken_apart, raw, layout)))
            if len(waiting) > _WORKERS and not work.add(*_next(waiting)):
                return None
        while waiting:
            if not work.add(*_next(waiting), last=len(waiting) == 0):
                return None
    if bom:
        work.odd.insert(0, irregular([{"line": 1, "problem": "bom"}]))
    return work.batch(content, name), work.cells


def _next(waiting: list[tuple[int, Future[_Piece | None]]]) -> tuple[int, _Piece | None]:
    offset, coming = waiting.pop(0)
    return offset, coming.result()


def _chunks(content: Content, start: int) -> Iterator[tuple[int, bytes]]:
    """Stretches of whole lines, the LF of the last one included, with their offset."""
    end = len(content)
    while start < end:
        cut = end
        if start + CHUNK < end:
            cut = content.rfind(b"\n", start, start + CHUNK) + 1 or content.find(b"\n", start + CHUNK) + 1 or end
        yield start, content[start:cut]
        start = cut


def _taken_apart(raw: bytes, layout: Layout) -> _Piece | None:
    """None when the chunk has marks of an annotated copy: such a file is read whole."""
    if b"#!" in raw:
        return None
    text = _utf8(raw, layout)
    lines = _lines(text, raw)
    left, places = lines, np.arange(lines.len(), dtype=np.uint32)
    accepted = {}
    for record in _likely(raw, layout):
        pattern = accepting.expression(record)
        if left.is_empty() or pattern is None or record.occurs in _ONCE:
            continue
        fine = left.str.contains(f"^(?:{pattern})$")
        whole = fine.all() and left.len() == lines.len()
        if not fine.any():
            continue
        source = text if whole else "\n".join(left.filter(fine).to_list()).encode()
        accepted[record.name] = (places if whole else places[fine.to_numpy()], _projected(source, record, layout))
        left, places = (left.clear(), places[:0]) if whole else (left.filter(~fine), places[~fine.to_numpy()])
    suspects = pl.DataFrame({"line": places, "text": left}, schema={"line": pl.UInt32, "text": pl.String})
    return _Piece(lines.len(), accepted, suspects)


def _likely(raw: bytes, layout: Layout) -> list[Record]:
    """The records, that of the first line first: in the middle of a file it is the only one."""
    first = raw[:_PIECE].split(b"\n", 1)[0]
    return sorted(layout.details, key=lambda record: not first.startswith(record.mark.encode() + b"|"))


def _utf8(raw: bytes, layout: Layout) -> bytes:
    if raw.isascii():
        return raw
    signs = np.frombuffer(raw, np.uint8)
    odd = layout.encoding != "cp1252" or bool(((signs >= _C1[0]) & (signs <= _C1[1])).any())
    if odd:
        return reading.decoded(raw, layout.encoding).encode()
    pieces = (raw[start : start + _PIECE] for start in range(0, len(raw), _PIECE))
    return b"".join([piece.decode("latin-1").encode() for piece in pieces])  # the same as cp1252 without 0x80 to 0x9F


def _lines(text: bytes, raw: bytes) -> pl.Series:
    """A chunk as one column, line endings removed."""
    plain = _ABSENT not in raw and raw.count(b"\r") == raw.count(b"\r\n")
    if plain and text[:_LOOK].strip(b"\r\n"):
        schema = {"text": pl.String}
        column = pl.read_csv(
            text, separator=_ABSENT.decode(), has_header=False, quote_char=None, schema=schema, infer_schema=False
        ).to_series()
        if column.len() == text.count(b"\n") + (not text.endswith(b"\n")):
            return column.fill_null("") if column.null_count() else column
    split = [line.removesuffix("\r") for line in text.decode().removesuffix("\n").split("\n")]
    return pl.Series("text", split, dtype=pl.String)


def _projected(text: bytes, record: Record, layout: Layout) -> pl.DataFrame:
    """Of accepted lines the consecutive as a number (number), and hashed the unique key (key) and the person (who)."""
    numbered = layout.sequence.field if layout.sequence and record.name in layout.sequence.over else None
    person = _about_people(record)
    wanted = [*([numbered] if numbered else []), *record.unique, *(WHO if person else ())]
    names = [one.name for one in record.fields]
    if not wanted:
        return pl.DataFrame()
    frame = pl.read_csv(
        text,
        separator="|",
        has_header=False,
        quote_char=None,
        schema=dict.fromkeys(names, pl.String),
        infer_schema=False,
        columns=sorted({names.index(name) for name in wanted}),
    ).rechunk()
    columns = [pl.col(numbered).cast(pl.Int64).alias("number")] if numbered else []
    columns += [hashed(record.unique).alias("key")] if record.unique else []
    return frame.select(*columns, *([hashed(WHO).alias("who")] if person and record.unique != WHO else []))


def _about_people(record: Record) -> bool:
    return set(WHO) <= set(record.by_name)


def hashed(names: tuple[str, ...]) -> pl.Expr:
    """Several cells as one 64-bit number; within one run only, and a meeting of two is confirmed on the text."""
    return pl.concat_str([pl.col(name) for name in names], separator="|").hash()


def _in_order(accepted: list[tuple[np.ndarray, pl.Series]], others: list[pl.DataFrame]) -> np.ndarray | None:
    """The numbers of some lines in the order of the lines, 0 where none is written; None when there is no line."""
    written = pl.col("value").str.contains(f"^[1-9][0-9]{{0,{_DIGITS - 1}}}$")
    told = [
        frame.select("line", value=pl.when(written).then(pl.col("value").cast(pl.Int64, strict=False)).fill_null(0))
        for frame in others
    ]
    lines = [places for places, _ in accepted] + [frame["line"].to_numpy() for frame in told]
    numbers = [series.to_numpy() for _, series in accepted] + [frame["value"].to_numpy() for frame in told]
    if not lines:
        return None
    if len(lines) == 1:
        return numbers[0]
    return np.concatenate(numbers)[np.argsort(np.concatenate(lines), kind="stable")]


def _steady(numbers: np.ndarray) -> bool:
    """Whether each number is one more than the one before."""
    return bool((np.diff(numbers) == 1).all())


def _hashes(rows: pl.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    return rows.select(hashed(names)).to_series().to_numpy()


class _Sifting:
    """What is known of the file after the chunks seen so far."""

    def __init__(self, layout: Layout, limits: Limits, judge: Judge) -> None:
        self.layout, self.limits, self.judge = layout, limits, judge
        self.kept = {record.name: _Kept() for record in layout.records}
        self.odd: list[pl.DataFrame] = []
        self.cells: list[pl.DataFrame] = []
        self.last = 0
        self._starts: list[tuple[int, int]] = []  # offset and first line of each chunk
        self._late: list[np.ndarray] = []
        self._elsewhere: list[pl.Series] = []
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

    def add(self, offset: int, piece: _Piece | None, *, last: bool = False) -> bool:
        """Take the next chunk; False when the file has to be read another way."""
        if piece is None:
            return False
        self._starts.append((offset, self.last + 1))
        suspects = piece.suspects.with_columns(pl.col("line") + (self.last + 1))
        if last and suspects.height and suspects["line"][-1] == self.last + piece.many:
            suspects, mark = reading.without_end_mark(suspects)
            self.odd.append(mark)
        shape = reading.shaped(suspects, self.layout, self.limits)
        odd = reading.odd_lines(shape)
        self.odd.append(odd)
        rows = {record.name: reading.cells_of(shape, record, "|") for record in self.layout.records}
        places = {name: places + np.uint32(self.last + 1) for name, (places, _) in piece.accepted.items()}
        for name, kept in self.kept.items():
            self._count(kept, name, rows[name], places.get(name), piece)
        self._order(rows, places)
        self._number(rows, places, piece, odd)
        self._judge(rows)
        self.last += piece.many
        return True

    def _count(self, kept: _Kept, name: str, rows: pl.DataFrame, places: np.ndarray | None, piece: _Piece) -> None:
        record = self.layout.record[name]
        if places is not None:
            kept.height += len(places)
            cells = piece.accepted[name][1]
            kept.lines.append(places)
            kept.keys += [cells["key"].to_numpy()] if record.unique else []
            kept.people += [cells["who"].to_numpy()] if _about_people(record) and record.unique != WHO else []
        if rows.height:
            kept.height += rows.height
            if record.occurs in _ONCE:
                kept.rows.append(rows)
            kept.lines.append(rows["line"].to_numpy())
            kept.keys += [_hashes(rows, record.unique)] if record.unique else []
            kept.people += [_hashes(rows, WHO)] if _about_people(record) and record.unique != WHO else []
        firsts = [int(places[0])] if places is not None else []
        firsts += [int(rows["line"][0])] if rows.height else []
        if kept.first is None and firsts:
            kept.first = min(firsts)

    def _order(self, rows: dict[str, pl.DataFrame], places: dict[str, np.ndarray]) -> None:
        """Lines after the first of a record that should follow theirs."""
        if not self.layout.grouped:
            return
        names = [record.name for record in self.layout.details]
        for rank, name in enumerate(names):
            later = [first for other in names[rank + 1 :] if (first := self.kept[other].first) is not None]
            if later:
                lines = [places[name]] if name in places else []
                lines += [rows[name]["line"].to_numpy()] if rows[name].height else []
                self._late += [found[found > min(later)] for found in lines]

    def _number(
        self, rows: dict[str, pl.DataFrame], places: dict[str, np.ndarray], piece: _Piece, odd: pl.DataFrame
    ) -> None:
        """The consecutives of a chunk, at a glance when it is of one record and right."""
        unread = unreadable(odd, self.layout).select("line").sort("line")
        field_ = self.layout.sequence.field if self.layout.sequence else ""
        for over, numbering in self._runs:
            found = [name for name in over if name in places]
            others = [
                rows[name].select("line", record=pl.lit(name), value=field_) for name in over if rows[name].height
            ]
            if unread.is_empty():
                numbers = _in_order([(places[name], piece.accepted[name][1]["number"]) for name in found], others)
                if numbers is None or (_steady(numbers) and numbering.add_right(int(numbers[0]), len(numbers))):
                    continue
            parts = [self._numbered(name, piece, places[name]) for name in found] + others
            empty = pl.DataFrame(schema={"line": pl.UInt32, "record": pl.String, "value": pl.String})
            numbering.add(pl.concat([empty, *parts]).sort("line"), unread)

    @staticmethod
    def _numbered(name: str, piece: _Piece, places: np.ndarray) -> pl.DataFrame:
        number = piece.accepted[name][1]["number"]
        line = pl.Series("line", places, dtype=pl.UInt32)
        return pl.DataFrame({"line": line, "value": number.cast(pl.String)}).select(
            "line", record=pl.lit(name), value="value"
        )

    def _judge(self, rows: dict[str, pl.DataFrame], *, rest: bool = False) -> None:
        """Judge the cells of the suspects when there are enough of them, or at the end."""
        for name, waiting in self._waiting.items():
            if name in rows and rows[name].height:
                waiting.append(rows[name])
                self._elsewhere.append(rows[name]["line"])
            if waiting and (rest or sum(frame.height for frame in waiting) >= _FLUSH):
                for part in pl.concat(waiting).iter_slices(_FLUSH):
                    self.cells.append(self.judge(part, self.layout.record[name]))
                waiting.clear()

    def batch(self, content: Content, name: str) -> Batch:
        """What the rules have to see, and the figures of everything."""
        self._judge({}, rest=True)
        breaks = [numbering.breaks() for _, numbering in self._runs]
        wanted = [*self._late, *(kept_repeated(kept.keys, kept.lines) for kept in self.kept.values())]
        wanted += [found["line"].to_numpy() for found in [*breaks, *self.odd[:1]]]  # a byte order mark has its line
        lines = np.unique(np.concatenate([np.empty(0, np.uint32), *wanted]))
        chunks = np.array(self._starts, dtype=np.int64).reshape(-1, 2)
        rows = list(_fetched(content, chunks, lines, self.layout, self.limits))
        records = {}
        for record in self.layout.records:
            found = [nothing(record), *self.kept[record.name].rows, *(part[record.name] for part in rows)]
            records[record.name] = pl.concat(found).unique("line").sort("line")
        figures = Figures(
            heights={n: kept.height for n, kept in self.kept.items()},
            firsts={n: kept.first for n, kept in self.kept.items()},
            breaks=tuple(breaks),
            elsewhere=pl.concat(self._elsewhere) if self._elsewhere else pl.Series(dtype=pl.UInt32),
            people={
                n: (_joined(kept.lines), _joined(kept.people or kept.keys))
                for n, kept in self.kept.items()
                if kept.lines and _about_people(self.layout.record[n])
            },
            chunks=chunks,
        )
        odd = pl.concat([irregular([]), *self.odd]).sort("line", nulls_last=False, maintain_order=True)
        return Batch(self.layout, name, records, odd, self.last, figures)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    whole = np.concatenate(parts)
    parts.clear()
    return whole


def _fetched(
    content: Content, chunks: np.ndarray, lines: np.ndarray, layout: Layout, limits: Limits
) -> Iterator[dict[str, pl.DataFrame]]:
    """The rows of some lines (in order), read again from the chunks they are in (offset and first line of each)."""
    of_chunk = np.searchsorted(chunks[:, 1], lines, side="right") - 1
    for place in np.unique(of_chunk):
        offset, first = (int(one) for one in chunks[place])
        raw = next(raw for _, raw in _chunks(content, offset))
        text = _lines(_utf8(raw, layout), raw)
        chosen = lines[of_chunk == place]
        frame = pl.DataFrame({"line": pl.Series(chosen, dtype=pl.UInt32), "text": text.gather(chosen - first)})
        if place == len(chunks) - 1 and frame["line"][-1] == first + text.len() - 1:
            frame, _ = reading.without_end_mark(frame)
        shape = reading.shaped(frame, layout, limits)
        yield {record.name: reading.cells_of(shape, record, "|") for record in layout.records}


def parts(content: Content, batch: Batch, limits: Limits, size: int = 250_000) -> Iterator[Batch]:
    """A sifted file as whole batches of some persons each, with all their lines and the control record.

    Persons come in the order of the record that has most of them, `size` of its lines at a time; whoever is only in
    others comes after them. So neighbours stay together, and each chunk is read again about once.
    """
    figures = batch.figures
    if figures is None or not figures.people:
        yield batch
        return
    leading = max(figures.people, key=lambda name: len(figures.people[name][0]))
    who = figures.people[leading][1]
    order = np.argsort(who, kind="stable")
    ranked = who[order]
    many = max(1, -(-len(who) // size))
    numbers = {name: _part_numbers(hashes, ranked, order, size, many) for name, (_, hashes) in figures.people.items()}
    for number in range(many + 1):
        chosen = [lines[numbers[name] == number] for name, (lines, _) in figures.people.items()]
        lines = np.sort(np.concatenate(chosen))
        if len(lines):
            rows = list(_fetched(content, figures.chunks, lines, batch.layout, limits))
            records = {
                record.name: batch[record.name]
                if record.name not in figures.people
                else pl.concat([nothing(record), *(part[record.name] for part in rows)])
                for record in batch.layout.records
            }
            yield Batch(batch.layout, batch.file_name, records, batch.irregular, batch.last_line)


def _part_numbers(hashes: np.ndarray, ranked: np.ndarray, order: np.ndarray, size: int, many: int) -> np.ndarray:
    """In which part each line's person is: by the place of the person's first line in the leading record."""
    place = np.searchsorted(ranked, hashes)
    place[place == len(ranked)] = 0
    found = ranked[place] == hashes
    return np.where(found, order[place] // size, many).astype(np.int32)


def kept_repeated(keys: list[np.ndarray], lines: list[np.ndarray]) -> np.ndarray:
    """The lines whose key is somebody else's too."""
    if not keys:
        return np.empty(0, np.uint32)
    ordered = np.concatenate(keys)
    ordered.sort()
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return np.empty(0, np.uint32)
    return np.concatenate([found[np.isin(own, twice)] for own, found in zip(keys, lines, strict=True)])
