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
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import postgresql as pg

from pisis_batch import service, wiring
from pisis_batch.adapters import registry_csv
from pisis_batch.adapters.procrastinate_queue import ProcrastinateQueue, Slots
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, Settings

NOW = datetime.now(UTC)
_ENTITY = "NI,{number},ESE {number},IPS,PASTO,contacto@e{number}.example,1,CC,{head},CC,{head},1"


def number(place: int) -> str:
    return f"9001{place:05}"


def head(place: int) -> str:
    return f"10{place:06}"


def text(place: int, lines: int, day: str) -> bytes:
    """A sound file: users of an entity, all new, with one profile for every second of them."""
    control = (
        f"1|NI|{number(place)}|{day}|{lines}|ESE {number(place)}||CC|{head(place)}|LUISA|PEREZ"
        f"|CC|{head(place)}|LUISA|PEREZ|CONTACTO@E{number(place)}.EXAMPLE"
    )
    users = [
        f"2|{n}|CC|{1_090_000_000 + n}|JUAN|PEREZ|V|3150000000|MEDICO GENERAL|1||J{n}@E{number(place)}.EXAMPLE"
        for n in range(1, lines + 1)
    ]
    return "\r\n".join([control, *users]).encode()


@contextmanager
def workspace(database: str, entities: int, people: int) -> Iterator[tuple[Path, Settings]]:
    """A workspace with its registry filled."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / FILE).write_text(f'database = "{database}"\nsettle_seconds = 0.0\nremind_days = 0\n', "utf-8")
        settings = Settings.load(root)
        ports = wiring.ports(settings)
        rows = "\n".join(_ENTITY.format(number=number(e), head=head(e)) for e in range(entities))
        persons = "\n".join(
            [f"CC,{head(e)},LUISA,,PEREZ,,l@p.example" for e in range(entities)]
            + [f"CC,{1_090_000_000 + n},JUAN,,PEREZ,," for n in range(1, people + 1)]
        )
        columns = "tipo_id,num_id,razon_social,tipo_entidad,municipio,correo_institucional,correo_confirmado"
        for table, said in {
            "entities": f"{columns},rep_tipo_id,rep_num_id,contacto_tipo_id,contacto_num_id,activa\n{rows}\n",
            "persons": "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n"
            f"{persons}\n",
        }.items():
            frame, problems = registry_csv.read(table, said.encode())
            assert not problems, problems[:3]  # noqa: S101
            ports.registry.load(table, frame, NOW)
        ports.registry.close()  # type: ignore[attr-defined]
        yield root, settings


def drop(root: Path, place: int, content: bytes, day: str) -> None:
    at(root, place, day).write_bytes(content)


def at(root: Path, place: int, day: str) -> Path:
    """Where an entity's file of a day is dropped."""
    folder = root / "inbox" / f"CC{head(place)}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"SEG500USIN{day.replace('-', '')}NI{int(number(place)):012}.TXT"


def drop_large(root: Path, place: int, lines: int, day: str) -> None:
    """A file of so many lines, written a piece at a time, beside the inbox and then moved into it."""
    control, *_ = text(place, 1, day).split(b"\r\n")
    whole = root / "large.TXT"
    with whole.open("wb") as file:
        file.write(control.replace(f"|{day}|1|".encode(), f"|{day}|{lines}|".encode()))
        for start in range(1, lines + 1, 100_000):
            numbers = range(start, min(start + 100_000, lines + 1))
            rows = [
                f"\r\n2|{n}|CC|{1_090_000_000 + n}|JUAN|PEREZ|V|3150000000|MEDICO GENERAL|1||J{n}@E{number(place)}.EXAMPLE"
                for n in numbers
            ]
            file.write("".join(rows).encode())
    whole.rename(at(root, place, day))


def left(ports: Ports) -> int:
    with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]
        return int(connection.scalar(sa.text("SELECT count(*) FROM receipt WHERE state IN ('recibido', 'procesando')")))


