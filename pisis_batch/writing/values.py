"""What a field accepts: a valid value drawn by chance, and neighbours of it that are wrong, each with its code."""

import random
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import islice

from pisis_batch.layouts import CATALOGS, Clause, Field, Span
from pisis_batch.writing.decided import meets, real
from pisis_batch.writing.patterns import drawn

_NAMES = ("ANA", "LUISA", "PEDRO", "JUAN", "MARIA", "ROSA", "EVA", "LUZ", "PEÑA", "RUIZ", "GOMEZ", "DIAZ")
_WORDS = ("MEDICO GENERAL", "ENFERMERA", "AUXILIAR", "ODONTOLOGA", "CONDUCTOR")
_CODES = ("1", "2", "3", "4", "5")  # of a list whose options the source did not give
_FIRST_NUMBER = 1_090_000_000  # the range of fictitious identification numbers
_TRIES = 60
_RECENT = 25  # days before the cut date that a sample's dates lie in
_SENTINEL_SHARE = 0.3

Row = Mapping[str, str]


def value(  # noqa: PLR0911 one return a kind of field
    field: Field, chance: random.Random, cut: date, row: Row | None = None
) -> str:
    """A value the field accepts; `row` has the fields before it, which may govern its length or form."""
    if field.constant is not None:
        return field.constant
    if field.sentinels and chance.random() < _SENTINEL_SHARE:
        return chance.choice(field.sentinels)
    if field.list is not None:
        return _joined(field, options(field) or _CODES, chance)
    if field.allowed is not None:
        return chance.choice(field.allowed)
    if field.pattern_by and row:
        ((governing, cases),) = field.pattern_by.items()
        if row.get(governing) in cases:
            return drawn(cases[row[governing]], chance)
    if field.pattern is not None:
        return _patterned(field, chance)
    catalog = CATALOGS.get(field.catalog or "")
    if catalog and not catalog.elsewhere:
        # citizens' cards only, where there are any: their numbers are easy to make up
        return "CC" if "CC" in catalog.codes else chance.choice(list(catalog.codes))
    return _open(field, chance, cut, row or {})


def options(field: Field) -> tuple[str, ...]:
    """The codes of a closed list or of a table that is written in the layouts."""
    catalog = CATALOGS.get(field.catalog or "")
    return field.options or (tuple(catalog.codes) if catalog and not catalog.elsewhere else ())


def _joined(field: Field, options: tuple[str, ...], chance: random.Random) -> str:
    """One to three codes in order, or one that goes alone."""
    shared = [code for code in options if code not in field.exclusive]
    if field.exclusive and (not shared or chance.random() < _SENTINEL_SHARE):
        return chance.choice(field.exclusive)
    chosen = set(chance.sample(shared, min(len(shared), chance.randint(1, 3))))
    told = (field.list or ",").join(code for code in shared if code in chosen)
    return told if field.max is None or len(told) <= field.max else chance.choice(shared)


def _patterned(field: Field, chance: random.Random) -> str:
    for _ in range(_TRIES):
        made = drawn(field.pattern or "", chance)
        fits = field.max is None or len(made) <= field.max
        if fits and (field.range is None or field.range.contains(made)) and (made.isdigit() or field.type != "N"):
            return made
    return made


def _open(  # noqa: PLR0911 one return a kind of field
    field: Field, chance: random.Random, cut: date, row: Row
) -> str:
    if field.format == "correo":
        return f"USUARIO{chance.randrange(10**6)}@ENTIDAD.EXAMPLE"
    if field.format == "nombre" or field.datum == "nombre":
        return chance.choice(_NAMES)
    if field.type == "F":
        return _day(field, chance, cut)
    if field.type == "H":
        return f"{chance.randrange(24):02}:{chance.randrange(60):02}"
    if field.range is not None:
        return _ranged(field, field.range, chance)
    if field.type == "D":
        return _decimal(field, chance)
    low, high = _lengths(field, row)
    if field.datum == "id" and high >= len(str(_FIRST_NUMBER)) >= low:
        return str(_FIRST_NUMBER + chance.randrange(9_999_999))
    if field.type == "N":
        wide = min(high, 10)
        first = 10 ** (max(low, 1) - 1)
        return str(chance.randrange(first, max(10**wide, first + 1)))
    if field.type == "A":
        many = max(low, min(high, 3 if field.datum != "id" else 10))
        return "".join(chance.choice("ABCDEFGH123456789") for _ in range(many))
    words = chance.choice(_WORDS)
    return words[: field.max or len(words)].strip()


def _lengths(field: Field, row: Row) -> tuple[int, int]:
    """Shortest and longest, as the field and whoever governs it ask."""
    low, high = field.min or 1, field.max or 10
    for governing, cases in (field.length_by or {}).items():
        span = cases.get(row.get(governing, ""))
        if span:
            low, high = max(low, int(span.low or 1)), min(high, int(span.high or high))
    return low, high


def _day(field: Field, chance: random.Random, cut: date) -> str:
    made = cut - timedelta(days=chance.randrange(_RECENT))
    if field.range and not field.range.contains(made.isoformat()):
        return field.range.low or field.range.high
    return made.isoformat()


def _places(field: Field) -> int:
    return 0 if field.type != "D" else 2 if field.decimals is None else field.decimals


