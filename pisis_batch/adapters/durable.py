"""Writing files so that they survive a power cut: bytes first, then the name, then the folder that holds the name."""

import contextlib
import os
from collections.abc import Iterable
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


def write(path: Path, content: bytes, mode: int = 0o640) -> None:
    """Write a file whole or not at all: a temporary name beside it, synced, then renamed over it."""
    _placed(path.parent, [(path.name, (content,))], mode)
    sync_folder(path.parent)


def write_all(folder: Path, files: Iterable[tuple[str, Iterable[bytes]]], last: str = "", mode: int = 0o640) -> None:
    """Write files, each given in pieces, into a folder, whole or not at all.

    The one named `last` appears when the others are durable.
    """
    given = list(files)
    waiting = [file for file in given if file[0] == last]
    _placed(folder, [file for file in given if file[0] != last], mode)
    if waiting:
        sync_folder(folder)
        _placed(folder, waiting, mode)
    sync_folder(folder)


def _placed(folder: Path, files: Iterable[tuple[str, Iterable[bytes]]], mode: int) -> None:
    """All are written before the first is synced: the disk then takes the others along."""
    within = f"{folder}{os.sep}"  # a path of its own for each name would cost more than to open it
    with contextlib.ExitStack() as opened:
        written = []
        for name, pieces in files:
            temporary = f"{within}.{name}.tmp"
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
            file = opened.enter_context(os.fdopen(handle, "wb"))
            file.writelines(pieces)
            file.flush()
            written.append((file, temporary, within + name))
        for file, _, _ in written:
            sync(file)
    for _, temporary, path in written:
        os.replace(temporary, path)  # noqa: PTH105 see above
