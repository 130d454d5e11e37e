"""Files per second with workers against one process, where the time goes, and how small files fare beside a large one.

`python bench/scale.py --files 200` (or `make bench-scale`): everything in one run, on one machine, so that the ratios
hold even where the figures do not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import postgresql as pg
from cpu import cpu_of
from entities import NOW, day, drop, drop_large, left, register, text, verdicts, workspace

from pisis_batch import service, wiring
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.procrastinate_queue import ProcrastinateQueue, Slots
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.ports import Ports


def inline(database: str, files: int, lines: int) -> dict[str, float]:
    """One process does everything: seconds to take in, and to process."""
    with workspace(database, files, lines) as (root, settings):
        ports = wiring.ports(settings)
        drop(root, 0, text(0, lines, day(1)), day(1))
        service.once(ports)  # whatever is loaded on first use
        for place in range(files):
            drop(root, place, text(place, lines, day(0)), day(0))
        begun = time.perf_counter()
        service.take_in(ports)
        taken = time.perf_counter()
        work = service.FileWork(ports, apart={"correo", "publicar", "vencimientos", "recordatorios", "depuracion"})
        spent = []
        for receipt in ports.registry.pending():
            at = time.perf_counter()
            work.file(receipt.guid)
            spent.append(time.perf_counter() - at)
        ended = time.perf_counter()
        assert left(ports) == 0  # noqa: S101
        ports.judge.close()
        ports.registry.close()  # type: ignore[attr-defined]
    return {
        "take_in_ms": 1000 * (taken - begun) / files,
        "files_per_second": files / (ended - taken),
        "p50_ms": 1000 * statistics.median(spent),
        "p95_ms": 1000 * statistics.quantiles(spent, n=20)[-1],
        "samples": [round(one, 4) for one in spent],  # type: ignore[dict-item]
    }


def pid_of(server: pg.PostgreSQL) -> int:
    return int((server.folder / "postmaster.pid").read_text("ascii").split()[0])


def commits(server: pg.PostgreSQL, seconds: float, hands: int, *, audited: bool = False) -> float:
    """Commits a second from so many connections, each of one row of its own: the disk's limit.

    `audited`: each adds a link to the one chain of the audit, so that they go one after another.
    """
    made, keys = sa.create_engine(server.database(), pool_size=hands), Keyring()
    with made.begin() as connection:
        connection.execute(sa.text("CREATE TABLE beat (hand int PRIMARY KEY, times int)"))
        for hand in range(hands):
            connection.execute(sa.text("INSERT INTO beat VALUES (:hand, 0)"), {"hand": hand})
    until = time.monotonic() + seconds
    done = [0] * hands

    def beat(hand: int) -> None:
        with made.connect() as connection:
            while time.monotonic() < until:
                connection.execute(sa.text("UPDATE beat SET times = times + 1 WHERE hand = :hand"), {"hand": hand})
                if audited:
                    trail = Trail(connection, keys, f"beat-{hand}", NOW.isoformat())
                    trail.tell("medida")
                    trail.close()
                connection.commit()
                done[hand] += 1

    threads = [threading.Thread(target=beat, args=(hand,)) for hand in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.dispose()
    return sum(done) / seconds


def workers(server: pg.PostgreSQL, files: int, lines: int, many: int) -> dict[str, float]:
    """`many` at a time, in one worker process with its children: the files are in line before it starts to draw."""
    warmers = 4 * many
    with workspace(server.database(), files + warmers, lines) as (root, settings):
        ports = wiring.ports(settings, workers=True)
        with running(root, many) as (log, pid):
            for place in range(files, files + warmers):
                drop(root, place, text(place, lines, day(1)), day(1))
            service.take_in(ports)
            wait(ports, log)  # the worker is up, and has as many children as it has files in hand
            for place in range(files):
                drop(root, place, text(place, lines, day(0)), day(0))
            cpu, server_cpu = cpu_of(pid), cpu_of(pid_of(server))
            done, synced = counted(ports)
            begun = time.perf_counter()
            service.take_in(ports)
            taken, waiting = time.perf_counter(), left(ports)
            wait(ports, log)
            ended = time.perf_counter()
            time.sleep(1.1)  # what the server counts shows a second later
            cpu, server_cpu = cpu_of(pid) - cpu, cpu_of(pid_of(server)) - server_cpu
            done, synced = (now - before for now, before in zip(counted(ports), (done, synced), strict=True))
        assert verdicts(ports) == {"cargado": files + warmers}  # noqa: S101
        ports.registry.close()  # type: ignore[attr-defined]
    return {
        "take_in_ms": 1000 * (taken - begun) / files,
        "files_per_second": waiting / (ended - taken),  # of those that nobody was still taking in
        "with_intake_per_second": files / (ended - begun),
        "commits_per_file": done / files,
        "syncs_per_file": synced / files,
        "worker_cpu_ms": 1000 * cpu / files,
        "server_cpu_ms": 1000 * server_cpu / files,
    }


def counted(ports: Ports) -> tuple[int, int]:
    """Transactions of the database so far, those that only read included; and how often its log was synced to disk."""
    done = sa.text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    synced = sa.text("SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'")
    with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]
        return int(connection.scalar(done)), int(connection.scalar(synced))


@contextmanager
def running(root: Path, many: int, *, patient: bool = True) -> Iterator[tuple[Path, int]]:
    """`pisis worker` in a process of its own: its log, its number. Not patient, it is killed with what it has in hand."""
    log = root / "worker.log"
    command = [sys.executable, "-c", "from pisis_batch.cli import main; main()", "-w", str(root), "worker"]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--concurrency", str(many), "--no-chores"], stdout=out, stderr=out)  # noqa: S603
    try:
        yield log, process.pid
    finally:
        if patient:
            process.terminate()
        else:
            process.kill()
        process.wait(60)


def wait(ports: Ports, log: Path, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while left(ports):
        if time.monotonic() > until:
            raise TimeoutError(log.read_text("utf-8")[-2000:])
        time.sleep(0.02)


def queue_cost(server: pg.PostgreSQL, jobs: int) -> dict[str, float]:
    """What the engine costs for a file whose work is nothing: to put its job, and to fetch and end it."""
    with workspace(server.database(), 1, 1) as (_, settings):
        ports = wiring.ports(settings, workers=True)
        queue = ports.queue
        assert isinstance(queue, ProcrastinateQueue)  # noqa: S101
        engine = ports.registry.engine  # type: ignore[attr-defined]
        put = []
        with engine.begin() as connection:
            for place in range(jobs):
                at = time.perf_counter()
                connection.execute(
                    sa.text(
                        "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('archivos', 'archivo', 0, :lane, :guid, "
                        "jsonb_build_object('guid', CAST(:guid AS text)), NULL)::procrastinate_job_to_defer_v1])"
                    ),
                    {"lane": f"NI {place}", "guid": f"{place}"},
                )
                put.append(time.perf_counter() - at)

        class Nothing:
            chores = ()
            done = 0
            stop = threading.Event()

            def file(self, guid: str) -> None:
                del guid
                self.done += 1
                if self.done == jobs:
                    self.stop.set()

        nothing = Nothing()
        begun = time.perf_counter()
        queue.serve(nothing, Slots(1, 0, chores=False), nothing.stop)
        spent = time.perf_counter() - begun
        ports.registry.close()  # type: ignore[attr-defined]
    return {"put_ms": 1000 * statistics.median(put), "fetch_and_end_ms": 1000 * spent / jobs}


def beside(server: pg.PostgreSQL, files: int, lines: int, large: int, seconds: float) -> dict[str, object]:
    """How long small files take from reception to verdict, alone and while one of `large` lines is in hand.

    They come one after another until the large one has its verdict, or for so many seconds.
    """
    said: dict[str, object] = {"large_lines": large}
    with workspace(server.database(), files + 1, lines) as (root, settings):
        ports = wiring.ports(settings, workers=True)
        register(ports, lines + 1, large)
        with running(root, 2, patient=False) as (log, _):
            for place in range(4):
                drop(root, place, text(place, lines, day(2)), day(2))
            service.take_in(ports)
            wait(ports, log)  # it is up
            said |= _told("alone", [small(root, ports, place, lines, 1) for place in range(files)])
            drop_large(root, files, large, day(0))
            (guid,) = service.take_in(ports)
            begun, spent, place = time.monotonic(), list[float](), 0
            while not ended(ports, guid) and time.monotonic() < begun + seconds:
                spent.append(small(root, ports, place % files, lines, 3 + place // files))
                place += 1
            said |= _told("beside", spent)
            said |= {"large_ended": ended(ports, guid), "large_seconds": round(time.monotonic() - begun, 1)}
        said["verdicts"] = verdicts(ports)
        ports.registry.close()  # type: ignore[attr-defined]
    return said


def small(root: Path, ports: Ports, place: int, lines: int, back: int) -> float:
    """Seconds of one small file from reception to verdict."""
    drop(root, place, text(place, lines, day(back)), day(back))
    begun = time.perf_counter()
    (guid,) = service.take_in(ports)
    while not ended(ports, guid):
        time.sleep(0.01)
    return time.perf_counter() - begun


def ended(ports: Ports, guid: str) -> bool:
    receipt = ports.registry.receipt(guid)
    return receipt is not None and receipt.state in {"terminado", "cuarentena"}


def _told(name: str, spent: list[float]) -> dict[str, object]:
    at = statistics.quantiles(spent, n=20, method="inclusive") if len(spent) > 1 else [max(spent, default=0.0)]
    return {
        f"{name}_files": len(spent),
        f"{name}_p50_ms": 1000 * statistics.median(spent or [0.0]),
        f"{name}_p95_ms": 1000 * at[-1],
        f"{name}_longest_ms": 1000 * max(spent, default=0.0),
    }


def parts(server: pg.PostgreSQL, said: argparse.Namespace) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """(what `--only` calls it, its key in what is told, how it is measured), the quick ones first."""
    files, lines = said.files, said.lines
    yield "inline", "inline_sqlite", lambda: inline("sqlite:///var/registry.db", files, lines)
    yield "inline", "inline_postgresql", lambda: inline(server.database(), files, lines)
    for key, audited in (("commits_per_second", False), ("audited_per_second", True)):
        yield (
            "commits",
            key,
            lambda audited=audited: {  # type: ignore[misc]
                str(hands): round(commits(server, 3.0, hands, audited=audited)) for hands in (1, 2, 4)
            },
        )
    for many in (1, 2, 4):
        yield "workers", f"workers_{many}", lambda many=many: workers(server, files, lines, many)  # type: ignore[misc]
    yield "queue", "queue", lambda: queue_cost(server, 500)
    yield "beside", "beside", lambda: beside(server, min(files, 60), lines, said.large, said.beside_seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--lines", type=int, default=75)
    parser.add_argument("--large", type=int, default=5_000_000)
    parser.add_argument("--beside-seconds", type=float, default=300.0, help="how long the large file is accompanied")
    parser.add_argument(
        "--only", default="inline,commits,workers,queue,beside", help="the rest stays as it was written"
    )
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    written = json.loads(said.json.read_text("utf-8")) if said.json and said.json.exists() else {}
    told: dict[str, object] = written | {
        "files": said.files, "lines": said.lines, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    begun = time.monotonic()
    with pg.running() as server:
        for name in ("fsync", "full_page_writes"):  # what the tests' server leaves out
            server.run(f"ALTER SYSTEM SET {name} = 'on'")
        server.restart("fast")
        for part, key, measure in parts(server, said):
            if part not in said.only.split(","):
                continue
            told[key] = measure()
            told["minutes"] = round((time.monotonic() - begun) / 60, 1)
            told["load_after"] = round(os.getloadavg()[0], 1)
            sys.stderr.write(f"{key}: {told['minutes']} min\n")
            if said.json:
                said.json.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
