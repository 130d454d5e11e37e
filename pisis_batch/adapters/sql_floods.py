"""Floods: many messages to one address within an hour go out as one that lists them all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pisis_batch.adapters.sql_ready import execute
from pisis_batch.adapters.sql_tables import MAIL_DIGEST, MAIL_WAITING_BESIDES, mail, receipt, run
from pisis_batch.model import Rendered
from pisis_batch.ports import Flood

DIGEST = "resumen"
_HOUR = timedelta(hours=1)


class _Often(FunctionElement[Any]):
    """A condition that holds of many rows. SQLite, which keeps no counts, would take an index of it for the best."""

    name = "often"
    type = sa.types.NullType()  # of a truth value SQLAlchemy would ask whether it is 1
    inherit_cache = True


@compiles(_Often)
def _plain(element: _Often, compiler: Any, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))


@compiles(_Often, "sqlite")
def _likely(element: _Often, compiler: Any, **how: Any) -> str:
    return f"likelihood({compiler.process(element.clauses, **how)}, 0.9)"


def waiting() -> sa.ColumnElement[bool]:
    """Messages that are still to go out by themselves; in digests, which those never leave, there may be many more."""
    return sa.and_(_Often(mail.c.sent_at.is_(None)), *MAIL_WAITING_BESIDES)


def floods(connection: sa.Connection, now: datetime, most: int) -> list[Flood]:
    """Recipients over their budget, each with the messages that are too many, oldest first."""
    moments = {"hour": (now - _HOUR).isoformat(), "now": now.isoformat()}
    rows = execute(connection, _RECIPIENTS, moments)
    left = {row.recipient: max(most - row.sent, 0) for row in rows if row.sent + row.due > most}
    if not left:
        return []
    told = set(execute(connection, _TOLD, {"hour": moments["hour"]}).scalars())
    entries: dict[str, list[tuple[int, str, str, str, str]]] = {recipient: [] for recipient in left}
    for recipient, *entry in execute(connection, _ENTRIES, {"now": moments["now"]}):
        if recipient in left:
            entries[recipient].append(tuple(entry))
    return [Flood(one, one in told, tuple(entries[one][left[one] :])) for one in left]


def _about_files_not_loaded(message: sa.FromClause = mail) -> sa.ColumnElement[bool]:
    its = run.alias("its")
    loaded = sa.exists().where(its.c.guid == message.c.guid, its.c.latest, its.c.verdict == "cargado")
    return sa.and_(message.c.kind.in_(("acta", "resultado", "falla")), ~loaded)


_DUE = sa.and_(waiting(), mail.c.next_try <= sa.bindparam("now"), _about_files_not_loaded())


def _recipients() -> sa.Select[tuple[str, int, int]]:
    """Of each recipient for whom something is due, how much, and how much went out in this hour."""
    whom = sa.func.coalesce(mail.c.recipient, "")  # an index of recipients must not be what is gone through
    due = sa.select(whom.label("recipient"), sa.func.count().label("due")).where(_DUE).group_by(whom).subquery()
    gone = mail.alias("gone")
    lately = (gone.c.recipient == due.c.recipient, gone.c.sent_at > sa.bindparam("hour"), _about_files_not_loaded(gone))
    sent = sa.select(sa.func.count()).where(*lately).scalar_subquery()
    return sa.select(due.c.recipient, due.c.due, sent.label("sent"))


_RECIPIENTS = _recipients()


_ENTRIES = (
    sa.select(mail.c.recipient, mail.c.id, mail.c.guid, receipt.c.file_name, receipt.c.received_at, run.c.verdict)
    .join(receipt, receipt.c.guid == mail.c.guid)
    .join(run, (run.c.guid == mail.c.guid) & run.c.latest)
    .where(_DUE)
    .order_by(mail.c.id)
)
# a digest's next_try is the moment it was made, until it fails; its own failures only make the wait longer
_TOLD = sa.select(mail.c.recipient).where(MAIL_DIGEST, mail.c.next_try > sa.bindparam("hour"))


def digested(connection: sa.Connection, flood: Flood, digest: Rendered, at: str) -> None:
    """Put the digest in line instead of its messages."""
    connection.execute(
        mail.insert().values(
            guid="-",
            kind=DIGEST,
            recipient=digest.recipient,
            subject=digest.subject,
            message_id=digest.message_id,
            body=digest.body,
            next_try=at,
        )
    )
    _say(connection, [flood], digest=digest.message_id)


def put_off(connection: sa.Connection, floods: Sequence[Flood], until: str) -> None:
    """Let the messages of these wait."""
    _say(connection, floods, next_try=until)


def _say(connection: sa.Connection, floods: Sequence[Flood], **values: str) -> None:
    keys = [entry[0] for flood in floods for entry in flood.entries]
    for start in range(0, len(keys), 500):
        connection.execute(mail.update().where(mail.c.id.in_(keys[start : start + 500])).values(**values))
