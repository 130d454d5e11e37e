r"""From a layout to one regular expression per record type that accepts only lines without a fault in any cell.

    record.perfil -> (?:3\|(?:0|[1-9][0-9]{0,9})\|(?:CC|CE|CD|PA|PT)\|…)

Sound, not complete: a line it accepts has no fault, and a line it does not accept is only a suspect that the rule
table then judges. So it may be narrower than the rules wherever that is simpler (a word of a name is at most so long),
and it refuses a record altogether when its layout says anything that is not understood here. `tests/test_accepting.py`
holds it to that. The syntax is what Python's `re` and the Rust engine of polars have in common.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice, product

from pisis_batch import shapes
from pisis_batch.layouts import Clause, Condition, Field, Not, Record, Test

#: What this module understands. An attribute that is set and not named here makes a record not acceptable.
_FIELD = frozenset(
    {
        *("name", "label", "type", "constant", "reserved", "max", "min", "required", "required_if", "only_if"),
        *("empty_if", "values", "table", "catalog", "format", "sentinels", "decimals", "integers", "digits"),
        *("negative", "same_as", "chars", "case", "accents", "leading_zeros", "alias", "unread", "datum", "note"),
    }
)
_RECORD = frozenset({"name", "label", "occurs", "unique", "fields", "action", "stop", "note"})
_MOST_BRANCHES = 64  # of the conditions of a record


Case = Mapping[str, tuple[str, ...] | None]  # governing field -> the values it has here; None: any, but not empty


class _Accepted:
    """What is accepted of a record, each form of it made when it is first asked for."""

    def __init__(self, record: Record) -> None:
        self._record = record

    @cached_property
    def expression(self) -> str | None:
        return _expression(self._record)

    @cached_property
    def matcher(self) -> re.Pattern[str] | None:
        return None if self.expression is None else re.compile(self.expression)


_KNOWN: dict[int, _Accepted] = {}


def expression(record: Record) -> str | None:
    """The accepting expression of a record type, to be matched with a whole line; None when nothing is accepted."""
    return _known(record).expression


def matcher(record: Record) -> re.Pattern[str] | None:
    """The same, compiled for Python."""
    return _known(record).matcher


def cells(record: Record) -> tuple[list[Case], dict[str, dict[str, list[int] | None]]]:
    """The cases of a record, and per field the expressions that accept its cell, each with the cases it does so in.

    None for the cases: whatever the rest of the line holds. A field that is not named is never vouched for. As sound
    as the whole: a cell accepted in its case has no fault.
    """
    if not (record.said <= _RECORD and all(understood(field, record) for field in record.fields)):
        return [], {}
    cases = list(islice(_cases(record), _MOST_BRANCHES))
    found: dict[str, dict[str, list[int] | None]] = {}
    for field in record.fields:
        own: dict[str, list[int] | None] = found.setdefault(field.name, {})
        if not _conditions(field) and all(field.name not in case for case in cases):
            if (pattern := _cell(field, record, {})) is not None:
                own[pattern] = None
            continue
        for number, case in enumerate(cases):
            if (pattern := _cell(field, record, case)) is not None:
                own[pattern] = [*(own.get(pattern) or []), number]
    return cases, found


def _known(record: Record) -> _Accepted:
    """Built once for each record, which is kept with it so that its identity stays its own."""
    return _KNOWN.get(id(record)) or _KNOWN.setdefault(id(record), _Accepted(record))


def _expression(record: Record) -> str | None:
    if not (record.said <= _RECORD and all(understood(field, record) for field in record.fields)):
        return None
    branches = [branch for case in islice(_cases(record), _MOST_BRANCHES) if (branch := _branch(record, case))]
    return _joined(branches) if branches else None


def understood(field: Field, record: Record) -> bool:
    """Whether a field says only what is understood here, and depends on nothing but values of its own line."""
    clauses = [item for condition in _conditions(field) for item in condition.items()]
    own = all(name in record.by_name and not isinstance(clause, Test) for name, clause in clauses)
    return own and field.said <= _FIELD


def _conditions(field: Field) -> tuple[Condition, ...]:
    return tuple(found for found in (field.only_if, field.required_if, field.empty_if) if found)


def _joined(branches: list[tuple[str, ...]]) -> str:
    """Alternatives with what they share at either end said once."""
    first = branches[0]
    if len(branches) == 1:
        return r"\|".join(first)
    width = len(first)
    head = next((n for n in range(width) if any(branch[n] != first[n] for branch in branches)), width)
    tail = next((n for n in range(width - head) if any(branch[-1 - n] != first[-1 - n] for branch in branches)), 0)
    middles = dict.fromkeys(r"\|".join(branch[head : width - tail]) for branch in branches)
    parts = [*first[:head], f"(?:{'|'.join(middles)})", *first[width - tail :]]
    return r"\|".join(parts)


def _cases(record: Record) -> Iterator[Case]:
    """Every combination of values of the governing fields, those that mean the same to all conditions together."""
    clauses: dict[str, list[tuple[str, ...]]] = {}
    for field in record.fields:
        for name, clause in (item for condition in _conditions(field) for item in condition.items()):
            clauses.setdefault(name, []).append(_values(clause))
    groups = [_groups(record.by_name[name], listed) for name, listed in clauses.items()]
    for chosen in product(*groups):
        yield dict(zip(clauses, chosen, strict=True))


def _groups(field: Field, listed: list[tuple[str, ...]]) -> list[tuple[str, ...] | None]:
    """The values a governing field may take, those told apart by no clause in one group; and no value at all."""
    known = shapes.closed_values(field)
    by_meaning: dict[tuple[bool, ...], list[str]] = {}
    named = dict.fromkeys(value for values in listed for value in values if value)
    for value in known if known is not None else named:
        by_meaning.setdefault(tuple(value in values for values in listed), []).append(value)
    groups: list[tuple[str, ...] | None] = [tuple(values) for values in by_meaning.values()]
    if known is None and not named:
        groups.append(None)
    return [*groups, ("",)]


def _branch(record: Record, case: Case) -> tuple[str, ...] | None:
    """One expression per cell for lines in this case; None when there is no such line."""
    cells = [_cell(field, record, case) for field in record.fields]
    return None if None in cells else tuple(cell for cell in cells if cell is not None)


def _cell(field: Field, record: Record, case: Case) -> str | None:
    """What a cell may hold in this case, the empty expression for nothing; None when there is no way to be sound."""
    among = case.get(field.name)
    filled = None if field.reserved or among == ("",) else shapes.filled(field, among)
    empty = field.name not in case or among == ("",)
    stopped = _holds(field.empty_if, record, case) if field.empty_if else False
    holds = _holds(field.condition, record, case) if field.condition else None
    needed = holds is True if field.condition else field.required and not field.reserved
    if needed and stopped is False:
        empty = False
    if stopped is True or (field.only_if and holds is False):
        filled = None
    if filled is None:
        return "" if empty else None
    return f"(?:{filled})?" if empty else filled


def _holds(condition: Condition, record: Record, case: Case) -> bool | None:
    """Whether a condition holds, as `validators.condiciones` decides it: None when a governing cell leaves it open."""
    met = [_met(record.by_name[name], clause, record, case) for name, clause in condition.items()]
    return False if False in met else None if None in met else True


def _met(field: Field, clause: Clause, record: Record, case: Case) -> bool | None:
    among, inside = case[field.name], False
    if among == ("",):
        known = field.allowed is not None or shapes.table_codes(field) is not None
        if (known and not field.required and not field.condition) or _rightly_empty(field, record, case):
            return not isinstance(clause, Not) and "" in _values(clause)
        if known:
            return None
    if among is not None:
        inside = among[0] in _values(clause)
    return not inside if isinstance(clause, Not) else inside


def _rightly_empty(field: Field, record: Record, case: Case) -> bool:
    """Whether a field is empty because of its own condition."""
    for condition, empty_when in ((field.only_if, False), (field.empty_if, True)):
        if condition and field.name not in condition and _holds(condition, record, case) is empty_when:
            return True
    return False


def _values(clause: Clause) -> tuple[str, ...]:
    return clause.values if isinstance(clause, Not) else () if isinstance(clause, Test) else clause
