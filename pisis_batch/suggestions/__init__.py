"""What a finding's value should probably be: `suggested(rows, outcome)` adds the value expected and a sentence.

`hints` works out the same for all findings of a file, so that `hinted` can add it to a stretch of them at a time.

Suggestions are worked out once for each distinct value of a code, never for each finding, and for a bounded number of
them; a file with a million findings costs what its distinct values cost. A value that comes from the registry is masked.
"""

import polars as pl

from pisis_batch.model import Outcome
from pisis_batch.suggestions.asked import ANSWER, Asked, Suggester
from pisis_batch.suggestions.celdas import CELLS
from pisis_batch.suggestions.codigos import CODES
from pisis_batch.suggestions.personas import PEOPLE
from pisis_batch.validators import masked

__all__ = ["SUGGESTED", "SUGGESTERS", "answers", "hinted", "hints", "suggested", "worded"]

SUGGESTERS: dict[str, Suggester] = {**CELLS, **CODES, **PEOPLE}
#: Columns that `suggested` adds: the value expected, and a sentence for people; "" where there is nothing to suggest.
SUGGESTED = ("expected", "suggestion")
_MOST = 20_000  # distinct values of a code
_STRETCH = 40_000  # findings looked at together
_KEY = ["code", "record", "field", "value", "details"]
_KEYS = pl.Schema({**dict.fromkeys(_KEY, pl.String()), "line": pl.UInt32()})
#: Codes whose suggestion depends on the line beside its value.
_BY_LINE = {*PEOPLE, "PRF021", "PRF022", "PRF023", "PRF024"}
_SHOWN = 80


def suggested(rows: pl.DataFrame, outcome: Outcome, *, mask: bool = False) -> pl.DataFrame:
    """Described findings (see `validators.described`) with the columns of SUGGESTED. `mask` hides identifiers."""
    return hinted(rows, hints(rows, outcome, mask=mask))


def hints(findings: pl.DataFrame, outcome: Outcome, *, mask: bool = False) -> pl.DataFrame:
    """What is suggested for findings: the columns of SUGGESTED by what tells findings apart (`_key`)."""
    return worded(answers(findings, outcome), outcome, mask=mask)


def answers(findings: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    """The same before it is put in words, which may be done twice: with identifiers, and without."""
    layout = outcome.examined.layout
    asked = Asked(layout, outcome.examined.batch, outcome.facts) if layout else None
    found = [pl.DataFrame(schema=ANSWER)]
    distinct = _distinct(findings).with_row_index("n")
    if asked is not None:
        for (code,), part in distinct.group_by("code", maintain_order=True):
            found.append(SUGGESTERS[str(code)](part, asked))
    # what cannot be seen cannot be typed, and may turn round the text beside it
    plain = pl.concat(found).filter(~pl.col("expected").str.contains(r"[\p{C}\p{Zl}\p{Zp}]"))
    return distinct.join(plain, on="n")


def hinted(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Findings with the columns of SUGGESTED, by what `hints` worked out."""
    if known.is_empty():
        return rows.with_columns([pl.lit("").alias(name) for name in SUGGESTED])
    found = _key(rows).join(known, on=list(_KEYS), how="left", nulls_equal=True, maintain_order="left")
    return rows.with_columns([found[name].fill_null("") for name in SUGGESTED])


def _key(findings: pl.DataFrame) -> pl.DataFrame:
    """What a suggestion depends on."""
    line = pl.when(pl.col("code").is_in(list(_BY_LINE))).then("line")
    return findings.select(*[pl.col(name).fill_null("") for name in _KEY], line=line)


def _distinct(findings: pl.DataFrame) -> pl.DataFrame:
    """The keys of the findings that something may be suggested for, each once in order, up to so many of a code."""
    seen: dict[str, pl.DataFrame] = {}
    full: set[str] = set()
    for stretch in findings.iter_slices(_STRETCH):
        if full == SUGGESTERS.keys():
            break
        new = _key(stretch.filter(pl.col("code").is_in(list(SUGGESTERS.keys() - full)))).unique(maintain_order=True)
        for (name,), part in new.group_by("code", maintain_order=True):
            code = str(name)
            known = [seen[code]] if code in seen else []
            seen[code] = pl.concat([*known, part]).unique(maintain_order=True).head(_MOST)
            if seen[code].height == _MOST:
                full.add(code)
    return pl.concat([pl.DataFrame(schema=_KEYS), *seen.values()])


def worded(answers: pl.DataFrame, outcome: Outcome, *, mask: bool) -> pl.DataFrame:
    """Answers with their sentence; an identifier worked out from the sender's own is masked like it."""
    layout = outcome.examined.layout
    if layout is None or answers.is_empty():
        return pl.DataFrame(schema={**_KEYS, **dict.fromkeys(SUGGESTED, pl.String)})
    ids = [f"{r.name}.{f.name}" for r in layout.records for f in r.fields if f.datum == "id"]
    private = pl.concat_str([pl.col("record"), pl.lit("."), pl.col("field")]).is_in(ids) & pl.col(
        "expected"
    ).str.contains(r"^[0-9A-Z]{3,}$")
    expected = (
        pl.when(private).then(masked(pl.col("expected"))).otherwise(pl.col("expected")) if mask else pl.col("expected")
    )
    short = pl.when(expected.str.len_chars() > _SHOWN).then(expected.str.slice(0, _SHOWN - 1) + "…").otherwise(expected)
    return answers.with_columns(
        expected=expected, suggestion=pl.col("form").str.replace("{}", short, literal=True)
    ).select(*_KEY, "line", *SUGGESTED)
