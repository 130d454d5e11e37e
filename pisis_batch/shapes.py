r"""The expression of what one field may hold, by its type, lengths and lists, whatever the rest of the line.

    { type = "D", max = 6, decimals = 2 } -> (?:[0-9]{1,3}(?:\.[0-9]{1,2})?)

As sound, and no more complete, as `accepting`, which says when a field is filled at all.
"""

import re

from pisis_batch.layouts import CATALOGS, Field

_MOST_CODES = 2_000  # of a reference table that is spelled out
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


def table_codes(field: Field) -> tuple[str, ...] | None:
    """The codes of the field's reference table when they are known here."""
    catalog = CATALOGS.get(field.catalog or "")
    return None if catalog is None or catalog.elsewhere else tuple(catalog.codes)


def closed_values(field: Field) -> tuple[str, ...] | None:
    """Every acceptable value of a field with a list or a table; None for an open field."""
    table = table_codes(field)
    listed = field.allowed if field.allowed is not None else table
    if listed is None:
        return None
    both = [value for value in listed if table is None or value in table]
    shape = _shape(field) if field.allowed is None or field.type in "DF" or field.format else _text(field, 1, 200)
    return tuple(value for value in both if shape is not None and re.fullmatch(shape, value))


def filled(field: Field, among: tuple[str, ...] | None = None) -> str | None:
    """An expression of the sound values of a field, one of `among` where given; None when there is none."""
    closed = closed_values(field)
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
