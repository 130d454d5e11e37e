"""What is proved and what is let go: the chain over the audit, and what is not kept longer than it must."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from pisis_batch.model import Id
from pisis_batch.ports.nouns import Offender


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The last link of the chain: its number, from 1 (0 when there is none), and its hash."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Audited:
    """What a verification read: links, entries they must have, entries older than the chain, and whatever is broken.

    `thinned`: up to which link entries were taken away on purpose. `strangers`: keys that are not here, with how many
    links each signed: of another machine whose file of keys was not shared, or of whoever has none of ours.
    """

    links: int
    entries: int
    before: int
    thinned: int
    head: AuditHead
    strangers: tuple[tuple[str, int], ...]
    offenders: tuple[Offender, ...]


#: What is kept for so long and no longer, each class apart.
KINDS = ("originales", "documentos", "cartas", "valores", "historia", "auditoria")
#: Those that belong to one receipt.
OF_RECEIPTS = KINDS[:4]


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days each class is kept; 0: for ever."""

    originales: int = 0
    documentos: int = 365
    cartas: int = 365
    valores: int = 365
    historia: int = 0
    auditoria: int = 0

    def days(self, kind: str) -> int:
        """The days of a class of `KINDS`."""
        return int(getattr(self, kind))


@dataclass(frozen=True, slots=True)
class Erasing:
    """What went from the registry and may still lie outside it; `letters`: (kind, key) of the messages."""

    guid: str
    kind: str
    sender: str | None
    sha256: str
    letters: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Traced:
    """Where a person stands in the registry: why it must stay (empty when it may go), and the receipts that name it."""

    obstacles: tuple[str, ...]
    rows: int
    guids: tuple[str, ...]


class Keeping(Protocol):
    """The part of the registry that others can hold to account."""

    def due(self, kind: str, before: date) -> tuple[int, str]:
        """How many of a class are over, and the day of the oldest (empty when there is none)."""
        ...

    def let_go(
        self, kind: str, before: date, at: datetime, *, by: str | None = None, guids: Collection[str] | None = None
    ) -> int:
        """Take a part of what is due out of the registry, with its entry of audit; how many, 0 when there is no more.

        Never anything of a receipt that waits, is worked on, or has a document or message still to go out.
        """
        ...

    def unfinished(self) -> list[Erasing]:
        """What was let go and may still lie outside the registry."""
        ...

    def finish(self, erasing: Erasing, remove: Callable[[], None]) -> bool:
        """Remove what lies outside while nobody can make it anew, and say that it is gone; False when it is not due."""
        ...

    def wanted(self, sha256: str) -> bool:
        """Whether any receipt still needs an original."""
        ...

    def unpublish(self, at: datetime, by: str) -> int:
        """Say that the documents still here are not in the outbox, which may have been lost; of how many receipts.

        The audit tells that a copy was restored, `by` whom.
        """
        ...

    def compact(self) -> None:
        """Leave nothing of deleted rows in the database's files."""
        ...

    def trace(self, id_: Id) -> Traced:
        """Where a person stands in the registry."""
        ...

    def originals(self) -> list[tuple[str, str]]:
        """(sha256, guid) of every receipt whose original is kept."""
        ...

    def unname(self, id_: Id, at: datetime, by: str) -> int:
        """Put pseudonyms in the place of a person wherever it stands; how many rows. Nothing while it must stay."""
        ...

    def audit_head(self) -> AuditHead:
        """The end of the chain, to be kept where whoever changes the database cannot reach."""
        ...

    def audit_verify(self, known: AuditHead | None = None) -> Audited:
        """Every link and every entry against what was signed; `known`: a head that was kept elsewhere."""
        ...

    def audit_entries(self, guid: str) -> Iterable[Any]:
        """(at, action, who, who_key) of what happened to a receipt, without its lines."""
        ...
