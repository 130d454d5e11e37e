"""Whether what a verdict was based on still holds: the reference tables and each entity's own data are numbered.

A number is drawn anew in the transaction that changes what it stands for, so that a restored database never meets one
again that was given after the copy; a commit compares the one its facts were read with.
"""

import secrets

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pisis_batch.adapters.sql_tables import revision
from pisis_batch.model import Id

REFERENCE = ""


def current(connection: sa.Connection, who: Id | None, *, lock: bool = False) -> str:
    """The revision of the reference tables and of an entity; with `lock` they stay so until the transaction ends."""
    names = [REFERENCE, *([str(who)] if who else [])]
    query = sa.select(revision.c.name, revision.c.number).where(revision.c.name.in_(names)).order_by(revision.c.name)
    found = {row.name: row.number for row in connection.execute(query.with_for_update(read=True) if lock else query)}
    return ".".join(str(found.get(name, 0)) for name in names)


def grow(connection: sa.Connection, who: Id | None = None) -> None:
    """Say that the reference tables, or an entity's data, are not what they were."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    number = 1 + secrets.randbits(62)
    grown = insert(revision).values(name=str(who) if who else REFERENCE, number=number)
    connection.execute(grown.on_conflict_do_update(index_elements=["name"], set_={"number": number}))
