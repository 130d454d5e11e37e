"""What is proved and what is let go: the chain over the audit, and what is not kept longer than it must."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

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

    `thinned`: up to which link entries were taken away on purpose.
    """

    links: int
    entries: int
    before: int
    thinned: int
    head: AuditHead
    offenders: tuple[Offender, ...]


class Keeping(Protocol):
    """The part of the registry that others can hold to account."""

    def audit_head(self) -> AuditHead:
        """The end of the chain, to be kept where whoever changes the database cannot reach."""
        ...

    def audit_verify(self, known: AuditHead | None = None) -> Audited:
        """Every link and every entry against what was signed; `known`: a head that was kept elsewhere."""
        ...

    def audit_entries(self, guid: str) -> Iterable[Any]:
        """(at, action, who, who_key) of what happened to a receipt, without its lines."""
        ...
