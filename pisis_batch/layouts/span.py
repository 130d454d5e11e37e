"""One notation for every limit, `low..high`, both ends included, either open: `0..100`, `18..`, `..9`, `2012-01-01..`.

It says how many (ages, lengths), how much (ranges) and from when to when (dates).
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of numbers or of dates; an open end is the empty text.

    >>> Span.parse("0..100").contains("100"), Span.parse("18..").contains("17"), Span.parse("..9.5").contains("-1")
    (True, False, True)
    """

    low: str
    high: str

    @classmethod
    def parse(cls, value: object) -> "Span":
        """Read `low..high`, or one number alone. Raises ValueError when it is neither, or turned around."""
        if isinstance(value, Span):
            return value
        text = str(value)
        low, dots, high = text.partition("..")
        made = cls(low, high if dots else low)
        ends = [end for end in (made.low, made.high) if end]
        kind = _DATE if re.fullmatch(_DATE, ends[0] if ends else "") else _NUMBER
        if not ends or isinstance(value, bool) or any(not re.fullmatch(kind, end) for end in ends):
            raise ValueError(f'"{text}" no es un rango: escriba «desde..hasta», por ejemplo 0..100, 18.. o ..9')
        if len(ends) > 1 and made._key(ends[0]) > made._key(ends[1]):
            raise ValueError(f'"{text}" está al revés: el primero es el menor')
        return made

    @property
    def dated(self) -> bool:
        """Whether the ends are dates."""
        return _ends(self)[0]

    def _key(self, end: str) -> Any:
        return end if self.dated else Decimal(end)

    def contains(self, value: str) -> bool:
        """Whether a written number or date lies inside; False for what is neither."""
        dated, low, high = _ends(self)
        if not re.fullmatch(_DATE if dated else _NUMBER, value):
            return False
        key: Any = value if dated else Decimal(value)
        return (low is None or low <= key) and (high is None or key <= high)

    def words(self) -> str:
        """In Spanish: `de 0 a 100`, `18 o más`, `hasta 9`."""
        if self.low == self.high:
            return self.low
        if not self.high:
            return f"desde {self.low}" if self.dated else f"{self.low} o más"
        return f"de {self.low} a {self.high}" if self.low else f"hasta {self.high}"

    def __str__(self) -> str:
        return self.low if self.low == self.high else f"{self.low}..{self.high}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 only to validate

        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        return {"type": ["string", "number"], "description": "low..high, both included, either open: 0..100, 18.., ..9"}


@lru_cache(maxsize=4096)
def _ends(span: Span) -> tuple[bool, Any, Any]:
    """Whether the ends are dates, and each as it is compared; None where it is open."""
    dated = re.fullmatch(_DATE, span.low or span.high) is not None
    low, high = ((end if dated else Decimal(end)) if end else None for end in (span.low, span.high))
    return dated, low, high
