"""Mail as files: each message an `.eml` in `outbox/correo/`. For trying things out, or for another program to send."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pisis_batch.adapters import durable
from pisis_batch.ports import Mail

_TOGETHER = 20  # messages made durable at once: each by itself waits for the disk twice


class FolderMailer:
    """Fulfils `ports.Mailer`."""

    def __init__(self, root: Path) -> None:
        self._root, self._lasting = root, False

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Write the messages, some at a time; a second try writes the same files again."""
        self._root.mkdir(parents=True, exist_ok=True)
        if not self._lasting:  # the folder's own name, once
            durable.sync_folder(self._root.parent)
            self._lasting = True
        for start in range(0, len(mails), _TOGETHER):
            some = mails[start : start + _TOGETHER]
            durable.write_all(self._root, ((_name(mail.kind, mail.guid, mail.id), (mail.body,)) for mail in some))
            yield from ((mail, None) for mail in some)

    def erase(self, kind: str, guid: str, id_: int) -> None:
        """Remove the file of a message."""
        (self._root / _name(kind, guid, id_)).unlink(missing_ok=True)


def _name(kind: str, guid: str, id_: int) -> str:
    return f"{kind}-{guid[:8]}-{id_}.eml"
