"""Whether what a verdict was based on still holds: the reference tables and each entity's own data are numbered.

A number is drawn anew in the transaction that changes what it stands for, so that a restored database never meets one
again that was given after the copy; a commit compares the one its facts were read with.
"""

import secrets

from pisis_batch.adapters.sql_ready import execute
from pisis_batch.adapters.sql_text import Session, Text, select
from pisis_batch.model import Id

REFERENCE = ""


_NAMED = "FROM revision WHERE name IN (:reference, :who) ORDER BY name"
_CURRENT = select(("name", "number"), _NAMED)
_LOCKED = select(("name", "number"), f"{_NAMED} FOR SHARE")  # on PostgreSQL: whoever writes to SQLite is alone
_DRAWN = Text(
    "INSERT INTO revision (name, number) VALUES (:name, :number)"
    " ON CONFLICT (name) DO UPDATE SET number = excluded.number"
)


def current(connection: Session, who: Id | None, *, lock: bool = False) -> str:
    """The revision of the reference tables and of an entity; with `lock` they stay so until the transaction ends."""
    names = [REFERENCE, *([str(who)] if who else [])]
    asked = _LOCKED if lock and connection.dialect.name == "postgresql" else _CURRENT
    found = execute(connection, asked, {"reference": REFERENCE, "who": names[-1]})
    numbers = {row.name: row.number for row in found}
    return ".".join(str(numbers.get(name, 0)) for name in names)


def grow(connection: Session, who: Id | None = None) -> None:
    """Say that the reference tables, or an entity's data, are not what they were."""
    drawn = {"name": str(who) if who else REFERENCE, "number": 1 + secrets.randbits(62)}
    execute(connection, _DRAWN, drawn)
