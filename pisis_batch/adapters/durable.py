"""Writing files so that they survive a power cut: bytes first, then the name, then the folder that holds the name."""

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

#: From so many on, files and folders are made durable all at once, with whatever else waits on that disk: one wait for
#: all of them. One by one each costs 0.15 ms of CPU and a wait of its own, before which others' writes stand in line.
_TOGETHER = 12
#: From here on Linux tells whoever waits for a whole disk that something could not be written.
_HONEST = (5, 8)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folders(folders: Sequence[Path]) -> None:
    """Make the names in folders durable."""
    if not sync_disk(folders):
        for folder in folders:
            sync_folder(folder)


def sync_files(handles: Sequence[int]) -> None:
    """Make the bytes of open files durable. All are written before: the disk then takes the others along."""
    if not sync_disk(handles):
        for handle in handles:
            os.fsync(handle)


def sync_disk(places: Sequence[int | Path]) -> bool:
    """Make everything durable on the disk of these; False when they are few or on several, or it cannot be done."""
    if len(places) < _TOGETHER or not _waits():
        return False
    if len({os.stat(place).st_dev for place in places}) > 1:  # noqa: PTH116 of open files too
        return False
    handle = os.open(places[0], os.O_RDONLY) if isinstance(places[0], Path) else places[0]
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) == 0:
            return True
        number = ctypes.get_errno()
    finally:
        if handle is not places[0]:
            os.close(handle)
    if number in {errno.ENOSYS, errno.EPERM}:  # a kernel or a sandbox that has none
        return False
    raise OSError(number, os.strerror(number))


@cache
def _waits() -> bool:
    release = os.uname().release.split(".")[:2]
    return hasattr(ctypes.CDLL(None), "syncfs") and tuple(int(one) for one in release if one.isdigit()) >= _HONEST


def sync(file: BinaryIO) -> None:
    """Make the bytes of an open file durable."""
    os.fsync(file.fileno())


def put(handle: int, content: bytes) -> None:
    """Write bytes to an open file, all of them."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def write(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Write a file whole or not at all: a temporary name beside it, synced, then renamed over it."""
    write_all(path.parent, [(path.name, (content,))], mode)


#: Files of a folder, each given by its name and in pieces.
Files = Iterable[tuple[str, Iterable[bytes]]]


def write_all(folder: Path, files: Files, mode: int = 0o640) -> None:
    """Write files into a folder, whole or not at all."""
    write_each([(folder, files)], mode=mode)


def write_each(folders: Sequence[tuple[Path, Files]], last: str = "", mode: int = 0o640) -> None:
    """Write files into several folders, whole or not at all, each step for all of them before the next.

    In each folder the one named `last` appears when the others are durable.
    """
    placed = _written(folders, mode)
    for name, temporary, path in placed:
        if name != last:
            os.replace(temporary, path)  # noqa: PTH105 see below
    waiting = [place for place in placed if place[0] == last]
    if waiting:
        sync_folders([folder for folder, _ in folders])
        for _, temporary, path in waiting:
            os.replace(temporary, path)  # noqa: PTH105 see below
    sync_folders([folder for folder, _ in folders])


def _written(folders: Sequence[tuple[Path, Files]], mode: int) -> list[tuple[str, str, str]]:
    """Write everything beside its place, durably: (name, where it is, where it goes) each."""
    with contextlib.ExitStack() as opened:
        written, placed = [], []
        for folder, files in folders:
            within = f"{folder}{os.sep}"  # a path of its own for each name would cost more than to open it
            for name, pieces in files:
                temporary = f"{within}.{name}.tmp"
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
                opened.callback(os.close, handle)
                for piece in pieces:
                    put(handle, piece)
                written.append(handle)
                placed.append((name, temporary, within + name))
        sync_files(written)
    return placed
