"""Documents to the outbox, mails to the outside: both from stored rows, both safe to repeat."""

from datetime import timedelta
from pathlib import Path

import structlog

from pisis_batch.ports import Ports
from pisis_batch.service.crash import crashpoint

#: Pauses after each failed try; the last one is kept to.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
_BATCH = 100
_log = structlog.get_logger()


def publish(ports: Ports, only: str | None = None) -> list[tuple[str, Path]]:
    """Write the documents of every run, or of one receipt's, that has none in the outbox yet; where they are now."""
    written = []
    while waiting := list(ports.registry.unpublished(only)):
        for guid, sender, documents in waiting:
            folder = ports.outbox.publish(sender, guid, documents)
            crashpoint("published")
            ports.registry.published(guid)
            written.append((guid, folder))
        if only:
            break
    return written


def deliver(ports: Ports) -> tuple[int, int]:
    """Try every message that is due, once; (sent, failed). After a crash one may go again, byte for byte."""
    sent = failed = 0
    while mails := ports.registry.mails_due(ports.clock(), _BATCH):
        for mail, reason in ports.mailer.send(mails):
            crashpoint("sent")
            if reason is None:
                ports.registry.mail_sent(mail, ports.clock())
                sent += 1
                continue
            failed += 1
            pause = PAUSES[min(mail.attempts, len(PAUSES) - 1)]
            ports.registry.mail_failed(mail, reason, ports.clock() + pause)
            _log.warning("mail_failed", guid=mail.guid, kind=mail.kind, reason=reason)
    return sent, failed
