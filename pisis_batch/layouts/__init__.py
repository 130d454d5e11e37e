"""Annexes as data: TOML files beside this module become :class:`Layout` objects.

>>> SHELF = shelf()
>>> SHELF.find("SEG500USIN20260715NI000900123456.TXT").annex
'SEG500USIN'
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from pisis_batch.layouts.catalogs import CATALOGS, Catalog
from pisis_batch.layouts.condition import Clause, Condition, Not, Test, clause_in_words
from pisis_batch.layouts.field import Field
from pisis_batch.layouts.file_name import FileName, NameFault, Piece
from pisis_batch.layouts.layout import (
    Action,
    DefaultProfile,
    Effect,
    Entity,
    Layout,
    LayoutError,
    NamePart,
    Record,
    Sequence,
    Stop,
    Total,
)
from pisis_batch.layouts.relation import Check
from pisis_batch.layouts.shorthand import spelt_out
from pisis_batch.layouts.span import Span
from pisis_batch.layouts.strict import adapter, built, validated

__all__ = [
    "CATALOGS",
    "Action",
    "Catalog",
    "Check",
    "Clause",
    "Condition",
    "DefaultProfile",
    "Effect",
    "Entity",
    "Field",
    "FileName",
    "Layout",
    "LayoutError",
    "NameFault",
    "NamePart",
    "Not",
    "Piece",
    "Record",
    "Sequence",
    "Shelf",
    "Span",
    "Stop",
    "Test",
    "Total",
    "clause_in_words",
    "json_schema",
    "parse",
    "parse_content",
    "shelf",
    "shelf_for",
    "travels",
]


def parse(text: str, source: str = "layout") -> Layout:
    """Build a layout from TOML. Raises LayoutError naming every mistake with its path."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LayoutError(source, [f"TOML mal escrito: {error}"]) from None
    return parse_content(content, source)


def parse_content(content: Mapping[str, Any], source: str = "layout") -> Layout:
    """Build a layout from what its TOML says. Raises LayoutError naming every mistake with its path."""
    from pydantic import ValidationError  # noqa: PLC0415 what travels with the program was judged before

    from pisis_batch.layouts.checks import problems  # noqa: PLC0415 the same

    try:
        layout = validated(Layout, spelt_out(content))
    except ValidationError as error:
        raise LayoutError(source, [_sentence(part, content) for part in error.errors()]) from None
    if found := problems(layout):
        raise LayoutError(source, found)
    return layout


def _sentence(mistake: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """`record.usuario.fields[7] (telefono).maximo: no es una clave de esta tabla`."""
    message = "no es una clave de esta tabla" if mistake["type"] == "unexpected_keyword_argument" else mistake["msg"]
    path: str = ""
    here: Any = content
    for step in mistake["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f"{'.' if path else ''}{step}"
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = {}
        if isinstance(step, int) and isinstance(here, dict) and "name" in here:
            path += f" ({here['name']})"
    return f"{path}: {message}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Every known layout, all versions."""

    layouts: tuple[Layout, ...]

    def __iter__(self) -> Iterator[Layout]:
        return iter(self.layouts)

    def annexes(self) -> tuple[str, ...]:
        """Annex codes, once each."""
        return tuple(dict.fromkeys(layout.annex for layout in self.layouts))

    def get(self, annex: str, cut: date | None = None) -> Layout | None:
        """The version of an annex in force at a cut date; the newest when no date is given."""
        versions = sorted((x for x in self.layouts if x.annex == annex.upper()), key=lambda layout: layout.valid_from)
        in_force = [layout for layout in versions if cut is None or layout.valid_from <= cut]
        return in_force[-1] if in_force else None

    def find(self, name: str) -> Layout | None:
        """The layout a file name asks for: by its prefix, then by the cut date the name states."""
        asked = name.upper()
        for layout in self.layouts:
            if asked.startswith(layout.file_name.prefix.upper()) and layout is self.get(layout.annex):
                stated = layout.file_name.read(name)
                cut = None if isinstance(stated, NameFault) else stated.get(layout.cut_date)
                return self.get(layout.annex, date.fromisoformat(cut)) if cut else layout
        return None


@cache
def shelf() -> Shelf:
    """The layouts that travel with the program. Raises LayoutError on a mistake in any of them."""
    return Shelf(tuple(map(_own, _stems())))


def shelf_for(names: Iterable[str]) -> Shelf:
    """Of the layouts that travel with the program what files of these names may ask for; all, when one asks for none.

    Every name begins with its annex, and so does the file of a definition: the others need not be read to judge it.
    """
    stems = _stems()
    asked: set[str] = set()
    for name in names:
        found = {stem for stem in stems if name.upper().startswith(stem.partition("-")[0])}
        if not found:
            return shelf()
        asked |= found
    return Shelf(tuple(_own(stem) for stem in stems if stem in asked))


def travels(layout: Layout) -> bool:
    """Whether a layout is one of those that come with the program."""
    return any(layout is _own(stem) for stem in _stems() if stem.partition("-")[0] == layout.annex)


@cache
def _stems() -> tuple[str, ...]:
    """Names of the definitions beside this module, in order: the annex, and a version where there are several."""
    names = (entry.name for entry in resources.files(__package__).iterdir() if entry.name.endswith(".toml"))
    return tuple(name.removesuffix(".toml") for name in sorted(names) if name != "catalogos.toml")


@cache
def _own(stem: str) -> Layout:
    name = f"{stem}.toml"
    return built(Layout, spelt_out(tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))))


def json_schema() -> dict[str, Any]:
    """JSON Schema of a layout file, for editors (`layout.schema.json` is this, written out)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **adapter(Layout).json_schema(by_alias=True)}
