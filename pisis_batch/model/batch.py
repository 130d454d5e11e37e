"""The content of a file: a frame of text cells per record, and the lines that did not fit."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from pisis_batch.frames import Columns, Row, height, no_rows, pl
from pisis_batch.layouts import Layout, Record

_FEW = 1_000  # rows

#: Lines that could not become a row of a record, and oddities of the whole file (line is null).
IRREGULAR = Columns(
    line="UInt32",
    problem="String",
    record="String",
    mark="String",
    cells="UInt32",
    expected="UInt32",
    value="String",
)


@dataclass(frozen=True, slots=True)
class Persons:
    """The persons that the lines of a record name, as numpy arrays of one length: their lines and hashes.

    who: the person. key: the line's unique key, where that is more than the person. said: what the line says of them,
    where the registry can vouch for it (`fingerprints`).
    """

    lines: Any
    who: Any
    key: Any = None
    said: Any = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of all lines of a file of which a batch holds only some.

    heights, firsts: per record, how many lines and the first. breaks: per run of consecutives, where it is off
    (`numbering.BREAKS`); none of a file that is right. elsewhere: lines whose cells were judged already and are not
    among the rows.
    people: per record that names persons. today: the day by which their contracts were held against. chunks: where
    each chunk of the file begins, and its first line.
    """

    heights: Mapping[str, int]
    firsts: Mapping[str, int | None]
    breaks: tuple[pl.DataFrame, ...]
    elsewhere: pl.Series | None
    people: Mapping[str, Persons]
    today: date
    chunks: Any


@dataclass(frozen=True, slots=True)
class Doubts:
    """Cells of the lines of a record that nothing vouches for. Of one kind are those with which the same is asked.

    lines, kinds: of each cell its line and its kind, in the order of lines and fields; numpy arrays of one length.
    fields: of each kind the place of its field. texts: of each field, kind by kind, the cells it is asked with in
    their order in the line, an LF after each.
    """

    lines: Any
    kinds: Any
    fields: Any
    texts: Sequence[str]


class Rows(Mapping[str, "pl.DataFrame"]):
    """The records of a small file in plain Python, where a look costs less than polars takes to start.

    `lines`: per record type its rows, each the number of a line and its cells. As a mapping it has the frames, each
    made when it is first asked for.
    """

    def __init__(self, lines: Mapping[str, Sequence[Row]], layout: Layout) -> None:
        self.lines, self._layout = lines, layout
        self._frames: dict[str, pl.DataFrame] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Rows, (self.lines, self._layout)

    def __getitem__(self, record: str) -> pl.DataFrame:
        if record not in self._frames:
            self._frames[record] = framed(self.lines[record], self._layout.record[record])
        return self._frames[record]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)


class Later(Mapping[str, "pl.DataFrame"]):
    """The records of a file that is known to be sound, cut when one is first asked for.

    Known without: the control as a row, and how many lines each record has (heights).
    """

    def __init__(
        self,
        control: dict[str, Any] | None,
        heights: Mapping[str, int],
        cut: Callable[[], Mapping[str, pl.DataFrame]],
    ) -> None:
        self.control, self.heights = control, heights
        self._cut: Callable[[], Mapping[str, pl.DataFrame]] | None = cut
        self._frames: Mapping[str, pl.DataFrame] = {}

    def __getstate__(self) -> dict[str, Any]:
        """With all rows, and without what they are cut from."""
        return {"control": self.control, "heights": self.heights, "_frames": dict(self._all()), "_cut": None}

    def _all(self) -> Mapping[str, pl.DataFrame]:
        if self._cut is not None:
            self._frames, self._cut = self._cut(), None
        return self._frames

    def __getitem__(self, record: str) -> pl.DataFrame:
        return self._all()[record]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def framed(rows: Sequence[Row], record: Record) -> pl.DataFrame:
    """Rows as the frame of a record type."""
    names = [field.name for field in record.fields]
    columns = list(zip(*rows, strict=True)) or [()] * (len(names) + 1)
    line = pl.Series("line", columns[0], dtype=pl.UInt32)
    return pl.DataFrame(
        [line, *(pl.Series(name, cells, dtype=pl.String) for name, cells in zip(names, columns[1:], strict=True))]
    )


