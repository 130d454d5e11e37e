"""What a finding's value should probably be: `suggested(rows, outcome)` adds the value expected and a sentence.

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

__all__ = ["SUGGESTED", "SUGGESTERS", "suggested"]

SUGGESTERS: dict[str, Suggester] = {**CELLS, **CODES, **PEOPLE}
#: Columns that `suggested` adds: the value expected, and a sentence for people; "" where there is nothing to suggest.
SUGGESTED = ("expected", "suggestion")
_MOST = 20_000  # distinct values of a code
_KEY = ["code", "record", "field", "value", "details"]
#: Codes whose suggestion depends on the line beside its value.
_BY_LINE = {*PEOPLE, "PRF021", "PRF022", "PRF023", "PRF024"}
_SHOWN = 80


def suggested(rows: pl.DataFrame, outcome: Outcome, *, mask: bool = False) -> pl.DataFrame:
    """Described findings (see `validators.described`) with the columns of SUGGESTED. `mask` hides identifiers."""
    layout = outcome.examined.layout
    filled = rows.with_columns([pl.col(name).fill_null("") for name in _KEY])
    if layout is None or filled.is_empty():
        return rows.with_columns([pl.lit("").alias(name) for name in SUGGESTED])
    asked = Asked(layout, outcome.examined.batch, outcome.facts)
    key = filled.select(*_KEY, line=pl.when(pl.col("code").is_in(list(_BY_LINE))).then("line"))
    distinct = key.unique(maintain_order=True).with_row_index("n")
    answers = [pl.DataFrame(schema=ANSWER)]
    for (code,), part in distinct.group_by("code", maintain_order=True):
        if suggester := SUGGESTERS.get(str(code)):
            answers.append(suggester(part.head(_MOST), asked))
    # what cannot be seen cannot be typed, and may turn round the text beside it
    plain = pl.concat(answers).filter(~pl.col("expected").str.contains(r"[\p{C}\p{Zl}\p{Zp}]"))
    told = _worded(distinct.join(plain, on="n"), asked, mask=mask)
    found = key.join(told, on=[*_KEY, "line"], how="left", nulls_equal=True, maintain_order="left")
    return rows.with_columns([found[name].fill_null("") for name in SUGGESTED])


def _worded(answers: pl.DataFrame, asked: Asked, *, mask: bool) -> pl.DataFrame:
    """Answers with their sentence; an identifier worked out from the sender's own is masked like it."""
    ids = [f"{r.name}.{f.name}" for r in asked.layout.records for f in r.fields if f.datum == "id"]
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
