"""The hosts, the entities and their files."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import postgresql as pg

from chaos import host
from pisis_batch.adapters import registry_csv
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.settings import FILE

_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload(["chaos.host"])


class World:
    """One run: a server, a workspace that every host sees, and the processes on them."""

    def __init__(self, server: pg.PostgreSQL, root: Path, entities: int, files: int, lease: float) -> None:
        self.server, self.root, self.lease = server, root, lease
        self.url = server.database()
        self.entities = [f"9001{number:05}" for number in range(entities)]
        self.days = [datetime.now(UTC).date() - timedelta(days=files - place) for place in range(files)]
        self.registry = SqlRegistry(self.url)
        (root / FILE).write_text(
            f'database = "{self.url}"\nsettle_seconds = 0.0\nrescan_seconds = 0.3\nlease_seconds = {lease}\n'
            "isolation = false\n",
            "utf-8",
        )
        self._load()

    def _load(self) -> None:
        entities = "\n".join(
            f"NI,{number},ESE {number},IPS,PASTO,contacto@e{number}.example,1,CC,{_head(number)},CC,{_head(number)},1"
            for number in self.entities
        )
        people = "\n".join(
            f"CC,{_head(number)},LUISA,,PEREZ,,l@p.example\nCC,{_user(number)},JUAN,,PEREZ,,"
            for number in self.entities
        )
        for table, text in {
            "entities": "tipo_id,num_id,razon_social,tipo_entidad,municipio,correo_institucional,correo_confirmado,"
            f"rep_tipo_id,rep_num_id,contacto_tipo_id,contacto_num_id,activa\n{entities}\n",
            "persons": "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n"
            f"{people}\n",
        }.items():
            rows, problems = registry_csv.read(table, text.encode())
            assert problems == [], problems[:3]
            self.registry.load(table, rows, datetime.now(UTC))

    def drop(self, place: int, records: int = 1) -> None:
        """Every entity's file of one day, renamed into its folder."""
        day = self.days[place]
        for number in self.entities:
            folder = self.root / "inbox" / f"CC{_head(number)}"
            folder.mkdir(parents=True, exist_ok=True)
            name = f"SEG500USIN{day:%Y%m%d}NI{int(number):012}.TXT"
            control = (
                f"1|NI|{number}|{day}|{records}|ESE {number}||CC|{_head(number)}|LUISA|PEREZ|CC|{_head(number)}|LUISA|PEREZ"
                f"|CONTACTO@E{number}.EXAMPLE"
            )
            first = int(_user(number))
            users = (
                f"2|{n + 1}|CC|{first + n}|JUAN|PEREZ|V|3150000000|PUESTO {place}|1||J@E{number}.EXAMPLE"
                for n in range(records)
            )
            (folder / f".{name}").write_bytes("\r\n".join([control, *users]).encode())
            (folder / f".{name}").rename(folder / name)

    def host(self, role: str, number: int, **more: Any) -> "Host":
        """A process of ours on a host of its own: another name, no network but the database's socket."""
        return Host(self, role, number, **more)

    def quiet(self) -> bool:
        """Whether every dropped file was taken in, and no claim is left."""
        try:
            return not any(self.root.glob("inbox/*/*")) and not any(self.root.glob("var/claims/*/*/*"))
        except FileNotFoundError:  # a folder went away while it was looked through
            return False

    def close(self) -> None:
        self.registry.close()


def _head(number: str) -> str:
    return f"10{int(number[-5:]):06}"


def _user(number: str) -> str:
    return f"1090{int(number[-5:]):06}"


class Host:
    """A process that can be paused, woken and killed."""

    def __init__(
        self,
        world: World,
        role: str,
        number: int,
        *,
        defect: str = "",
        crash_at: str = "",
        stop_at: str = "",
        skew: int = 0,
    ) -> None:
        self.role, self.number = role, number
        said = json.dumps([str(world.root), role, f"host-{role}-{number}", defect, crash_at, stop_at])
        self._process: Any
        if skew:
            command = ["faketime", "-f", f"{skew:+}s", sys.executable, "-m", "chaos.host", said]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "DONT_FAKE_MONOTONIC": "1"}
            log = (world.root / "hosts.log").open("ab")
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        else:
            self._process = _FORK.Process(target=host.main, args=(said,), daemon=True)
            self._process.start()
        self.pid: int = self._process.pid

    @property
    def alive(self) -> bool:
        if isinstance(self._process, subprocess.Popen):
            return self._process.poll() is None
        return bool(self._process.is_alive())

    @property
    def asleep(self) -> bool:
        """Whether it stopped itself, or was stopped."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            return False
        return state == b"T"

    def signal(self, number: int) -> None:
        if self.alive:
            try:
                if isinstance(self._process, subprocess.Popen):
                    os.killpg(self.pid, number)
                else:
                    os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        """At once, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        while self.alive:
            time.sleep(0.01)

    def end(self, seconds: float = 15) -> None:
        """Ask it to stop, then insist."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        self.signal(signal.SIGKILL)


@contextmanager
def made(*, entities: int, files: int, lease: float, server: pg.PostgreSQL | None = None) -> Iterator[World]:
    """A world, on a server of its own unless one is lent."""
    root = Path(tempfile.mkdtemp(prefix="pisis-chaos-"))
    try:
        if server is not None:
            world = World(server, root, entities, files, lease)
            yield world
            world.close()
            return
        with pg.running() as own:
            world = World(own, root, entities, files, lease)
            yield world
            world.close()
    finally:
        if kept := os.environ.get("CHAOS_KEEP"):
            shutil.copy(root / "hosts.log", kept)
        shutil.rmtree(root, ignore_errors=True)
