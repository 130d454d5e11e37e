"""Every cell at fault: the lines that the accepting expression does not vouch for, held against the rule table.

Few suspects are judged by one expression for all fields. Of many, each cell is first held against what its field may
hold in the case of its line, and only what that does not accept is judged; where a record has no such expressions, its
pandera schema says which fields need to be looked at. All read the same table and find the same (held to it in tests).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pisis_batch import accepting
from pisis_batch.frames import Columns, pl
from pisis_batch.layouts import Field, Record
from pisis_batch.model import FINDINGS, Brief, Doubts, Row
from pisis_batch.validators import suspects
from pisis_batch.validators.celdas import fault_place, faults
from pisis_batch.validators.rule import RULES, literal_details

MANY = 2_000  # suspects above which looking at each cell twice is worth it
FEW = 20_000  # suspects below which the fixed cost of pandera is not worth it
_SMALL = 1_000  # rows below which Python matches faster than polars starts
_CASES = 16  # more than this many cases of a line take longer to tell apart than the rules take
_FINE = 2**16 - 1  # the place of no fault
_COMPARED = 8  # values up to which a comparison with each is quicker than a look into a set
_LIST = re.compile(r"(?:\(\?:)?((?:[A-Z0-9]+(?:\|[A-Z0-9]+)*)?)\)?")  # an expression of nothing but some codes, or none
_ODD = re.compile(r"(?:^|\|)[ ']|\"| (?:\||$)")  # in cells of ASCII that can be printed, a pipe between each two
_PLACED = Columns(line="UInt32", place="UInt16", value="String")
_CASE = "\x00case"  # no field has this name


@dataclass(frozen=True, slots=True)
class _Table:
    """What is asked of the cells of a record.

    places: per field, the fault of each cell as its place among all faults of the record. asked: per field, the columns
    that its faults look at. doubtful: per field, whether its cell is not vouched for, by the column of cases that `case`
    makes, a bit for each. kinds: what each place stands for; said: the same as rows. alone: per field, and whether any of
    its cells is odd, each fault as a column of its own, named by its place; made when first needed.
    """

    record: Record
    places: Mapping[str, pl.Expr]
    asked: Mapping[str, list[str]]
    case: pl.Expr | None
    doubtful: Mapping[str, pl.Expr]
    kinds: pl.DataFrame
    said: Sequence[tuple[Any, ...]]
    alone: dict[tuple[str, bool], dict[int, pl.Expr]]


_TABLES: dict[int, _Table] = {}


def cell_findings(frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Every cell at fault in one record type's frame, each with its first fault."""
    if isinstance(frame, pl.LazyFrame):
        raise TypeError("a lazy frame has no rows to judge: collect it first")
    left = frame if frame.is_empty() else suspicious(frame, record)
    return FINDINGS.none if left.is_empty() else of_suspects(left, record).in_full()


def plain_findings(rows: Sequence[Row], record: Record) -> list[Row]:
    """The same of rows in plain Python: polars sees only the cells that nothing vouches for."""
    left = suspects.lines(rows, record)
    names = suspects.fields(left, record) if left else ()
    if not names:
        return []
    table, at = _table_of(record), record.places
    asked = dict.fromkeys(other for name in names for other in table.asked[name])
    cells = {name: [row[at[name]] for row in left] for name in asked}
    frame = pl.DataFrame([pl.Series(name, column, dtype=pl.String) for name, column in cells.items()])
    columns = {name: _alone(name, odd=any_odd(cells[name]), table=table) for name in names}
    wrong = frame.with_columns(column for own in columns.values() for column in own.values())
    return [
        (*said[:3], row[0], *said[3:6], cell, said[6])
        for name, own in columns.items()
        for row, cell, place in zip(left, cells[name], _first(own, wrong), strict=True)
        if place is not None
        for said in [table.said[place]]
    ]


def _first(places: Iterable[int], wrong: pl.DataFrame) -> list[int | None]:
    """Of each row the place of its first fault, or None."""
    found: list[int | None] = [None] * wrong.height
    for place in places:
        column = wrong[str(place)]
        for row, at_fault in enumerate(column.to_list() if column.any() else ()):
            if at_fault and found[row] is None:
                found[row] = place
    return found


def any_odd(cells: Iterable[str]) -> bool:
    """Whether a cell has other than plain signs (see `Fault`); of those with pipes inside it may be said wrongly."""
    told = "|".join(cells)
    return not told.isascii() or not told.isprintable() or _ODD.search(told) is not None


