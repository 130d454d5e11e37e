"""Polars, loaded when the first frame is made: a small file without a fault is judged without any.

Loading it takes longer than everything else such a file costs. Whatever is loaded for a check takes `pl` from here and
uses it in no statement of its module but in annotations that are never evaluated; what rows look like is said in words
(`Columns`), and a value that has no rows holds no frame until it is asked for one (`no_rows`).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any


@contextmanager
def loading() -> Iterator[None]:
    """While libraries are loaded, and at the end of the process, the collector does not look through them.

    They stay: to look through them again and again is a third of a start. Not for a process at work: what is there at
    that moment is never looked through again.
    """
    usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if usual:
            gc.enable()


if TYPE_CHECKING:
    import polars as pl
else:

    class _Polars:
        """The module's face: each name is looked up once."""

        def __getattr__(self, name: str) -> Any:
            with nullcontext() if "polars" in sys.modules else loading():
                import polars  # noqa: PLC0415, ICN001 what this is for
            found = getattr(polars, name)
            setattr(self, name, found)
            return found

    pl = _Polars()

__all__ = ["Columns", "height", "loading", "no_rows", "pl", "texts"]


class Columns(Mapping[str, "pl.DataType"]):
    """A schema, each column's type by its name in polars: `Columns(line="UInt32", code="String")`."""

    def __init__(self, **kinds: str) -> None:
        self._kinds = kinds

    @cached_property
    def schema(self) -> pl.Schema:
        """The same in the form of polars."""
        return pl.Schema({name: getattr(pl, kind) for name, kind in self._kinds.items()})

    def __getitem__(self, name: str) -> pl.DataType:
        return self.schema[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def names(self) -> list[str]:
        """The columns in order."""
        return list(self._kinds)

    def __or__(self, others: Columns) -> Columns:
        """These columns and then others."""
        return Columns(**self._kinds, **others._kinds)

    @cached_property
    def none(self) -> pl.DataFrame:
        """The frame without rows; frames are never changed in place, so that one serves all."""
        return pl.DataFrame(schema=self.schema)


def texts(*names: str) -> Columns:
    """Columns of text."""
    return Columns(**dict.fromkeys(names, "String"))


class _NoRows:
    """The descriptor behind `no_rows`: None stands for no rows in the instance, and is the default."""

    def __init__(self, columns: Columns) -> None:
        self._columns, self._name = columns, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: object | None, owner: type) -> pl.DataFrame | None:
        if holder is None:
            return None
        found: pl.DataFrame | None = vars(holder)[self._name]
        return self._columns.none if found is None else found

    def __set__(self, holder: object, value: pl.DataFrame | None) -> None:
        vars(holder)[self._name] = value


def no_rows(columns: Columns) -> Any:
    """A field of a dataclass (without slots) that is a frame, by default without rows and made when it is looked at."""
    return _NoRows(columns)


def height(holder: object, name: str) -> int:
    """How many rows such a field has."""
    found = vars(holder)[name]
    return 0 if found is None else int(found.height)
