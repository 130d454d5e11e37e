"""The cells of a small file that nothing vouches for, one line after another in plain Python.

Starting polars takes longer than a look at some thousand lines. So the accepting expressions are matched here with
Python's `re`, first with whole lines and then, of the lines that are not accepted, with each cell in the case of its line;
only the fields left over are held against the rule table. As sound as the expressions (`tests/test_accepting.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pisis_batch import accepting
from pisis_batch.layouts import Field, Record
from pisis_batch.model import Row

_CODE = re.compile("[A-Z0-9]+")
_Way = tuple[re.Pattern[str], frozenset[int] | None]  # what a cell may be, and in which cases; None: in any


@dataclass(frozen=True, slots=True)
class _Known:
    """What is accepted of a record's cells: the cases a line may be in, and by field the ways to be right."""

    record: Record
    cases: Sequence[accepting.Case]
    ways: Mapping[str, Sequence[_Way]]


_KNOWN: dict[int, _Known] = {}


def lines(rows: Sequence[Row], record: Record) -> list[Row]:
    """The rows that the accepting expression does not accept; where a record has none, all."""
    matcher = accepting.matcher(record)
    return list(rows) if matcher is None else [row for row in rows if not matcher.fullmatch("|".join(row[1:]))]


def fields(rows: Sequence[Row], record: Record) -> list[str]:
    """The fields of which any row has a cell that is not vouched for, in their order."""
    known = _KNOWN.get(id(record)) or _KNOWN.setdefault(id(record), _known(record))
    cases = [_case(row, known) for row in rows]
    return [
        name
        for place, (name, ways) in enumerate(known.ways.items(), start=1)
        if not all(
            _vouched(row[place], case, ways) and _beyond(row[place], record.fields[place - 1])
            for row, case in zip(rows, cases, strict=True)
        )
    ]


def _vouched(cell: str, case: int | None, ways: Sequence[_Way]) -> bool:
    return any((among is None or case in among) and way.fullmatch(cell) for way, among in ways)


def _beyond(cell: str, field: Field) -> bool:
    """Whether a cell is right in what no expression says: limits, and a list that is of one code."""
    if cell == "":
        return True
    wild = cell in (field.sentinels or ())
    if field.range is not None and not wild and not field.range.contains(cell):
        return False
    if not field.list:
        return True
    led = cell[0] == "0" and len(cell) > 1 and field.type != "A" and not field.leading_zeros
    fits = (field.min or 1) <= len(cell) <= (field.max or len(cell))
    return cell in field.options and _CODE.fullmatch(cell) is not None and fits and not led


def _known(record: Record) -> _Known:
    plainer = record.but(fields=tuple(map(_plainer, record.fields)))
    dark = {field.name for field in plainer.fields if not accepting.understood(field, plainer)}
    shady = dark | {
        field.name for field in record.fields if field.list
    }  # of which the conditions know less than it seems
    while more := {field.name for field in plainer.fields if field.name not in dark and _governors(field) & shady}:
        dark, shady = dark | more, shady | more
    lit = tuple(field for field in plainer.fields if field.name not in dark)
    plainer = plainer.but(fields=lit)
    cases, patterns = accepting.cells(plainer)
    ways = {
        field.name: [
            (re.compile(pattern), None if among is None else frozenset(among))
            for pattern, among in patterns.get(field.name, {}).items()
        ]
        for field in record.fields
    }
    return _Known(record, cases, ways)


def _governors(field: Field) -> set[str]:
    return {name for condition in (field.only_if, field.required_if, field.empty_if) for name in condition or ()}


def _plainer(field: Field) -> Field:
    """The field without what `_beyond` looks at."""
    if field.list and not field.values:
        return field
    return field.but(range=None, range_severity="error", list=None, exclusive=())


def _case(row: Row, known: _Known) -> int | None:
    """Which case a line is in; None for one that was not spelled out."""
    places = known.record.places
    for number, case in enumerate(known.cases):
        if all(row[places[name]] in among if among else row[places[name]] for name, among in case.items()):
            return number
    return None
