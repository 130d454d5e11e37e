"""Killed at a named point, and again in the recovery: nothing lost, nothing twice, nothing unanswered.

Each life is a fork of a process that has loaded everything and used nothing, so that a trial costs what its work costs.
"""

import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from campaign import world

POINTS = ("claimed", "archived", "accepted", "released", "attempted", "before_commit", "committed", "published", "sent")


def trials(seeds: Iterator[int]) -> Iterator[tuple[int, int, list[str]]]:
    """For each seed: the seed, how often the process was killed, and what was broken at the end."""
    with tempfile.TemporaryDirectory(prefix="pisis-kills-", dir=memory()) as name:
        base = Path(name)
        forked(lambda: world.template(base / "template"))
        for seed in seeds:
            workspace = world.copied(base / "template", base / f"trial-{seed}")
            yield seed, *_trial(workspace, seed)
            shutil.rmtree(workspace)


def _trial(workspace: Path, seed: int) -> tuple[int, list[str]]:
    chance = random.Random(seed)
    files = world.drawn(seed)
    world.drop(workspace, files)
    killed = 0
    for _ in range(2):
        point = f"{chance.choice(POINTS)}:{chance.randint(1, len(files))}"
        killed += _life(workspace, point) == -signal.SIGKILL
    return killed, ended(workspace, files)


def ended(workspace: Path, files: dict[str, bytes]) -> list[str]:
    """Two undisturbed lives more, and what does not add up then."""
    codes = [_life(workspace, None) for _ in range(2)]
    verdict = workspace / "verdict"
    forked(lambda: verdict.write_text("\n".join(world.broken(workspace, files)), "utf-8"))
    broken = verdict.read_text("utf-8").splitlines() if verdict.exists() else ["the accounting itself failed"]
    return broken + [f"a life ended with {code}" for code in codes if code]


def _life(workspace: Path, point: str | None) -> int:
    def live() -> None:
        from pisis_batch import service  # noqa: PLC0415  # loaded by the parent already

        service.once(world.ports(workspace))

    return forked(live, point)


def forked(work: Callable[[], object], point: str | None = None) -> int:
    """Run in a fork; its exit code, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if point:
                os.environ["PISIS_CRASH_AT"] = point
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def memory() -> str | None:
    """A RAM disk where there is one: a kill leaves the page cache, so nothing is proved less."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
