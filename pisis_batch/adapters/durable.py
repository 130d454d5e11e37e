"""Writing files so that they survive a power cut: bytes first, then the name, then the folder that holds the name."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
        for folder, _ in folders:
            sync_folder(folder)
        for _, temporary, path in waiting:
            os.replace(temporary, path)  # noqa: PTH105 see below
    for folder, _ in folders:
        sync_folder(folder)


def _written(folders: Sequence[tuple[Path, Files]], mode: int) -> list[tuple[str, str, str]]:
    """Write everything beside its place, durably: (name, where it is, where it goes) each.

    All are written before the first is synced: the disk then takes the others along.
    """
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
        for handle in written:
            os.fsync(handle)
    return placed
