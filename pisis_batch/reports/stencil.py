"""A page with marks in place of its texts: what stands around them is rendered once for all pages of that form.

Most documents of a service differ in nothing but their texts, and to render one, with its styles put into its elements,
takes longer than all else that is said of a small file. A text that is more than plain signs is not taken part by part.
"""

import dataclasses
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from pisis_batch.reports.page import Page

_FIRST = 0xE000  # marks are characters that no text of ours may have: such a text cannot be printed
_MOST = 300
_MARK = re.compile("([\ue000-\uf8ff])")
#: What a template takes for the name of a style, or does not write at all.
_AS_IT_IS = frozenset({"tone", "severity", "key"})
_ASKED = "?"  # a template looks at whether a text ends so

#: What stands before a mark, and which text takes its place; None after the last.
Stencil = tuple[tuple[str, int | None], ...]


class Marked(NamedTuple):
    """A page with marks, the marks of its day and of its headline in capitals, and the texts they stand for."""

    page: Page
    day: str
    loud: str
    texts: tuple[str, ...]


class _OddError(ValueError):
    """A page that has to be rendered as it is."""


@lru_cache(maxsize=2)  # a report and a document are of the same page
def marked(page: Page) -> Marked | None:
    """The page with its marks; None for one that has too many texts, or one with signs that are not plain."""
    texts: list[str] = []

    def mark(text: str) -> str:
        if not text:
            return text
        if not text.isprintable() or len(texts) == _MOST:
            raise _OddError
        asked = text[-1] == _ASKED
        texts.append(text[:-1] if asked else text)
        return chr(_FIRST + len(texts) - 1) + _ASKED * asked

    def made(one: object) -> object:
        if isinstance(one, str):
            return mark(one)
        if type(one) is tuple:
            return tuple(map(made, one))
        if dataclasses.is_dataclass(one):
            of: Any = type(one)
            return of(*[getattr(one, name) if named else made(getattr(one, name)) for name, named in _of(of)])
        return 0  # a figure that is written as text elsewhere

    try:
        whole = made(page)
        day, loud = mark(page.at[:10]), mark(page.headline.upper())
        return Marked(whole, day, loud, tuple(texts)) if isinstance(whole, Page) else None
    except _OddError:
        return None


@cache
def _of(one: type[Any]) -> tuple[tuple[str, bool], ...]:
    """The fields of a kind of page in order, and whether each is left as it is."""
    return tuple((field.name, field.name in _AS_IT_IS) for field in dataclasses.fields(one))


def cut(rendered: str) -> Stencil:
    """What was rendered of a page with marks."""
    *parts, last = _MARK.split(rendered)
    around = [(before, ord(mark) - _FIRST) for before, mark in zip(parts[::2], parts[1::2], strict=True)]
    return (*around, (last, None))


def filled(stencil: Stencil, texts: tuple[str, ...], escape: Callable[[str], str]) -> str:
    """The whole, with its texts."""
    told = escape("\0".join(texts)).split("\0")  # all are printable
    return "".join([before if place is None else before + told[place] for before, place in stencil])
