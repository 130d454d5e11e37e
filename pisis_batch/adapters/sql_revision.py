"""Whether what a verdict was based on still holds: the reference tables and each entity's own data are numbered.

A number is drawn anew in the transaction that changes what it stands for, so that a restored database never meets one
again that was given after the copy; a commit compares the one its facts were read with.
"""

import secrets
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pisis_batch.adapters.sql_ready import execute
from pisis_batch.adapters.sql_tables import revision
from pisis_batch.model import Id

REFERENCE = ""


_CURRENT = (
    sa.select(revision.c.name, revision.c.number)
    .where(revision.c.name.in_((sa.bindparam("reference"), sa.bindparam("who"))))
    .order_by(revision.c.name)
)
_LOCKED = _CURRENT.with_for_update(read=True)


def current(connection: sa.Connection, who: Id | None, *, lock: bool = False) -> str:
    """The revision of the reference tables and of an entity; with `lock` they stay so until the transaction ends."""
    names = [REFERENCE, *([str(who)] if who else [])]
    found = execute(connection, _LOCKED if lock else _CURRENT, {"reference": REFERENCE, "who": names[-1]})
    numbers = {row.name: row.number for row in found}
    return ".".join(str(numbers.get(name, 0)) for name in names)


def grow(connection: sa.Connection, who: Id | None = None) -> None:
    """Say that the reference tables, or an entity's data, are not what they were."""
    drawn = {"name": str(who) if who else REFERENCE, "number": 1 + secrets.randbits(62)}
    execute(connection, _drawn(connection.dialect.name), drawn)


@cache
def _drawn(dialect: str) -> sa.Insert:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(revision)
    return insert.on_conflict_do_update(index_elements=["name"], set_={"number": insert.excluded.number})
