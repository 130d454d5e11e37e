"""Documents for senders: `outbox/<LOGIN>/<GUID>/`, each file whole or not there."""

import contextlib
import os
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from pisis_batch.adapters import durable
from pisis_batch.model import Attachment

NOBODY = "_sin_remitente"
_LAST = "ack.json"


def owner(sender: str | None) -> str:
    """The folder of a sender: its login, or a common one when nobody's login is known."""
    return sender if sender and re.fullmatch(r"[A-Za-z0-9]{3,40}", sender, re.ASCII) else NOBODY


class FolderOutbox:
    """Fulfils `ports.Outbox`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lasting: set[Path] = set()  # senders' folders whose own name is durable
        self._writing = threading.Lock()  # the same documents, by two threads: one after the other
        root.mkdir(parents=True, exist_ok=True)

    def publish(self, sender: str | None, guid: str, documents: Sequence[Attachment]) -> Path:
        """Write the documents and take away those of an earlier verdict; the same call twice leaves the same bytes."""
        self.publish_each([(sender, guid, documents)])
        return self._folder(sender, guid)

    def publish_each(self, runs: Sequence[tuple[str | None, str, Sequence[Attachment]]]) -> None:
        """As `publish`, with as many waits for the disk as for one where they come together.

        `ack.json` comes last: a program that sees it finds all the others.
        """
        folders = [self._folder(sender, guid) for sender, guid, _ in runs]
        senders, made = set[Path](), set[Path]()
        with self._writing:
            for folder in folders:
                senders.add(folder.parent)
                if not folder.parent.is_dir():  # made anew, perhaps by hand removed meanwhile: its name is to last
                    self._lasting.discard(folder.parent)
                with contextlib.suppress(FileExistsError):
                    folder.mkdir(parents=True)
                    made.add(folder)
            given = [((one.name, one.pieces()) for one in documents) for _, _, documents in runs]
            durable.write_each(list(zip(folders, given, strict=True)), last=_LAST)
            for folder, (_, _, documents) in zip(folders, runs, strict=True):
                if folder in made:  # nothing of an earlier verdict can be there
                    continue
                for stale in set(os.listdir(folder)) - {one.name for one in documents}:  # noqa: PTH208 names are all that is needed
                    if (folder / stale).is_file():
                        (folder / stale).unlink()
            for parent in senders:
                durable.sync_folder(parent)
            if senders - self._lasting:
                durable.sync_folder(self._root)
                self._lasting |= senders

    def _folder(self, sender: str | None, guid: str) -> Path:
        return self._root / owner(sender) / guid

    def has(self, sender: str | None, guid: str) -> bool:
        """Whether a receipt has its documents."""
        folder = self._folder(sender, guid)
        return folder.is_dir() and any(folder.iterdir())

    def erase(self, sender: str | None, guid: str) -> None:
        """Remove the folder of a receipt."""
        folder = self._folder(sender, guid)
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
            durable.sync_folder(folder.parent)
