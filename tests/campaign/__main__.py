"""Run a class of the campaign: `python -m campaign kills --seed 1 --trials 100`, from `tests/`. It tells JSON.

Without `--dry` the run goes into the ledger. `--seconds` ends it early; what was done until then is what counts.
"""

import argparse
import importlib
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

from campaign import ledger  # noqa: E402  # the path comes first

_LIVES = {"kills", "isolated", "calls", "errors", "power"}
_SHIMMED = {"calls", "errors", "power"}


def _trials(kind: str, seed: int, nursery: Any) -> Iterator[tuple[int, int, list[str]]]:
    seeds = itertools.count(seed)
    if kind in _LIVES:
        module = importlib.import_module(f"campaign.{_MODULES.get(kind, kind)}")
        yield from module.trials(seeds, nursery, *([kind] if kind in {"calls", "errors"} else []))
    elif kind in {"smtp", "objects"}:
        yield from importlib.import_module(f"campaign.{kind}").trials(seeds)
    elif kind == "mutants":
        mutants = importlib.import_module("campaign.mutants")
        for number, one in enumerate(mutants.ALL):
            found = mutants.found(one)
            yield number, int(found is True), [] if found else [f"{one.name}: not found"]
    else:
        yield from _files(kind, seed)


_MODULES = {"isolated": "kills", "errors": "calls"}


def _files(kind: str, seed: int) -> Iterator[tuple[int, int, list[str]]]:
    hostile, judged = (importlib.import_module(f"campaign.{name}") for name in ("hostile", "judged"))
    shelf = importlib.import_module("pisis_batch.layouts").shelf()
    chance = random.Random(seed)
    for number, case in enumerate(hostile.corpus(seed, 10**9)):
        if kind == "mutated":  # a hostile file with some bytes changed, cut, doubled: it may mean anything
            content = bytearray(case.content[:20_000])
            for _ in range(chance.randint(1, 8)):
                at = chance.randrange(len(content) + 1)
                content[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
            case = hostile.Hostile(case.kind, case.name, bytes(content), anywhere=True)  # noqa: PLW2901
        wrong = judged.wrong(case, shelf)
        if kind == "mutated":
            wrong = [what for what in wrong if "verdict" not in what]
        yield number, 1, [f"{case.kind} ({number}): {what}" for what in wrong]


def main() -> int:
    """Run, tell, and write down."""
    asked = argparse.ArgumentParser(prog="campaign")
    asked.add_argument("kind", choices=list(ledger.KINDS))
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--trials", type=int, default=10**9)
    asked.add_argument("--seconds", type=float, default=float("inf"))
    asked.add_argument("--dry", action="store_true")
    options = asked.parse_args()
    if options.kind in _SHIMMED:
        importlib.import_module("campaign.shim").start_anew()
    if options.kind in _LIVES:
        os.environ["POLARS_MAX_THREADS"] = "1"
        lives = importlib.import_module("campaign.lives")
        nursery = lives.Nursery(isolation=options.kind == "isolated")
        try:
            return int(lives.within(lambda: _run(options, nursery.warm())))
        finally:
            nursery.close()
    return _run(options)


def _run(options: argparse.Namespace, nursery: Any = None) -> int:
    started = time.monotonic()
    run: dict[str, Any] = {"kind": options.kind, "seed": options.seed, "trials": 0, "kills": 0, "broken": []}
    trials = _trials(options.kind, options.seed, nursery)
    for seed, many, broken in itertools.islice(trials, options.trials):
        run["trials"] += 1
        run["kills"] += many
        run["broken"] += [f"{seed}: {what}" for what in broken]
        if time.monotonic() > started + options.seconds:
            break
    trials.close()  # type: ignore[attr-defined]  # a generator
    run["seconds"] = round(time.monotonic() - started)
    run["commit"] = _commit()
    json.dump(run, sys.stdout, ensure_ascii=False)
    if not options.dry:
        ledger.add(run)
    return 1 if run["broken"] else 0


def _commit() -> str:
    """What was run: the commit, with a plus sign when the tree is not quite that."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        name = subprocess.run([*git, "rev-parse", "--short=9", "HEAD"], capture_output=True, check=True, text=True).stdout
        dirty = subprocess.run([*git, "status", "--porcelain", "--", "../../pisis_batch"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return name.strip() + ("+" if dirty else "")


if __name__ == "__main__":
    sys.exit(main())
