"""The write-ahead log of a database of ours, made durable after a transaction and not within it (decision 0026).

With `synchronous=FULL` SQLite waits for the disk before it lets go of the database. Here a transaction ends when its
pages are in the log, the next one begins, and only whoever ended it waits; those that ended meanwhile share one wait.
After a power cut the log is read in order, up to the first page that is not whole: a later transaction is never there
without those before it.
"""

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any

from pisis_batch.adapters import sqlite_driver
from pisis_batch.ports import UnavailableError

#: What nobody waits for is durable after so many seconds, unless somebody's wait took it along before.
SOON_SECONDS = 0.01


class Log:
    """Transactions are numbered as they end; `wait` until one is durable, with all before it, whoever wrote them."""

    def __init__(self, database: Path) -> None:
        self._database, self._path = database, f"{database}-wal"
        self._ended = self._durable = 0
        self._syncing = threading.Lock()
        self._doubtful = False
        self._asked = threading.Event()
        self._begun = False

    def ended(self) -> int:
        """The number of a transaction that just ended; only whoever has the turn to write asks."""
        self._ended += 1
        return self._ended

    def wait(self, number: int) -> None:
        """Go on when a transaction is durable. Raises UnavailableError when the disk does not take it."""
        if self._durable < number:
            with self._syncing:
                if self._durable < number:  # nobody's wait took it along
                    self._sync()

    def settle(self) -> None:
        """Have everything durable that can be read now, whichever process wrote it. Raises as `wait`."""
        with self._syncing:
            self._sync()

    def soon(self) -> None:
        """Have what has ended durable in a moment, without anybody waiting for it."""
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._look, name="log", daemon=True).start()
        self._asked.set()

    def _look(self) -> None:
        while self._asked.wait():
            self._asked.clear()
            number = self._ended
            time.sleep(SOON_SECONDS)
            with contextlib.suppress(UnavailableError):  # whoever waits next is told
                self.wait(number)

    def _sync(self) -> None:
        upto = self._ended
        try:
            if self._doubtful:
                self._copied()
            else:
                self._synced()
        except (OSError, sqlite_driver.sqlite.Error) as error:
            self._doubtful = True
            raise UnavailableError(type(error).__name__) from None
        self._doubtful, self._durable = False, upto

    def _synced(self) -> None:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # whoever let go of the database last copied all of it
            return
        try:
            os.fdatasync(handle)
        finally:
            os.close(handle)

    def _copied(self) -> None:
        """Have the whole log copied into the database.

        After a wait that failed the system may take pages for written that are not: another wait would tell nothing.
        """
        connection: Any = sqlite_driver.sqlite.connect(self._database, timeout=sqlite_driver.PATIENCE_SECONDS)
        try:
            connection.isolation_level = None
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
        if busy:
            raise UnavailableError("base de datos ocupada")
