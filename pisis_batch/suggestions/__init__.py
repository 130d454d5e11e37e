"""What a finding's value should probably be: `suggested(rows, outcome)` adds the value expected and a sentence.

`hints` works out the same for all findings of a file, so that `hinted` can add it to a stretch of them at a time.

Suggestions are worked out once for each distinct value of a code, never for each finding, and for a bounded number of
them; a file with a million findings costs what its distinct values cost. A value that comes from the registry is masked.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from pisis_batch.layouts import Layout
from pisis_batch.model import Outcome
from pisis_batch.suggestions.asked import Asked, Faulty, Suggester
from pisis_batch.suggestions.celdas import CELLS
from pisis_batch.suggestions.codigos import CODES
from pisis_batch.suggestions.personas import PEOPLE
from pisis_batch.validators.sentences import Worded, masked, short

__all__ = [
    "SUGGESTED",
    "SUGGESTERS",
    "Answered",
    "added",
    "answers",
    "as_frame",
    "hint_places",
    "hinted",
    "hints",
    "suggested",
    "worded",
]

SUGGESTERS: dict[str, Suggester] = {**CELLS, **CODES, **PEOPLE}
#: Columns that `suggested` adds: the value expected, and a sentence for people; "" where there is nothing to suggest.
SUGGESTED = ("expected", "suggestion")
_MOST = 20_000  # distinct values of a code
_STRETCH = 200_000  # findings looked at together
_OF_KIND = ["code", "record", "field", "details"]
_KEY = ["code", "record", "field", "value", "details"]
_KEYS = pl.Schema({**dict.fromkeys(_KEY, pl.String()), "line": pl.UInt32()})
#: Codes whose suggestion depends on the line beside its value.
_BY_LINE = {*PEOPLE, "PRF021", "PRF022", "PRF023", "PRF024"}
_IDENTIFIER = re.compile("[0-9A-Z]{3,}")


_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_Key = tuple[str, str, str, str, str, int | None]


class Answered(NamedTuple):
    """What is suggested for a finding, before it is put in words: the value expected, and its sentence with {} for it."""

    about: Faulty
    expected: str
    form: str


def suggested(rows: pl.DataFrame, outcome: Outcome, *, mask: bool = False) -> pl.DataFrame:
    """Described findings (see `validators.described`) with the columns of SUGGESTED. `mask` hides identifiers."""
    return hinted(rows, hints(rows, outcome, mask=mask))


def hints(findings: pl.DataFrame, outcome: Outcome, *, mask: bool = False) -> pl.DataFrame:
    """What is suggested for findings: the columns of SUGGESTED by what tells findings apart (`_key`)."""
    return as_frame(worded(answers(findings, outcome), outcome.examined.layout, mask=mask))


def as_frame(told: Mapping[_Key, tuple[str, str]]) -> pl.DataFrame:
    """What `worded` says, to be joined with many findings (`hinted`)."""
    schema = pl.Schema({**_KEYS, **dict.fromkeys(SUGGESTED, pl.String())})
    return pl.DataFrame([(*key, *said) for key, said in told.items()], schema=schema, orient="row")


def answers(findings: pl.DataFrame | Sequence[Sequence[Any]], outcome: Outcome) -> list[Answered]:
    """The same before it is put in words, which may be done twice: with identifiers, and without.

    `findings`: a frame, or some as rows (schema FINDINGS).
    """
    layout = outcome.examined.layout
    if layout is None:
        return []
    asked = Asked(layout, outcome.examined.batch, outcome.facts)
    keys = _distinct(findings) if isinstance(findings, pl.DataFrame) else dict.fromkeys(map(_key_of, findings))
    of: dict[str, list[Faulty]] = {}
    for n, key in enumerate(keys):
        if key[0] in SUGGESTERS:
            of.setdefault(key[0], []).append(Faulty(n, *key))
    found = []
    for code, rows in of.items():
        about = {row.n: row for row in rows}
        for n, expected, form in SUGGESTERS[code](rows, asked):
            # what cannot be seen cannot be typed, and may turn round the text beside it
            if expected.isprintable() or not any(unicodedata.category(c) in _UNSEEN for c in expected):
                found.append(Answered(about[n], expected, form))
    return found


def added(rows: Iterable[Worded], told: Mapping[_Key, tuple[str, str]]) -> list[Worded]:
    """Findings in words with what is suggested for them (`worded`)."""
    found = ((row, told.get(_key_of(row))) for row in rows)
    return [row if said is None else row._replace(expected=said[0], suggestion=said[1]) for row, said in found]


def hinted(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Findings with the columns of SUGGESTED, by what `hints` worked out."""
    if known.is_empty():
        return rows.with_columns([pl.lit("").alias(name) for name in SUGGESTED])
    found = _key(rows).join(known, on=list(_KEYS), how="left", nulls_equal=True, maintain_order="left")
    return rows.with_columns([found[name].fill_null("") for name in SUGGESTED])


