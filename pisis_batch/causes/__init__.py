"""The few causes behind many findings: `diagnose(outcome)` names each root cause and the findings it explains.

Detectors look at the findings that no earlier detector explained, at the frames of the batch and at the facts; each is
a function from a `Case` to `Claim`s. What nobody claims is grouped by code, so that every finding has one cause.
"""

import dataclasses
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pisis_batch.causes import cifras, columnas, escritura, registro, repetidos
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
    columnas.swapped,
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
    frame = outcome.findings.frame
    known = _KNOWN.get(id(frame))
    if known is None or known[0]() is not frame:
        examined = outcome.examined
        made = _diagnosed(outcome.findings, examined.batch, outcome.facts, examined.received.content)
        key = id(frame)
        known = _KNOWN[key] = (weakref.ref(frame, lambda _: _KNOWN.pop(key, None) and None), made)
    return known[1]


_KNOWN: dict[int, tuple[weakref.ref[pl.DataFrame], Diagnosis]] = {}


def _diagnosed(findings: Findings, batch: Batch | None, facts: Facts | None, content: Content) -> Diagnosis:
    if not len(findings):
        return Diagnosis((), pl.Series("cause", [], dtype=pl.String), 0)
    numbered = findings.frame.drop("stage").with_row_index("n")
    errors = int((numbered["severity"] == "error").sum())
    causes: list[Cause] = []
    cause_of = pl.Series("cause", [None] * 0, dtype=pl.String).extend_constant("", numbered.height)
    left = numbered
    if batch is not None:
        case = Case(left, errors, batch.layout, batch, facts, content, frozenset(left["code"].unique()))
        for detector in DETECTORS:
            if left.is_empty():
                break
            for claim in detector(case):
                left, cause_of = _settle(claim, left, cause_of, causes, recognised=True)
            if left is not case.findings:
                case = dataclasses.replace(case, findings=left, codes=frozenset(left["code"].unique()))
    for claim in repetidos.by_code(left):
        left, cause_of = _settle(claim, left, cause_of, causes, recognised=False)
    # root causes lead; among equals, whatever explains most errors
    causes.sort(key=lambda cause: (cause.errors == 0, not cause.recognised, -cause.errors, -cause.explained))
    return Diagnosis(tuple(causes), cause_of, errors)


def _settle(
    claim: Claim, left: pl.DataFrame, cause_of: pl.Series, causes: list[Cause], *, recognised: bool
) -> tuple[pl.DataFrame, pl.Series]:
    """Give a claim its findings, as far as no other has them; returns what is left and who has what."""
    mine = pl.col("n").is_in(claim.explains.implode())
    own = left.select("n", "line", "code", "severity").filter(mine)
    if own.is_empty():
        return left, cause_of
    lines = own["line"].drop_nulls().unique().sort()
    errors = own.filter(pl.col("severity") == "error")
    codes = (errors if errors.height else own)["code"].value_counts(sort=True)["code"].to_list()
    same = sum(cause.slug == claim.slug for cause in causes)
    key = f"{claim.slug}-{same + 1}" if same else claim.slug
    causes.append(
        Cause(
            key=key,
            slug=claim.slug,
            recognised=recognised,
            severity="error" if errors.height else own["severity"][0],  # a check may be milder than its rule
            title=claim.title,
            es=claim.es,
            en=claim.en,
            remedy=claim.remedy,
            explained=own.height,
            errors=errors.height,
            codes=tuple(codes),
            lines=tuple(lines.head(_SAMPLE).to_list()),
            line_count=lines.len(),
        )
    )
    return left.filter(~mine), cause_of.scatter(own["n"], key)
