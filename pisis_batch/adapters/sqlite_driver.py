"""The driver of SQLite, and how its connections are set so that what is committed survives power loss.

The SQLite that comes with Python may be one whose write-ahead log can corrupt a database under several connections
(3.7.0 to 3.51.2); a newer one comes as a library. With an old one the rollback journal is used instead.
"""

from pathlib import Path
from typing import Any

try:
    from pysqlite3 import dbapi2 as sqlite
except ImportError:  # not published for this platform
    import sqlite3 as sqlite

__all__ = [
    "PATIENCE_SECONDS",
    "SQLITE_VERSION",
    "STATEMENTS",
    "file_named",
    "has_sound_log",
    "is_busy",
    "looking",
    "options",
    "prepare",
    "sqlite",
]

FIRST_SOUND_WAL = (3, 51, 3)
SQLITE_VERSION: str = sqlite.sqlite_version
PATIENCE_SECONDS = 30.0  # for those who write before us
#: Pages of the write-ahead log that are copied into the file at once: whoever commits waits for it, one of forty files
#: instead of one of ten, and a page that was written again meanwhile is copied once. Every commit is durable before.
_LOG_PAGES = 4_000
#: Statements that are kept prepared for a connection; a file needs about eighty, and bringing a database up to date a
#: hundred. The driver keeps those that were used most: with less room none of a file's would ever be among them.
STATEMENTS = 300


def options() -> dict[str, Any]:
    """Arguments of a connection."""
    return {"timeout": PATIENCE_SECONDS, "cached_statements": STATEMENTS}


def prepare(connection: Any) -> None:
    """Set a connection that was just made."""
    connection.isolation_level = None  # transactions are begun by us, not by the driver
    for pragma in (
        f"journal_mode={'WAL' if has_sound_log() else 'DELETE'}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "temp_store=MEMORY",
        f"wal_autocheckpoint={_LOG_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def has_sound_log() -> bool:
    """Whether connections write to a log that several of them may share."""
    return tuple(sqlite.sqlite_version_info) >= FIRST_SOUND_WAL


def is_busy(error: object) -> bool:
    """Whether an error of the driver says that another connection is writing."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == int(sqlite.SQLITE_BUSY)  # the rest of the number says how


def looking(database: Path) -> Any:
    """A connection to a file that nobody writes: not a byte of it is changed by looking."""
    return sqlite.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def file_named(url: str) -> Path | None:
    """The file of a plain URL of a SQLite database; None for any other, SQLAlchemy's longer forms among them."""
    scheme, _, path = url.partition(":///")
    plain = scheme == "sqlite" and path not in {"", ":memory:"} and "?" not in path
    return Path(path) if plain else None
