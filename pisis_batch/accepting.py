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

from pisis_batch.layouts import CATALOGS, Clause, Condition, Field, Not, Record, Test

#: What this module understands. An attribute that is set and not named here makes a record not acceptable.
_FIELD = frozenset(
    {
        *(
            "name",
            "label",
            "type",
            "constant",
            "reserved",
            "max",
            "min",
            "required",
            "required_if",
            "only_if",
            "empty_if",
        ),
        *("values", "table", "catalog", "format", "sentinels", "decimals", "integers", "digits", "negative", "same_as"),
        *("chars", "case", "accents", "leading_zeros", "alias", "unread", "datum", "note"),
    }
)
_RECORD = frozenset({"name", "label", "occurs", "unique", "fields", "action", "stop", "note"})
_MOST_CODES = 2_000  # of a reference table that is spelled out
_MOST_BRANCHES = 64  # of the conditions of a record
_OPEN_LENGTH = 18  # of a number without a maximum
_LEAP = "(?:(?:19|20|21)(?:0[48]|[2468][048]|[13579][26])|2000)"
_DATE = (
    "(?:(?:19|20|21)[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_WRITTEN = {"F": (_DATE, 10), "H": (_TIME, 5)}  # type -> form and width
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
# printable ASCII without lower case, quotation marks and pipes, with Ñ; the ends take no space, the start no apostrophe
_TEXT, _TEXT_START, _TEXT_END = " !#-`{}~Ñ", "!#-&(-`{}~Ñ", "!#-`{}~Ñ"
_SIGNS = frozenset("-./_,:;()#*+&%@=")
_META = frozenset(r"\.+*?()|[]{}^$")
_MAIL_WORD, _MAIL_LABEL = "[A-Za-z0-9_+-]", "[A-Za-z0-9]"
_MAIL_TOP, _MAIL_SHORT = 8, 8  # letters of a top domain; a label that may not be this long is not worth an expression
_NAME_WORD = "[A-ZÑ]"


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
    known = _closed(field)
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
    filled = None if field.reserved or among == ("",) else _filled(field, among)
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
        known = field.allowed is not None or _table(field) is not None
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


def _table(field: Field) -> tuple[str, ...] | None:
    """The codes of the field's reference table when they are known here."""
    catalog = CATALOGS.get(field.catalog or "")
    return None if catalog is None or catalog.elsewhere else tuple(catalog.codes)


def _closed(field: Field) -> tuple[str, ...] | None:
    """Every acceptable value of a field with a list or a table; None for an open field."""
    table = _table(field)
    listed = field.allowed if field.allowed is not None else table
    if listed is None:
        return None
    both = [value for value in listed if table is None or value in table]
    shape = _shape(field) if field.allowed is None or field.type in "DF" or field.format else _text(field, 1, 200)
    return tuple(value for value in both if shape is not None and re.fullmatch(shape, value))


def _filled(field: Field, among: tuple[str, ...] | None = None) -> str | None:
    """An expression of the sound values of a field, one of `among` where given; None when there is none."""
    closed = _closed(field)
    if closed is None and among is None:
        return _shape(field)
    if closed is None:
        shape = _shape(field)
        closed = tuple(value for value in among or () if shape and re.fullmatch(shape, value))
    elif among is not None:
        closed = tuple(value for value in closed if value in among)
    if not 0 < len(closed) <= _MOST_CODES:
        return None
    return closed[0] if len(closed) == 1 and closed[0].isalnum() else f"(?:{'|'.join(map(_literal, closed))})"


def _literal(value: str) -> str:
    return "".join(f"\\{sign}" if sign in _META else sign for sign in value)


def _shape(field: Field) -> str | None:
    """What the type, the format and the lengths allow."""
    least, most = field.min or 1, field.max
    if field.format:
        formats = {"correo": _mail, "nombre": _name}
        return formats[field.format](least, most) if field.type in "AT" else None
    if field.type in _WRITTEN:
        form, width = _WRITTEN[field.type]
        others = [_literal(day) for day in field.sentinels or () if field.type == "F" and _DAY.fullmatch(day)]
        return f"(?:{'|'.join([form, *others])})" if least <= width <= (most or width) else None
    if field.type == "D":
        return _decimal(field, most or _OPEN_LENGTH) if field.min is None else None
    if field.type == "N":
        most = most or max(_OPEN_LENGTH, least)
    if most is None or most < least:
        return None
    return {"N": _number, "A": _alphanumeric, "T": _text}[field.type](field, least, most)


def _alphanumeric(field: Field, least: int, most: int) -> str:
    signs = "".join(f"\\{sign}" for sign in dict.fromkeys(field.chars) if sign in _SIGNS)
    return f"[A-Z{'a-z' if field.case == 'any' else ''}0-9Ñ{signs}]{{{least},{most}}}"


def _number(field: Field, least: int, most: int) -> str:
    if field.leading_zeros:
        return f"[0-9]{{{least},{most}}}"
    zero = "0|" if least == 1 else ""
    return f"(?:{zero}[1-9][0-9]{{{least - 1},{most - 1}}})"


def _decimal(field: Field, most: int) -> str | None:
    places = 2 if field.decimals is None else field.decimals
    room = most - (places + 1 if places else 0) - (1 if field.negative else 0)
    whole = min(room, field.integers or room, (field.digits or most) - places)
    if whole < 1:
        return None
    point = f"(?:\\.[0-9]{{1,{places}}})?" if places else ""
    return f"(?:{'-?' if field.negative else ''}[0-9]{{1,{whole}}}{point})"


def _text(field: Field, least: int, most: int) -> str:
    lower = "a-z" if field.case == "any" else ""
    start, inside, end = f"[{_TEXT_START}{lower}]", f"[{_TEXT}{lower}]", f"[{_TEXT_END}{lower}]"
    if most == 1:
        return start
    inner = f"{start}{inside}{{{max(least - 2, 0)},{most - 2}}}{end}"
    return f"(?:{inner})" if least > 1 else f"(?:{start}(?:{inside}{{0,{most - 2}}}{end})?)"


def _name(least: int, most: int | None) -> str | None:
    """Up to four words, each so short that together they fit."""
    if least > 1 or most is None:
        return None
    words = next((n for n in (4, 3, 2, 1) if (most - n + 1) // n >= min(most, 7)), 1)  # 7: a fair length
    longest = (most - words + 1) // words
    word = f"{_NAME_WORD}{{1,{longest}}}"
    return f"(?:{word}(?:[ '-]{word}){{0,{words - 1}}})" if words > 1 else word


def _mail(least: int, most: int | None) -> str | None:
    """One or two words, and up to three labels before the last, each so short that together they fit."""
    longest = 254 if most is None else most
    word = min(20, longest // 5)
    for labels in (3, 2):
        label = min(24, (longest - 2 * word - len(".@") - _MAIL_TOP) // labels - 1)
        if least <= len("a@b.co") and label >= _MAIL_SHORT:
            local = f"{_MAIL_WORD}{{1,{word}}}(?:\\.{_MAIL_WORD}{{1,{word}}})?"
            halves = f"{_MAIL_LABEL}{{1,{label // 2}}}-{_MAIL_LABEL}{{1,{label - label // 2 - 1}}}"
            whole = f"(?:{_MAIL_LABEL}{{1,{label}}}|{halves})\\."
            return f"(?:{local}@(?:{whole}){{1,{labels}}}[A-Za-z]{{2,{_MAIL_TOP}}})"
    return None
