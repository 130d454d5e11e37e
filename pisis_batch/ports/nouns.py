"""What crosses the ports."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

#: Aware datetimes in America/Bogota.
Clock = Callable[[], datetime]


#: States of a receipt that still waits for its verdict.
OPEN = ("recibido", "procesando")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file taken out of the inbox: from now on `guid` names it. `path` is inside the private claim folder.

    `unread`: why its bytes must not be read, in the words of a finding, or "too_big"; empty when they may.
    `signed`: how it came signed (`model.trust`); `signature`: the file beside it, to be read with care.
    """

    guid: str
    sender: str | None
    name: str
    path: Path
    unread: str = ""
    size: int = 0
    signed: str = ""
    signature: Path | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A file accepted for processing (its bytes are in the archive).

    `state`: recibido, procesando, retenido (two people must approve it), terminado or cuarentena. `lane`: the queue it
    stands in, one for each entity (by the file's name; files whose name tells none queue by their sender). `fence`: the
    number of its latest attempt's lease. `attempts`: those that ended in a fault, and the one that is going on;
    `interruptions`: those in which the service itself died. `unread`: as in :class:`Claimed`.
    """

    guid: str
    file_name: str
    sha256: str
    md5: str
    size: int
    sender: str | None
    received_at: datetime
    state: str = "recibido"
    attempts: int = 0
    interruptions: int = 0
    lane: str = ""
    fence: int = 0
    unread: str = ""
    signed: str = ""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Held:
    """What a held file waits with: the hash of its plan, and who approved it when."""

    plan: str
    approvals: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """What two attempts of one report have in common: the file name, or annex, entity and cut date (empty: unknown)."""

    file_name: str
    annex: str = ""
    entity_type: str = ""
    entity_number: str = ""
    cut_date: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """A loaded receipt as the cause of something in the registry; `approved_by`: who released it, if it was held."""

    guid: str
    file_name: str
    sha256: str
    sender: str | None
    ruleset: str
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered message waiting in the registry: exact bytes, sent as they are every time it is tried."""

    id: int
    guid: str
    kind: str
    recipient: str
    message_id: str
    body: bytes
    attempts: int


class UnavailableError(RuntimeError):
    """Something outside that we need cannot be reached just now: no file's fault, and no attempt of any."""


@dataclass(frozen=True, slots=True)
class Offender:
    """Something that does not add up: the receipt ("-" for none) and what is wrong with it."""

    guid: str
    what: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """How many receipts and messages are in each state, and whatever does not add up."""

    totals: dict[str, int]
    offenders: tuple[Offender, ...]


@dataclass(frozen=True, slots=True)
class Outside:
    """What must lie outside the registry for a receipt: its original (empty when it was never read), its documents."""

    guid: str
    sha256: str
    sender: str | None
    published: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message refused for good: whose, of which kind, to whom, and the code of the answer."""

    guid: str
    kind: str
    recipient: str
    reason: str


@dataclass(frozen=True, slots=True)
class Letters:
    """`states`: en cola, reintento, enviado, rechazado, en resumen. `oldest`: reception of the oldest that waits.

    `soonest`: when the next is due. `reasons`: of those that are tried again.
    """

    states: dict[str, int]
    oldest: datetime | None
    soonest: datetime | None
    reasons: dict[str, int]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Flood:
    """Messages to one recipient that go out as one: per message its key, guid, file name, reception and verdict.

    `told_lately`: whether a digest went to the recipient within the last hour.
    """

    recipient: str
    told_lately: bool
    entries: tuple[tuple[int, str, str, str, str], ...]
