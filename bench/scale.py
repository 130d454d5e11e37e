"""Files per second with workers against one process, where the time goes, and how small files fare beside a large one.

`python bench/scale.py --files 200` (or `make bench-scale`): everything in one run, on one machine, so that the ratios
hold even where the figures do not.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import postgresql as pg
from beside import beside
from cpu import cpu_of
from entities import day, drop, left, text, verdicts, workspace
from limits import commits, queue_cost
from worker import pid_of, running, wait

from pisis_batch import service, wiring
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
