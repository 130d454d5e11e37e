"""What the program needs of the outside, as protocols.

Adapters fulfil them; `tests/test_ports.py` and, of the registry, `tests/test_registry_port.py` hold them to it.
"""

from pisis_batch.ports.judge import Judge, JudgeError, OutdatedError
from pisis_batch.ports.keeping import KINDS, OF_RECEIPTS, Audited, AuditHead, Erasing, Keeping, Retention, Traced
from pisis_batch.ports.nouns import (
    OPEN,
    Accounts,
    Claimed,
    Clock,
    Flood,
    Held,
    Letters,
    Mail,
    Offender,
    Origin,
    Outside,
    Receipt,
    Refusal,
    Series,
    UnavailableError,
)
from pisis_batch.ports.outside import REFUSED, Archive, Hints, Inbox, Mailer, Outbox, Scratch, Sorted
from pisis_batch.ports.registry import Registry
from pisis_batch.ports.work import Calendar, Chore, Ports, Queue, Work

__all__ = [
    "KINDS",
    "OF_RECEIPTS",
    "OPEN",
    "REFUSED",
    "Accounts",
    "Archive",
    "AuditHead",
    "Audited",
    "Calendar",
    "Chore",
    "Claimed",
    "Clock",
    "Erasing",
    "Flood",
    "Held",
    "Hints",
    "Inbox",
    "Judge",
    "JudgeError",
    "Keeping",
    "Letters",
    "Mail",
    "Mailer",
    "Offender",
    "Origin",
    "Outbox",
    "OutdatedError",
    "Outside",
    "Ports",
    "Queue",
    "Receipt",
    "Refusal",
    "Registry",
    "Retention",
    "Scratch",
    "Series",
    "Sorted",
    "Traced",
    "UnavailableError",
    "Work",
]