@dataclass(frozen=True)
class Batch:
    """A file's content: per record type a frame of text cells plus `line` (UInt32, from 1), and what did not fit."""

    layout: Layout
    file_name: str
    records: Mapping[str, pl.DataFrame]
    irregular: pl.DataFrame = no_rows(IRREGULAR)
    last_line: int = 0
    #: With figures the frames hold only the lines that the rules have to see.
    figures: Figures | None = None
    #: The control record as a row, when there is exactly one.
    control: dict[str, Any] | None = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.records, Later):
            object.__setattr__(self, "control", self.records.control)
            return
        name = self.layout.control.name
        many = len(self.plain[name]) if self.plain is not None else self.records[name].height
        object.__setattr__(self, "control", self.head(name) if many == 1 else None)

    def __getitem__(self, record: str) -> pl.DataFrame:
        return self.records[record]

    @property
    def plain(self) -> Mapping[str, Sequence[Row]] | None:
        """The rows of a small file in plain Python; None of a file that is only in frames."""
        return self.records.lines if isinstance(self.records, Rows) else None

    def head(self, record: str) -> dict[str, Any] | None:
        """The first row of a record; None when it has none."""
        if self.plain is None:
            frame = self.records[record]
            return frame.row(0, named=True) if frame.height else None
        rows = self.plain[record]
        return dict(zip(self.layout.record[record].places, rows[0], strict=True)) if rows else None

    def repeats(self, record: str, names: Sequence[str]) -> bool:
        """Whether any two rows of a record are the same in these fields."""
        if self.plain is None:
            rows = self.records[record].select(names)
            # few of them are told apart sooner without the threads that many are worth
            return (len(set(rows.rows())) if rows.height < _FEW else rows.n_unique()) < rows.height
        held = self.picked(record, names)
        return len(set(held)) < len(held)

    def picked(self, record: str, names: Sequence[str]) -> list[Any]:
        """Some columns of the rows of a small file's record, `line` or fields: tuples, or the cells of a single one."""
        places = self.layout.record[record].places
        return list(map(itemgetter(*(places[name] for name in names)), (self.plain or {})[record]))

    @property
    def named(self) -> dict[str, str]:
        """What the file name states, by control field or part of the name; empty when it cannot be read."""
        stated = self.layout.file_name.read(self.file_name)
        return stated if isinstance(stated, dict) else {}

    @property
    def period(self) -> str:
        """The cut date that the control states, or the name where the control has none; empty without one control."""
        return str({**self.named, **(self.control or {})}.get(self.layout.cut_date, ""))

    @property
    def within(self) -> str:
        """What tells this file apart from others of its period, as a JSON object; empty when nothing does."""
        row = {**self.named, **(self.control or {})}
        said = {name: row.get(name, "") for name in self.layout.effect.within}
        return json.dumps(said, ensure_ascii=False) if said else ""

    def height(self, record: str) -> int:
        """How many lines of a record the file has."""
        if self.figures:
            return self.figures.heights[record]
        if isinstance(self.records, Later):
            return self.records.heights[record]
        return len(self.plain[record]) if self.plain is not None else self.records[record].height

    def first(self, record: str) -> int | None:
        """The first line of a record; None when it has none."""
        if self.figures:
            return self.figures.firsts[record]
        if self.plain is not None:
            return self.plain[record][0][0] if self.plain[record] else None
        found = self.records[record]["line"].min()
        return None if found is None else int(str(found))

    def last(self, record: str) -> int | None:
        """The last line among the rows of a record; None when there are none."""
        if self.plain is not None:
            return self.plain[record][-1][0] if self.plain[record] else None
        found = self.records[record]["line"].max()
        return None if found is None else int(str(found))

    @property
    def details(self) -> int:
        """How many detail lines the file has, unreadable ones included."""
        readable = sum(self.height(record.name) for record in self.layout.details)
        return readable + self.lost

    @property
    def odd(self) -> bool:
        """Whether anything is irregular."""
        return height(self, "irregular") > 0

    @property
    def lost(self) -> int:
        """How many lines are unreadable."""
        return self.unreadable.height if self.odd else 0

    @property
    def unreadable(self) -> pl.DataFrame:
        """Lines that are somebody's record but could not be cut into fields, the control's own excluded."""
        return unreadable(self.irregular, self.layout)


def unreadable(irregular: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The irregular lines that may be a detail record."""
    if irregular.is_empty():
        return irregular
    wrong = pl.col("problem").is_in(["unknown", "ragged", "too_long"])
    return irregular.filter(wrong & (pl.col("mark") != layout.control.mark))
