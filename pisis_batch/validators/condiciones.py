"""Conditions of a layout as polars expressions, over a record's own columns or over references to the control and name.

A clause about a cell that is itself at fault is null, so that nobody is blamed twice.
"""

from __future__ import annotations

from collections.abc import Callable

from pisis_batch.frames import pl
from pisis_batch.layouts import CATALOGS, Clause, Condition, Field, Not, Record, Span, Test
from pisis_batch.layouts.relation import WIDEST_SUMMED

#: Gives the column of a name: a field of the record, or what `control.field` or `name.part` says.
Columns = Callable[[str], "pl.Expr"]


def _own(name: str) -> pl.Expr:
    return pl.col(name)


def holds(condition: Condition, record: Record, columns: Columns = _own, cut: pl.Expr | None = None) -> pl.Expr:
    """Whether a condition holds. `cut` is the cut date that ages are reckoned at; without it an age never decides."""
    return pl.all_horizontal(
        [_decided(clause, name, record, columns, cut) for name, clause in condition.items()] or [pl.lit(value=True)]
    )


def _decided(clause: Clause, name: str, record: Record, columns: Columns, cut: pl.Expr | None) -> pl.Expr:
    """Whether a clause holds; null where its cell is at fault."""
    governing, column = record.by_name.get(name), columns(name)
    met = meets(clause, column, governing, cut)
    if governing is None:
        return met
    known = known_values(governing)
    if known is not None:
        met = pl.when(column.is_in(known)).then(met)
    # a governing cell that is empty because of its own condition decides: the clause does not hold
    for condition, empty_when in ((governing.only_if, False), (governing.empty_if, True)):
        if condition and name not in condition:
            own = holds(condition, record, columns, cut)
            met = pl.when((column == "") & (own if empty_when else ~own)).then(_of_nothing(clause)).otherwise(met)
    if known is not None and not governing.required and not governing.condition:
        met = pl.when(column == "").then(_of_nothing(clause)).otherwise(met)
    return met


def _of_nothing(clause: Clause) -> pl.Expr:
    """Whether a clause holds of a cell that is rightly empty."""
    if isinstance(clause, Test):
        return pl.lit(value=clause.filled is False or clause.real is False)
    return pl.lit(value=False) if isinstance(clause, Not) else pl.lit(value="" in clause)


def meets(clause: Clause, column: pl.Expr, field: Field | None = None, cut: pl.Expr | None = None) -> pl.Expr:
    """Whether a column's values satisfy a clause, each cell by itself."""
    if isinstance(clause, Not):
        return ~column.is_in(list(clause.values))
    if not isinstance(clause, Test):
        return column.is_in(list(clause))
    parts = []
    if clause.has:
        parts.append(_includes(column, field, clause.has))
    if clause.lacks:
        parts.append(~_includes(column, field, clause.lacks))
    if clause.number:
        parts.append(within(column, clause.number))
    if clause.real is not None:
        parts.append(real(column, field) == clause.real)
    if clause.filled is not None:
        parts.append((column != "") == clause.filled)
    if clause.age:
        unit, span = clause.age
        parts.append(_spanned(age(column, cut, unit), span) if cut is not None else pl.lit(None, dtype=pl.Boolean))
    return pl.all_horizontal(parts)


def known_values(field: Field) -> list[str] | None:
    """Every value a field can rightly hold, when they can be told."""
    if field.allowed is not None:
        return list(field.allowed)
    catalog = CATALOGS.get(field.catalog or "")
    return None if catalog is None or catalog.elsewhere else list(catalog.codes)


def _includes(column: pl.Expr, field: Field | None, codes: tuple[str, ...]) -> pl.Expr:
    sign = (field.list if field else None) or ","
    enclosed = pl.concat_str([pl.lit(sign), column, pl.lit(sign)])
    return pl.any_horizontal([enclosed.str.contains(f"{sign}{code}{sign}", literal=True) for code in codes])


def real(column: pl.Expr, field: Field | None, absent: tuple[str, ...] = ()) -> pl.Expr:
    """Whether a cell holds a value that is neither empty, nor a wildcard of its field, nor stands for nothing."""
    return ~column.is_in(["", *((field.sentinels or ()) if field else ()), *absent])


def number(column: pl.Expr) -> pl.Expr:
    """Text as a number with four decimals; null when it is none, or has more than `WIDEST_SUMMED` digits.

    Wider ones break the rule of their field's length; let in here, two of them together would no longer fit.
    """
    return column.cast(pl.Decimal(WIDEST_SUMMED + 4, 4), strict=False).cast(pl.Decimal(38, 4))


def day(column: pl.Expr) -> pl.Expr:
    """Text as a date; null when it is none."""
    return column.str.to_date("%Y-%m-%d", strict=False)


def within(column: pl.Expr, span: Span) -> pl.Expr:
    """Whether text lies within limits, as a date or as a number; null when it is neither."""
    if span.dated:
        written = pl.when(day(column).is_not_null()).then(column)  # the standard form sorts as text
        return _between(written, span.low or None, span.high or None)
    return _spanned(column.cast(pl.Float64, strict=False), span)


def _spanned(amount: pl.Expr, span: Span) -> pl.Expr:
    return _between(amount, float(span.low) if span.low else None, float(span.high) if span.high else None)


def _between(amount: pl.Expr, low: float | str | None, high: float | str | None) -> pl.Expr:
    parts = [amount >= pl.lit(low)] if low is not None else []
    if high is not None:
        parts.append(amount <= pl.lit(high))
    return pl.all_horizontal(parts)


def age(birth: pl.Expr, cut: pl.Expr, unit: str) -> pl.Expr:
    """Completed years, completed months or days between a written date and the cut date (a Date expression)."""
    born = day(birth)
    if unit == "days":
        return (cut - born).dt.total_days()
    months = (cut.dt.year().cast(pl.Int32) - born.dt.year()) * 12 + cut.dt.month().cast(pl.Int32) - born.dt.month()
    months = months - (cut.dt.day() < born.dt.day()).cast(pl.Int32)
    return months if unit == "months" else months // 12


def shown(amount: pl.Expr) -> pl.Expr:
    """A decimal of four places without the zeros it does not need."""
    return amount.cast(pl.String).str.replace(r"\.?0+$", "")
