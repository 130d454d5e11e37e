"""One very large file from the inbox to its documents: processor time and peak memory of the parent and of the child.

`python bench/huge.py --records 10000000` (SQLite) or with `--database postgresql` (a server of its own): two thirds
users, one third profiles, everybody known to the registry, nobody linked before but whoever leaves. The service is the
real one, `pisis process --once`, with the judging in a child. Half as many records go first, to tell what grows; `--alone`
leaves them out. What was measured is added to `bench/huge.json` and shown in `docs/rendimiento.md`.
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
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import itertools

import files
import registry
from cpu import family

from pisis_batch.adapters import sql_tables as tables
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.settings import FILE

HOME = Path(__file__).parents[1]
PAGE = HOME / "docs/rendimiento.md"
_MARKS = ("<!-- enormes -->", "<!-- fin de enormes -->")
_SETTINGS = """database = "{url}"
settle_seconds = 0.0
max_file_bytes = 4294967296
judge_seconds = 3600
remind_days = 0
brake_users = 0
brake_percent = 0
"""


@contextmanager
def server(kind: str) -> Iterator[str]:
    """The address of a database: a file of the workspace, or of a PostgreSQL that lives as long as the block."""
    if kind == "sqlite":
        yield "sqlite:///var/registry.db"
        return
    import postgresql as pg  # noqa: PLC0415 its wheel is not needed otherwise

    with pg.running() as started:
        yield started.database()


class Watched:
    """The memory of a process and of its children, as the kernel keeps it, read while they live."""

    def __init__(self, pid: int) -> None:
        self.pid, self.parent, self.child = pid, _NOTHING, _NOTHING
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            self.parent = _most(self.parent, _held(self.pid))
            for pid in family(self.pid):
                if pid != self.pid:
                    self.child = _most(self.child, _held(pid))

    def end(self) -> dict[str, int]:
        """MiB at most of each: in all, its own (no file backs it), and of the file that is judged."""
        self._over.set()
        self._thread.join()
        return {
            f"{who}_{what}_mib": kib // 1024
            for who, held in (("parent", self.parent), ("child", self.child))
            for what, kib in held._asdict().items()
        }


class Held(NamedTuple):
    """KiB of a process."""

    peak: int
    own: int
    mapped: int


_NOTHING = Held(0, 0, 0)


def _most(one: Held, other: Held) -> Held:
    return Held(*map(max, one, other))


def _held(pid: int) -> Held:
    """What a process holds; nothing when it is gone."""
    try:
        told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines())
        maps = Path(f"/proc/{pid}/smaps").read_text("utf-8", "replace").splitlines()
    except OSError:
        return _NOTHING
    mapped, inside = 0, False
    for line in maps:
        if line[:1].isdigit() or line[:1] in "abcdef":
            inside = "/var/archive/" in line or "/var/claims/" in line
        elif inside and line.startswith("Rss:"):
            mapped += int(line.split()[1])
    peak, own = (int(told.get(name, "0 kB").split()[0]) for name in ("VmHWM", "RssAnon"))
    return Held(peak, own, mapped)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--json", type=Path, default=HOME / "bench/huge.json")
    said = parser.parse_args()
    known = json.loads(said.json.read_text("utf-8")) if said.json.exists() else []
    for records in [said.records] if said.alone else [said.records // 2, said.records]:
        told = measured(records, said.database)
        same = (told["database"], told["records"])
        known = [one for one in known if (one["database"], one["records"]) != same] + [told]
        known.sort(key=lambda one: (one["database"], one["records"]))
        said.json.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    if said.json == HOME / "bench/huge.json":
        before, _, rest = PAGE.read_text("utf-8").partition(_MARKS[0])
        PAGE.write_text(f"{before}{_MARKS[0]}\n{table(known)}\n{_MARKS[1]}{rest.partition(_MARKS[1])[2]}", "utf-8")


def measured(records: int, database: str) -> dict[str, Any]:
    """One file of so many records against a registry of its own."""
    users = records * 2 // 3
    with tempfile.TemporaryDirectory() as name, server(database) as url:
        root = Path(name)
        (root / FILE).write_text(_SETTINGS.format(url=url), "utf-8")
        (root / "var").mkdir()
        held = SqlRegistry(url.replace(":///var", f":///{root}/var"))
        held.migrate()
        registry.fill(held, users)
        folder = root / "inbox" / "CC10000001"
        folder.mkdir(parents=True)
        files.write(users, folder / files.NAME)
        size = (folder / files.NAME).stat().st_size
        told = {"records": users + users // 2, "mib": size // 2**20, "database": database, **run(root)}
        with held.engine.connect() as connection:
            verdicts = list(connection.scalars(sa.text("SELECT verdict FROM run")))
            for table_ in (tables.link, tables.grant):
                told[table_.name] = connection.scalar(sa.select(sa.func.count()).select_from(table_))
            entries = sa.func.sum(sa.func.coalesce(tables.audit.c.many, 1))
            told["audit"] = connection.scalar(sa.select(entries))
        held.close()
        if verdicts != ["cargado"]:
            said = [path.read_text("utf-8")[:3000] for path in root.glob("outbox/*/*/ack.json")]
            raise SystemExit(f"{verdicts} {said}")
        return told


def table(known: list[dict[str, Any]]) -> str:
    """What was measured, for the page."""
    rows = [
        "| Base | Registros | MiB | Procesador | Reloj | Por registro | Servicio | Hijo |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in known:
        name = "SQLite" if one["database"] == "sqlite" else "PostgreSQL"
        each = f"{one['cpu'] * 1e6 / one['records']:.1f} µs".replace(".", ",")
        peaks = " | ".join(_memory(one, who) for who in ("parent", "child"))
        rows.append(
            f"| {name} | {_dots(one['records'])} | {one['mib']} | {one['cpu']:.0f} s | {one['seconds']:.0f} s | {each} | {peaks} |"
        )
    for one, other in itertools.pairwise(known):
        if one["database"] == other["database"]:
            more = other["records"] - one["records"]
            grown = [(other[who] - one[who]) * 2**20 / more for who in ("parent_peak_mib", "child_peak_mib")]
            ratio = f"{other['cpu'] / other['records'] / (one['cpu'] / one['records']):.2f}".replace(".", ",")
            rows += [
                "",
                (
                    f"De {_dots(one['records'])} a {_dots(other['records'])} ({one['database']}): {ratio} veces el tiempo por registro; "
                    f"{grown[0]:.0f} bytes por registro de más en el servicio y {grown[1]:.0f} en el hijo."
                ),
            ]
    return "\n".join(rows)


def _memory(one: dict[str, Any], who: str) -> str:
    """A peak, and how much of it was the process's own (the rest: libraries, and the file in its map)."""
    own = one.get(f"{who}_own_mib")
    return f"{one[f'{who}_peak_mib']} MiB" + (
        f" ({own} propios, {one[f'{who}_mapped_mib']} del archivo)" if own else ""
    )


def _dots(number: int) -> str:
    return f"{number:,}".replace(",", ".")


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
