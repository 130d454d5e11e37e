"""The drop folder: `inbox/<LOGIN>/<FILE>`. A file is claimed by renaming it into a private folder.

The scan is the truth; whoever renames first owns the file. A file is left alone while it is being written
(`folder_stillness`), and temporary names are nobody's file yet. Senders take turns, so that a flood of one is not a
wait for the others.

Claims are made in batches (`folder_claims`), so that a batch costs as many syncs as one file.
"""

import contextlib
import errno
import fcntl
import hashlib
import itertools
import os
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pisis_batch.adapters import durable, folder_scan
from pisis_batch.adapters.durable import sync_folder
from pisis_batch.adapters.folder_claims import FOREIGN, NOBODY, FolderClaims
from pisis_batch.adapters.folder_moves import rename
from pisis_batch.adapters.folder_scan import Seen
from pisis_batch.adapters.folder_signatures import Pairing, beside
from pisis_batch.adapters.folder_stillness import Stillness
from pisis_batch.ports import Claimed

if TYPE_CHECKING:
    import structlog

_BATCH = 64
_TURN = 8  # files of a sender that go into a batch together: one folder synced for all of them
_AT_ONCE = 16_384  # entries looked at in one pass, over all folders

Found = tuple[str | None, Seen]


class FolderInbox:
    """Fulfils `ports.Inbox`."""

    def __init__(
        self,
        inbox: Path,
        claims: Path,
        settle_seconds: float,
        largest: int = 2**63,
        pairing: Pairing | None = None,
    ) -> None:
        self._inbox, self._claims = inbox, FolderClaims(claims, largest, pairing)
        self._stillness = Stillness(settle_seconds)
        self._mine: dict[int, bool] = {}
        self._pairing = pairing  # where files come with signatures
        inbox.mkdir(parents=True, exist_ok=True)

    def claims(self) -> Iterator[Claimed]:
        """The files of `batches`, one by one."""
        return itertools.chain.from_iterable(self.batches())

    def batches(self) -> Iterator[list[Claimed]]:
        """Left-over claims first, then every settled file; of one sender always the oldest first.

        A folder is looked into when its turn comes, so that the first batch does not wait for the last folder. Several
        processes may be here: each keeps the senders that it works on to itself until it is done, so that a file never
        overtakes an older one that another process has in hand.
        """
        with contextlib.ExitStack() as locks:
            self._mine = {}
            left_over = (
                (batch, path)
                for batch, path in self._claims.left_over(locks)
                if self._keep(path.parent.name.removeprefix(FOREIGN), locks)
            )
            while batch_ := list(itertools.islice(left_over, _BATCH)):
                for _, path in batch_:
                    self._take_signature(path)
                yield [self._claims.claimed(batch, path) for batch, path in batch_]
            try:
                with folder_scan.opened(self._inbox) as root:
                    found = self._in_turns(root, locks)
                    while seen := list(itertools.islice(found, _BATCH)):
                        yield from self._claim(root, seen)
            except (FileNotFoundError, NotADirectoryError):
                self._inbox.mkdir(parents=True, exist_ok=True)  # deleted under us; what is dropped next is found

    def _keep(self, login: str, locks: contextlib.ExitStack) -> bool:
        """Keep a sender to this process until the stack unwinds; False when another process has it."""
        place = hashlib.sha256(login.encode("utf-8", "surrogateescape")).digest()[0]
        if place not in self._mine:
            folder = self._claims.folder.with_name("turnos")
            folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(folder / f"{place:02x}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            locks.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._mine[place] = False
            else:
                self._mine[place] = True
        return self._mine[place]

    def release(self, claimed: Claimed) -> None:
        """The bytes are in the archive and the receipt is recorded: forget the claim."""
        self._claims.release(claimed)

    def waiting(self) -> bool:
        """Whether files are there that still change or have not held still long enough."""
        try:
            with folder_scan.opened(self._inbox) as root:
                return any(True for _ in self._candidates(root))
        except OSError:
            return False

    def _take_signature(self, path: Path) -> None:
        """Bring the signature of a claimed file that was left in the inbox when its claimer died."""
        login = path.parent.name
        if self._pairing is None or login.startswith(FOREIGN) or beside(path) is not None:
            return
        sender = None if login == NOBODY else login
        with (
            contextlib.suppress(OSError),
            folder_scan.opened(self._inbox) as root,
            self._folder(root, sender) as folder,
        ):
            self._pairing.take(folder, path, rename)

    def _in_turns(self, root: int, locks: contextlib.ExitStack) -> Iterator[Found]:
        """Settled files, a few of each sender in turn."""
        senders: list[str | None] = [None, *folder_scan.senders(root)]
        most = max(_BATCH, _AT_ONCE // len(senders))
        waiting = [self._of(root, sender, most, locks) for sender in senders]
        while waiting:
            going = []
            for files in waiting:
                turn = list(itertools.islice(files, _TURN))
                yield from turn
                if len(turn) == _TURN:
                    going.append(files)
            waiting = going

    def _of(self, root: int, sender: str | None, most: int, locks: contextlib.ExitStack) -> Iterator[Found]:
        """The oldest settled files of a sender, whose folder is looked into when the first of them is asked for."""
        settled: list[Seen] = []
        with contextlib.suppress(OSError), self._folder(root, sender) as folder:
            seen = folder_scan.oldest(folder, most)
            settled = [one for one in seen if self._stillness.settled(folder, (sender, one.name), one)]
            if self._pairing:
                settled = self._pairing.whole(folder, sender, settled)
        login = sender or NOBODY
        if settled and self._keep(login, locks) and not self._claims.is_behind(login):
            yield from ((sender, one) for one in settled)

    def _candidates(self, root: int) -> Iterator[Found]:
        for sender in (None, *folder_scan.senders(root)):
            with contextlib.suppress(OSError), self._folder(root, sender) as folder:
                found = folder_scan.oldest(folder, 1 + self._stillness.stuck)
                yield from ((sender, seen) for seen in found if not self._stillness.is_stuck((sender, seen.name)))

    @contextlib.contextmanager
    def _folder(self, root: int, sender: str | None) -> Iterator[int]:
        if sender is None:
            yield root
            return
        with folder_scan.opened(sender, root) as handle:
            yield handle

    def _claim(self, root: int, found: list[Found]) -> Iterator[list[Claimed]]:
        """Rename a batch of files into a folder of its own, make that durable, and hand them out under its lock."""
        batch = self._claims.folder / str(uuid.uuid4())
        batch.mkdir(mode=0o700)
        with self._claims.held(batch), contextlib.ExitStack() as handles:
            folders = self._folders(root, found, handles)
            homes: dict[str, Path] = {}
            ready = [
                (*one, home)
                for one in found
                if one[0] in folders and (home := self._home(folders[one[0]], *one, batch, homes))
            ]
            for made in (batch, self._claims.folder):  # before anything is moved into it
                sync_folder(made)
            taken = [path for sender, seen, home in ready if (path := self._taken(folders[sender], sender, seen, home))]
            _settle({path.parent for path in taken}, folders.values())
            handles.close()
            if taken:
                yield [self._claims.claimed(batch, path) for path in taken]
            for made in (*homes.values(), batch):  # what nothing was moved into
                with contextlib.suppress(OSError):
                    made.rmdir()

    def _folders(self, root: int, found: list[Found], handles: contextlib.ExitStack) -> dict[str | None, int]:
        """The senders' folders of a batch, held open until everything of theirs was moved."""
        folders = {}
        for sender, seen in {one[0]: one[1] for one in reversed(found)}.items():
            try:
                folders[sender] = handles.enter_context(self._folder(root, sender))
            except OSError as error:
                self._refused(sender, seen, error)
        return folders

    def _home(self, folder: int, sender: str | None, seen: Seen, batch: Path, homes: dict[str, Path]) -> Path | None:
        """The folder of a batch that a file goes to, made once; None when it cannot be."""
        name = (FOREIGN if folder_scan.foreign(seen, folder) else "") + (sender or NOBODY)
        if name not in homes:
            home = batch / name
            try:
                home.mkdir(mode=0o700)
            except OSError as error:
                self._refused(sender, seen, error)
                return None
            homes[name] = home
        return homes[name]

    def _taken(self, folder: int, sender: str | None, seen: Seen, home: Path) -> Path | None:
        """Where a file was renamed to. None when somebody else was first, or it may not be renamed."""
        path = home / seen.name
        try:
            rename(folder, seen.name, path)
            if self._pairing and not home.name.startswith(FOREIGN):
                self._pairing.take(folder, path, rename)
        except OSError as error:
            self._refused(sender, seen, error)
            return None
        return path

    def _refused(self, sender: str | None, seen: Seen, error: OSError) -> None:
        if error.errno != errno.ENOENT:
            self._stillness.stick((sender, seen.name))
            # a login is a number that says who it is: its end is enough to find the folder
            _log().error(
                "claim_failed", folder=f"…{(sender or '')[-4:]}", error=type(error).__name__, errno=error.errno
            )


def _settle(homes: Collection[Path], folders: Collection[int]) -> None:
    """Make what was moved durable, where it went and where it was."""
    if durable.sync_disk([*homes, *folders]):
        return
    for home in homes:
        sync_folder(home)
    for folder in folders:
        with contextlib.suppress(OSError):
            os.fsync(folder)


def _log() -> "structlog.stdlib.BoundLogger":
    """The log, loaded when there is something to say: a check opens the inbox and says nothing."""
    import structlog  # noqa: PLC0415 see above

    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
