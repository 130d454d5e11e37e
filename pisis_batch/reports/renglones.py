"""The findings of a large file as the texts of `hallazgos.csv` and `ack.json`, a column at a time.

What findings of a kind have in common is put in words, quoted and joined once; then come the line and the value. The
same bytes as `detalle.lines` and `ack.findings_json` write of the findings in words (held to it in tests).
"""

import polars as pl

from pisis_batch import validators
from pisis_batch.model import Findings
from pisis_batch.reports.ack import BETWEEN
from pisis_batch.reports.detalle import RUNS, harmless
from pisis_batch.reports.told import Told

_NEXT = '";"'
_BEFORE_VALUE = ("record", "field_no", "label", "code", "severity")
_JSON_ODD = r'["\\\x00-\x1F]'


class Texts:
    """The texts of a stretch of findings after another; what their kinds have in common is made once."""

    def __init__(self, told: Told) -> None:
        self._told, self._layout = told, told.outcome.examined.layout
        self._kinds: pl.DataFrame | None = None

    def of(self, some: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """Some findings (schema FINDINGS) as lines of the list and as members of the answer.

        Before each member stands what parts it from the one before.
        """
        kinds, place = validators.kinds(some, self._layout, self._kinds)
        self._kinds = kinds
        shown = validators.as_shown(some["value"].fill_null("").alias("shown"))
        expected, suggestion = self._told.suggested(some, kinds["code"].gather(place))
        said = [expected.alias("expected"), suggestion.alias("suggestion")]
        frame = pl.DataFrame([some["line"].cast(pl.String), *self._sentence(some, shown, kinds, place), *said])
        return (
            _line(frame, shown, *(one.gather(place) for one in _of_list(kinds))),
            _member(frame, some["value"], *(one.gather(place) for one in _of_answer(kinds))),
        )

    def _sentence(
        self, some: pl.DataFrame, shown: pl.Series, kinds: pl.DataFrame, place: pl.Series
    ) -> tuple[pl.Series, pl.Series, pl.Series]:
        """What stands before the value, the value, and what stands after it."""
        before, after = kinds["before"].gather(place), kinds["after"].gather(place)
        value = shown.zip_with(after.is_not_null(), pl.Series([""])) if after.null_count() else shown
        if (odd := before.is_null()).any():
            words = validators.described(Findings(some.filter(odd)), self._layout)["message"]
            before = before.scatter(odd.arg_true(), words)
            value, after = (one.clone().scatter(odd.arg_true(), "") for one in (value, after))
        return before.alias("before"), value.alias("value"), after.fill_null("").alias("after")


def _line(frame: pl.DataFrame, shown: pl.Series, kind: pl.Series, remedy: pl.Series) -> pl.Series:
    """Lines of the list: semicolons, every cell between quotation marks."""
    before, value, after = (_doubled(frame[name]) for name in ("before", "value", "after"))
    told = pl.DataFrame(
        [
            *(frame["line"].fill_null(""), kind.alias("kind"), _cell(shown), _cell(frame["expected"])),
            *(_runs(frame).alias("mark"), before, value, after, _cell(frame["suggestion"]), remedy.alias("remedy")),
        ]
    )
    then = pl.lit(_NEXT)
    first: list[str | pl.Expr] = [
        pl.lit('"'),
        "line",
        "kind",
        "shown",
        then,
        "expected",
        then,
        "mark",
        "before",
        "value",
        "after",
        then,
    ]
    return told.select(pl.concat_str(*first, "suggestion", "remedy")).to_series()


def _member(frame: pl.DataFrame, value: pl.Series, head: pl.Series, field: pl.Series) -> pl.Series:
    """Members of the answer, with what stands between it and the one before."""
    told = frame.select(pl.col("line").fill_null("null")).with_columns(
        head.alias("head"),
        field.alias("field"),
        _string(value).fill_null("null").alias("own"),
        *(_inside(frame[name]).alias(name) for name in ("before", "value", "after", "expected", "suggestion")),
    )
    parts: list[str | pl.Expr] = ["head", "line", "field", "own", pl.lit(',"message":"'), "before", "value", "after"]
    more: list[str | pl.Expr] = [
        pl.lit('","expected":"'),
        "expected",
        pl.lit('","suggestion":"'),
        "suggestion",
        pl.lit('"}'),
    ]
    return told.select(pl.concat_str(*parts, *more)).to_series()


def _of_list(kinds: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Of each kind the cells of a line between its number and the value, and those after the suggestion."""
    names = [*_BEFORE_VALUE, "remedy"]
    cells = kinds.select(pl.col(name).cast(pl.String).fill_null("") for name in names)
    cells = cells.select(harmless(pl.col(name)).str.replace_all('"', '""', literal=True).alias(name) for name in names)
    told = cells.select(
        before=pl.concat_str(pl.lit(_NEXT), pl.concat_str(_BEFORE_VALUE, separator=_NEXT), pl.lit(_NEXT)),
        after=pl.concat_str(pl.lit(_NEXT), "remedy", pl.lit('"\r\n')),
    )
    return told["before"], told["after"]


def _of_answer(kinds: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Of each kind the members before the line and those between it and the value."""
    head = pl.struct("code", "severity", "stage").struct.json_encode().str.head(-1)
    field = pl.struct("record", "field_no", "field").struct.json_encode().str.slice(1).str.head(-1)
    told = kinds.select(
        head=pl.concat_str(pl.lit(BETWEEN.decode()), head, pl.lit(',"line":')),
        field=pl.concat_str(pl.lit(","), field, pl.lit(',"value":')),
    )
    return told["head"], told["field"]


def _doubled(cells: pl.Series) -> pl.Series:
    return cells.str.replace_all('"', '""', literal=True) if cells.str.contains('"', literal=True).any() else cells


def _cell(cells: pl.Series) -> pl.Series:
    """Cells that Excel does not run, without the quotation marks around."""
    if cells.str.contains(RUNS).any():
        cells = cells.to_frame().select(harmless(pl.col(cells.name)).alias(cells.name)).to_series()
    return _doubled(cells)


def _runs(frame: pl.DataFrame) -> pl.Series:
    """What goes before a sentence so that Excel does not run it; nearly all begin with what tells that it does not."""
    starts = frame["before"].str.contains(r"^[^\s=+\-@]")
    if starts.all():
        return pl.repeat("", frame.height, dtype=pl.String, eager=True)
    sentence = pl.concat_str("before", "value", "after")
    return frame.select(pl.when(sentence.str.contains(RUNS)).then(pl.lit("'")).otherwise(pl.lit(""))).to_series()


def _string(values: pl.Series) -> pl.Series:
    """Values as JSON strings; none where there is none."""
    one = pl.col(values.name)
    if not values.str.contains(_JSON_ODD).any():
        return values.to_frame().select(pl.concat_str(pl.lit('"'), one, pl.lit('"'))).to_series()
    told = pl.struct(x=one).struct.json_encode().str.slice(len('{"x":')).str.head(-1)
    return values.to_frame().select(pl.when(one.is_not_null()).then(told).alias(values.name)).to_series()


def _inside(values: pl.Series) -> pl.Series:
    """The same without its quotation marks."""
    return _string(values).str.slice(1).str.head(-1) if values.str.contains(_JSON_ODD).any() else values
