"""The registry in an SQLite file for whoever only asks: by its driver alone, for SQLAlchemy takes longer to load.

Whatever is not as usual is left to the whole registry, which then does it or says why it cannot: another database, one
of another version or that cannot be read, numbers that are not kept yet, annexes whose records are stored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pisis_batch.adapters import sql_facts, sql_version, sqlite_driver
from pisis_batch.adapters.sql_text import Plain, TooPlainError
from pisis_batch.adapters.sqlite_driver import sqlite

if TYPE_CHECKING:
    from pisis_batch.adapters.sql_numbers import Numbers
    from pisis_batch.model import Facts, Questions
    from pisis_batch.ports import Registry


def opened(url: str, whole: Callable[[], Registry]) -> Registry | None:
    """The registry to ask; None when `whole` must be made at once, as it is later for whatever else is wanted."""
    path = sqlite_driver.file_named(url)
    raw = None if path is None else _connected(path)
    return None if path is None or raw is None else cast("Registry", _Asked(raw, path, whole))


def _connected(path: Path) -> Any:
    """A connection to a database of this version, or None."""
    try:
        raw = sqlite.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, **sqlite_driver.options())
        sqlite_driver.prepare(raw)
        if raw.execute(sql_version.CURRENT).fetchall() == [(sql_version.newest(),)]:
            return raw
        raw.close()
    except sqlite.Error:
        pass
    return None


class _Asked:
    """Fulfils `ports.Registry`: asks by itself, and for the rest makes the whole."""

    def __init__(self, raw: Any, path: Path, whole: Callable[[], Registry]) -> None:
        self._raw, self._path, self._make = raw, path, whole
        self._reference = sql_facts.Reference()

    @cached_property
    def _whole(self) -> Registry:
        return self._make()

    @cached_property
    def _numbers(self) -> Numbers:
        from pisis_batch.adapters.sql_numbers import Numbers  # noqa: PLC0415 only a large file needs what it loads

        return Numbers(self._path.with_suffix(".numbers"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def ask(self, questions: Questions) -> Facts:
        """Every fact a file needs, from one consistent state."""
        try:
            return self._answered(questions)
        except (sqlite.Error, TooPlainError):
            return self._whole.ask(questions)

    def _answered(self, questions: Questions) -> Facts:
        session = Plain(self._raw)
        self._raw.execute("BEGIN")
        try:
            found = sql_facts.facts(session, questions, self._reference)
            if questions.index:
                found = dataclasses.replace(found, index=self._numbers.index(session, questions.entity))
        finally:
            self._raw.rollback()
        return found
