"""An outcome in words, worked out once for all the documents that say it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import polars as pl

from pisis_batch import validators
from pisis_batch.model import Findings, Outcome
from pisis_batch.suggestions import SUGGESTED, suggested
from pisis_batch.validators.texts import DESCRIBED

#: The rows of an outcome without findings.
NO_ROWS = pl.DataFrame(schema={**DESCRIBED, **dict.fromkeys(SUGGESTED, pl.String)})
SHOWN = 500  # findings in the body of a message (ficha 2.21); the CSV has all


@dataclass(frozen=True)
class Told:
    """What is said about an outcome at a moment. `rows` and `first` have the columns of `validators.DESCRIBED` and
    those of `suggestions.SUGGESTED`.
    """

    outcome: Outcome
    at: datetime

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes that were found."""
        return frozenset(self.outcome.findings.frame["code"].unique())

    @cached_property
    def rows(self) -> pl.DataFrame:
        """Every finding in words, nothing masked: for the documents of the file's own entity."""
        if not len(self.outcome.findings):
            return NO_ROWS
        told = validators.described(self.outcome.findings, self.outcome.examined.layout)
        return suggested(told, self.outcome)

    @cached_property
    def first(self) -> pl.DataFrame:
        """The first 500 findings in words, identification numbers masked: for the body of a message."""
        if not len(self.outcome.findings):
            return NO_ROWS
        some = Findings(self.outcome.findings.frame.head(SHOWN))
        told = validators.described(some, self.outcome.examined.layout, mask=True)
        return suggested(told, self.outcome, mask=True)
