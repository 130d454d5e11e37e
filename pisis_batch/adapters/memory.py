"""Every outside thing but the database, in memory: for tests, and for trying a rule or a report without a disk.

The registry has no twin here: `SqlRegistry("sqlite://")` is the real one on a database that lives in memory, so that
nothing is ever proved about a second implementation of history (docs/decisions).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pisis_batch.adapters.folder_outbox import owner
from pisis_batch.model import Attachment
from pisis_batch.ports import Mail


class MemoryArchive:
    """Fulfils `ports.Archive`: originals by SHA-256 in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def keep(self, source: Path) -> tuple[str, str, int]:
        """Remember the bytes of a file."""
        content = source.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256, hashlib.md5(content, usedforsecurity=False).hexdigest().upper(), len(content)

    def keeping(self) -> AbstractContextManager[Callable[[Path], tuple[str, str, int]]]:
        """Remember many, one after the other."""
        return nullcontext(self.keep)

    def fetch(self, sha256: str) -> bytes:
        """The very bytes kept."""
        content = self.kept[sha256]
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"the original {sha256} no longer matches its hash")
        return content

    def has(self, sha256: str) -> bool:
        """Whether the bytes are there."""
        return sha256 in self.kept

    def erase(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Forget the bytes unless they are wanted."""
        if not wanted():
            self.kept.pop(sha256, None)
        return sha256 not in self.kept

    def set_apart(self) -> list[str]:
        """Nothing: forgetting is one step."""
        return []


class MemoryOutbox:
    """Fulfils `ports.Outbox`: documents by owner, guid and name."""

    def __init__(self) -> None:
        self.published: dict[tuple[str, str, str], bytes] = {}

    def publish(self, sender: str | None, guid: str, documents: Sequence[Attachment]) -> Path:
        """Remember the documents of a receipt."""
        for document in documents:
            self.published[owner(sender), guid, document.name] = document.content
        return Path(owner(sender)) / guid

    def publish_each(self, runs: Sequence[tuple[str | None, str, Sequence[Attachment]]]) -> None:
        """One after the other."""
        for sender, guid, documents in runs:
            self.publish(sender, guid, documents)

    def has(self, sender: str | None, guid: str) -> bool:
        """Whether a receipt has its documents."""
        return any(key[:2] == (owner(sender), guid) for key in self.published)

    def erase(self, sender: str | None, guid: str) -> None:
        """Forget the documents of a receipt."""
        for key in [key for key in self.published if key[:2] == (owner(sender), guid)]:
            del self.published[key]


class MemoryMailer:
    """Fulfils `ports.Mailer`: takes every message but those to the addresses in `refuses`."""

    def __init__(self, refuses: Sequence[str] = ()) -> None:
        self.sent: list[Mail] = []
        self.refuses = set(refuses)

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Take or refuse each message once."""
        for mail in mails:
            if mail.recipient in self.refuses:
                yield mail, "destinatario rechazado (450)"
                continue
            self.sent.append(mail)
            yield mail, None

    def erase(self, kind: str, guid: str, id_: int) -> None:
        """Forget a message."""
        self.sent = [mail for mail in self.sent if (mail.kind, mail.guid, mail.id) != (kind, guid, id_)]
