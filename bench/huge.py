"""One very large file from the inbox to its documents: seconds and peak memory of the parent and of the child.

`python bench/huge.py --records 10000000` (SQLite) or with `--database postgresql` (a server of its own): two thirds
users, one third profiles, everybody known to the registry, nobody linked before. The service is the real one, `pisis
process --once`, with the judging in a child.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import files
from conftest import REGISTRY, load

from pisis_batch import wiring
from pisis_batch.adapters import sql_tables as tables
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, Settings

_STEP = 500_000
#: Whoever the file unlinks has a link.
_USER = {
    name: pl.lit(value)
    for name, value in {
        "line": 0, "entidad_tipo_id": "NI", "entidad_num_id": "900123456", "telefono": "3150000000",
        "cargo": "CONDUCTOR", "contrato_indefinido": "1", "fecha_fin": "", "correo": "a@hospital.example",
    }.items()
}  # fmt: skip


@contextmanager
def server(kind: str) -> Iterator[str]:
    """The address of a database: a file of the workspace, or of a PostgreSQL that lives as long as the block."""
    if kind == "sqlite":
        yield "sqlite:///var/registry.db"
        return
    import postgresql as pg  # noqa: PLC0415 its wheel is not needed otherwise

    with pg.running() as started:
        yield started.database()


def known(ports: Ports, users: int) -> None:
    """The entity, its sender, and every user of the file as a person."""
    for table, text in REGISTRY.items():
        load(ports, table, text)
    empty = {"line": pl.lit(0)} | {
        name: pl.lit("") for name in ("segundo_nombre", "segundo_apellido", "correo_personal")
    }
    for start in range(0, users, _STEP):
        frame = files.people(users, start, min(_STEP, users - start), 1).with_columns(**empty)
        ports.registry.load("persons", frame, datetime.now(UTC))
        leaving = frame.gather_every(10, 9).select("tipo_id", "num_id", **_USER)
        ports.registry.load("users", leaving, datetime.now(UTC))


class Watched:
    """The memory of a process and of its children, as the kernel keeps it, read while they live."""

    def __init__(self, pid: int) -> None:
        self.pid, self.parent, self.child = pid, 0, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            self.parent = max(self.parent, _peak(self.pid))
            for child in Path(f"/proc/{self.pid}/task").glob("*/children"):
                try:
                    for pid in child.read_text("ascii").split():
                        self.child = max(self.child, _peak(int(pid)))
                except OSError:
                    continue

    def end(self) -> dict[str, int]:
        """MiB at most of each."""
        self._over.set()
        self._thread.join()
        return {"parent_peak_mib": self.parent // 1024, "child_peak_mib": self.child // 1024}


def _peak(pid: int) -> int:
    """KiB that a process held at most; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    users = said.records * 2 // 3
    with tempfile.TemporaryDirectory() as name, server(said.database) as url:
        root = Path(name)
        settings = f'database = "{url}"\nsettle_seconds = 0.0\nmax_file_bytes = 4294967296\njudge_seconds = 3600\nremind_days = 0\nbrake_users = 1000000000\nbrake_percent = 0\n'
        (root / FILE).write_text(settings, "utf-8")
        ports = wiring.ports(Settings.load(root))
        known(ports, users)
        folder = root / "inbox" / "CC10000001"
        folder.mkdir(parents=True)
        files.write(users, folder / files.NAME)
        size = (folder / files.NAME).stat().st_size
        told = {"records": users + users // 2, "mib": size // 2**20, "database": said.database, **run(root)}
        with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]  # the database adapter
            told["verdicts"] = list(connection.scalars(sa.text("SELECT verdict FROM run")))
            for table in (tables.link, tables.grant, tables.audit):
                told[table.name] = connection.scalar(sa.select(sa.func.count()).select_from(table))
        ports.registry.close()  # type: ignore[attr-defined]  # the database adapter
        if told["verdicts"] != ["cargado"]:
            told["said"] = [path.read_text("utf-8")[:3000] for path in root.glob("outbox/*/*/ack.json")]
        told["documents"] = {p.name: p.stat().st_size for p in root.glob("outbox/CC10000001/*/*")}
    shown = json.dumps(told, indent=1)
    if said.json:
        said.json.write_text(shown + "\n", "utf-8")
    sys.stdout.write(shown + "\n")


def run(root: Path) -> dict[str, float]:
    """`pisis process --once` in a process of its own: seconds, CPU seconds of it and its child, peaks."""
    before = os.times()
    begun = time.monotonic()
    command = [sys.executable, "-c", "from pisis_batch.cli import main; main()", "-w", str(root), "process", "--once"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 ours
    watched = Watched(process.pid)
    code = process.wait()
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return {"code": code, "seconds": round(time.monotonic() - begun, 1), "cpu": round(spent, 1), **watched.end()}


if __name__ == "__main__":
    main()
