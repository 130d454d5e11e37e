"""Writing files so that they survive a power cut: bytes first, then the name, then the folder that holds the name."""

import os
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
    temporary = path.with_name(f".{path.name}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
