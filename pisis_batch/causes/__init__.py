"""The few causes behind many findings: `diagnose(outcome)` names each root cause and the findings it explains.

Detectors look at the findings that no earlier detector explained, at the frames of the batch and at the facts; each is
a function from a `Case` to `Claim`s. What nobody claims is grouped by code, so that every finding has one cause.
"""

import dataclasses
import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pisis_batch.causes import cifras, columnas, escritura, intercambiadas, registro, repetidos
from pisis_batch.causes.case import Case, Claim, Detector, many, number
from pisis_batch.model import Batch, Content, Facts, Findings, Outcome, Severity

__all__ = ["Cause", "Diagnosis", "diagnose"]

_SAMPLE = 20
#: In the order of asking: what makes other findings moot comes first.
DETECTORS: Sequence[Detector] = (
    escritura.other_format,
    escritura.line_endings,
    escritura.separator,
    escritura.wrapped_marks,
    escritura.utf8,
    escritura.header,
    escritura.joined_files,
    escritura.cut_short,
    cifras.check_digit,
    cifras.consecutive,
    cifras.total,
    columnas.ragged,
    intercambiadas.swapped,
    columnas.shifted,
    cifras.spreadsheet_numbers,
    cifras.dates,
    escritura.habits,
    registro.entity_unknown,
    registro.another_entity,
    registro.changed_person,
    registro.empty_catalogue,
    registro.names_swapped,
    repetidos.one_value,
    repetidos.empty_column,
    registro.all_strangers,
)


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause, or the findings of one code that have none in common.

    `slug` names the cause for ever and `key` tells two causes of one slug in a file apart; for a group by code it is the code, and `recognised` is false. `explained` counts
    findings, `errors` those among them that block. `lines` are the first lines it shows in, of `line_count`.
    """

    key: str
    slug: str
    recognised: bool
    severity: Severity
    title: str
    es: str
    en: str
    remedy: str
    explained: int
    errors: int
    codes: tuple[str, ...]
    lines: tuple[int, ...]
    line_count: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The causes of a file, the most telling first; `cause_of` has the key of each finding's cause, in their order."""

    causes: tuple[Cause, ...]
    cause_of: pl.Series
    errors: int

    @property
    def headline(self) -> str:
        """«1 causa explica 4.812 de 4.830 errores», or nothing when no cause explains more than one."""
        leading = [cause for cause in self.causes if cause.recognised and cause.errors]
        told, explained = [], 0
        for cause in leading:
            told.append(cause)
            explained += cause.errors
            if 10 * explained >= 9 * self.errors or len(told) == 3:  # noqa: PLR2004 three causes are few
                break
        if explained <= 1 or explained <= len(told):
            return ""
        verb = "explica" if len(told) == 1 else "explican"
        of = "los" if explained == self.errors else f"{number(explained)} de"
        return f"{many(len(told), 'causa', 'causas')} {verb} {of} {number(self.errors)} errores"


def diagnose(outcome: Outcome) -> Diagnosis:
    """The causes of an outcome's findings. Computed once per outcome: documents and letters ask for it again."""
    findings = outcome.findings
    known = _KNOWN.get(id(findings))
    if known is None or known[0]() is not findings:
        examined = outcome.examined
        made = _diagnosed(findings, examined.batch, outcome.facts, examined.received.content)
        key = id(findings)
        known = _KNOWN[key] = (weakref.ref(findings, lambda _: _KNOWN.pop(key, None) and None), made)
    return known[1]


_KNOWN: dict[int, tuple[weakref.ref[Findings], Diagnosis]] = {}


def _diagnosed(findings: Findings, batch: Batch | None, facts: Facts | None, content: Content) -> Diagnosis:
    if not len(findings):
        return Diagnosis((), pl.Series("cause", [], dtype=pl.String), 0)
    tally: _Tally = _FewTally(findings) if findings.few else _Tally(findings)
    if batch is not None:
        case: Case | None = None
        for detector in DETECTORS:
            if not len(tally.left):
                break
            if case is None or tally.left is not case.left:
                case = Case(findings, tally.left, tally.errors, batch.layout, batch, facts, content, tally.codes())
            for claim in detector(case):
                tally.settle(claim, recognised=True)
    for claim in repetidos.by_code(tally.left, findings):
        tally.settle(claim, recognised=False)
    # root causes lead; among equals, whatever explains most errors
    causes = sorted(tally.causes, key=_weight)
    return Diagnosis(tuple(causes), tally.cause_of(), tally.errors)