def day(back: int) -> str:
    return (NOW - timedelta(days=1 + back)).strftime("%Y-%m-%d")


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


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far, of its living children, and of those that ended."""
    living = [
        int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text("ascii").split()
    ]
    ticks = 0
    for one, fields in [(pid, slice(11, 15)), *((child, slice(11, 13)) for child in living)]:
        try:
            stat = Path(f"/proc/{one}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, stat[fields]))
    return ticks / os.sysconf("SC_CLK_TCK")


def pid_of(server: pg.PostgreSQL) -> int:
    return int((server.folder / "postmaster.pid").read_text("ascii").split()[0])


def commits(server: pg.PostgreSQL, seconds: float, hands: int) -> float:
    """Commits a second that the server takes from so many connections, each of one row: the disk's limit."""
    made = sa.create_engine(server.database(), pool_size=hands)
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
    url = server.database()
    with workspace(url, files + many, lines) as (root, settings):
        ports = wiring.ports(settings, workers=True)
        with running(root, many) as (log, pid):
            for place in range(files, files + many):
                drop(root, place, text(place, lines, day(1)), day(1))
            service.take_in(ports)
            wait(ports, log)  # the worker is up, and as many children as it has files in hand
            for place in range(files):
                drop(root, place, text(place, lines, day(0)), day(0))
            cpu, server_cpu = cpu_of(pid), cpu_of(pid_of(server))
            begun = time.perf_counter()
            service.take_in(ports)
            taken = time.perf_counter()
            wait(ports, log)
            ended = time.perf_counter()
            cpu, server_cpu = cpu_of(pid) - cpu, cpu_of(pid_of(server)) - server_cpu
        with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]
            done = connection.scalar(
                sa.text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            )
        ports.registry.close()  # type: ignore[attr-defined]
    return {
        "take_in_ms": 1000 * (taken - begun) / files,
        "files_per_second": files / (ended - begun),
        "commits_per_file": done / files,
        "worker_cpu_ms": 1000 * cpu / files,
        "server_cpu_ms": 1000 * server_cpu / files,
    }


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


def beside(server: pg.PostgreSQL, files: int, lines: int, large: int) -> dict[str, float]:
    """How long small files wait, from reception to verdict, alone and while one of `large` lines is in hand."""
    said: dict[str, float] = {"large_lines": large}
    with workspace(server.database(), files + 1, lines) as (root, settings):
        ports = wiring.ports(settings, workers=True)
        with running(root, 2, patient=False) as (log, _):
            drop(root, 0, text(0, lines, day(2)), day(2))
            service.take_in(ports)
            wait(ports, log)  # it is up
            for name in ("alone", "beside"):
                back = 1 if name == "alone" else 0
                if name == "beside":
                    drop_large(root, files, large, day(0))
                    service.take_in(ports)
                spent = []
                for place in range(files):
                    drop(root, place, text(place, lines, day(back)), day(back))
                    at = time.perf_counter()
                    (guid,) = service.take_in(ports)
                    while ports.registry.receipt(guid).state not in {"terminado", "cuarentena"}:  # type: ignore[union-attr]
                        time.sleep(0.01)
                    spent.append(time.perf_counter() - at)
                said[f"{name}_p50_ms"] = 1000 * statistics.median(spent)
                said[f"{name}_p95_ms"] = 1000 * statistics.quantiles(spent, n=20)[-1]
                if name == "beside":
                    said["large_still_in_hand"] = float(left(ports))
        ports.registry.close()  # type: ignore[attr-defined]
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--lines", type=int, default=75)
    parser.add_argument("--large", type=int, default=5_000_000)
    parser.add_argument("--only", default="inline,workers,queue,beside")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    told: dict[str, object] = {
        "files": said.files, "lines": said.lines, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    begun = time.monotonic()
    with pg.running() as server:
        for name in ("fsync", "full_page_writes"):  # what the tests' server leaves out
            server.run(f"ALTER SYSTEM SET {name} = 'on'")
        server.restart("fast")
        if "inline" in said.only:
            told["inline_sqlite"] = inline("sqlite:///var/registry.db", said.files, said.lines)
            told["inline_postgresql"] = inline(server.database(), said.files, said.lines)
        if "workers" in said.only:
            told["commits_per_second"] = {str(hands): round(commits(server, 3.0, hands)) for hands in (1, 4)}
            for many in (1, 2, 4):
                told[f"workers_{many}"] = workers(server, said.files, said.lines, many)
        if "queue" in said.only:
            told["queue"] = queue_cost(server, 500)
        if "beside" in said.only:
            told["beside"] = beside(server, min(said.files, 60), said.lines, said.large)
    told["minutes"] = round((time.monotonic() - begun) / 60, 1)
    told["load_after"] = round(os.getloadavg()[0], 1)
    shown = json.dumps(told, indent=1)
    if said.json:
        said.json.write_text(shown + "\n", "utf-8")
    sys.stdout.write(shown + "\n")


if __name__ == "__main__":
    main()
