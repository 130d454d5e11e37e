"""Who does what there is to do, and everything the service is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pisis_batch.layouts import Shelf
from pisis_batch.model import Brake, Limits, Trust
from pisis_batch.ports.judge import Judge
from pisis_batch.ports.keeping import Retention
from pisis_batch.ports.nouns import Clock
from pisis_batch.ports.outside import Archive, Inbox, Mailer, Outbox, Scratch
from pisis_batch.ports.registry import Registry


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

    def pump(self, work: Work, stop: Callable[[], bool]) -> bool:
        """Do what falls to this process now, until `stop`; nothing where workers do it. True when to come back soon."""
        ...

    def hear(self) -> None:
        """Receipts have arrived while another thread pumps; it need not finish waiting. Nothing where workers do it."""
        ...

    def in_hand(self) -> list[str]:
        """Receipts that this process works on."""
        ...

    def drain(self, seconds: float) -> bool:
        """Wait for what this process has in hand; whether all of it ended."""
        ...


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the calendar asks for, in days; 0 turns it off.

    `remind`: how long before a period closes those who have not reported are told. `keep`: how long rendered documents
    and messages stay in the registry once published and sent (originals stay for ever).
    """

    remind: int = 3
    keep: int = 0


_USUAL = Retention()


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
    scratch: Scratch
    trust: Callable[[datetime], Trust | None] = lambda _: None  # what signatures are judged by; UnavailableError
    calendar: Calendar = Calendar()
    retention: Retention = _USUAL
    beat_seconds: float = 5.0  # how often whoever works on a file says so
