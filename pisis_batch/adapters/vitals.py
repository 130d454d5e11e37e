"""What a service says of itself: whether it lives, and whether it can receive and answer. Figures, and no names.

Liveness is only whether its loops go round: a restart mends that. A database that does not answer or a full disk make
it not ready, and no restart would help.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from pisis_batch.adapters.sql_figures import figures
from pisis_batch.adapters.sql_tables import lane
from pisis_batch.ports import OPEN

#: Bytes that every disk must have free.
ROOM = 256 * 1024 * 1024
#: Seconds after which an unanswered file is worth a look; the service is ready all the same.
OLD = 900.0
_PROBE_MILLISECONDS = 2_000
Loops = Callable[[], list[tuple[str, float, bool]]]


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was looked at: `well` False is a fault; `note` is a figure or a kind of error."""

    name: str
    well: bool
    note: str
    fatal: bool = True


class Vitals:
    """Looks at the loops (their names, seconds since they were seen, whether that is well), the database, the disks."""

    def __init__(self, loops: Loops, engine: sa.Engine, folders: tuple[Path, ...], lease_seconds: float) -> None:
        self._loops, self._engine, self._folders, self._lease = loops, engine, folders, lease_seconds

    def alive(self) -> list[Sign]:
        """A sign for each loop."""
        return [Sign(loop, well, f"{age:.1f} s") for loop, age, well in self._loops()]

    def ready(self) -> list[Sign]:
        """Those, and a sign for the database, each folder and what waits."""
        found = self.alive() or [Sign("arranque", well=False, note="todavía no empieza")]
        return [*found, *self._folder_signs(), *self._asked("base de datos", self._writes), *self._waiting()]

    def _folder_signs(self) -> Iterator[Sign]:
        for folder in self._folders:
            name = f"carpeta {folder.name}"
            try:
                free = shutil.disk_usage(folder).free
            except OSError as error:
                yield Sign(name, well=False, note=type(error).__name__)
            else:
                yield Sign(name, free >= ROOM, f"{free // 2**20} MiB libres")

    def _asked(self, name: str, ask: Callable[[], str]) -> list[Sign]:
        try:
            return [Sign(name, well=True, note=ask())]
        except sa.exc.SQLAlchemyError as error:
            return [Sign(name, well=False, note=type(error).__name__)]

    def _writes(self) -> str:
        """Write a row and take it back. A writer that takes long is no fault: it shows that writing works."""
        begun = time.monotonic()
        with self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.execution_options(only_reads=True)
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_PROBE_MILLISECONDS}")
            try:
                connection.execute(lane.update().where(lane.c.name == "").values(fence=lane.c.fence))
            except sa.exc.OperationalError as error:
                if "locked" not in str(error.orig) and "lock timeout" not in str(error.orig):
                    raise
                return "ocupada"
            finally:
                connection.rollback()
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA busy_timeout=30000")
                    connection.rollback()
        return f"se escribe en {time.monotonic() - begun:.2f} s"

    def _waiting(self) -> list[Sign]:
        try:
            with self._engine.connect().execution_options(only_reads=True) as connection:
                now = figures(connection, self._lease)
        except sa.exc.SQLAlchemyError:
            return []  # said already
        files = sum(now.receipts.get(state, 0) for state in OPEN)
        return [
            Sign("archivos sin veredicto", well=True, note=str(files), fatal=False),
            Sign("el más antiguo", now.oldest <= OLD, f"{now.oldest:.0f} s", fatal=False),
            Sign("correos por enviar", well=True, note=str(now.mails_waiting), fatal=False),
            Sign("veredictos sin publicar", well=True, note=str(now.unpublished), fatal=False),
        ]
