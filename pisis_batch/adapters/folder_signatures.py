"""Files and their signatures in the drop folder: `X.TXT` with `X.TXT.p7s` beside it, or `X.TXT.p7m` that holds it.

The two arrive in any order. A file waits for its signature for a while and is then taken without; a signature whose
file never comes is taken by itself, to be answered. What is claimed is the file, and its signature goes along.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from pisis_batch.adapters import folder_scan
from pisis_batch.adapters.folder_scan import Seen
from pisis_batch.model import ENVELOPED, ORPHAN

#: Endings of a signature in a file of its own, and of one that holds its file.
APART, AROUND = ".p7s", ".p7m"
#: How the name of a claimed file begins that was accepted, while its signature is still to be removed.
DONE = ".pisis-done-"
_AT_ONCE = 8192


class Pairing:
    """Which settled files may be taken, and with what."""

    def __init__(self, wait_seconds: float) -> None:
        self._wait = wait_seconds
        self._alone: dict[tuple[str | None, str], float] = {}

    def whole(self, folder: int, sender: str | None, settled: list[Seen]) -> list[Seen]:
        """Of the settled files of a sender those that have what belongs to them, or have waited for it long enough."""
        ready = {one.name for one in settled}
        return [one for one in settled if self._may_go(folder, sender, one.name, ready)]

    def _may_go(self, folder: int, sender: str | None, name: str, ready: set[str]) -> bool:
        if _ends(name, AROUND):
            return True
        if _ends(name, APART):
            return not _there(folder, name[: -len(APART)]) and self._waited(sender, name)
        signature = _signature(folder, name)
        if signature is None:
            return self._waited(sender, name)
        if signature not in ready and not self._waited(sender, name):
            return False  # it is still being written
        self._alone.pop((sender, name), None)
        return True

    def _waited(self, sender: str | None, name: str) -> bool:
        now = time.monotonic()
        while len(self._alone) >= _AT_ONCE:
            self._alone.pop(next(iter(self._alone)))
        since = self._alone.setdefault((sender, name), now)
        if now - since < self._wait:
            return False
        self._alone.pop((sender, name), None)
        return True

    @staticmethod
    def take(folder: int, claimed: Path, rename: Callable[[int, str, Path], None]) -> None:
        """Rename the signature of a claimed file out of its open folder, beside it; OSError when that fails."""
        signature = None if _ends(claimed.name, APART) else _signature(folder, claimed.name)
        if signature is None:
            return
        with contextlib.suppress(FileNotFoundError):
            rename(folder, signature, claimed.with_name(claimed.name + APART))

    @staticmethod
    def of(claimed: Path) -> tuple[str, Path | None]:
        """How a claimed file came signed, and the signature beside it."""
        if _ends(claimed.name, AROUND):
            return ENVELOPED, None
        if _ends(claimed.name, APART):
            return ORPHAN, None
        return "", beside(claimed)


def beside(claimed: Path) -> Path | None:
    """The signature that was claimed with a file."""
    found = claimed.with_name(claimed.name + APART)
    return found if os.path.lexists(found) else None


def left(paths: list[Path]) -> list[Path]:
    """Of the files of a claim those to go on with: no signature whose file is there, or was accepted already."""
    names = {path for path in paths if not path.name.startswith(DONE)}
    accepted = {path.parent for path in paths if path.name.startswith(DONE)}
    return [path for path in paths if path in names and not _follows(path, names, accepted)]


def _follows(path: Path, names: set[Path], accepted: set[Path]) -> bool:
    return _ends(path.name, APART) and (path.with_name(path.name[: -len(APART)]) in names or path.parent in accepted)


def _ends(name: str, ending: str) -> bool:
    return name.lower().endswith(ending) and len(name) > len(ending)


def _signature(folder: int, name: str) -> str | None:
    return next((name + end for end in (APART, APART.upper()) if _there(folder, name + end)), None)


def _there(folder: int, name: str) -> bool:
    try:
        folder_scan.look(folder, name)
    except OSError:
        return False
    return True
