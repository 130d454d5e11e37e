"""Polars, loaded when the first frame is made: a small file without a fault is judged without any.

Loading it takes longer than everything else such a file costs. Whatever is loaded for a check takes `pl` from here and
uses it in no statement of its module but in annotations that are never evaluated; what rows look like is said in words
(`Columns`), and a value that has no rows holds no frame until it is asked for one (`no_rows`).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

Row = tuple[Any, ...]


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

__all__ = ["Columns", "Few", "Row", "few", "height", "loading", "no_rows", "picked", "pl", "texts", "tuples"]


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


class Few:
    """A few rows in plain Python for whoever passes them on: what is used of it is named as it is in a frame."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self.columns, self._rows = list(columns), rows

    @property
    def height(self) -> int:
        """How many rows."""
        return len(self._rows)

    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self._rows

    def rows(self) -> Sequence[Row]:
        """All of them."""
        return self._rows

    def __getitem__(self, name: str) -> list[Any]:
        return list(map(itemgetter(self.columns.index(name)), self._rows))

    def rename(self, names: Mapping[str, str]) -> Few:
        """The same with other names of columns."""
        return Few([names.get(name, name) for name in self.columns], self._rows)


class _NoRows:
    """The descriptor behind `no_rows`. In the instance, None stands for no rows, and is the default.

    A list stands for its rows, each a tuple of all columns: whoever looks at the field finds a frame, made only then.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns, self._name = columns, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: object | None, owner: type) -> pl.DataFrame | None:
        if holder is None:
            return None
        found: pl.DataFrame | list[Row] | None = vars(holder)[self._name]
        if isinstance(found, list):
            found = pl.DataFrame(found, schema=self.columns.schema, orient="row") if found else None
            vars(holder)[self._name] = found
        return self.columns.none if found is None else found

    def __set__(self, holder: object, value: pl.DataFrame | list[Row] | None) -> None:
        vars(holder)[self._name] = value


def no_rows(columns: Columns) -> Any:
    """A field of a dataclass (without slots) that is a frame, by default without rows and made when it is looked at.

    It may be given as a list of rows, each a tuple, which `picked` and `few` leave as they are.
    """
    return _NoRows(columns)


def height(holder: object, name: str) -> int:
    """How many rows such a field has."""
    found = vars(holder)[name]
    return 0 if found is None else len(found)


_FEW = 1_000  # rows from which everything that takes them wants a frame


def few(holder: object, name: str) -> Few | pl.DataFrame:
    """Such a field as it is held, unless its rows are no longer few."""
    found = vars(holder)[name]
    if isinstance(found, list) and len(found) < _FEW:
        return Few(_columns(holder, name), found)
    frame: pl.DataFrame = getattr(holder, name)
    return frame


def picked(holder: object, name: str, columns: Sequence[str]) -> list[Row]:
    """Some columns of the rows of such a field as tuples, without the threads that a query takes."""
    found = vars(holder)[name]
    if not isinstance(found, list):
        return [] if found is None else tuples(found, columns)
    known = _columns(holder, name)
    if known == list(columns):
        return found
    return list(zip(*(map(itemgetter(known.index(column)), found) for column in columns), strict=True))


def tuples(frame: pl.DataFrame, names: Sequence[str]) -> list[Row]:
    """Some columns of a small frame as tuples, without the threads that a query takes."""
    return list(zip(*(frame[name].to_list() for name in names), strict=True))


def _columns(holder: object, name: str) -> list[str]:
    names: list[str] = vars(type(holder))[name].columns.names()
    return names