def _alone(name: str, *, odd: bool, table: _Table) -> dict[int, pl.Expr]:
    """The faults that the cells of a field may have, each by itself: one expression of all takes half as long again."""
    if (name, odd) not in table.alone:
        offset = next(place for place, said in enumerate(table.said) if said[5] == name)
        every = enumerate(faults(table.record.by_name[name], table.record), start=offset)
        table.alone[name, odd] = {
            place: found.wrong.alias(str(place)) for place, (_, found) in every if odd or not found.odd
        }
    return table.alone[name, odd]


def of_suspects(left: pl.DataFrame, record: Record) -> Brief:
    """The same of rows, one at least, that the accepting expression does not accept."""
    table = _table_of(record)
    if left.height >= MANY and table.doubtful:
        return _told(_by_cell(left, table), table)
    if left.height < FEW:
        return _told(_by_expression(left, table, table.places), table)
    from pisis_batch.validators.schemas import failed  # noqa: PLC0415 pandera takes longer to load than a file to judge

    names = failed(left, record)
    asked = {name: those for name, those in table.asked.items() if name in names}
    return _told([_placed(left.select("line", *those), name, table) for name, those in asked.items()], table)


def asked_with(record: Record) -> Mapping[str, Sequence[str]]:
    """Of each field the fields that its cells are asked with, itself among them."""
    return _table_of(record).asked


def of_doubts(doubts: Doubts, record: Record) -> Brief:
    """The cells at fault among those that nothing vouches for; each kind of them is judged once."""
    import numpy as np  # noqa: PLC0415 only a large file needs it

    table = _table_of(record)
    names = [field.name for field in record.fields]
    faults, rows = np.empty(len(doubts.fields), np.uint16), np.empty(len(doubts.fields), np.uint32)
    values: list[pl.DataFrame] = []
    first = 0
    for field, (name, text) in enumerate(zip(names, doubts.texts, strict=True)):
        own = np.flatnonzero(doubts.fields == field)
        if not len(own):
            continue
        asked = [other for other in names if other in table.asked[name]]
        cells = _column(text)
        frame = pl.DataFrame([cells.gather_every(len(asked), place).alias(other) for place, other in enumerate(asked)])
        judged = frame.select(place=table.places[name].fill_null(_FINE), value=name)
        faults[own], rows[own] = judged["place"].to_numpy(), np.arange(first, first + len(own))
        values.append(judged.select("value"))
        first += len(own)
    found = faults[doubts.kinds]
    wrong = found != _FINE
    value = pl.concat(values)["value"].gather(pl.Series(rows[doubts.kinds[wrong]]))
    return Brief(table.kinds, pl.Series(found[wrong]), pl.Series(doubts.lines[wrong]), value)


def _column(text: str) -> pl.Series:
    """Cells, each with an LF after it, as a column; polars reads them as lines at a quarter of the cost of a list."""
    if "\r" not in text:  # one before an LF would be no part of its line
        column = pl.read_lines(text.encode()).to_series()
        if column.len() == text.count("\n"):
            return column
    return pl.Series(text.split("\n")[:-1], dtype=pl.String)


def _table_of(record: Record) -> _Table:
    return _TABLES.get(id(record)) or _TABLES.setdefault(id(record), _table(record))


