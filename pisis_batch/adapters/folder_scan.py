"""Looking at the drop folder without trusting it: every folder is held open, no link is followed, nothing blocks.

An uploader may make, rename, link, swap and keep open whatever it likes in its own folder. What is decided here is
decided about an inode seen through an open folder, never about a path that may mean something else a moment later.
"""

import contextlib
import errno
import fcntl
import heapq
import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_UNFINISHED = (".part", ".tmp", ".filepart")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STALE_SECONDS = 24 * 3600
#: What lies in the inbox and is no file, in the words of a finding (EST003).
_KINDS = {
    stat.S_IFLNK: "un enlace a otro archivo",
    stat.S_IFIFO: "una tubería",
    stat.S_IFSOCK: "un conector",
    stat.S_IFCHR: "un dispositivo",
    stat.S_IFBLK: "un dispositivo",
}
LINKED = "un archivo que tiene además otro nombre (enlace duro)"
FOREIGN = "de otro usuario del servidor"


class Seen(NamedTuple):
    """An entry of a sender's folder with a finished name, as lstat saw it; the oldest comes first."""

    changed: int
    name: str
    mode: int
    node: int
    size: int
    links: int
    owner: int

    @property
    def kind(self) -> str:
        """What it is when it is no regular file; empty for one."""
        return _KINDS.get(stat.S_IFMT(self.mode), "")


@contextlib.contextmanager
def opened(folder: str | Path, beside: int | None = None) -> Iterator[int]:
    """A folder held open by its inode; OSError when it is a link, or not a folder."""
    handle = os.open(folder, _FOLDER, dir_fd=beside)
    try:
        yield handle
    finally:
        os.close(handle)


def senders(root: int) -> list[str]:
    """The folders of senders; what begins with a dot or an underscore is ours."""
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(name for name in names if not name.startswith((".", "_")))


def oldest(folder: int, most: int) -> list[Seen]:
    """Up to so many entries that are somebody's finished file, or pretend to be; oldest first. Folders are not."""
    with os.scandir(folder) as entries:
        return heapq.nsmallest(most, _finished(folder, entries))


def _finished(folder: int, entries: Iterator[os.DirEntry[str]]) -> Iterator[Seen]:
    for entry in entries:
        if unfinished(entry.name):
            continue
        with contextlib.suppress(OSError):  # gone meanwhile
            seen = look(folder, entry.name)
            if not stat.S_ISDIR(seen.mode):
                yield seen


def unfinished(name: str) -> bool:
    """Whether a name says that its file is still being written."""
    return name.startswith(".") or name.endswith("~") or name.lower().endswith(_UNFINISHED)


def look(folder: int | None, name: str) -> Seen:
    """An entry of an open folder as it is now, or one of ours by its path. Raises OSError when it is gone."""
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return Seen(found.st_mtime_ns, name, found.st_mode, found.st_ino, found.st_size, found.st_nlink, found.st_uid)


def foreign(seen: Seen, folder: int) -> bool:
    """Whether a file in a folder that belongs to one uploader is some third user's."""
    owner = os.fstat(folder).st_uid
    return owner not in {0, os.geteuid()} and seen.owner not in {owner, 0, os.geteuid()}


def being_written(folder: int, name: str) -> bool:
    """Whether somebody holds the file open for writing, as far as the kernel tells (a read lease is refused then)."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # of a writer who comes meanwhile; ignored by default
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN  # anything else: this file system, or another owner's file, does not tell
    finally:
        os.close(handle)
    return False


def strays(inbox: Path) -> list[str]:
    """What nobody will ever take: folders inside senders' folders, and unfinished names older than a day."""
    found = []
    with opened(inbox) as root:
        for sender in senders(root):
            with contextlib.suppress(OSError), opened(sender, root) as folder, os.scandir(folder) as entries:
                for entry in entries:
                    seen = look(folder, entry.name)
                    if stat.S_ISDIR(seen.mode):
                        found.append(f"{sender}/{entry.name}: una carpeta")
                    elif unfinished(entry.name) and time.time() - seen.changed / 1e9 > _STALE_SECONDS:
                        found.append(f"{sender}/{entry.name}: sin terminar desde hace más de un día")
    return found
