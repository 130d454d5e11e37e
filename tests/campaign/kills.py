"""Killed at a named point, and again in the recovery: nothing lost, nothing twice, nothing unanswered."""

import random
import signal
from collections.abc import Iterator

from campaign import world
from campaign.lives import Nursery

POINTS = ("claimed", "archived", "accepted", "released", "attempted", "before_commit", "committed", "published", "sent")
_AGAIN = 0.8  # how often the recovery is killed too, and its recovery


def trials(seeds: Iterator[int], nursery: Nursery) -> Iterator[tuple[int, int, list[str]]]:
    """For each seed: the seed, how often the process was killed, and what was broken at the end."""
    for seed in seeds:
        yield seed, *_trial(nursery, seed)


def _trial(nursery: Nursery, seed: int) -> tuple[int, list[str]]:
    chance = random.Random(seed)
    files = world.drawn(seed)
    nursery.fresh(files)
    killed, going = 0, True
    while going:
        point = f"{chance.choice(POINTS)}:{chance.randint(1, len(files))}"
        killed += nursery.life(point) == -signal.SIGKILL
        going = chance.random() < _AGAIN
    return killed, nursery.ended(files, killed)