def _weight(cause: Cause) -> tuple[bool, bool, int, int]:
    return cause.errors == 0, not cause.recognised, -cause.errors, -cause.explained


def _as_numbers(findings: Findings) -> pl.DataFrame:
    """Findings with the few texts of some columns as categories, which are compared and moved about as numbers."""
    few = pl.col("code", "severity", "record", "field").cast(pl.Categorical)
    if findings.brief is None:
        return findings.frame.with_columns(few)
    return dataclasses.replace(findings.brief, kinds=findings.brief.kinds.with_columns(few)).in_full()


class _Tally:
    """The causes so far, the findings that are left, and which cause explains which finding."""

    def __init__(self, findings: Findings) -> None:
        self.causes: list[Cause] = []
        self.errors = findings.many("error")
        self._all = _as_numbers(findings).drop("stage").with_row_index("n")
        self._cause = pl.Series([None], dtype=pl.UInt32).new_from_index(0, len(findings))  # a place among the causes
        self._left: Any = self._all
        self._settled = False  # what a cause explains by now is still among those that are left

    @property
    def left(self) -> Any:
        """What no cause explains yet; the same object until one does."""
        if self._settled:
            self._left = self._left.filter(self._cause.gather(self._left["n"]).is_null())
            self._settled = False
        return self._left

    def codes(self) -> frozenset[str]:
        """The codes of what is left."""
        return frozenset(self.left["code"].unique())

    def cause_of(self) -> pl.Series:
        """The key of each finding's cause."""
        return pl.Series("cause", [cause.key for cause in self.causes]).gather(self._cause)

    def settle(self, claim: Claim, *, recognised: bool) -> None:
        """Give a claim its findings, as far as no other has them."""
        told = pl.Series(claim.explains, dtype=pl.UInt32).unique().sort()
        mine = told.filter(self._cause.gather(told).is_null())
        own = self._all.select("line", "code", "severity")[mine]
        if own.is_empty():
            return
        errors = own.filter(pl.col("severity") == "error")
        counted = (errors if errors.height else own).group_by("code", maintain_order=True).len()
        self._cause = self._cause.scatter(mine, len(self.causes))
        self._told(
            claim,
            recognised=recognised,
            lines=own["line"].drop_nulls().unique().sort(),
            errors=errors.height,
            explained=own.height,
            severity="error" if errors.height else own["severity"][0],  # a check may be milder than its rule
            codes=counted.sort("len", descending=True, maintain_order=True)["code"].to_list(),
        )
        self._settled = True

    def _told(
        self,
        claim: Claim,
        *,
        recognised: bool,
        lines: Sequence[int] | pl.Series,
        errors: int,
        explained: int,
        severity: Severity,
        codes: list[str],
    ) -> None:
        same = sum(cause.slug == claim.slug for cause in self.causes)
        self.causes.append(
            Cause(
                key=f"{claim.slug}-{same + 1}" if same else claim.slug,
                slug=claim.slug,
                recognised=recognised,
                severity=severity,
                title=claim.title,
                es=claim.es,
                en=claim.en,
                remedy=claim.remedy,
                explained=explained,
                errors=errors,
                codes=tuple(codes),
                lines=tuple(lines[:_SAMPLE]),
                line_count=len(lines),
            )
        )


class _FewTally(_Tally):
    """The same of a few findings, one after another in plain Python."""

    def __init__(self, findings: Findings) -> None:
        self.causes = []
        self.errors = findings.many("error")
        self._left, self._settled = range(len(findings)), False
        self._rows = findings.rows
        self._keys = [""] * len(findings)

    def codes(self) -> frozenset[str]:
        return frozenset(self._rows[n][0] for n in self.left)

    def cause_of(self) -> pl.Series:
        return pl.Series("cause", self._keys, dtype=pl.String)

    def settle(self, claim: Claim, *, recognised: bool) -> None:
        explains = set(claim.explains)
        own = [n for n in self.left if n in explains]
        if not own:
            return
        rows = [self._rows[n] for n in own]
        errors = [row for row in rows if row[1] == "error"]
        counted = Counter(row[0] for row in errors or rows)
        self._told(
            claim,
            recognised=recognised,
            lines=sorted({row[3] for row in rows if row[3] is not None}),
            errors=len(errors),
            explained=len(own),
            severity="error" if errors else rows[0][1],
            codes=[code for code, _ in counted.most_common()],
        )
        self._left = [n for n in self.left if n not in explains]
        for n in own:
            self._keys[n] = self.causes[-1].key
