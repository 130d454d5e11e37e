"""Figures of the whole service as the registry has them: how much waits, since when, who works. No personal data."""

import time
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from pisis_batch.adapters.sql_tables import lane, mail, receipt, run
from pisis_batch.ports import OPEN

_JOBS = sa.text("SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2")
_WORKERS = sa.text(
    "SELECT count(*) FILTER (WHERE last_heartbeat > now() - make_interval(secs => :silence)), "
    "count(*) FILTER (WHERE last_heartbeat <= now() - make_interval(secs => :silence)) FROM procrastinate_workers"
)
_OLDEST = sa.text(
    "SELECT extract(epoch FROM now() - min(received_at)::timestamptz) FROM receipt WHERE state = ANY(:open)"
)
_ENGINE = sa.text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Figures:
    """`oldest`: seconds since the oldest file without a verdict was received. `jobs`: by queue and state.

    `interrupted`: files without a verdict that the service died with in hand more than once.
    """

    receipts: dict[str, int]
    verdicts: dict[str, int]
    mails_waiting: int
    unpublished: int
    leases: int
    oldest: float
    interrupted: int = 0
    jobs: dict[tuple[str, str], int] = field(default_factory=dict)
    workers: int = 0
    silent: int = 0


def interrupted(connection: sa.Connection) -> int:
    """Files without a verdict that the service died with in hand more than once."""
    many = sa.select(sa.func.count()).where(receipt.c.state.in_(OPEN), receipt.c.interruptions > 1)
    return int(connection.scalar(many) or 0)


def figures(connection: sa.Connection, lease_seconds: float) -> Figures:
    """Everything in a few statements, each over an index or a small table."""
    many = sa.func.count()
    states = connection.execute(sa.select(receipt.c.state, many).group_by(receipt.c.state)).all()
    verdicts = connection.execute(sa.select(run.c.verdict, many).where(run.c.latest).group_by(run.c.verdict)).all()
    found = {
        "receipts": {state: int(n) for state, n in states},
        "verdicts": {verdict: int(n) for verdict, n in verdicts},
        "mails_waiting": connection.scalar(sa.select(many).where(mail.c.sent_at.is_(None))) or 0,
        "unpublished": connection.scalar(sa.select(many).where(run.c.latest, ~run.c.published)) or 0,
        "leases": connection.scalar(sa.select(many).where(lane.c.owner.is_not(None))) or 0,
        "oldest": 0.0,
        "interrupted": interrupted(connection),
    }
    if connection.dialect.name != "postgresql":
        first = connection.scalar(sa.select(sa.func.min(receipt.c.received_at)).where(receipt.c.state.in_(OPEN)))
        if first:
            found["oldest"] = max(0.0, time.time() - datetime.fromisoformat(first).timestamp())
        return Figures(**found)  # type: ignore[arg-type]  # each by its name
    found["oldest"] = max(0.0, float(connection.scalar(_OLDEST, {"open": list(OPEN)}) or 0.0))
    if connection.scalar(_ENGINE):
        found["jobs"] = {(queue, state): int(n) for queue, state, n in connection.execute(_JOBS)}
        found["workers"], found["silent"] = connection.execute(_WORKERS, {"silence": lease_seconds}).one()
    return Figures(**found)  # type: ignore[arg-type]  # each by its name