def suspicious(frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """The rows that the accepting expression does not accept."""
    matcher, pattern = accepting.matcher(record), accepting.expression(record)
    if matcher is None:
        return frame
    cells = frame.select(field.name for field in record.fields)
    if frame.height < _SMALL:
        doubtful = [place for place, row in enumerate(cells.iter_rows()) if not matcher.fullmatch("|".join(row))]
        return frame[doubtful] if doubtful else frame.clear()
    line = pl.concat_str(cells.columns, separator="|")
    return frame.filter(~line.str.contains(f"^(?:{pattern})$"))


def _by_expression(frame: pl.DataFrame, table: _Table, names: Iterable[str]) -> list[pl.DataFrame]:
    """Several fields in one go."""
    places = frame.select(table.places[name].alias(name) for name in names)
    return [
        frame.select("line", place=column, value=pl.col(column.name)).drop_nulls("place")
        for column in places
        if column.null_count() < frame.height
    ]


def _by_cell(frame: pl.DataFrame, table: _Table) -> list[pl.DataFrame]:
    """Only the cells that are not vouched for."""
    cased = frame if table.case is None else frame.with_columns(table.case.alias(_CASE))
    doubts = cased.select(doubt.alias(name) for name, doubt in table.doubtful.items())
    found = []
    for name, asked in table.asked.items():
        cells = frame.select("line", *asked)
        found.append(_placed(cells.filter(doubts[name]) if name in doubts.columns else cells, name, table))
    return found


def _placed(cells: pl.DataFrame, name: str, table: _Table) -> pl.DataFrame:
    """Of a field's cells, with those they are asked with, the ones that are at fault, each with the place of its fault.

    What is wrong with a cell depends on those alone: the same cells are judged once.
    """
    if cells.is_empty():
        return cells.select("line", place=pl.lit(None, dtype=pl.UInt16), value=pl.col(name))
    kinds = cells.group_by(table.asked[name]).agg("line")
    return kinds.select("line", place=table.places[name], value=name).drop_nulls("place").explode("line")


def _told(found: list[pl.DataFrame], table: _Table) -> Brief:
    """Findings from the places of the faults, field by field."""
    rows = pl.concat([_PLACED.none, *found])
    return Brief(table.kinds, rows["place"], rows["line"], rows["value"])


def _table(record: Record) -> _Table:
    places: dict[str, pl.Expr] = {}
    kinds: list[tuple[Any, ...]] = []
    for field in record.fields:
        places[field.name] = fault_place(field, record) + pl.lit(len(kinds), dtype=pl.UInt16)
        kinds += _kinds(field, record)
    schema = {name: kind for name, kind in FINDINGS.items() if name not in {"line", "value"}}
    cases, patterns = accepting.cells(record)
    asked = {name: list(dict.fromkeys([name, *place.meta.root_names()])) for name, place in places.items()}
    case: pl.Expr | None = None
    doubtful: dict[str, pl.Expr] = {}
    if len(cases) <= _CASES:
        case = _case_bits(cases) if any(cases) else None
        doubtful = {name: ~_vouched(name, found) for name, found in patterns.items() if found}
    return _Table(record, places, asked, case, doubtful, pl.DataFrame(kinds, schema=schema, orient="row"), kinds, {})


def _bits(cases: Iterable[int]) -> pl.Expr:
    return pl.lit(sum(1 << number for number in cases), dtype=pl.UInt16)


def _case_bits(cases: Sequence[accepting.Case]) -> pl.Expr:
    """The case of a line as a bit; none when it is in no case."""
    told = []
    for name in cases[0]:
        among = {case[name]: [n for n, other in enumerate(cases) if other[name] == case[name]] for case in cases}
        bits = _bits([])
        for values, mine in among.items():
            fits = pl.col(name) != "" if values is None else _one_of(name, values)
            bits = pl.when(fits).then(_bits(mine)).otherwise(bits)
        told.append(bits)
    return reduce(operator.and_, told)


def _one_of(name: str, values: Sequence[str]) -> pl.Expr:
    if len(values) > _COMPARED:
        return pl.col(name).is_in(list(values))
    return pl.any_horizontal(pl.col(name) == value for value in values)


def _vouched(name: str, patterns: Mapping[str, list[int] | None]) -> pl.Expr:
    """Whether a cell can have no fault; never null."""
    ways: dict[str, list[int] | None] = {}
    for pattern, cases in patterns.items():
        filled = next((other for other in patterns if pattern == f"(?:{other})?"), None)
        for one in (pattern,) if filled is None else (filled, ""):
            known = ways.get(one, [])
            ways[one] = None if cases is None or known is None else [*known, *cases]
    told = []
    for pattern, cases in ways.items():
        listed = _LIST.fullmatch(pattern)
        fits = _one_of(name, listed[1].split("|")) if listed else pl.col(name).str.contains(f"^(?:{pattern})$")
        told.append(fits if cases is None else fits & ((pl.col(_CASE) & _bits(set(cases))) != 0))
    return pl.any_horizontal(told)


def _kinds(field: Field, record: Record) -> list[tuple[object, ...]]:
    """What is said of each fault of a field beside its line and value, in the order of FINDINGS."""
    number = record.number(field.name)
    return [
        (
            code,
            found.severity or RULES[code].severity,
            "estructura",
            record.name,
            number,
            field.name,
            literal_details(_official(found.details, field.alias.get(code))),
        )
        for code, found in faults(field, record)
    ]


def _official(details: Mapping[str, str], code: str | None) -> Mapping[str, str]:
    """The details with the official code that the annex gives the fault, if it does."""
    return {**details, "oficial": code} if code else details
