"""One pattern that reads and writes file names: `SEG500USIN{fecha_corte:AAAAMMDD}{num_id_entidad:012}.TXT`.

A placeholder names a control field, or a part of the name that the control does not repeat, and says how its value is
printed: `AAAAMMDD` a date without hyphens, `2` two letters, `012` a number padded with zeros to twelve digits, `X12`
twelve letters, digits or hyphens, `0X6` the same padded with zeros. Names are matched without regard to case and
written in upper case (ficha Q22).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+):(AAAAMMDD|0?X?[0-9]+)\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file name: literal text (`field` is None) or one control field in a given form."""

    text: str
    field: str | None = None

    @property
    def width(self) -> int:
        """Characters the piece takes in the name."""
        return len(self.text) if self.field is None or self.text == "AAAAMMDD" else int(self.text.replace("X", ""))

    @property
    def padded(self) -> bool:
        """Whether the value is filled up with zeros on the left."""
        return self.field is not None and self.text.startswith("0")

    @property
    def kind(self) -> str:
        """What it is made of, in Spanish."""
        return "letras o cifras" if "X" in self.text else "cifras" if self.padded else "letras"

    @property
    def pattern(self) -> str:
        """Regular expression of the piece."""
        if self.field is None:
            return re.escape(self.text)
        if "X" in self.text:
            return f"[A-Z0-9-]{{{self.width}}}"
        if self.text == "AAAAMMDD" or self.padded:
            return f"[0-9]{{{self.width}}}"
        return f"[A-Z]{{{self.width}}}"

    def read(self, text: str) -> str | None:
        """The control field's value that a name's stretch stands for; None when it is no real date."""
        if self.text == "AAAAMMDD":
            value = f"{text[:4]}-{text[4:6]}-{text[6:]}"
            try:
                date.fromisoformat(value)
            except ValueError:
                return None
            return value
        return (text.lstrip("0") or "0") if self.padded else text

    def write(self, value: str) -> str:
        """How a control field's value is printed in a name."""
        if self.field is None:
            return self.text
        if self.text == "AAAAMMDD":
            return value.replace("-", "")
        return value.zfill(self.width) if self.padded else value


@dataclass(frozen=True, slots=True)
class NameFault:
    """The first stretch of a name that is not what the pattern asks for."""

    piece: Piece | None
    position: int
    given: str
    kind: str  # "largo" wrong length, "texto" wrong letters, "fecha" no real date


class FileName:
    """A compiled name pattern.

    >>> pattern = FileName("SEG500USIN{fecha_corte:AAAAMMDD}{tipo:2}{num:012}.TXT")
    >>> pattern.read("SEG500USIN20260715NI000900123456.txt")
    {'fecha_corte': '2026-07-15', 'tipo': 'NI', 'num': '900123456'}
    >>> pattern.write({"fecha_corte": "2026-07-15", "tipo": "NI", "num": "900123456"})
    'SEG500USIN20260715NI000900123456.TXT'
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        pieces: list[Piece] = []
        end = 0
        for found in _PLACEHOLDER.finditer(pattern):
            if found.start() > end:
                pieces.append(Piece(pattern[end : found.start()]))
            pieces.append(Piece(found[2], found[1]))
            end = found.end()
        if end < len(pattern):
            pieces.append(Piece(pattern[end:]))
        self.pieces = tuple(pieces)
        self._forms = [(piece, piece.width, re.compile(piece.pattern, re.ASCII)) for piece in pieces]
        literal = "".join(piece.text for piece in pieces if piece.field is None)
        if "{" in literal or "}" in literal or not pieces or pieces[0].field:
            raise ValueError(f"patrón de nombre mal escrito: {pattern}")

    @classmethod
    def parse(cls, value: object) -> "FileName":
        """A pattern as a layout writes it. Raises ValueError when it is none."""
        return value if isinstance(value, cls) else cls(str(value))

    @property
    def prefix(self) -> str:
        """The literal the name begins with: the annex's code."""
        return self.pieces[0].text

    @property
    def width(self) -> int:
        """Length of every name, extension included."""
        return sum(piece.width for piece in self.pieces)

    @property
    def fields(self) -> tuple[str, ...]:
        """Control fields that the name repeats."""
        return tuple(piece.field for piece in self.pieces if piece.field)

    def piece(self, field: str) -> Piece:
        """The piece of one control field."""
        return next(piece for piece in self.pieces if piece.field == field)

    def read(self, name: str) -> dict[str, str] | NameFault:
        """The control values a name states, or the first thing wrong with it."""
        upper = name.upper()
        position = 0
        values: dict[str, str] = {}
        for piece, width, form in self._forms:
            given = upper[position : position + width]
            if not form.fullmatch(given):
                return NameFault(piece, position + 1, given, "texto")
            if piece.field:
                value = piece.read(given)
                if value is None:
                    return NameFault(piece, position + 1, given, "fecha")
                values[piece.field] = value
            position += width
        if position < len(upper):
            return NameFault(None, position + 1, upper[position:], "largo")
        return values

    def write(self, values: Mapping[str, str]) -> str:
        """The name a file with these control values must have."""
        return "".join(piece.write(values.get(piece.field or "", "")) for piece in self.pieces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileName) and other.pattern == self.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def __repr__(self) -> str:
        return f"FileName({self.pattern!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 only to validate

        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.pattern),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        return {
            "type": "string",
            "description": "text with {field:AAAAMMDD}, {field:2}, {field:012}, {field:X12} or {field:0X6}",
        }
