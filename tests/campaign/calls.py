"""Killed, or given an error, at the N-th durable system call of a whole run, with the program untouched (strace)."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from campaign import kills, world

CALLS = ("fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat", "pwrite64")
_PROGRAM = (
    "import sys\nsys.path[:0] = [sys.argv[2]]\nfrom pathlib import Path\nfrom campaign import world\n"
    "from pisis_batch import service\nservice.once(world.ports(Path(sys.argv[1])))\n"
)
_TESTS = Path(__file__).parents[1]


def trials(seeds: Iterator[int], error: str | None = None) -> Iterator[tuple[int, int, list[str]]]:
    """For each seed: the seed, how many faults took place, and what was broken at the end."""
    with tempfile.TemporaryDirectory(prefix="pisis-calls-", dir=kills.memory()) as name:
        base = Path(name)
        kills.forked(lambda: world.template(base / "template"))
        golden: dict[str, int] = {}
        for seed in seeds:
            workspace = world.copied(base / "template", base / f"trial-{seed}")
            golden = golden or _counted(world.copied(base / "template", base / "golden"))
            yield seed, *_trial(workspace, seed, golden, error)
            shutil.rmtree(workspace)


def _traced(workspace: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = ["strace", "-f", "-qq", *options, sys.executable, "-c", _PROGRAM, str(workspace), str(_TESTS)]
    return subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, "PISIS_ISOLATION": "false"}, timeout=300
    )


def _counted(workspace: Path) -> dict[str, int]:
    """How often a whole run makes each call."""
    world.drop(workspace, world.drawn(1))
    log = workspace / "strace.log"
    _traced(workspace, "-e", f"trace={','.join(CALLS)}", "-o", str(log))
    found: dict[str, int] = {}
    for name in re.findall(r"^\d+ +(\w+)\(", log.read_text("utf-8", "replace"), re.MULTILINE):
        found[name] = found.get(name, 0) + 1
    return found


def _trial(workspace: Path, seed: int, golden: dict[str, int], error: str | None) -> tuple[int, list[str]]:
    chance = random.Random(seed)
    files = world.drawn(1)
    world.drop(workspace, files)
    call = chance.choice(sorted(golden))
    fault = f"error={error}" if error else "signal=KILL"
    when = chance.randint(1, golden[call])
    run = _traced(workspace, "-o", "/dev/null", "-e", f"inject={call}:{fault}:when={when}")
    happened = error is not None or run.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
    return int(happened), kills.ended(workspace, files)
