"""Writing files so that they survive a power cut: bytes first, then the name, then the folder that holds the name."""

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
    _placed(path, (content,), mode)
    sync_folder(path.parent)


def write_all(folder: Path, files: Iterable[tuple[str, Iterable[bytes]]], last: str, mode: int = 0o640) -> None:
    """Write files, each given in pieces, into a folder, whole or not at all.

    The one named `last` appears when the others are durable.
    """
    waiting = []
    for name, pieces in files:
        if name == last:
            waiting.append((name, pieces))
        else:
            _placed(folder / name, pieces, mode)
    if waiting:
        sync_folder(folder)
    for name, pieces in waiting:
        _placed(folder / name, pieces, mode)
    sync_folder(folder)


def _placed(path: Path, pieces: Iterable[bytes], mode: int) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
