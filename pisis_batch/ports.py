"""What the program needs of the outside, as protocols. Adapters fulfil them; `tests/test_ports.py` holds them to it."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from pisis_batch.judging import Ask, Judged, Task
from pisis_batch.layouts import Shelf
from pisis_batch.model import (
    Attachment,
    Brake,
    EndedContracts,
    Facts,
    Id,
    Limits,
    Outcome,
    Questions,
    RegisteredEntity,
    Rendered,
    Traces,
    Unreported,
)

#: Aware datetimes in America/Bogota.
Clock = Callable[[], datetime]


#: States of a receipt that still waits for its verdict.
OPEN = ("recibido", "procesando")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file taken out of the inbox: from now on `guid` names it. `path` is inside the private claim folder.

    `unread`: why its bytes must not be read, in the words of a finding, or "too_big"; empty when they may.
    """

    guid: str
    sender: str | None
    name: str
    path: Path
    unread: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """A file accepted for processing (its bytes are in the archive).

    `state`: recibido, procesando, retenido (two people must approve it), terminado or cuarentena. `lane`: the queue it
    stands in, one for each entity (by the file's name; files whose name tells none queue by their sender). `fence`: the
    number of its latest attempt's lease. `unread`: as in :class:`Claimed`.
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
    lane: str = ""
    fence: int = 0
    unread: str = ""


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
class Flood:
    """Messages to one recipient that go out as one: per message its key, guid, file name, reception and verdict.

    `told_lately`: whether a digest went to the recipient within the last hour.
    """

    recipient: str
    told_lately: bool
    entries: tuple[tuple[int, str, str, str, str], ...]


class Inbox(Protocol):
    """Where files arrive."""

    def claims(self) -> Iterator[Claimed]:
        """Finish claims left by an interrupted run, then claim each settled file by renaming it away."""
        ...

    def waiting(self) -> bool:
        """Whether files are there that are not yet settled."""
        ...

    def release(self, claimed: Claimed) -> None:
        """Forget a claimed file: its bytes are safe in the archive."""
        ...


class Archive(Protocol):
    """Originals by SHA-256, kept for ever."""

    def keep(self, source: Path) -> tuple[str, str, int]:
        """Copy a file's bytes durably; return (sha256, MD5 upper case, size). Safe to run again."""
        ...

    def fetch(self, sha256: str) -> bytes:
        """The very bytes kept. Raises KeyError when unknown, ValueError when they no longer match their hash."""
        ...


class Outbox(Protocol):
    """Where senders find the documents about their files."""

    def publish(self, sender: str | None, guid: str, documents: Sequence[Attachment]) -> Path:
        """Write the documents, whole or not at all; the same call twice leaves the same bytes."""
        ...

    def has(self, sender: str | None, guid: str) -> bool:
        """Whether the documents of a receipt are there."""
        ...


#: How the reason of a message begins that was refused for good: it is not tried again.
REFUSED = "rechazo definitivo: "


