"""Folders and mail: where files arrive, are kept and are answered."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import polars as pl

from pisis_batch.model import Attachment, Content
from pisis_batch.ports.nouns import Claimed, Mail


class Inbox(Protocol):
    """Where files arrive."""

    def batches(self) -> Iterator[Sequence[Claimed]]:
        """Finish claims left by an interrupted run, then claim each settled file by renaming it away, many at a time.

        Of one sender always the oldest first. Nobody else has the files of a batch until the next one is asked for.
        """
        ...

    def waiting(self) -> bool:
        """Whether files are there that are not yet settled."""
        ...

    def release(self, claimed: Claimed) -> None:
        """Forget a claimed file: its bytes are safe in the archive."""
        ...


class Archive(Protocol):
    """Originals by SHA-256, kept until their time is over."""

    def keep(self, source: Path) -> tuple[str, str, int]:
        """Copy a file's bytes durably; return (sha256, MD5 upper case, size). Safe to run again."""
        ...

    def keeping(self) -> AbstractContextManager[Callable[[Path], tuple[str, str, int]]]:
        """A `keep` for a batch: what it kept is durable, name and all, when the block ends, and not before.

        Raises OSError at that end when it cannot be, or a file changed meanwhile: then nothing of it counts as kept.
        """
        ...

    def fetch(self, sha256: str) -> Content:
        """The very bytes kept. Raises KeyError when unknown, ValueError when they no longer match their hash."""
        ...

    def has(self, sha256: str) -> bool:
        """Whether the bytes are in their place."""
        ...

    def erase(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Take the bytes out of their place, ask whether anybody wants them after all, and only then end them.

        Whoever keeps the same bytes meanwhile, records them and then sees that they are not there, keeps them again.
        """
        ...

    def set_apart(self) -> list[str]:
        """Hashes of bytes that an interrupted `erase` left out of their place."""
        ...


class Outbox(Protocol):
    """Where senders find the documents about their files."""

    def publish(self, sender: str | None, guid: str, documents: Sequence[Attachment]) -> Path:
        """Write the documents, whole or not at all; the same call twice leaves the same bytes."""
        ...

    def publish_each(self, runs: Sequence[tuple[str | None, str, Sequence[Attachment]]]) -> None:
        """Write the documents of several, (sender, guid, documents) each; when it fails, those of some may be there."""
        ...

    def has(self, sender: str | None, guid: str) -> bool:
        """Whether the documents of a receipt are there."""
        ...

    def erase(self, sender: str | None, guid: str) -> None:
        """Remove the documents of a receipt; nothing when they are not there."""
        ...


#: How the reason of a message begins that was refused for good: it is not tried again.
REFUSED = "rechazo definitivo: "


class Mailer(Protocol):
    """Hands messages to the outside."""

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Try each message once, over one connection; yield it with None when accepted, else with the reason."""
        ...

    def erase(self, kind: str, guid: str, id_: int) -> None:
        """Remove a copy of a message that was handed over, where one is kept."""
        ...


class Hints(Protocol):
    """Somebody who may notice that the inbox changed, or may not."""

    def listening(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `wake` on changes while the block runs."""
        ...


class Sorted(Protocol):
    """Rows on disk, to be read in the order of their people."""

    def put(self, kind: str, rows: pl.DataFrame) -> None:
        """Add rows of a kind, with the columns tipo_id and num_id."""
        ...

    def ordered(self, kind: str) -> Iterator[pl.DataFrame]:
        """The rows of a kind in the order of their keys, some at a time."""
        ...

    def close(self) -> None:
        """Give the room back."""
        ...


class Scratch(Protocol):
    """Room for what is too large for memory. Nothing of it has a name, and it is gone with this process."""

    def rows(self) -> Sorted:
        """Room for rows."""
        ...

    def content(self, parts: Iterable[bytes]) -> Content:
        """Parts as one content, which is held in memory only when it is small."""
        ...
