"""The registry in 64-bit numbers for large files: built by reading its tables once, kept until what they hold changes.

Kept beside a SQLite database (a folder named after it, which may be removed at any time), else in memory. What is kept
says of which revision it is; a revision is drawn anew with every change, so that no restored database meets it again.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pisis_batch import fingerprints
from pisis_batch.adapters import durable, sql_facts, sql_revision
from pisis_batch.adapters.sql_text import Plain, Session, TooPlainError
from pisis_batch.model import Id, Index

_MOST = 8  # entities kept in memory
_PERSONS = ("persons",)
_OWN = ("linked", "held", "granted")

Arrays = Mapping[str, np.ndarray]


class Numbers:
    """What was built, by whose it is and of which revision."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[str, Arrays]] = {}

    def index(self, connection: Session, who: Id | None) -> Index:
        """Everybody registered, and the links and grants of one entity, within the caller's transaction.

        Raises TooPlainError when they have to be gathered first.
        """
        stamp = sql_revision.current(connection, None)
        found = {**self._of("persons", stamp, lambda: _gathering(connection).persons(connection), _PERSONS)}
        known = sql_facts.registered_entity(connection, who) if who else None
        if who is not None and known is not None:
            key = known[0]
            stamp = sql_revision.current(connection, who)
            found |= self._of(who.login, stamp, lambda: _gathering(connection).own(connection, key), _OWN)
        return Index(**found)

    def _of(self, name: str, revision: str, build: Callable[[], Arrays], parts: Sequence[str]) -> Arrays:
        kept = self._kept.get(name)
        if kept is None or kept[0] != revision:
            paths = self._paths(name, revision, parts)
            found = _read(paths) if paths else None
            if found is None:
                found = build()
                if paths and self._folder:
                    _write(self._folder, name, paths, found)
                    found = _read(paths) or found
            while len(self._kept) >= _MOST:
                self._kept.pop(next(iter(self._kept)))
            kept = self._kept[name] = (revision, found)
        return kept[1]

    def _paths(self, name: str, revision: str, parts: Sequence[str]) -> dict[str, Path]:
        if self._folder is None:
            return {}
        return {part: self._folder / f"{name}-{revision}-{fingerprints.VERSION}.{part}" for part in parts}


def _gathering(connection: Session) -> Any:
    """What gathers them, which loads much that nobody needs who finds them kept."""
    if isinstance(connection, Plain):
        raise TooPlainError
    from pisis_batch.adapters import sql_gathering  # noqa: PLC0415 see above

    return sql_gathering


def _read(paths: Mapping[str, Path]) -> Arrays | None:
    """What the files hold, mapped: in memory is only what is looked at."""
    if not all(path.exists() for path in paths.values()):
        return None
    return {part: _mapped(path) for part, path in paths.items()}


def _mapped(path: Path) -> np.ndarray:
    return np.memmap(path, np.uint64, "r") if path.stat().st_size else np.empty(0, np.uint64)


def _write(folder: Path, name: str, paths: Mapping[str, Path], arrays: Arrays) -> None:
    """Keep the arrays in place of those of other revisions."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.glob(f"{name}-*"):
        old.unlink(missing_ok=True)
    for part, path in paths.items():
        durable.write(path, arrays[part].tobytes(), 0o600)