class Mailer(Protocol):
    """Hands messages to the outside."""

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Try each message once, over one connection; yield it with None when accepted, else with the reason."""
        ...


class OutdatedError(RuntimeError):
    """What a verdict was based on changed before it could be committed: judge again."""


class JudgeError(RuntimeError):
    """Judging a file failed, and it is our fault: `kind` says how (tiempo, señal 9, dentro: ValueError…)."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Judge(Protocol):
    """Whoever judges files: this process, or children that can do no harm."""

    def judge(self, task: Task, ask: Ask, alive: Callable[[], bool] = ...) -> Judged:
        """Judge one file; `ask` reaches the registry, `alive` is called now and then and ends the work when False.

        Raises JudgeError.
        """
        ...

    def warm(self) -> None:
        """Prepare for the first file, without waiting."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Registry(Protocol):
    """Users, entities and profiles; receipts, runs, findings and letters."""

    def ask(self, questions: Questions) -> Facts:
        """Every fact a file needs, read in one consistent transaction, set-based."""
        ...

    def accept(self, receipt: Receipt) -> None:
        """Record a received file (idempotent by guid). From here on it is never lost."""
        ...

    def receipt(self, guid: str) -> Receipt | None:
        """One receipt; `guid` may be an unambiguous prefix, in any case."""
        ...

    def pending(self, limit: int | None = None) -> list[Receipt]:
        """Receipts not yet terminated, in order of arrival; with `limit` the first few of each entity, in turns."""
        ...

    def ahead(self, guid: str) -> list[str]:
        """Receipts of the same lane without a verdict, the oldest first, up to this one and with it."""
        ...

    def attempt(self, guid: str, *, again: bool = False) -> int | None:
        """Take the lease of the receipt's lane and count the attempt before it starts; the fence to commit with.

        None when it is not this receipt's turn: its lane is in other hands, an older receipt of the lane waits, or it
        has its verdict already (`again` judges it once more).
        """
        ...

    def renew(self, guid: str, fence: int) -> bool:
        """Say that the attempt is still worked on; False when its lease was lost, and the work with it."""
        ...

    def give_back(self, guid: str, fence: int, *, counted: bool = True) -> None:
        """End an attempt that failed: the receipt may be tried again at once. Not `counted`: it was no attempt."""
        ...

    def commit(
        self,
        outcome: Outcome,
        mails: Sequence[Rendered],
        documents: Sequence[Attachment],
        at: datetime,
        *,
        fence: int,
        reprocess: bool = False,
        approved_by: str | None = None,
        refused_by: str | None = None,
    ) -> bool:
        """Changes, run, findings, audit, documents and mails in one transaction, which also ends the lease.

        Raises OutdatedError, with nothing written, when the facts it was judged by are no longer the registry's.
        False, and nothing written, when the fence is not the lane's latest, or when the receipt is already terminated
        (unless `reprocess`: a new run is added and becomes the receipt's verdict). Runs the changes only when the
        verdict is cargado; a verdict of retenido leaves the receipt waiting with the hash of its plan. `approved_by`
        and `refused_by` are who ended the wait, noted in the same transaction.
        """
        ...

    def quarantine(
        self, outcome: Outcome, mails: Sequence[Rendered], documents: Sequence[Attachment], at: datetime, *, fence: int
    ) -> bool:
        """Give up on a file after repeated faults of ours; the receipt ends in state cuarentena."""
        ...

    def unpublished(self, guid: str | None = None) -> Iterator[tuple[str, str | None, list[Attachment]]]:
        """(guid, sender, documents) of runs whose documents were not yet written to the outbox; of one receipt only."""
        ...

    def published(self, guid: str) -> None:
        """Mark the documents of a receipt's latest run as written."""
        ...

    def mails_due(self, now: datetime, limit: int = 100) -> list[Mail]:
        """Messages to try now, oldest first."""
        ...

    def mail_sent(self, mail_: Mail, at: datetime) -> None:
        """The other side took it."""
        ...

    def mail_failed(self, mail_: Mail, reason: str, next_try: datetime) -> None:
        """Not this time: try again at `next_try`."""
        ...

    def mail_refused(self, mail_: Mail, reason: str) -> None:
        """Never: the other side refused it for good. It stays, for operations to see."""
        ...

    def floods(self, now: datetime, most: int) -> list[Flood]:
        """Recipients for whom more than `most` messages about files not loaded would go out within an hour.

        Of each, the messages over the budget that no digest tells of yet.
        """
        ...

    def digested(self, flood: Flood, digest: Rendered | None, at: datetime) -> None:
        """One message instead of those of a flood; without one they wait until `at`."""
        ...

    def next_mail(self) -> datetime | None:
        """When the next unsent message is due; None when there is none."""
        ...

    def runs(
        self,
        *,
        verdict: str | None = None,
        entity: Id | None = None,
        code: str | None = None,
        since: date | None = None,
        limit: int | None = 50,
    ) -> list[dict[str, Any]]:
        """Latest run of each receipt, newest first.

        Keys: guid, file_name, sender, received_at, state, verdict, entity, counts, changes, ruleset, errors (int),
        mails (dict of state to number).
        """
        ...

    def previous(self, guid: str, series: Series) -> tuple[Receipt, pl.DataFrame] | None:
        """The attempt before a receipt and the findings it was told; None when there was none, or it was accepted."""
        ...

    def origins(self, guids: Collection[str]) -> dict[str, Origin]:
        """The loaded receipts among these guids; causes that are no receipt are left out."""
        ...

    def traces(self, guid: str) -> Traces | None:
        """What a receipt did, and the history of whom it touched; None when it touched nobody."""
        ...

    def held(self, guid: str) -> Held | None:
        """What a held receipt waits with; None when it is not held."""
        ...

    def approve(self, guid: str, login: str, at: datetime, *, fence: int) -> bool:
        """Note the first approval of a held receipt and leave its lane; False when the lease was lost."""
        ...

    def findings(self, guid: str) -> pl.DataFrame:
        """The findings of a receipt's latest run, with the schema FINDINGS."""
        ...

    def accounts(self) -> Accounts:
        """Totals by state, and whatever breaks the accounting invariant."""
        ...

    def kept(self) -> Iterator[Outside]:
        """What must lie outside the registry, for every receipt."""
        ...

    def load(self, table: str, frame: pl.DataFrame, at: datetime) -> int:
        """Upsert checked rows of a registry table; the number of rows written. All or nothing."""
        ...

    def ended_contracts(self, before: date) -> list[EndedContracts]:
        """Users still linked whose contract ended before a day, by entity."""
        ...

    def expire(self, ended: EndedContracts, guid: str, mails: Sequence[Rendered], at: datetime) -> bool:
        """End those links, and the profiles that hung on them, with the mails that tell it, in one transaction.

        False, and nothing written, when the entity's queue is in other hands or its users are no longer these.
        """
        ...

    def unreported(self, today: date, days: int) -> list[Unreported]:
        """Entities with a confirmed address that have not reported an annex whose period closes within so many days."""
        ...

    def notify(self, guid: str, mails: Sequence[Rendered], at: datetime) -> bool:
        """Put the mails of a notice in line; False when that notice was given before."""
        ...

    def forget(self, before: date) -> int:
        """Drop rendered documents and mail bodies, published and sent, of receipts older than a day; how many."""
        ...

    def user(self, id_: Id, as_of: date | None = None) -> dict[str, Any] | None:
        """A person: identity, links with history, grants with history. None when unknown."""
        ...

    def entity(self, id_: Id, as_of: date | None = None) -> tuple[RegisteredEntity, list[dict[str, Any]]] | None:
        """An entity and its users (linked now, or on a day), with their profiles."""
        ...

    def stored(self, annex: str) -> dict[str, bool]:
        """Records of an annex that have anything stored, each with whether it is the control."""
        ...

    def data(
        self,
        annex: str,
        record: str,
        *,
        entity: Id | None = None,
        period: date | None = None,
        as_of: date | None = None,
        history: bool = False,
    ) -> Iterator[pl.DataFrame]:
        """Stored records as they hold now, or at the end of a day; a frame at a time, all with the same columns.

        _entidad_tipo, _entidad_numero, _periodo, _guid, _linea (UInt32), _desde, then the fields as text, of every
        version stored. `history`: every record there ever was, with _hasta and _accion after _desde.
        """
        ...


@dataclass(frozen=True, slots=True)
class Chore:
    """A task that the calendar starts, not a file. It may run twice, or late, without harm.

    `every`: how long between two runs where one process does everything. `cron`: when workers do it, in UTC; a sixth
    field counts seconds.
    """

    name: str
    run: Callable[[], None]
    every: timedelta
    cron: str


class Work(Protocol):
    """What there is to do, whoever hands it out."""

    def file(self, guid: str) -> timedelta | None:
        """Work on a receipt, after the older ones of its lane. None when it has its end, else when to come back."""
        ...

    @property
    def chores(self) -> Sequence[Chore]:
        """What the calendar asks for."""
        ...


class Queue(Protocol):
    """How recorded receipts and chores reach whoever does them: this process, or workers on any machine.

    `here`: whether this process does them.
    """

    @property
    def here(self) -> bool:  # noqa: D102 said above
        ...

    def pump(self, work: Work, stop: threading.Event) -> bool:
        """Do what falls to this process now; nothing where workers do it. True when to come back soon."""
        ...

    def drain(self, seconds: float) -> bool:
        """Wait for what this process has in hand; whether all of it ended."""
        ...


class Hints(Protocol):
    """Somebody who may notice that the inbox changed, or may not."""

    def listening(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `wake` on changes while the block runs."""
        ...


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the calendar asks for, in days; 0 turns it off.

    `remind`: how long before a period closes those who have not reported are told. `keep`: how long rendered documents
    and messages stay in the registry once published and sent (originals stay for ever).
    """

    remind: int = 3
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the service needs, chosen in `wiring`."""

    shelf: Shelf
    inbox: Inbox
    archive: Archive
    outbox: Outbox
    registry: Registry
    mailer: Mailer
    judge: Judge
    queue: Queue
    clock: Clock
    limits: Limits
    mail_from: str
    brake: Brake
    calendar: Calendar = Calendar()
    beat_seconds: float = 5.0  # how often whoever works on a file says so
