"""What a detector looks at, and what it says: `Case` in, `Claim`s out. Everything is columns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps

import polars as pl

from pisis_batch.layouts import Layout, Record
from pisis_batch.model import Batch, Content, Facts

#: A share of the lines, or of all the errors, from which a repeated slip is one habit and not several slips.
_OF_LINES, _OF_ERRORS = 0.3, 0.5
_FEWEST, _FEWEST_AMONG_ERRORS = 2, 5


@dataclass(frozen=True, slots=True)
class Claim:
    """One root cause: its words, and the findings it explains as numbers of the column `n`."""

    slug: str
    title: str
    es: str
    en: str
    remedy: str
    explains: pl.Series


@dataclass(frozen=True, slots=True)
class Case:
    """The findings no cause explains yet (schema FINDINGS without `stage`, plus `n`), and what they are about.

    `codes` are those of the findings. `errors` is how many errors the whole file has; `content` its bytes, looked at only
    where a line could not be cut.
    """

    findings: pl.DataFrame
    errors: int
    layout: Layout
    batch: Batch
    facts: Facts | None
    content: Content
    codes: frozenset[str]

    def of(self, *codes: str) -> pl.DataFrame:
        """The unexplained findings of some codes."""
        return self.findings.filter(pl.col("code").is_in(codes))

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


def about(*codes: str) -> Callable[[Detector], Detector]:
    """A detector that has nothing to say where none of these codes was found, and then is not asked.

    Each of its looks at a few findings costs more than they are worth, and most files have one or two codes.
    """
    wanted = frozenset(codes)

    def gated(detector: Detector) -> Detector:
        @wraps(detector)
        def asked(case: Case) -> Iterable[Claim]:
            return () if wanted.isdisjoint(case.codes) else detector(case)

        return asked

    return gated


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
