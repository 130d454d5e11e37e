"""Many files at once: a burst into a running service, or a cold start with as many waiting, seen from the outside.

`python -m campaign.bursts --files 50000 --folders 100 [--cold] [--until verdict]`, from `tests/`; it tells JSON.
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

from pisis_batch.settings import FILE, TEMPLATE  # noqa: E402  # the path comes first

_MAIN = "from pisis_batch.cli import main; main()"
_DAY = date(2020, 1, 1)


@dataclass
class Burst:
    """Seconds from the first file written (or from the start of a cold service); MiB at the peak, child apart."""

    files: int
    folders: int
    cold: bool
    written: float = 0.0
    first_verdict: float = 0.0
    durable: float = 0.0
    reported: float = 0.0
    service_mib: float = 0.0
    child_mib: float = 0.0
    received: int = 0
    answered: int = 0
    left: int = 0


def drop(workspace: Path, files: int, folders: int) -> None:
    """Write the files where they are not looked at, and rename each into its folder, a folder after the other."""
    for number in range(files):
        folder, turn = number % folders, number // folders
        day, entity = _DAY + timedelta(days=turn), 901_000_000 + folder
        login = f"CC{10_200_000 + folder}"
        target = workspace / "inbox" / login
        target.mkdir(parents=True, exist_ok=True)
        name = f"SEG500USIN{day:%Y%m%d}NI{entity:012d}.TXT"
        line = f"1|NI|{entity}|{day.isoformat()}|1|ESE {number}||CC|1|A|B|CC|2|C|D|A@ESE.EXAMPLE\r\n2|1|CC|1090000001|A|B|O|||||"
        half = target / f".{name}"
        half.write_bytes(line.encode("ascii"))
        half.rename(target / name)


def run(files: int, folders: int, *, cold: bool, until: str = "reported", seconds: float = 3600.0) -> Burst:
    """One burst in a workspace of its own, until every file is durable, answered, or the first one has its verdict."""
    found = Burst(files, folders, cold)
    with tempfile.TemporaryDirectory(prefix="pisis-burst-") as made:
        workspace = Path(made)
        (workspace / FILE).write_text(TEMPLATE, "utf-8")
        pisis = [sys.executable, "-c", _MAIN, "-w", str(workspace)]
        subprocess.run([*pisis, "init", str(workspace)], stdout=subprocess.DEVNULL, check=True)
        if cold:
            drop(workspace, files, folders)
        begun = time.monotonic()
        log = (workspace / "log").open("wb")
        process = subprocess.Popen(
            [*pisis, "watch"], stdout=log, stderr=log, env=os.environ | {"PISIS_ISOLATION": "true"}
        )
        try:
            if not cold:
                _wait_for(lambda: b"Vigilando" in (workspace / "log").read_bytes(), 60)
                time.sleep(2)
                begun = time.monotonic()
                writer = threading.Thread(target=_write, args=(workspace, found, begun))
                writer.start()
            _watch(workspace, found, process.pid, begun, until=until, seconds=seconds)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()
        found.left = sum(1 for path in (workspace / "inbox").glob("*/*") if path.is_file())
    return found


def _write(workspace: Path, found: Burst, begun: float) -> None:
    drop(workspace, found.files, found.folders)
    found.written = round(time.monotonic() - begun, 1)


def _watch(workspace: Path, found: Burst, pid: int, begun: float, *, until: str, seconds: float) -> None:
    """Look at the database and at the processes every so often."""
    with sqlite3.connect(f"file:{workspace / 'var/registry.db'}?mode=ro", uri=True, timeout=30) as database:
        while time.monotonic() - begun < seconds:
            now = round(time.monotonic() - begun, 1)
            (found.received,) = database.execute("SELECT count(*) FROM receipt").fetchone()
            (found.answered,) = database.execute("SELECT count(*) FROM run WHERE latest AND published").fetchone()
            found.service_mib = max(found.service_mib, _mib(pid))
            found.child_mib = max([found.child_mib, *(_mib(child) for child in _children(pid))])
            if found.answered and not found.first_verdict:
                found.first_verdict = now
                if until == "verdict":
                    return
            if found.received == found.files and not found.durable:
                found.durable = now
                if until == "durable":
                    return
            if found.answered == found.files:
                found.reported = now
                return
            time.sleep(0.1 if now < 10 else 1.0)


def _children(pid: int) -> Iterator[int]:
    try:
        yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())
    except OSError:
        return


def _mib(pid: int) -> float:
    """The most memory that a process ever had."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0
    return round(
        next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0), 1
    )


def _wait_for(condition: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the service did not begin")
        time.sleep(0.05)


def main() -> int:
    """Run and tell; 1 when a file is missing."""
    asked = argparse.ArgumentParser(prog="campaign.bursts")
    asked.add_argument("--files", type=int, default=50_000)
    asked.add_argument("--folders", type=int, default=100)
    asked.add_argument("--cold", action="store_true")
    asked.add_argument("--until", choices=["verdict", "durable", "reported"], default="reported")
    asked.add_argument("--seconds", type=float, default=3600.0)
    options = asked.parse_args()
    found = run(options.files, options.folders, cold=options.cold, until=options.until, seconds=options.seconds)
    json.dump(asdict(found), sys.stdout)
    sys.stdout.write("\n")
    return 0 if options.until != "reported" or found.answered == found.files else 1


if __name__ == "__main__":
    sys.exit(main())
