"""A backlog of small files that waits when `pisis watch` starts: how many it answers a second, and what one costs.

python bench/backlog.py FILES ENTITIES [--services N] [--cores N] [--apart] [--within FOLDER]
    -> JSON list: files a second, CPU milliseconds of a file

Each entity has several files, cut on days one after the other. What is measured begins with the second twentieth, when
everything is loaded, and ends when all documents and messages are out (messages into the folder, as a workspace has it
that names no mail server). Several services share the folder and the database; `--apart` each has cores of its own.

With `--within` everything stays in a folder made there: some file systems go through what was deleted lately whenever
a file is made, and whoever is measured next would pay for whoever was measured before.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import small
from cpu import cpu_of

from pisis_batch.settings import FILE

_LAST = date(2026, 7, 15)
_PUBLISHED = "SELECT count(*) FROM run WHERE published"
_WAITING = "SELECT count(*) FROM mail WHERE sent_at IS NULL"


def fill(folder: Path, files: int, entities: int) -> None:
    """The files, all of them settled for long."""
    inbox = folder / "inbox" / "CC10000001"
    inbox.mkdir(parents=True)
    settled = time.time() - 60
    for place in range(files):
        turn, entity = divmod(place, entities)
        day = _LAST - timedelta(days=(files - 1) // entities - turn)
        name, raw = small.content(entity, turn, day.isoformat())
        (inbox / name).write_bytes(raw)
        os.utime(inbox / name, (settled, settled))


@contextmanager
def serving(folder: Path, services: int, cores: int, *, apart: bool = False) -> Iterator[Sequence[int]]:
    """So many services over one folder, on so many cores, each on all of them or on its own; their numbers."""
    every = sorted(os.sched_getaffinity(0))
    pisis, quiet = Path(sys.executable).with_name("pisis"), subprocess.DEVNULL
    running = []
    for place in range(services):
        mine = every[-cores:][place::services] if apart else every[-cores:]
        os.sched_setaffinity(0, mine)  # whoever is started now has the same
        running.append(subprocess.Popen([pisis, "-w", folder, "watch"], stdout=quiet, stderr=quiet))  # noqa: S603 ours
    os.sched_setaffinity(0, every)
    try:
        yield [one.pid for one in running]
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()


@contextmanager
def place(within: Path | None) -> Iterator[str]:
    """A folder to work in, which stays if it is made `within` another."""
    if within is not None:
        yield tempfile.mkdtemp(dir=within)
        return
    with tempfile.TemporaryDirectory() as name:
        yield name


def measure(given: argparse.Namespace) -> list[float]:
    """Files a second, and milliseconds of CPU of one."""
    files, entities = given.files, given.entities
    with place(given.within) as name:
        folder, first = Path(name), max(files // 20, 1)
        small.workspace(folder, entities).registry.close()
        (folder / FILE).write_text("settle_seconds = 0\nremind_days = 0\n", "utf-8")
        fill(folder, files, entities)
        with (
            serving(folder, given.services, given.cores, apart=given.apart) as pids,
            closing(sqlite3.connect(folder / "var/registry.db", timeout=60)) as database,
        ):

            def many(question: str) -> int:
                return int(database.execute(question).fetchone()[0])

            def spent() -> float:
                return sum(map(cpu_of, pids))

            while (begun := many(_PUBLISHED)) < first:
                time.sleep(0.05)
            start, before = time.perf_counter(), spent()
            while many(_PUBLISHED) < files or many(_WAITING):
                time.sleep(0.05)
            seconds, cpu = time.perf_counter() - start, spent() - before
            right = many("SELECT count(*) FROM run WHERE verdict = 'cargado'")
        assert right == files, f"{files - right} were not accepted"  # noqa: S101 a bench that measures rejections lies
    return [(files - begun) / seconds, cpu / (files - begun) * 1000]


if __name__ == "__main__":
    said = argparse.ArgumentParser()
    said.add_argument("files", type=int)
    said.add_argument("entities", type=int)
    said.add_argument("--services", type=int, default=1)
    said.add_argument("--cores", type=int, default=2)
    said.add_argument("--apart", action="store_true")
    said.add_argument("--within", type=Path)
    print(json.dumps(measure(said.parse_args())))
