"""An outcome in words for all the documents that say it, a stretch of the findings at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import polars as pl

from pisis_batch import validators
from pisis_batch.model import Findings, Outcome
from pisis_batch.suggestions import SUGGESTED, answers, hinted, suggested, worded
from pisis_batch.validators.texts import DESCRIBED

#: The rows of an outcome without findings.
NO_ROWS = pl.DataFrame(schema={**DESCRIBED, **dict.fromkeys(SUGGESTED, pl.String)})
SHOWN = 500  # findings in the body of a message (ficha 2.21); the CSV has all
#: Findings that are in words at the same time.
STRETCH = 40_000


@dataclass(frozen=True)
class Told:
    """What is said about an outcome at a moment.

    `stretches`, `chosen` and `first` have the columns of `validators.DESCRIBED` and those of `suggestions.SUGGESTED`.
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
        return frozenset(self.findings["code"].unique()) if len(self) else frozenset()

    def stretches(self) -> Iterator[pl.DataFrame]:
        """Every finding in words, in order; only a stretch at a time is in memory."""
        if len(self) <= STRETCH:
            yield self._few
            return
        for stretch in self.findings.iter_slices(STRETCH):
            yield self._worded(stretch)

    def head(self, many: int) -> pl.DataFrame:
        """The first findings in words."""
        return self._few.head(many) if len(self) <= STRETCH else self._worded(self.findings.head(many))

    def chosen(self, places: pl.Series) -> pl.DataFrame:
        """Some findings in words, by their places in the order of all."""
        return self._few[places] if len(self) <= STRETCH else self._worded(self.findings[places])

    @cached_property
    def first(self) -> pl.DataFrame:
        """The first 500 findings in words, identification numbers masked: for the body of a message."""
        if not len(self):
            return NO_ROWS
        layout = self.outcome.examined.layout
        if len(self) <= SHOWN and validators.open_to_all(self.outcome.findings, layout):
            return self._few
        told = validators.described(Findings(self.findings.head(SHOWN)), layout, mask=True)
        if len(self) > SHOWN:
            return suggested(told, self.outcome, mask=True)
        return hinted(told, worded(self._answers, self.outcome, mask=True))

    def suggested(self, some: pl.DataFrame, codes: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The value expected and the sentence suggested of some findings; `codes` are theirs, by any of their kinds."""
        known = self._hints
        likely = codes.is_in(known["code"].unique().implode())
        found = (
            hinted(some.filter(likely), known)
            if likely.any()
            else some.clear().with_columns(expected=None, suggestion=None)
        )
        place = likely.to_frame("likely").select(
            pl.when("likely").then(pl.col("likely").cum_sum() - 1).otherwise(found.height)
        )
        expected, suggestion = (
            pl.concat([found[name].cast(pl.String), pl.Series([""])]).rechunk().gather(place.to_series())
            for name in SUGGESTED
        )
        return expected, suggestion

    @cached_property
    def _few(self) -> pl.DataFrame:
        return self._worded(self.findings) if len(self) else NO_ROWS

    @cached_property
    def _hints(self) -> pl.DataFrame:
        return worded(self._answers, self.outcome, mask=False)

    @cached_property
    def _answers(self) -> pl.DataFrame:
        return answers(self.findings, self.outcome)

    def _worded(self, some: pl.DataFrame) -> pl.DataFrame:
        return hinted(validators.described(Findings(some), self.outcome.examined.layout), self._hints)
