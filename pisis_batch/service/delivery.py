"""Documents to the outbox, mails to the outside: both from stored rows, both safe to repeat."""

import contextlib
import random
import time
from datetime import timedelta
from pathlib import Path

import structlog

from pisis_batch import reports
from pisis_batch.ports import REFUSED, Mail, Ports
from pisis_batch.service.crash import crashpoint

#: Pauses after each failed try; the last one is kept to.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
#: Messages about files not loaded to one address in an hour; more go out as one.
MOST_AN_HOUR = 10
_BATCH = 100
#: What a crash may send again: so many messages at most, taken within so many seconds.
_UNNOTED, _UNNOTED_SECONDS = 20, 0.5
_log = structlog.get_logger()


def publish(ports: Ports) -> list[tuple[str, Path]]:
    """Write the documents of every run that has none in the outbox yet; where they are now."""
    written = []
    while waiting := list(ports.registry.unpublished()):
        for guid, sender, documents in waiting:
            folder = ports.outbox.publish(sender, guid, documents)
            crashpoint("published")
            ports.registry.published(guid)
            written.append((guid, folder))
    return written


def deliver(ports: Ports) -> tuple[int, int]:
    """Try every message that is due, once; (sent, failed). After a crash the last few may go again, byte for byte."""
    _gather(ports)
    sent = failed = 0
    more = True
    while more and (mails := ports.registry.mails_due(ports.clock(), _BATCH)):
        more = len(mails) == _BATCH
        with contextlib.closing(_Taken(ports)) as taken:
            for mail, reason in ports.mailer.send(mails):
                crashpoint("sent")
                if reason is None:
                    taken.add(mail)
                    sent += 1
                    continue
                failed += 1
                _log.warning("mail_failed", guid=mail.guid, kind=mail.kind, reason=reason)
                if reason.startswith(REFUSED):
                    ports.registry.mail_refused(mail, reason)
                else:
                    ports.registry.mail_failed(mail, reason, ports.clock() + _pause(mail.attempts))
    return sent, failed


class _Taken:
    """Messages that the other side took, noted a few at a time: a transaction for each would cost more than sending."""

    def __init__(self, ports: Ports) -> None:
        self._ports, self._mails, self._since = ports, list[Mail](), 0.0

    def add(self, mail: Mail) -> None:
        """Note it, with those before it, when they are enough or the first was long ago."""
        if not self._mails:
            self._since = time.monotonic()
        self._mails.append(mail)
        if len(self._mails) >= _UNNOTED or time.monotonic() - self._since > _UNNOTED_SECONDS:
            self.close()

    def close(self) -> None:
        """Note what is left."""
        if self._mails:
            self._ports.registry.mail_sent(self._mails, self._ports.clock())
            self._mails = []


def _pause(attempts: int) -> timedelta:
    """Up to half as much again by lot, so that messages do not come back all at once."""
    return PAUSES[min(attempts, len(PAUSES) - 1)] * random.uniform(1.0, 1.5)  # noqa: S311 nothing secret depends on it


def _gather(ports: Ports) -> None:
    """Turn floods into digests: one for an address in an hour, what is left waits for the next."""
    now = ports.clock()
    wait = []
    for flood in ports.registry.floods(now, MOST_AN_HOUR):
        if flood.told_lately:
            wait.append(flood)
            continue
        letter = reports.digest(flood.recipient, [entry[1:] for entry in flood.entries], now)
        key = f"{flood.entries[0][0]}-{flood.entries[-1][0]}"
        rendered = reports.render(letter, key, now, ports.mail_from)
        if rendered:
            ports.registry.digested(flood, rendered[0], now)
        else:  # an address that nobody can write to
            wait.append(flood)
    if wait:
        ports.registry.put_off(wait, now + timedelta(hours=1))
