"""Engines: SQLite with settings that survive power loss (`sqlite_driver`), or whatever database another URL names."""

import contextlib
import logging
import select
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from pisis_batch.adapters import sql_ready, sqlite_driver
from pisis_batch.adapters.sqlite_log import Log
from pisis_batch.ports import UnavailableError

#: What every session with PostgreSQL sets for itself, for the server's own default is to wait for ever (milliseconds).
#: A worker that is paused in the middle of a transaction loses it, and its locks, well before its lease would end.
SESSION = {
    "statement_timeout": 600_000,  # the largest file's changes take a minute
    "lock_timeout": 15_000,
    "idle_in_transaction_session_timeout": 20_000,
    "tcp_user_timeout": 30_000,
    "client_connection_check_interval": 5_000,
}
#: How soon to ask again whether another process still writes. SQLite itself would sleep longer and longer, up to a
#: tenth of a second, and a service that writes all the time would take every turn meanwhile.
_AGAIN_SECONDS = 0.0005
_REST_SECONDS = 5.0


def engine(url: str) -> sa.Engine:
    """An engine that never puts parameters in its messages; on SQLite its transactions take the write lock at once."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        # the session that was used last has its statements prepared
        made = sa.create_engine(parsed, hide_parameters=True, pool_use_lifo=True, connect_args=session())
        quiet = logging.getLogger("psycopg")  # what it logs carries texts of errors, which may name a person
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        sa.event.listen(made, "connect", _remember)
        sa.event.listen(made, "checkin", _left)
        sa.event.listen(made, "checkout", _still_there)
        return made
    # a database in memory is the connection: there is just one, whoever asks
    alone = {"poolclass": sa.StaticPool} if database_file(url) is None else {}
    kept = sqlite_driver.options()
    made = sa.create_engine(url, module=sqlite_driver.sqlite, hide_parameters=True, connect_args=kept, **alone)
    sa.event.listen(made, "connect", _prepare)
    sa.event.listen(made, "begin", _begin)
    return made


def session() -> dict[str, Any]:
    """Arguments of a connection to PostgreSQL: limits on every wait, and a loss of contact noticed in half a minute."""
    limits = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    return {
        "options": f"{limits} -c timezone=UTC",
        "application_name": "pisis",
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }


def _remember(connection: Any, record: Any) -> None:
    del record
    connection.prepared_max = sqlite_driver.STATEMENTS


def _left(connection: Any, record: Any) -> None:
    del connection
    record.info["left"] = time.monotonic()


def _still_there(connection: Any, record: Any, proxy: Any) -> None:
    """Ask the server whether it is there after a long rest, or when it said something that nobody asked for.

    To ask each time would be as many questions as there are transactions.
    """
    del proxy
    rested = time.monotonic() - record.info.get("left", time.monotonic())
    if not connection.closed and rested < _REST_SECONDS and not speaks(connection.fileno()):
        return
    try:
        connection.execute(";", prepare=False)
        connection.rollback()
    except connection.Error:
        raise sa.exc.InvalidatePoolError("the server is gone") from None


def speaks(descriptor: int) -> bool:
    """Whether the server sent something on a connection that rests."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


def _prepare(connection: Any, record: Any) -> None:
    del record
    sqlite_driver.prepare(connection)


def _begin(connection: sa.Connection) -> None:
    if not _driver(connection).in_transaction:  # `Ready` has not begun it
        sql_ready.driven(connection, _begins(connection.get_execution_options()))


def _begins(options: Mapping[str, Any]) -> str:
    # IMMEDIATE: a transaction that reads first and writes later would fail at once instead of waiting
    return "BEGIN" if options.get("only_reads", False) else "BEGIN IMMEDIATE"


def _end(connection: sa.Connection) -> None:
    """Commit what `Ready` began, whether or not SQLAlchemy joined it; nothing when it was taken back."""
    if connection.in_transaction():
        connection.commit()
    if _driver(connection).in_transaction:
        sql_ready.driven(connection, "COMMIT")


def take_back(connection: sa.Connection) -> None:
    """Undo everything that a transaction did so far, and end it; the block around it ends as if all were well."""
    connection.rollback()
    if connection.dialect.name == "sqlite":
        _driver(connection).rollback()


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection


class Transactions(Protocol):
    """Whatever begins transactions: an engine, or `Ready`."""

    def begin(self) -> AbstractContextManager[sa.Connection]:
        """A transaction for as long as the block runs; an exception takes it back."""
        ...


