"""A whole process as it is measured, and a line of the table."""

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took."""

    wall: float
    cpu: float
    mib: float


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: `value` against `goal`, lower is better unless `more`."""

    number: str
    what: str
    goal: float
    value: float
    unit: str
    wall: float | None = None
    cpu: float | None = None
    more: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal is met."""
        return self.value >= self.goal if self.more else self.value <= self.goal


#: An installed program has its bytecode; a start that has to make it measures the compiler.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(*command: str) -> Spent:
    """Run a process to its end; its wall and CPU seconds and its highest resident memory."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=HOME, env=ENVIRONMENT)  # noqa: S603 ours
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[:3]}: {process.stderr.read()[-400:] if process.stderr else b''!r}")
    return Spent(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def against(ours: Sequence[str], theirs: Sequence[str], times: int) -> tuple[float, float, Spent]:
    """Medians of the CPU and wall ratios, and our median run."""
    pairs = [(run(*ours), run(*theirs)) for _ in range(times)]
    cpu = statistics.median(one.cpu / other.cpu for one, other in pairs)
    wall = statistics.median(one.wall / other.wall for one, other in pairs)
    return cpu, wall, sorted((one for one, _ in pairs), key=lambda one: one.cpu)[len(pairs) // 2]