def _ranged(field: Field, span: Span, chance: random.Random) -> str:
    """A number within limits and within the field's length."""
    unit = Decimal(1).scaleb(-_places(field))
    low = Decimal(span.low or "0")
    widest = 10 ** min(field.integers or field.max or field.digits or 4, 4)
    high = Decimal(span.high) if span.high else low + widest - 1
    steps = int((high - low) / unit)
    made = low + unit * chance.randrange(max(min(steps, widest), 0) + 1)
    return str(made.quantize(unit, rounding=ROUND_DOWN))


def _decimal(field: Field, chance: random.Random) -> str:
    places = _places(field)
    room = (field.max - places - 1 if places else field.max) if field.max else 4
    whole = max(1, min(4, field.integers or room, (field.digits or 9) - places))
    told = str(chance.randrange(1, 10**whole))
    return f"{told}.{chance.randrange(10**places):0{places}}" if places else told


def satisfying(field: Field, clause: Clause, chance: random.Random, cut: date, row: Row) -> str | None:
    """A value that the field accepts and the clause wants; None when none was found."""
    told = [*clause] if isinstance(clause, tuple) else []
    told += [*(field.sentinels or ()), *(field.allowed or ()), *(options(field) if field.list else ())]
    age = getattr(clause, "age", None)
    if age:
        return _born(age, chance, cut)
    span = getattr(clause, "number", None)
    if span and not field.allowed:
        return _ranged(field, span, chance) if not span.dated else span.low or span.high
    fitting = [one for one in told if meets(clause, one, field, cut) and (one != "" or not field.required)]
    if not field.allowed or not fitting:
        drawn_ones = (value(field, chance, cut, row) for _ in range(_TRIES))
        fitting += [
            made for made in [next((one for one in drawn_ones if meets(clause, one, field, cut)), None)] if made
        ]
    if meets(clause, "", field, cut) and not field.required:
        fitting.append("")
    return chance.choice(fitting) if fitting else None


def _born(age: tuple[str, Span], chance: random.Random, cut: date) -> str:
    """A date of birth of an age within limits."""
    unit, span = age
    days = {"years": 366, "months": 31, "days": 1}[unit]
    low = int(span.low or 0)
    high = int(span.high or low + 20)
    made = cut - timedelta(days=chance.randrange(low * days + 1, max(high * (days - 2), low * days + 2)) + 1)
    return made.isoformat()


def unreal(field: Field, chance: random.Random, absent: tuple[str, ...]) -> str | None:
    """A value that stands for nothing; None when the field has none."""
    found = [*(field.sentinels or ())]
    found += [one for one in absent if (one in field.allowed if field.allowed else field.type in "ANT")]
    found += [] if field.required else [""]
    return chance.choice(found) if found else None


def truly(field: Field, chance: random.Random, cut: date, row: Row, absent: tuple[str, ...]) -> str | None:
    """A value that stands for something."""
    for _ in range(_TRIES):
        made = value(field, chance, cut, row)
        if real(made, field, absent):
            return made
    return None


def neighbours(field: Field, good: str) -> Iterator[tuple[str, str]]:
    """Wrong values beside a good one, each with the code of its fault; only of what the field alone decides."""
    if field.reserved:
        yield "X", "EST031"
        return
    if field.required and not field.condition and not field.empty_if:
        yield "", "EST010"
    if field.list and field.options:
        yield f"{field.options[0]}{field.list} {field.options[-1]}", "EST032"
        yield _stranger(field.options), "EST033"
        if field.exclusive and len(field.options) > len(field.exclusive):
            other = next(code for code in field.options if code not in field.exclusive)
            yield f"{other}{field.list}{field.exclusive[0]}", "EST034"
    elif field.allowed is not None:
        yield _stranger(field.allowed), "EST014"
    elif known := options(field):
        yield _stranger(known), "EST015"
    else:
        yield from _open_neighbours(field, good)


def _stranger(known: tuple[str, ...]) -> str:
    """A code beside the last one that is not known."""
    last = known[-1]
    if last.isdigit():
        numbers = (str(int(last) + n).zfill(len(last)) for n in range(1, 1000))
        return next(one for one in numbers if one not in known)
    return next(one for one in (f"{last[:-1]}{letter}" for letter in "XYZWQK") if one not in known)


def _open_neighbours(field: Field, good: str) -> Iterator[tuple[str, str]]:
    wild = good in (field.sentinels or ())
    if field.type == "F":
        yield "2026-02-30", "EST020"
        yield "28/02/2026", "EST019"
        if field.sentinels is not None and not field.range:
            yield "1899-12-30", "EST038"
    elif field.type == "H":
        yield "24:00", "EST039"
    elif field.type == "D":
        yield "1,5", "EST018"
    elif field.type == "N" and not field.list:
        yield "1A", "EST016"
    if field.range and not field.range.dated and not wild:
        yield from _outside(field, field.range)
    if field.max and field.type in "AT" and not wild and not (field.pattern or field.list or field.format):
        yield good + "A" * (field.max + 1 - len(good)), "EST012"
    if field.pattern and not wild and field.type in "AT" and not field.list:
        odd = (text for text in ("Z9Z", "0-0", "A A") if not re.fullmatch(field.pattern, text[: field.max or 3]))
        yield from ((text[: field.max or 3], "EST036") for text in islice(odd, 1))


def _outside(field: Field, span: Span) -> Iterator[tuple[str, str]]:
    unit = Decimal(1).scaleb(-_places(field))
    for end, step in ((span.low, -unit), (span.high, unit)):
        beyond = Decimal(end) + step if end else None
        told = "" if beyond is None else str(beyond.quantize(unit))
        if told and not told.startswith("-") and (field.max is None or len(told) <= field.max):
            yield told, "EST037"
