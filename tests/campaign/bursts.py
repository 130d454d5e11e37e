"""Many files at once, or one that hangs, seen from the outside of a running service.

`python -m campaign.bursts --files 50000 --folders 100 [--cold] [--until verdict]`, or `--poison`, from `tests/`; it
tells JSON, and without `--dry` the figures go into `bursts.json` and the page of the campaign. Every entity of a burst
is registered and confirmed, so that each file has its messages and the rules against floods are in force.
"""

import argparse
import contextlib
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

from campaign import ledger  # noqa: E402  # the path comes first
from pisis_batch import wiring  # noqa: E402
from pisis_batch.adapters import registry_csv  # noqa: E402
from pisis_batch.settings import FILE, TEMPLATE, Settings  # noqa: E402

_MAIN = "from pisis_batch.cli import main; main()"
_DAY = date(2020, 1, 1)
_LARGE, _TICKS = 400_000, 30  # records of a file that takes seconds; ticks of the processor that tell who has it
_MAILS = {
    "sent": "sent_at IS NOT NULL AND digest IS NULL",
    "in_digests": "digest IS NOT NULL",
    "in_line": "sent_at IS NULL AND digest IS NULL AND NOT refused",
}


@dataclass
class Burst:
    """Seconds from the first file written (or from the start of a cold service); MiB at the peak."""

    kind: str
    files: int
    folders: int
    written: float = 0.0
    first_verdict: float = 0.0
    durable: float = 0.0
    durable_each_second: float = 0.0
    reported: float = 0.0
    service_mib: float = 0.0
    child_mib: float = 0.0
    together_mib: float = 0.0
    received: int = 0
    answered: int = 0
    mails: dict[str, int] = field(default_factory=dict)
    unreported: int = 0
    left: int = 0


@dataclass
class Poison:
    """Seconds from the drop of a file of another entity to its documents: alone, beside one that hangs, or that kills."""

    kind: str
    alone: list[float] = field(default_factory=list)
    hanging: list[float] = field(default_factory=list)
    killing: list[float] = field(default_factory=list)

    @property
    def delay(self) -> float:
        """The worst case beside a poison file over the usual one alone."""
        usual = statistics.median(self.alone)
        return round(max(0.0, *(one - usual for one in self.hanging + self.killing)), 2)


def _login(folder: int) -> str:
    return f"CC{10_200_000 + folder}"


def register(workspace: Path, folders: int) -> None:
    """An entity for each folder, whose representative sends, all addresses confirmed."""
    entities = "".join(
        f"NI,{901_000_000 + one},ESE {one},IPS,PASTO,ese{one}@ese.example,1,CC,{10_200_000 + one},CC,{10_200_000 + one},1\n"
        for one in range(folders)
    )
    people = "".join(f"CC,{10_200_000 + one},LUISA,,PEREZ,,l{one}@correo.example\n" for one in range(folders))
    ports = wiring.ports(Settings.load(workspace))
    for table, text in {
        "entities": "tipo_id,num_id,razon_social,tipo_entidad,municipio,correo_institucional,correo_confirmado,"
        f"rep_tipo_id,rep_num_id,contacto_tipo_id,contacto_num_id,activa\n{entities}",
        "persons": "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n"
        + people,
    }.items():
        rows, problems = registry_csv.read(table, text.encode())
        if problems:
            raise ValueError(problems)
        ports.registry.load(table, rows, ports.clock())
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def put(workspace: Path, folder: int, turn: int, lines: int = 1) -> str:
    """Write a file where it is not looked at, and rename it into its folder; its name."""
    day, entity = (_DAY + timedelta(days=turn)).isoformat(), 901_000_000 + folder
    target = workspace / "inbox" / _login(folder)
    target.mkdir(parents=True, exist_ok=True)
    name = f"SEG500USIN{day.replace('-', '')}NI{entity:012d}.TXT"
    head = f"CC|{10_200_000 + folder}|LUISA|PEREZ"
    said = [f"1|NI|{entity}|{day}|{lines}|ESE {folder}||{head}|{head}|ESE{folder}@ESE.EXAMPLE"]
    said += [f"2|{line}|CC|1{90_000_000 + line:09}|JUAN|PEREZ|O|||||" for line in range(1, lines + 1)]
    half = target / f".{name}"
    half.write_bytes("\r\n".join(said).encode("ascii"))
    half.rename(target / name)
    return name


