"""The drop folder: `inbox/<LOGIN>/<FILE>`. A file is claimed by renaming it into a private folder named by its guid.

The scan is the truth; whoever renames first owns the file. A file is left alone while it is being written: its size and
time must hold still for the settle time, and temporary names are nobody's file yet.
"""

import errno
import fcntl
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pisis_batch.adapters.durable import sync_folder
from pisis_batch.ports import Claimed

_UNFINISHED = (".part", ".tmp", ".filepart")
_NOBODY = "_"


class FolderInbox:
    """Fulfils `ports.Inbox`."""

    def __init__(self, inbox: Path, claims: Path, settle_seconds: float) -> None:
        self._inbox, self._claims, self._settle = inbox, claims, settle_seconds
        self._seen: dict[Path, tuple[int, int, float]] = {}
        for folder in (inbox, claims):
            folder.mkdir(parents=True, exist_ok=True)

    def claims(self) -> Iterator[Claimed]:
        """Left-over claims first, then every settled file. One process at a time is in here."""
        with self._alone():
            yield from self._left_over()
            for path, sender in self._candidates():
                if self._settled(path) and (claimed := self._claim(path, sender)):
                    yield claimed

    def waiting(self) -> bool:
        """Whether files are there that still change or have not held still long enough."""
        return any(True for _ in self._candidates())

    def release(self, claimed: Claimed) -> None:
        """The bytes are in the archive and the receipt is recorded: forget the claim."""
        shutil.rmtree(self._claims / claimed.guid, ignore_errors=True)
        sync_folder(self._claims)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._claims / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _left_over(self) -> Iterator[Claimed]:
        for folder in sorted(entry for entry in self._claims.iterdir() if entry.is_dir()):
            files = [entry for entry in folder.glob("*/*") if entry.is_file()]
            if not files:  # died between making the folder and renaming into it
                shutil.rmtree(folder, ignore_errors=True)
                continue
            login = files[0].parent.name
            yield Claimed(folder.name, None if login == _NOBODY else login, files[0].name, files[0])

    def _candidates(self) -> Iterator[tuple[Path, str | None]]:
        """Regular files with a finished name, oldest first within each folder."""
        for folder, sender in self._folders():
            try:
                entries = [entry for entry in os.scandir(folder) if self._is_file(entry)]
            except OSError:
                continue  # the folder was removed or closed meanwhile; the next scan tells
            for entry in sorted(entries, key=lambda one: (one.stat(follow_symlinks=False).st_mtime_ns, one.name)):
                yield Path(entry.path), sender

    def _folders(self) -> Iterator[tuple[Path, str | None]]:
        yield self._inbox, None
        for entry in sorted(os.scandir(self._inbox), key=lambda one: one.name):
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "_")):
                yield Path(entry.path), entry.name

    @staticmethod
    def _is_file(entry: os.DirEntry[str]) -> bool:
        name = entry.name
        if name.startswith(".") or name.endswith("~") or name.lower().endswith(_UNFINISHED):
            return False
        try:
            return stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)
        except OSError:
            return False

    def _settled(self, path: Path) -> bool:
        """Whether size and time held still long enough: by the file's own time, or between two looks of ours."""
        try:
            found = path.lstat()
        except OSError:
            self._seen.pop(path, None)
            return False
        if self._settle <= 0 or time.time() - found.st_mtime >= self._settle:
            self._seen.pop(path, None)
            return True
        size, changed, since = self._seen.get(path, (-1, -1, 0.0))
        if (size, changed) != (found.st_size, found.st_mtime_ns):
            self._seen[path] = (found.st_size, found.st_mtime_ns, time.monotonic())
            return False
        return time.monotonic() - since >= self._settle

    def _claim(self, path: Path, sender: str | None) -> Claimed | None:
        """Rename a file into a folder of its own. None when somebody else was first."""
        guid = str(uuid.uuid4())
        target = self._claims / guid / (sender or _NOBODY) / path.name
        target.parent.mkdir(parents=True, mode=0o700)
        try:
            path.rename(target)
        except FileNotFoundError:
            shutil.rmtree(self._claims / guid, ignore_errors=True)
            return None
        except OSError as error:
            if error.errno != errno.EXDEV:
                shutil.rmtree(self._claims / guid, ignore_errors=True)
                return None
            shutil.copy2(path, target, follow_symlinks=False)  # another file system: copy, then remove
            path.unlink()
        for folder in (target.parent, self._claims / guid, self._claims, path.parent):
            sync_folder(folder)
        return Claimed(guid, sender, path.name, target)
