"""Taking a file out of a sender's folder: by a rename, or by a copy where that is not to be had."""

import errno
import os
import shutil
import stat
import uuid
from pathlib import Path

from pisis_batch.adapters import folder_scan


def rename(folder: int, name: str, target: Path) -> None:
    """Rename out of an open folder; between file systems copy, sync and remove. OSError when it was not to be had."""
    try:
        os.rename(name, target, src_dir_fd=folder)
    except OSError as error:
        with folder_scan.opened(target.parent) as claims:
            if error.errno == errno.EXDEV:
                _copy(folder, name, claims, target.name)
            elif not _done_all_the_same(folder, name, claims):
                raise


def _done_all_the_same(folder: int, name: str, claims: int) -> bool:
    """Whether a rename that was reported as failed took place: network file systems do that."""
    found = []
    for handle in (folder, claims):
        with os.scandir(handle) as entries:
            found.append(any(entry.name == name for entry in entries))
    return found == [False, True]


def _copy(folder: int, name: str, claims: int, target: str) -> None:
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(source, "rb") as file:
        before = os.fstat(source)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "only files are copied")
        half = f".pisis-copy-{uuid.uuid4()}"
        copy = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=claims)
        with os.fdopen(copy, "wb") as whole:
            shutil.copyfileobj(file, whole, 1 << 20)
            whole.flush()
            os.fsync(copy)
        after = os.fstat(source)
    if (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
    ):
        os.unlink(half, dir_fd=claims)
        raise OSError(errno.EAGAIN, "it changed while it was copied")
    os.rename(half, target, src_dir_fd=claims, dst_dir_fd=claims)
    os.fsync(claims)
    os.unlink(name, dir_fd=folder)