def drop(workspace: Path, files: int, folders: int) -> None:
    """So many files, a folder after the other."""
    for number in range(files):
        put(workspace, number % folders, number // folders)


@contextlib.contextmanager
def _workspace(folders: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pisis-burst-") as made:
        workspace = Path(made)
        (workspace / FILE).write_text(TEMPLATE, "utf-8")
        register(workspace, folders)
        yield workspace


@contextlib.contextmanager
def _service(workspace: Path) -> Iterator[int]:
    """The service at work; its process number."""
    command = [sys.executable, "-c", _MAIN, "-w", str(workspace), "watch"]
    with (workspace / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PISIS_ISOLATION": "true"})
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(workspace: Path) -> None:
    _wait_for(lambda: b"Vigilando" in (workspace / "log").read_bytes(), 60)
    time.sleep(5)  # its children are at rest


def run(files: int, folders: int, *, cold: bool, until: str = "reported", seconds: float = 7200.0) -> Burst:
    """One burst in a workspace of its own, until every file is durable, answered, or the first one has its verdict."""
    found = Burst("cold" if cold else "burst", files, folders)
    with _workspace(folders) as workspace:
        if cold:
            drop(workspace, files, folders)
        begun = time.monotonic()
        with _service(workspace) as pid:
            if not cold:
                _ready(workspace)
                begun = time.monotonic()
                threading.Thread(target=_write, args=(workspace, found, begun), daemon=True).start()
            _watch(workspace, found, pid, begun, until=until, seconds=seconds)
        found.left = sum(1 for path in (workspace / "inbox").glob("*/*") if path.is_file())
        with _database(workspace) as ask:
            found.mails = {kind: ask(f"SELECT count(*) FROM mail WHERE {which}") for kind, which in _MAILS.items()}  # noqa: S608
            found.unreported = ask(
                "SELECT count(*) FROM receipt r WHERE state NOT IN ('recibido', 'procesando') AND "
                "NOT EXISTS (SELECT 1 FROM mail WHERE mail.guid = r.guid)"
            )
    return found


def _write(workspace: Path, found: Burst, begun: float) -> None:
    drop(workspace, found.files, found.folders)
    found.written = round(time.monotonic() - begun, 1)


@contextlib.contextmanager
def _database(workspace: Path) -> Iterator[Callable[[str], int]]:
    connection = sqlite3.connect(f"file:{workspace / 'var/registry.db'}?mode=ro", uri=True, timeout=30)
    try:
        yield lambda query: int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


def _watch(workspace: Path, found: Burst, pid: int, begun: float, *, until: str, seconds: float) -> None:
    """Look at the database and at the processes every so often."""
    with _database(workspace) as ask:
        while time.monotonic() - begun < seconds:
            now = round(time.monotonic() - begun, 1)
            found.received = ask("SELECT count(*) FROM receipt")
            found.answered = ask("SELECT count(*) FROM run WHERE latest AND published")
            children = list(_children(pid))
            found.service_mib = max(found.service_mib, _mib(pid, "VmHWM"))
            found.child_mib = max([found.child_mib, *(_mib(child, "VmHWM") for child in children)])
            together = sum(_mib(one, "Pss:", "smaps_rollup") for one in (pid, *children))
            found.together_mib = max(found.together_mib, round(together, 1))
            if found.answered and not found.first_verdict:
                found.first_verdict = now
                if until == "verdict":
                    return
            if found.received == found.files and not found.durable:
                found.durable = now
                found.durable_each_second = round(found.files / now, 1)
                if until == "durable":
                    return
            if found.answered == found.files:
                found.reported = now
                return
            time.sleep(0.1 if now < 10 else 1.0)


def poison(times: int = 5) -> Poison:
    """A file of another entity while the child that judges a large one stands still, or dies, until its limits."""
    found = Poison("poison")
    with _workspace(4) as workspace, _service(workspace) as pid:
        _ready(workspace)
        _answered(workspace, 1, 3 * times)  # the first one waits for what is loaded once
        for turn in range(times):
            found.alone.append(_answered(workspace, 1, turn))
        hung = _at_work(workspace, pid, 2)
        os.kill(hung, signal.SIGSTOP)
        for turn in range(times):
            found.hanging.append(_answered(workspace, 1, times + turn))
        if hung not in _children(pid):
            raise RuntimeError("what hung is over too soon to say anything")
        os.kill(_at_work(workspace, pid, 3, but=hung), signal.SIGKILL)
        for turn in range(times):
            found.killing.append(_answered(workspace, 1, 2 * times + turn))
    return found


def _answered(workspace: Path, folder: int, turn: int) -> float:
    name, begun = put(workspace, folder, turn), time.monotonic()
    with _database(workspace) as ask:
        query = f"SELECT count(*) FROM run JOIN receipt USING (guid) WHERE published AND file_name = '{name}'"  # noqa: S608
        _wait_for(lambda: ask(query), 120)
    return round(time.monotonic() - begun, 2)


def _at_work(workspace: Path, pid: int, folder: int, but: int = 0) -> int:
    """Drop a large file; the child that is at work on it."""
    there = {child: _spent(child) for child in _children(pid)}
    put(workspace, folder, 0, lines=_LARGE)
    found: list[int] = []

    def at_work() -> bool:
        spent = {child: _spent(child) - there.get(child, 0) for child in _children(pid) if child != but}
        found[:] = [child for child, ticks in spent.items() if ticks >= _TICKS]
        return bool(found)

    _wait_for(at_work, 120)
    return found[0]


def _spent(pid: int) -> int:
    """Ticks of the processor that a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _children(pid: int) -> Iterator[int]:
    """Its children and theirs, of every thread: a child is its thread's."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text("ascii").split()):
                yield child
                yield from _children(child)


def _mib(pid: int, which: str, where: str = "status") -> float:
    """The most memory that a process had (`VmHWM`), or its share of what it has now (`Pss:`, of `smaps_rollup`)."""
    try:
        lines = Path(f"/proc/{pid}/{where}").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0.0
    return round(next((int(line.split()[1]) / 1024 for line in lines if line.startswith(which)), 0.0), 1)


def _wait_for(condition: Callable[[], Any], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.02)


def main() -> int:
    """Run, tell and write down; 1 when a file is missing, or another entity waited for a poison file."""
    asked = argparse.ArgumentParser(prog="campaign.bursts")
    asked.add_argument("--files", type=int, default=50_000)
    asked.add_argument("--folders", type=int, default=100)
    asked.add_argument("--cold", action="store_true")
    asked.add_argument("--poison", action="store_true")
    asked.add_argument("--until", choices=["verdict", "durable", "reported"], default="reported")
    asked.add_argument("--seconds", type=float, default=7200.0)
    asked.add_argument("--dry", action="store_true")
    options = asked.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # the service ends with us
    if options.poison:
        hung = poison()
        told, well = asdict(hung) | {"delay": hung.delay}, hung.delay <= 1.0
    else:
        found = run(options.files, options.folders, cold=options.cold, until=options.until, seconds=options.seconds)
        told = asdict(found)
        well = options.until != "reported" or (found.answered, found.unreported, found.left) == (found.files, 0, 0)
    told["commit"] = ledger.commit()
    json.dump(told, sys.stdout)
    sys.stdout.write("\n")
    if not options.dry:
        ledger.add_burst(told)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
