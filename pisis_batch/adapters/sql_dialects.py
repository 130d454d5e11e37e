"""What SQL each database is spoken to in, for texts that are made once."""

from functools import cache
from typing import Any

import sqlalchemy as sa


@cache
def dialect(name: str) -> sa.Dialect:
    """A dialect by its name: "sqlite" or "postgresql", the latter with places as the server itself numbers them."""
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 the one that is asked for, and no other

        return sqlite.dialect()
    import psycopg  # noqa: PLC0415 only who has a PostgreSQL has its driver
    from sqlalchemy.dialects.postgresql import psycopg as postgresql  # noqa: PLC0415

    spoken: Any = postgresql.dialect
    made: sa.Dialect = spoken(dbapi=psycopg, paramstyle="numeric_dollar")
    return made
