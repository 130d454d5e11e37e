"""Documents for senders: `outbox/<LOGIN>/<GUID>/`, each file whole or not there."""

import os
import re
import shutil
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
        root.mkdir(parents=True, exist_ok=True)

    def publish(self, sender: str | None, guid: str, documents: Sequence[Attachment]) -> Path:
        """Write the documents and take away those of an earlier verdict; the same call twice leaves the same bytes.

        `ack.json` comes last: a program that sees it finds all the others.
        """
        folder = self._root / owner(sender) / guid
        if not folder.parent.is_dir():  # made anew, perhaps by hand removed meanwhile: its name is to be made durable
            self._lasting.discard(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        durable.write_all(folder, ((one.name, one.pieces()) for one in documents), last=_LAST)
        names = {document.name for document in documents}
        for stale in set(os.listdir(folder)) - names:  # noqa: PTH208 names are all that is needed
            if (folder / stale).is_file():
                (folder / stale).unlink()
        durable.sync_folder(folder.parent)
        if folder.parent not in self._lasting:
            durable.sync_folder(self._root)
            self._lasting.add(folder.parent)
        return folder

    def has(self, sender: str | None, guid: str) -> bool:
        """Whether a receipt has its documents."""
        folder = self._root / owner(sender) / guid
        return folder.is_dir() and any(folder.iterdir())

    def erase(self, sender: str | None, guid: str) -> None:
        """Remove the folder of a receipt."""
        folder = self._root / owner(sender) / guid
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
            durable.sync_folder(folder.parent)
