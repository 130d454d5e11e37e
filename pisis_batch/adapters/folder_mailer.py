"""Mail as files: each message an `.eml` in `outbox/correo/`. For trying things out, or for another program to send."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pisis_batch.adapters import durable
from pisis_batch.ports import Mail


class FolderMailer:
    """Fulfils `ports.Mailer`."""

    def __init__(self, root: Path) -> None:
        self._root, self._lasting = root, False

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Write each message; a second try writes the same file again."""
        self._root.mkdir(parents=True, exist_ok=True)
        if not self._lasting:  # the folder's own name, once
            durable.sync_folder(self._root.parent)
            self._lasting = True
        for mail in mails:
            durable.write(self._path(mail.kind, mail.guid, mail.id), mail.body)
            yield mail, None

    def erase(self, kind: str, guid: str, id_: int) -> None:
        """Remove the file of a message."""
        self._path(kind, guid, id_).unlink(missing_ok=True)

    def _path(self, kind: str, guid: str, id_: int) -> Path:
        return self._root / f"{kind}-{guid[:8]}-{id_}.eml"
