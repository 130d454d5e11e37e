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
from pisis_batch.suggestions import SUGGESTED
from pisis_batch.validators.sentences import LONGEST

_NEXT, _MESSAGE = '";"', ',"message":"'
_BEFORE_VALUE = ("record", "field_no", "label", "code", "severity")
#: A value that is written as it is wherever it stands, unless it is long.
_PLAIN = r"^(?:[0-9A-Za-zÀ-ÿ][ !#-\[\]-~À-ÿ]*)?$"
_JSON_ODD = r'["\\\x00-\x1F]'
_FEW = 5_000  # kinds that are worked out before any finding is told
_NEVER_RUNS = r"^[^\s=+\-@]"  # a sentence that begins so is nothing that Excel would run, whatever follows


class Texts:
    """The texts of a stretch of findings after another; what their kinds have in common is made once."""

    def __init__(self, told: Told) -> None:
        self._told, self._layout = told, told.outcome.examined.layout
        self._kinds: pl.DataFrame | None = None
        self._said = pl.DataFrame()
        self._places: pl.Series | None = None  # of every finding, where kinds are few and known beforehand
        brief = told.outcome.findings.brief
        if brief is not None and brief.kinds.n_unique() <= _FEW:
            self._kinds, place = validators.kinds(brief.kinds, self._layout)
            self._said, self._places = _of_kinds(self._kinds), place.gather(brief.kind)
        self._begun = 0  # findings before those that come next
        self._hints = _of_hints(told.hints)

    def of(self, some: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """Some findings (schema FINDINGS) as lines of the list and as members of the answer.

        Before each member stands what parts it from the one before.
        """
        kinds, place = self._kinds_of(some)
        hint = self._told.hint_places(some, kinds, place).fill_null(self._hints.height - 1)
        cell, own, *within = _values(some["value"])
        shows = kinds["after"].is_not_null().gather(place)
        if not shows.all():
            within = [one.zip_with(shows, pl.Series([""])) for one in within]
        frame = pl.DataFrame(
            [
                *(some["line"].cast(pl.String), cell.alias("cell"), own.alias("own")),
                *(one.gather(place) for one in self._said),
                *(one.gather(hint) for one in self._hints),
                *(one.alias(name) for one, name in zip(within, ("list_value", "json_value"), strict=True)),
            ]
        )
        if (odd := frame["list_before"].is_null()).any():
            frame = frame.with_columns(self._worded(some.filter(odd), odd.arg_true(), frame))
        told = frame.select(listed=_line(), member=_member())
        return told["listed"], told["member"]

    def _kinds_of(self, some: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """The kinds, and which each of some findings is of."""
        if self._kinds is not None and self._places is not None:
            self._begun += some.height
            return self._kinds, self._places.slice(self._begun - some.height, some.height)
        kinds, place = validators.kinds(some, self._layout, self._kinds)
        if kinds is not self._kinds:
            self._kinds, self._said = kinds, _of_kinds(kinds)
        return kinds, place

    def _worded(self, some: pl.DataFrame, where: pl.Series, frame: pl.DataFrame) -> list[pl.Series]:
        """The sentences that have to be made one by one, in the place of those of their kind."""
        words = validators.described(Findings(some), self._layout)["message"]
        return [
            frame["list_before"].scatter(where, _cell(words)),
            frame["json_before"].scatter(where, _after(_MESSAGE, _inside(words))),
            *(frame[name].scatter(where, "") for name in ("list_value", "list_after", "json_value", "json_after")),
        ]


def _line() -> pl.Expr:
    """Lines of the list: semicolons, every cell between quotation marks."""
    sentence = ("list_before", "list_value", "list_after")
    line = pl.col("line").fill_null("")
    return pl.concat_str(
        pl.lit('"'), line, "list_kind", "cell", "list_expected", *sentence, "list_suggestion", "list_remedy"
    )


def _member() -> pl.Expr:
    """Members of the answer, with what stands between it and the one before."""
    sentence = ("json_before", "json_value", "json_after")
    line, own = (pl.col(name).fill_null("null") for name in ("line", "own"))
    return pl.concat_str("json_kind", line, "json_field", own, *sentence, "json_hint")


def _values(values: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series, pl.Series]:
    """Values as cells of the list and as JSON, and as they stand in a sentence of the list and of the answer."""
    filled = values.fill_null("")
    if filled.str.contains(_PLAIN).all() and not (filled.str.len_bytes() > LONGEST).any():
        return filled, _quoted(values), filled, filled
    shown = validators.as_shown(filled)
    return _cell(shown), _string(values), _doubled(shown), _inside(shown)


def _of_kinds(kinds: pl.DataFrame) -> pl.DataFrame:
    """Of each kind what stands between line, value and suggestion.

    list_before and json_before are null where a sentence cannot be made from its kind.
    """
    before = kinds.select(pl.when(pl.col("before").str.contains(_NEVER_RUNS)).then("before")).to_series()
    after = kinds["after"].fill_null("")
    cells = [_cell(kinds[name].cast(pl.String).fill_null("")) for name in (*_BEFORE_VALUE, "remedy")]
    *first, remedy = (pl.col(cell.name) for cell in cells)
    listed = pl.DataFrame(cells).select(
        list_kind=pl.concat_str(pl.lit(_NEXT), pl.concat_str(first, separator=_NEXT), pl.lit(_NEXT)),
        list_remedy=pl.concat_str(pl.lit(_NEXT), remedy, pl.lit('"\r\n')),
    )
    head = pl.struct("code", "severity", "stage").struct.json_encode().str.head(-1)
    field = pl.struct("record", "field_no", "field").struct.json_encode().str.slice(1).str.head(-1)
    answered = kinds.select(
        json_kind=pl.concat_str(pl.lit(BETWEEN.decode()), head, pl.lit(',"line":')),
        json_field=pl.concat_str(pl.lit(","), field, pl.lit(',"value":')),
    )
    return pl.concat([listed, answered], how="horizontal").with_columns(
        list_before=_doubled(before),
        list_after=_doubled(after),
        json_before=_after(_MESSAGE, _inside(before)),
        json_after=_inside(after),
    )


def _of_hints(hints: pl.DataFrame) -> pl.DataFrame:
    """Of each suggestion its pieces; the last row is for findings that have none."""
    expected, suggestion = (pl.concat([hints[name].fill_null(""), pl.Series([""])]).rechunk() for name in SUGGESTED)
    said = pl.DataFrame([_inside(expected).alias("expected"), _inside(suggestion).alias("suggestion")])
    json = pl.concat_str(pl.lit('","expected":"'), "expected", pl.lit('","suggestion":"'), "suggestion", pl.lit('"}'))
    return said.select(json_hint=json).with_columns(
        list_expected=_after(_NEXT, _cell(expected), _NEXT),
        list_suggestion=_after(_NEXT, _cell(suggestion)),
    )


def _after(text: str, cells: pl.Series, then: str = "") -> pl.Series:
    """Texts with the same before each of them, and after."""
    return cells.to_frame().select(pl.concat_str(pl.lit(text), pl.col(cells.name), pl.lit(then))).to_series()


def _doubled(cells: pl.Series) -> pl.Series:
    return cells.str.replace_all('"', '""', literal=True) if cells.str.contains('"', literal=True).any() else cells


def _cell(cells: pl.Series) -> pl.Series:
    """Cells that Excel does not run, without the quotation marks around."""
    if cells.str.contains(RUNS).any():
        cells = cells.to_frame().select(harmless(pl.col(cells.name)).alias(cells.name)).to_series()
    return _doubled(cells)


def _string(values: pl.Series) -> pl.Series:
    """Values as JSON strings; none where there is none."""
    if not values.str.contains(_JSON_ODD).any():
        return _quoted(values)
    one = pl.col(values.name)
    told = pl.struct(x=one).struct.json_encode().str.slice(len('{"x":')).str.head(-1)
    return values.to_frame().select(pl.when(one.is_not_null()).then(told).alias(values.name)).to_series()


def _quoted(values: pl.Series) -> pl.Series:
    return values.to_frame().select(pl.concat_str(pl.lit('"'), pl.col(values.name), pl.lit('"'))).to_series()


def _inside(values: pl.Series) -> pl.Series:
    """The same without its quotation marks."""
    return _string(values).str.slice(1).str.head(-1) if values.str.contains(_JSON_ODD).any() else values
