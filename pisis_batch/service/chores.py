"""What the calendar asks for. Each of them may run twice, or late, or on several machines, without harm."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import structlog

from pisis_batch import reports
from pisis_batch.model import EndedContracts
from pisis_batch.ports import AuditHead, Chore, Ports
from pisis_batch.service import keeping
from pisis_batch.service.delivery import deliver, publish

_NOTICES = uuid.UUID("5c0e7b4e-6a0f-4d52-9a0c-3f0f7d1f6a11")  # names of notices are made under it
_log = structlog.get_logger()


def chores(ports: Ports) -> tuple[Chore, ...]:
    """Every chore, bound to its ports. Contracts are looked at each hour: a clock that is wrong misses nothing."""

    def chore(name: str, step: Callable[[Ports], object], every: timedelta, cron: str) -> Chore:
        def run() -> None:
            step(ports)

        return Chore(name, run, every, cron)

    return (
        chore("correo", deliver, timedelta(seconds=5), "* * * * * */5"),
        chore("publicar", publish, timedelta(minutes=1), "* * * * *"),
        chore("vencimientos", expire, timedelta(hours=1), "15 * * * *"),
        chore("recordatorios", remind, timedelta(hours=6), "0 12,18 * * *"),
        chore("auditoria", tell_head, timedelta(hours=24), "0 7 * * *"),
        chore("retencion", keeping.retain, timedelta(hours=24), "30 8 * * *"),
        chore("depuracion", forget, timedelta(hours=24), "0 8 * * *"),
    )


def expire(ports: Ports, by: str | None = None) -> list[EndedContracts]:
    """End the links whose contract ended before today (Q18), `by` whom, and tell each entity; what was ended."""
    at = ports.clock()
    done = []
    for ended in ports.registry.ended_contracts(at.date()):
        guid = str(uuid.uuid5(_NOTICES, f"vencimiento {ended.entity.id} {at.isoformat()}"))
        letter = reports.vencimiento(ended, guid, at)
        mails = reports.render(letter, guid, at, ports.mail_from) if letter else ()
        if ports.registry.expire(ended, guid, mails, at, by):
            done.append(ended)
            _log.info("contracts_ended", entity=str(ended.entity.id), users=ended.users.height)
    return done


def remind(ports: Ports) -> int:
    """Remind those who have not reported a period that closes soon, once each; how many were told."""
    if not ports.calendar.remind:
        return 0
    at = ports.clock()
    told = 0
    for owing in ports.registry.unreported(at.date(), ports.calendar.remind):
        guid = str(uuid.uuid5(_NOTICES, f"recordatorio {owing.entity.id} {owing.annex} {owing.until}"))
        letter = reports.recordatorio(owing, guid, at)
        if letter and ports.registry.notify(guid, reports.render(letter, guid, at, ports.mail_from), at):
            told += 1
    return told


def forget(ports: Ports) -> int:
    """Drop rendered documents and messages that were handed over long ago, if the settings say so."""
    if not ports.calendar.keep:
        return 0
    return ports.registry.forget(ports.clock().date() - timedelta(days=ports.calendar.keep))


def tell_head(ports: Ports) -> AuditHead:
    """Write the end of the audit's chain into the log, which whoever changes the database does not write."""
    head = ports.registry.audit_head()
    _log.info("audit_head", head=str(head))
    return head
