"""Killed, or given an error, at each durable system call of a whole run, with the program untouched.

A golden run says how many durable calls there are under the workspace; then the same files again, once for each of
them: the process dies just before the call, just after it, or with half of the bytes written; or the call fails, once
or from there on. Counted is what really took place.
"""

import errno
import random
import signal
from collections.abc import Iterator

from campaign import shim, world
from campaign.lives import Nursery
from pisis_batch.adapters import durable

_DEATHS = (shim.KILL_BEFORE, shim.KILL_AFTER, shim.KILL_HALF)
_ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_REFUSALS = {1, 3}  # exit codes of a run that could not go on: the next one can


def trials(seeds: Iterator[int], nursery: Nursery, kind: str) -> Iterator[tuple[int, int, list[str]]]:
    """For each seed a golden run and every call of it; the seed, whether it took place, and what was broken."""
    orders = shim.Shim()
    for seed in seeds:
        files = world.drawn(seed)
        durable._TOGETHER = 2 if seed % 2 == 0 else 12  # documents synced all at once, or one by one
        nursery.fresh(files)
        orders.order(nursery.workspace, shim.COUNT)
        code = nursery.life()
        calls = orders.passed
        orders.off()
        if code or not calls:
            yield seed, 0, [f"the golden run ended with {code} after {calls} calls"]
            continue
        chance = random.Random(seed)
        for at in range(1, calls + 1):
            trial = _killed if kind == "calls" else _refused
            yield seed, *trial(nursery, orders, files, at, chance)


def _killed(
    nursery: Nursery, orders: shim.Shim, files: dict[str, bytes], at: int, chance: random.Random
) -> tuple[int, list[str]]:
    nursery.fresh(files)
    how = _DEATHS[at % len(_DEATHS)]
    orders.order(nursery.workspace, how, at)
    killed = int(nursery.life() == -signal.SIGKILL and bool(orders.fired))
    where = orders.fired
    if chance.random() < 0.3:  # and again in the recovery, anywhere
        orders.order(nursery.workspace, chance.choice(_DEATHS), chance.randint(1, max(2, at)))
        killed += int(nursery.life() == -signal.SIGKILL and bool(orders.fired))
    orders.off()
    return killed, [f"call {at} ({where}, {how}): {what}" for what in nursery.ended(files, killed)]


def _refused(
    nursery: Nursery, orders: shim.Shim, files: dict[str, bytes], at: int, chance: random.Random
) -> tuple[int, list[str]]:
    nursery.fresh(files)
    error, how = chance.choice(_ERRORS), chance.choice((shim.FAIL, shim.FAIL, shim.FAIL_ON))
    orders.order(nursery.workspace, how, at, error)
    code, fired, where = nursery.life(), int(bool(orders.fired)), orders.fired
    orders.off()
    broken = nursery.ended(files, lives=3)
    if code not in {0, *_REFUSALS}:
        broken.append(f"the run ended with {code}")
    if not fired:
        broken.append("the error did not take place")
    said = f"call {at} ({where}, {errno.errorcode[error]}, {'for good' if how == shim.FAIL_ON else 'once'})"
    return fired, [f"{said}: {what}" for what in broken]
