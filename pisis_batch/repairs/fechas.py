"""Dates in other forms: the day they can only mean, or the one they most likely mean here."""

import polars as pl

from pisis_batch.layouts import Field

_YEAR_FIRST = r"^(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?:[ T]0?0:00(?::00(?:\.0+)?)?)?$"
_YEAR_LAST = r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[ T]0?0:00(?::00(?:\.0+)?)?)?$"
_FLAT_FIRST = r"^(\d{4})(\d{2})(\d{2})$"
_FLAT_LAST = r"^(\d{2})(\d{2})(\d{4})$"


def _day(cell: pl.Expr, pattern: str, year: int, month: int, day: int) -> pl.Expr:
    """The date that three groups of a pattern make, as AAAA-MM-DD; null when it is none of 1900 to 2199."""
    y, m, d = (cell.str.extract(pattern, place) for place in (year, month, day))
    text = y + "-" + m.str.zfill(2) + "-" + d.str.zfill(2)
    real = text.str.to_date("%Y-%m-%d", strict=False).is_not_null() & (y >= "1900") & (y <= "2199")
    return pl.when(real).then(text)


def _readings(cell: pl.Expr) -> list[pl.Expr]:
    """Year first; day, month, year; month, day, year."""
    return [
        pl.coalesce(_day(cell, _YEAR_FIRST, 1, 2, 3), _day(cell, _FLAT_FIRST, 1, 2, 3)),
        pl.coalesce(_day(cell, _YEAR_LAST, 3, 2, 1), _day(cell, _FLAT_LAST, 3, 2, 1)),
        pl.coalesce(_day(cell, _YEAR_LAST, 3, 1, 2), _day(cell, _FLAT_LAST, 3, 1, 2)),
    ]


def certain_date(cell: pl.Expr, field: Field) -> pl.Expr:
    """The cell as AAAA-MM-DD when every way to read it gives the same day; otherwise the cell itself."""
    del field
    readings = _readings(cell)
    first = pl.coalesce(readings)
    agreed = pl.all_horizontal([reading.is_null() | (reading == first) for reading in readings])
    return pl.when(first.is_not_null() & agreed).then(first).otherwise(cell)


def likely_date(cell: pl.Expr) -> pl.Expr:
    """Day, month and year in the order that is usual here; null when that is no date."""
    return _readings(cell)[1]
