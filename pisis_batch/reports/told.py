"""An outcome in words for all the documents that say it, a stretch of the findings at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import polars as pl

from pisis_batch import validators
from pisis_batch.model import Findings, Outcome
from pisis_batch.reports.original import Original
from pisis_batch.suggestions import (
    Answered,
    added,
    answers,
    as_frame,
    hint_places,
    hinted,
    worded,
)
from pisis_batch.validators.sentences import Worded
from pisis_batch.validators.sentences import worded as in_words

SHOWN = 500  # findings in the body of a message (ficha 2.21); the CSV has all
#: Findings that are in words at the same time.
STRETCH = 100_000


@dataclass(frozen=True)
class Told:
    """What is said about an outcome at a moment.

    In all but `first` nothing is masked: they are for the documents of the file's own entity.
    """

    outcome: Outcome
    at: datetime

    def __len__(self) -> int:
        return len(self.outcome.findings)

    @property
    def findings(self) -> pl.DataFrame:
        """Every finding, before it is put in words (schema FINDINGS)."""
        return self.outcome.findings.frame

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes that were found."""
        return frozenset(code for code, *_ in self.outcome.findings.kinds)

    @cached_property
    def original(self) -> Original:
        """The lines of the file."""
        return Original(self.outcome.received.content, self.outcome.examined.layout)

    @cached_property
    def few(self) -> list[Worded] | None:
        """Every finding in words, where they are few; None where they are many."""
        if not self.outcome.findings.few:
            return None
        told = in_words(self.outcome.findings.rows, self.outcome.examined.layout)
        return added(told, worded(self._answers, self.outcome.examined.layout, mask=False))

    def head(self, many: int) -> Iterator[Worded]:
        """The first findings in words."""
        if self.few is not None:
            return iter(self.few[:many])
        return self._each(self._worded(self.findings.head(many)))

    def chosen(self, places: pl.Series) -> pl.DataFrame:
        """Some findings in words, by their places in the order of all, with the columns of `Worded`."""
        return self._worded(self.findings[places])

    @cached_property
    def first(self) -> list[Worded]:
        """The first 500 findings in words, identification numbers masked: for the body of a message."""
        layout = self.outcome.examined.layout
        if self.few is not None and validators.open_to_all(self.outcome.findings, layout):
            return self.few[:SHOWN]
        some = self.outcome.findings.rows if self.few is not None else self.findings.head(SHOWN).rows()
        known = self._answers if self.few is not None else answers(some, self.outcome)
        return added(in_words(some[:SHOWN], layout, mask=True), worded(known, layout, mask=True))

    def hint_places(self, some: pl.DataFrame, kinds: pl.DataFrame, place: pl.Series) -> pl.Series:
        """Which of `hints` is for each of some findings, if any; `place` is that of each among their kinds."""
        likely = kinds["code"].is_in(self.hints["code"].unique().implode()).gather(place)
        places = pl.Series([None], dtype=pl.UInt32).new_from_index(0, some.height)
        if not likely.any():
            return places
        return places.scatter(
            likely.arg_true(), hint_places(some.filter(likely), kinds, place.filter(likely), self.hints)
        )

    @cached_property
    def hints(self) -> pl.DataFrame:
        """What is suggested, by what tells findings apart (`suggestions.hints`)."""
        return as_frame(worded(self._answers, self.outcome.examined.layout, mask=False))

    @cached_property
    def _answers(self) -> list[Answered]:
        findings = self.outcome.findings
        return answers(findings.rows if findings.few else findings.frame, self.outcome)

    def _worded(self, some: pl.DataFrame) -> pl.DataFrame:
        return hinted(validators.described(Findings(some), self.outcome.examined.layout), self.hints)

    def _each(self, frame: pl.DataFrame) -> Iterator[Worded]:
        return (Worded(*row) for row in frame.select(Worded._fields).iter_rows())
