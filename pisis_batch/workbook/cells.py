"""What Excel made of what was typed, back to the text the annex wants: dates, numbers, booleans, zeros on the left."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pisis_batch.layouts import Field

_EXACT = 10**15  # past fifteen figures Excel has already dropped the last ones
_DAY_ONE = date(1899, 12, 30)  # what Excel counts days from
_SERIALS = range(367, 80_000)  # 1901 to 2118
_YES, _NO = ("1", "SI", "S", "V"), ("0", "NO", "N", "F")
_CLOSE = 1e-9


class CellError(ValueError):
    """A cell holds what no file can; the message is a plain Spanish sentence."""


def text_of(value: Any, field: Field | None, *, separator: str = "|", encoding: str = "cp1252") -> str:  # noqa: PLR0911 one return a type
    """The text of a cell for a field. Raises CellError."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return _written(value.strip(" \u00a0"), separator, encoding)
    if isinstance(value, bool):
        return _flag(value, field)
    if isinstance(value, datetime):
        if field is not None and field.type == "H":
            return value.strftime("%H:%M")
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return _number(float(value), field)


def _written(text: str, separator: str, encoding: str) -> str:
    if separator in text:
        raise CellError(f"trae el signo «{separator}», que separa los campos del archivo: quítelo")
    if "\n" in text or "\r" in text:
        raise CellError("trae un salto de línea: déjela en una sola línea")
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        raise CellError(f"trae el signo «{text[error.start]}», que el archivo no puede llevar: quítelo") from None
    return text


def _flag(value: bool, field: Field | None) -> str:  # noqa: FBT001 it is what the cell holds
    allowed = field.allowed if field is not None and field.allowed else ()
    for word in _YES if value else _NO:
        if word in allowed:
            return word
    return "VERDADERO" if value else "FALSO"


def _number(value: float, field: Field | None) -> str:
    if abs(value) >= _EXACT:
        raise CellError("trae un número tan largo que Excel ya perdió sus últimas cifras: escríbalo como texto")
    if field is not None and field.type == "F" and value.is_integer() and int(value) in _SERIALS:
        return (_DAY_ONE + timedelta(days=int(value))).isoformat()
    places = field.decimals if field is not None else None
    if field is not None and field.type == "D":
        places = 2 if places is None else places
        rounded = round(value, places)
        if abs(rounded - value) < _CLOSE * max(1.0, abs(value)):
            value = rounded
    text = str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return _padded(text, field)


def _padded(text: str, field: Field | None) -> str:
    """A code that lost its zeros because Excel took it for a number."""
    if field is None or not text.isdigit():
        return text
    if field.allowed:
        alike = [value for value in field.allowed if value.isdigit() and value.lstrip("0") == text.lstrip("0")]
        return alike[0] if text not in field.allowed and len(alike) == 1 else text
    fixed = field.max if field.leading_zeros and field.min == field.max else None
    return text.zfill(fixed) if fixed else text