class Ready:
    """Transactions on connections that stay open: to open and close one costs ten times what beginning one does.

    With `turns` all threads of this process share one: whoever waits for it is woken at once, where SQLite would sleep
    and try again, and what it has read of the file stays true from one transaction to the next.

    Other processes are waited for by asking often: what is asked costs 6 µs.

    With a `log` the disk is waited for when the turn is over: what the block wrote lasts when the block is left, but
    others may have read it before.

    Beginnings and ends are given to the driver, for SQLAlchemy's own account of them costs more than both; it joins a
    transaction when it gets a statement.
    """

    def __init__(self, engine_: sa.Engine, *, turns: bool = False, log: Log | None = None) -> None:
        self._engine, self._begins = engine_, _begins(engine_.get_execution_options())
        self._idle: deque[sa.Connection] = deque()
        self._turn, self.log = threading.Lock() if turns else None, log

    @contextlib.contextmanager
    def begin(self, *, soon: bool = False) -> Iterator[sa.Connection]:
        """A transaction; `soon`: the disk is not waited for, what the block wrote lasts a moment later.

        Raises UnavailableError when others write all the time, or the disk does not take what was written.
        """
        if self._turn is not None and not self._turn.acquire(timeout=sqlite_driver.PATIENCE_SECONDS):
            raise UnavailableError("base de datos ocupada")
        number = 0
        try:
            with self._one() as connection:
                self._start(connection)
                yield connection
                _end(connection)
                number = self.log.ended() if self.log else 0
        finally:
            if self._turn is not None:
                self._turn.release()
        if self.log is not None:
            self.log.soon() if soon else self.log.wait(number)

    def _start(self, connection: sa.Connection) -> None:
        until = time.monotonic() + sqlite_driver.PATIENCE_SECONDS
        while self._turn is not None and time.monotonic() < until:
            try:  # by the driver: to make SQLAlchemy's error of its own costs ten times the question
                _driver(connection).execute(self._begins)
            except sqlite_driver.sqlite.OperationalError as error:
                if not sqlite_driver.is_busy(error):
                    break
                time.sleep(_AGAIN_SECONDS)
            else:
                return
        sql_ready.driven(connection, self._begins)

    @contextlib.contextmanager
    def _one(self) -> Iterator[sa.Connection]:
        connection = self._idle.pop() if self._idle else self._opened()
        try:
            yield connection
        except BaseException:
            _end_for_good(connection)  # whatever happened to it
            raise
        self._idle.append(connection)

    def _opened(self) -> sa.Connection:
        connection = self._engine.connect()
        if self.log is not None:
            # whoever writes to a log waits at the beginning, and nowhere else
            sql_ready.driven(connection, "PRAGMA busy_timeout=0")
            sql_ready.driven(connection, "PRAGMA synchronous=NORMAL")
        return connection

    def close(self) -> None:
        """Let go of the connections that nobody uses."""
        while self._idle:
            _end_for_good(self._idle.pop())


def _end_for_good(connection: sa.Connection) -> None:
    """Close a session and not leave it to the engine: whoever had it next would not wait for others who write."""
    connection.invalidate()
    connection.close()


def reader(made: sa.Engine) -> Transactions:
    """Transactions that only read: one state from start to end, and no writer waits for them."""
    if made.dialect.name == "postgresql":
        return made.execution_options(isolation_level="REPEATABLE READ")
    only_reads = made.execution_options(only_reads=True)
    return only_reads if _in_memory(made) else Ready(only_reads)


def writer(made: sa.Engine) -> Transactions:
    """Transactions that write."""
    return made if made.dialect.name == "postgresql" or _in_memory(made) else Ready(made, turns=True, log=_log(made))


def _log(made: sa.Engine) -> Log | None:
    """The write-ahead log of an SQLite database that has one."""
    path = database_file(str(made.url))
    return Log(path) if path is not None and sqlite_driver.has_sound_log() else None


class Soon:
    """Transactions of a writer whose end nobody promises to anybody: the disk is not waited for."""

    def __init__(self, writer_: Ready) -> None:
        self._writer = writer_

    def begin(self) -> AbstractContextManager[sa.Connection]:
        """A transaction."""
        return self._writer.begin(soon=True)


def soon(others: Transactions) -> Transactions:
    """As `others`, for what need not last as soon as it is done."""
    return Soon(others) if isinstance(others, Ready) else others


def settle(others: Transactions) -> None:
    """Have everything last that can be read just now: before something is told, or taken away, that rests on it.

    Raises UnavailableError when the disk does not take it.
    """
    if isinstance(others, Ready) and others.log is not None:
        others.log.settle()


def _in_memory(made: sa.Engine) -> bool:
    return isinstance(made.pool, sa.StaticPool)


def single(made: sa.Engine, others: Transactions) -> Transactions:
    """As `others`, for one statement alone: PostgreSQL is spared the begin and the end, two ways there and back."""
    return made.execution_options(isolation_level="AUTOCOMMIT") if made.dialect.name == "postgresql" else others


def database_file(url: str) -> Path | None:
    """The file of an SQLite database; None for another database or one in memory."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}
    return Path(str(parsed.database)) if is_file else None
