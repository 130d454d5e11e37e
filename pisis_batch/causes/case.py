"""What a detector looks at, and what it says: `Case` in, `Claim`s out. Everything is columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import NamedTuple

import polars as pl

from pisis_batch.layouts import Layout, Record
from pisis_batch.model import Batch, Content, Facts, Findings

#: A share of the lines, or of all the errors, from which a repeated slip is one habit and not several slips.
_OF_LINES, _OF_ERRORS = 0.3, 0.5
_FEWEST, _FEWEST_AMONG_ERRORS = 2, 5
_FEW = 1_000  # findings that are counted sooner without a query


@dataclass(frozen=True, slots=True)
class Claim:
    """One root cause: its words, and the findings it explains as numbers of the column `n`."""

    slug: str
    title: str
    es: str
    en: str
    remedy: str
    explains: pl.Series | Sequence[int]


class Few(NamedTuple):
    """One of a few findings that no cause explains yet."""

    n: int
    code: str
    line: int | None
    record: str | None
    field_no: int | None
    field: str | None
    value: str | None


@dataclass(frozen=True)
class Case:
    """The findings no cause explains yet, and what they are about.

    `left`: they as a frame (schema FINDINGS without `stage`, plus `n`), or of a few the places among all (`whole`).
    `codes` are those of the findings. `errors` is how many errors the whole file has; `content` its bytes, looked at only
    where a line could not be cut.
    """

    whole: Findings
    left: pl.DataFrame | Sequence[int]
    errors: int
    layout: Layout
    batch: Batch
    facts: Facts | None
    content: Content
    codes: frozenset[str]

    @cached_property
    def findings(self) -> pl.DataFrame:
        """The findings no cause explains yet (schema FINDINGS without `stage`, plus `n`)."""
        if isinstance(self.left, pl.DataFrame):
            return self.left
        return self.whole.frame.drop("stage").with_row_index("n")[list(self.left)]

    @cached_property
    def few(self) -> list[Few] | None:
        """The same where they are few, looked at sooner by themselves; else None."""
        if isinstance(self.left, pl.DataFrame):
            return None
        rows = ((n, self.whole.rows[n]) for n in self.left)
        return [Few(n, code, line, *rest) for n, (code, _, _, line, *rest, _) in rows]

    def of(self, *codes: str) -> pl.DataFrame:
        """The unexplained findings of some codes."""
        return self.findings.filter(pl.col("code").is_in(codes))

    def at_fault(self) -> list[Record]:
        """The records that have more than one finding: a single one is no column in the wrong place."""
        told = self.findings["record"]
        if told.len() <= _FEW:
            names = told.to_list()
            return [record for record in self.layout.records if names.count(record.name) > 1]
        found = set(told.unique())
        return [record for record in self.layout.records if record.name in found]

    def lines(self, record: str | None = None) -> int:
        """How many lines a record has; the whole file's detail lines without one."""
        if record in self.batch.records:
            unread = self.batch.unreadable.filter(pl.col("record") == record).height
            return self.batch[record or ""].height + unread
        return max(self.batch.details, self.batch.last_line - 1)

    def habitual(self, found: pl.DataFrame, among: int | None = None) -> bool:
        """Whether findings are so many, for their lines or for the errors of the file, that one habit made them."""
        if found.is_empty():
            return False
        lines = found["line"].n_unique()
        if among is None:
            among = sum(self.lines(name) for name in found["record"].unique() if name) or self.lines()
        return self._habit(lines, found.height, among)

    def habitual_by(self, found: pl.DataFrame, column: str, record: str) -> set[str]:
        """The values of a column whose findings, all of one record, are habitual."""
        counted = found.group_by(column).agg(pl.col("line").n_unique(), many=pl.len())
        among = self.lines(record) or self.lines()
        return {str(value) for value, lines, many in counted.iter_rows() if self._habit(lines, many, among)}

    def _habit(self, lines: int, findings: int, among: int) -> bool:
        of_errors = lines >= _FEWEST_AMONG_ERRORS and findings >= _OF_ERRORS * self.errors
        return of_errors or (lines >= _FEWEST and lines >= _OF_LINES * among)

    def record(self, name: str | None) -> Record | None:
        """A record of the layout."""
        return self.layout.record.get(name or "")

    def label(self, record: str | None, field: str | None) -> str:
        """The official name of a field, in quotation marks."""
        known = self.record(record) or self.layout.control
        label = known.by_name[field].label if known and field in known.by_name else field or ""
        return f"«{label}»"


Detector = Callable[[Case], Iterable[Claim]]


#: Whether some of a few findings may have the cause that a detector looks for: sound, not complete.
Sign = Callable[[Case, list[Few]], bool]


def about(*codes: str, sign: Sign | None = None) -> Callable[[Detector], Detector]:
    """A detector that has nothing to say where none of these codes was found, and then is not asked; without codes, any.

    Each of its looks at a few findings costs more than they are worth, and most files have one or two codes. With a
    `sign` it is not asked either where a few findings of these codes do not have it.
    """
    wanted = frozenset(codes)

    def gated(detector: Detector) -> Detector:
        @wraps(detector)
        def asked(case: Case) -> Iterable[Claim]:
            if wanted and wanted.isdisjoint(case.codes):
                return ()
            if sign is None or case.few is None:
                return detector(case)
            some = [one for one in case.few if not wanted or one.code in wanted]
            return detector(case) if sign(case, some) else ()

        return asked

    return gated


def repeated(*names: str, times: int = _FEWEST) -> Sign:
    """Whether findings that are the same in some columns are in so many lines: fewer are no habit (`Case.habitual`)."""

    def sign(_: Case, some: list[Few]) -> bool:
        lines: dict[tuple[object, ...], set[int | None]] = {}
        for one in some:
            lines.setdefault(tuple(getattr(one, name) for name in names), set()).add(one.line)
        return any(len(found) >= times for found in lines.values())

    return sign


def unread(case: Case, _: list[Few]) -> bool:
    """Whether any line could not be cut."""
    return case.batch.odd


def first_line(found: pl.DataFrame) -> int:
    """The first line of some findings; 0 when they are about no line."""
    lines = found["line"].drop_nulls().sort().to_list()
    return int(lines[0]) if lines else 0


def number(value: int) -> str:
    """A figure as it is written in Colombia: 4.812."""
    return f"{value:,}".replace(",", ".")


def many(value: int, one: str, more: str) -> str:
    """`1 línea`, `4.812 líneas`."""
    return f"{number(value)} {one if value == 1 else more}"


def in_lines(found: pl.DataFrame) -> str:
    """`en 1 línea`, `en 4.812 líneas`."""
    return f"en {many(found['line'].drop_nulls().n_unique(), 'línea', 'líneas')}"
