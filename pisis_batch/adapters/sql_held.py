"""Files held by the brake: the plan each waits with, and who approved it."""

from datetime import datetime

import sqlalchemy as sa

from pisis_batch.adapters.sql_tables import approval, receipt, run
from pisis_batch.ports import Held


def held(connection: sa.Connection, guid: str) -> Held | None:
    """What a held receipt waits with; None when it is not held."""
    waiting = connection.execute(
        sa.select(run.c.id, run.c.plan)
        .join(receipt, receipt.c.guid == run.c.guid)
        .where(run.c.guid == guid, run.c.latest, receipt.c.state == "retenido")
    ).one_or_none()
    if waiting is None or waiting.plan is None:
        return None
    said = connection.execute(
        sa.select(approval.c.login, approval.c.at).where(approval.c.run_id == waiting.id).order_by(approval.c.at)
    )
    return Held(waiting.plan, tuple((row.login, datetime.fromisoformat(row.at)) for row in said))


def approve(connection: sa.Connection, guid: str, login: str, at: str) -> bool:
    """Note that a person approves the plan that a receipt waits with; False, and nothing noted, the second time."""
    waiting = sa.select(run.c.id).where(run.c.guid == guid, run.c.latest)
    run_id = connection.execute(waiting).scalar_one()
    known = sa.select(approval.c.login).where(approval.c.run_id == run_id, approval.c.login == login)
    if connection.execute(known).first() is not None:
        return False
    connection.execute(approval.insert().values(run_id=run_id, login=login, at=at))
    return True
