"""Files that were claimed and have no receipt yet: `claims/<batch>/<LOGIN>/<FILE>`, in a folder that is ours alone.

The guid of a claim follows from its batch and its name: it is the same after a crash. Whoever works on a batch holds
its lock.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from pisis_batch.adapters import folder_scan
from pisis_batch.adapters.folder_signatures import DONE, Pairing, left
from pisis_batch.ports import Claimed

NOBODY = "_"  # the home of files that lay in the root of the inbox
FOREIGN = "!"  # before the login: the file is neither the folder's owner's nor ours


class FolderClaims:
    """The batches under a folder; files above `largest` bytes are not to be read."""

    def __init__(self, folder: Path, largest: int, pairing: Pairing | None) -> None:
        self.folder, self._largest, self._pairing = folder, largest, pairing
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)

    def left_over(self, locks: contextlib.ExitStack) -> list[tuple[Path, Path]]:
        """(batch, file) of interrupted claims that nobody holds, the oldest first."""
        found = []
        for batch in self._batches():
            if locks.enter_context(self.held(batch)):
                found += [(batch, path) for path in self._files(batch)]
        return sorted(found, key=lambda one: (one[1].lstat().st_mtime_ns, one[1].name))

    def is_behind(self, login: str) -> bool:
        """Whether a sender has a claimed file without a receipt; asked once the sender is ours."""
        homes = (batch / home for batch in self._batches() for home in (login, FOREIGN + login))
        return any(True for home in homes if home.is_dir() for _ in home.iterdir())

    @contextlib.contextmanager
    def held(self, batch: Path) -> Iterator[bool]:
        """The lock of a batch, which its claimer holds and the kernel frees when the claimer dies."""
        try:
            handle = os.open(batch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield False
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(handle)

    def claimed(self, batch: Path, path: Path) -> Claimed:
        """A file of a batch, with what keeps its bytes from being read."""
        home = path.parent.name
        login = home.removeprefix(FOREIGN)
        sender = None if login == NOBODY else login
        said = hashlib.sha256(batch.name.encode() + os.fsencode(f"/{login}/{path.name}")).digest()
        guid = str(uuid.UUID(bytes=said[:16], version=4))
        seen = folder_scan.look(None, str(path))  # its folders are ours alone
        unread = seen.kind
        if not unread and home.startswith(FOREIGN):
            unread = folder_scan.FOREIGN
        if not unread and seen.links > 1:
            unread = folder_scan.LINKED
        if not unread and seen.size > self._largest:
            unread = "too_big"
        signed, signature = self._pairing.of(path) if self._pairing and not unread else ("", None)
        return Claimed(guid, sender, path.name, path, unread, seen.size, signed, signature)

    def release(self, claimed: Claimed) -> None:
        """The bytes are in the archive and the receipt is recorded: forget the claim.

        Nothing is synced: a claim that comes back after a power cut is known by its guid. What was too large to be
        read is kept beside the claims.
        """
        with contextlib.suppress(OSError):
            if claimed.unread == "too_big":
                aside = self.folder.with_name("apartados")
                aside.mkdir(mode=0o700, exist_ok=True)
                claimed.path.rename(aside / claimed.guid)
            elif claimed.signature:
                done = claimed.path.with_name(f"{DONE}{claimed.guid}")
                claimed.path.rename(done)  # from here on what is left of the pair is nobody's
                claimed.signature.unlink(missing_ok=True)
                done.unlink()
            else:
                claimed.path.unlink(missing_ok=True)
            home = claimed.path.parent
            home.rmdir()
            home.parent.rmdir()

    def _batches(self) -> list[Path]:
        return sorted(entry for entry in self.folder.iterdir() if entry.is_dir())

    def _files(self, batch: Path) -> list[Path]:
        """The files of a batch; one that is empty, or a copy that never ended, is cleared away."""
        found = left([path for path in batch.glob("*/*") if not path.name.startswith(".pisis-copy-")])
        if not found:
            shutil.rmtree(batch, ignore_errors=True)
        return found
