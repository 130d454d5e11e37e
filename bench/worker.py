"""A worker in a process of its own, and what it leaves to be done."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import postgresql as pg
from entities import left

from pisis_batch.ports import Ports


def pid_of(server: pg.PostgreSQL) -> int:
    return int((server.folder / "postmaster.pid").read_text("ascii").split()[0])


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
        time.sleep(0.1)  # to ask costs the same server
