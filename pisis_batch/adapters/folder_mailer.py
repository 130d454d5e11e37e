"""Mail as files: each message an `.eml` in `outbox/correo/`. For trying things out, or for another program to send."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pisis_batch.adapters import durable
from pisis_batch.ports import Mail


class FolderMailer:
    """Fulfils `ports.Mailer`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Write each message; a second try writes the same file again."""
        self._root.mkdir(parents=True, exist_ok=True)
        for mail in mails:
            durable.write(self._root / f"{mail.kind}-{mail.guid[:8]}-{mail.id}.eml", mail.body)
            yield mail, None
