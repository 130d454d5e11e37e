"""One failing file per code: `breaking(layout, code)` makes a file that yields that code and no other.

Structural breakers are derived from the layout and work for any annex; breakers of content come with the registry they
need. Every file is judged before it is given out: what does not yield exactly its code is not offered.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache

from pisis_batch import pipeline
from pisis_batch.breaking import control, people  # noqa: F401 their breakers register themselves
from pisis_batch.breaking.cells import broken_cells, tries
from pisis_batch.breaking.changing import CHANGERS
from pisis_batch.breaking.draft import Breaking, draft
from pisis_batch.breaking.surgery import SURGEONS
from pisis_batch.breaking.world import world
from pisis_batch.layouts import Layout, Shelf
from pisis_batch.model import Limits, Received
from pisis_batch.validators import RULES

__all__ = ["WITHOUT_A_FILE", "Breaking", "breaking", "good"]

_BOGOTA = timezone(timedelta(hours=-5))
#: Codes that no file yields, with the reason.
WITHOUT_A_FILE = {
    "EST043": "solo se comprueba con una tabla de códigos cargada",
    "CTL023": "solo se comprueba en un anexo que fije hasta cuándo se recibe y no tenga calendario",
    **{f"FIR{n:03d}": "depende de la firma, no de lo que dice el archivo" for n in range(1, 12)},
    "SIS001": "es una falla del sistema, no de un archivo",
    "CTL040": "lo causa la decisión de no aprobar un archivo retenido, no el archivo solo",
}
_SAMPLES = 3  # good files that breakers are tried on


def breaking(layout: Layout, code: str, today: date, limits: Limits | None = None) -> Breaking | None:
    """A file of the annex, received `today`, that yields this code and no other; None when no way is known.

    Raises KeyError for a code that does not exist.
    """
    limits = limits or Limits()
    if RULES[code].stage == "contenido":
        changer = CHANGERS.get(code)
        if changer is None or code not in layout.rules:
            return None
        made = world(layout, today)
        changer(made)
        return made.done(code)
    return next((one for one in _candidates(layout, code, today, limits) if _yields(one, layout, limits)), None)


def good(layout: Layout, today: date) -> Breaking:
    """The good file, with its registry, that content breakers start from; its code is empty."""
    return world(layout, today).done("")


def _candidates(layout: Layout, code: str, today: date, limits: Limits) -> Iterator[Breaking]:
    for seed in range(_SAMPLES):
        if not _sound(_Shown(layout), today, seed):
            continue
        if code in SURGEONS:
            yield from SURGEONS[code](draft(layout, today, seed=seed), limits)
        else:
            yield from broken_cells(draft(layout, today, seed=seed), code, _tried(layout, today, seed))


_Tries = dict[str, list[tuple[str, str, str]]]


def _tried(layout: Layout, today: date, seed: int) -> _Tries:
    return _tried_once(_Shown(layout), today, seed)


class _Shown:
    """A layout as a key: layouts hold tables and cannot be hashed by their content."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shown) and other.layout is self.layout

    def __hash__(self) -> int:
        return id(self.layout)


@lru_cache(64)
def _sound(shown: _Shown, today: date, seed: int) -> bool:
    """Whether a sample is good to begin with: nothing can be told from one that is not."""
    return not _codes(draft(shown.layout, today, seed=seed).done(""), shown.layout, Limits())


@lru_cache(64)
def _tried_once(shown: _Shown, today: date, seed: int) -> _Tries:
    return tries(draft(shown.layout, today, seed=seed))


def _yields(one: Breaking, layout: Layout, limits: Limits) -> bool:
    """Whether a file's structure has this code and no other."""
    return _codes(one, layout, limits) == {one.code}


def _codes(one: Breaking, layout: Layout, limits: Limits) -> set[str]:
    """The codes of a file's structure."""
    at = datetime.combine(date(2026, 7, 15), time(12), _BOGOTA)  # the structure does not ask what day it is
    found = pipeline.examine(Received("-", one.name, one.content, at, None), Shelf((layout,)), limits).findings
    return set(found.frame["code"])
