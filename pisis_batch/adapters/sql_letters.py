"""The queue of messages as operations see it: how many are where, since when the oldest waits, what was refused."""

from datetime import datetime

import sqlalchemy as sa

from pisis_batch.adapters import sql_floods
from pisis_batch.adapters.sql_tables import mail, receipt
from pisis_batch.ports import Letters, Refusal

#: Where a message is.
STATE = sa.case(
    (mail.c.sent_at.is_not(None), "enviado"),
    (mail.c.refused, "rechazado"),
    (mail.c.digest.is_not(None), "en resumen"),
    (mail.c.attempts > 0, "reintento"),
    else_="en cola",
)


def letters(connection: sa.Connection, most: int) -> Letters:
    """Figures, the latest `most` refusals, and the reasons of those that are tried again."""
    many = sa.func.count()
    states = {str(state): int(n) for state, n in connection.execute(sa.select(STATE, many).group_by(STATE))}
    since = sa.func.min(sa.func.coalesce(receipt.c.received_at, mail.c.next_try))
    oldest = connection.scalar(
        sa.select(since).select_from(mail.outerjoin(receipt, receipt.c.guid == mail.c.guid)).where(sql_floods.waiting())
    )
    again = sa.and_(sql_floods.waiting(), mail.c.attempts > 0)
    reasons = connection.execute(sa.select(mail.c.last_error, many).where(again).group_by(mail.c.last_error))
    soonest = connection.scalar(sa.select(sa.func.min(mail.c.next_try)).where(sql_floods.waiting()))
    refused = connection.execute(
        sa.select(mail.c.guid, mail.c.kind, mail.c.recipient, mail.c.last_error)
        .where(mail.c.refused)
        .order_by(mail.c.id.desc())
        .limit(most)
    )
    return Letters(
        states,
        datetime.fromisoformat(oldest) if oldest else None,
        datetime.fromisoformat(soonest) if soonest else None,
        {str(reason): int(n) for reason, n in reasons},
        tuple(Refusal(row.guid, row.kind, row.recipient, row.last_error or "") for row in refused),
    )