def hint_places(findings: pl.DataFrame, kinds: pl.DataFrame, kind: pl.Series, known: pl.DataFrame) -> pl.Series:
    """The place among `hints` of what is suggested for each finding; null where nothing is.

    `kinds`: what findings have in common, with the columns of `_OF_KIND`; `kind`: of each finding its place there.
    """
    own = kinds.select(pl.col(_OF_KIND).fill_null("")).with_row_index("kind")
    said = own.join(known.with_row_index("place"), on=_OF_KIND).select("kind", "value", "line", "place")
    line = pl.when(pl.col("code").is_in(list(_BY_LINE))).then("line")
    told = findings.select(pl.col("value").fill_null(""), line=line).with_columns(kind.alias("kind"))
    return told.join(said, on=["kind", "value", "line"], how="left", nulls_equal=True, maintain_order="left")["place"]


def _key(findings: pl.DataFrame) -> pl.DataFrame:
    """What a suggestion depends on."""
    line = pl.when(pl.col("code").is_in(list(_BY_LINE))).then("line")
    return findings.select(*[pl.col(name).fill_null("") for name in _KEY], line=line)


def _key_of(row: Sequence[Any]) -> _Key:
    """The same of a finding as a row (schema FINDINGS)."""
    code, _, _, line, record, _, field, value, details = row[:9]
    return code, record or "", field or "", value or "", details or "", line if code in _BY_LINE else None


def _distinct(findings: pl.DataFrame) -> Iterable[_Key]:
    """The keys of the findings that something may be suggested for, each once in order, up to so many of a code."""
    seen: dict[str, pl.DataFrame] = {}
    full: set[str] = set()
    for stretch in findings.iter_slices(_STRETCH):
        if full == SUGGESTERS.keys():
            break
        some = stretch[_number(stretch).arg_unique()]
        new = _key(some.filter(pl.col("code").is_in(list(SUGGESTERS.keys() - full)))).unique(maintain_order=True)
        for (name,), part in new.group_by("code", maintain_order=True):
            code = str(name)
            known = [seen[code]] if code in seen else []
            seen[code] = pl.concat([*known, part]).unique(maintain_order=True).head(_MOST)
            if seen[code].height == _MOST:
                full.add(code)
    return pl.concat([pl.DataFrame(schema=_KEYS), *seen.values()]).rows()


def _number(findings: pl.DataFrame) -> pl.Series:
    """A number for all that a suggestion depends on: where two met in one, a suggestion would be missing and no more."""
    line = pl.when(pl.col("code").is_in(list(_BY_LINE))).then("line")
    told = [line, *map(pl.col, _KEY)]
    return findings.select(sum(one.hash(seed) for seed, one in enumerate(told))).to_series()


def worded(answers: Iterable[Answered], layout: Layout | None, *, mask: bool) -> dict[_Key, tuple[str, str]]:
    """The value expected and its sentence, by what tells findings apart.

    An identifier worked out from the sender's own is masked like it.
    """
    private = layout.ids if layout and mask else frozenset[str]()
    told = {}
    for about, expected, form in answers:
        hidden = f"{about.record}.{about.field}" in private and _IDENTIFIER.fullmatch(expected)
        value = masked(expected) if hidden else expected
        told[about[1:]] = value, form.replace("{}", short(value), 1)
    return told
