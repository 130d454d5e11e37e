"""Run a class of the campaign: `python -m campaign kills --seed 1 --trials 100`, from `tests/`. It tells JSON.

Without `--dry` the run goes into the ledger. `--seconds` ends it early; what was done until then is what counts.
"""

import argparse
import importlib
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

from campaign import ledger  # noqa: E402  # the path comes first

_LIVES = {"short", "kills", "isolated", "calls", "errors", "power"}
_SHIMMED = {"short", "calls", "errors", "power"}
_SHORT = {"kills": 8, "calls": 8, "errors": 8, "power": 1}  # trials of each in `short`


def _trials(kind: str, seed: int, nursery: Any) -> Iterator[tuple[Any, ...]]:
    seeds = itertools.count(seed)
    if kind == "short":
        for part, many in _SHORT.items():
            yield from itertools.islice(_trials(part, seed, nursery), many)
    elif kind in _LIVES:
        module = importlib.import_module(f"campaign.{_MODULES.get(kind, kind)}")
        yield from module.trials(seeds, nursery, *([kind] if kind in {"calls", "errors"} else []))
    elif kind in {"smtp", "objects", "mutated"}:
        yield from importlib.import_module(f"campaign.{kind}").trials(seeds)
    elif kind == "mutants":
        mutants = importlib.import_module("campaign.mutants")
        for number, one in enumerate(mutants.ALL):
            found = mutants.found(one)
            yield number, int(found is True), [] if found else [f"{one.name}: not found"]
    else:
        yield from _files(seed)


_MODULES = {"isolated": "kills", "errors": "calls"}


def _files(seed: int) -> Iterator[tuple[int, int, list[str]]]:
    hostile, judged = (importlib.import_module(f"campaign.{name}") for name in ("hostile", "judged"))
    shelf = importlib.import_module("pisis_batch.layouts").shelf()
    for number, case in enumerate(hostile.corpus(seed, 10**9)):
        wrong = judged.wrong(case, shelf)
        yield number, 1, [f"{case.kind} ({number}): {what}" for what in wrong]


def main() -> int:
    """Run, tell, and write down."""
    asked = argparse.ArgumentParser(prog="campaign")
    asked.add_argument("kind", choices=["short", *(kind for kind in ledger.KINDS if kind != "fuzz")])
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
    for seed, many, broken, *more in itertools.islice(trials, options.trials):
        run["trials"] += 1
        run["kills"] += many
        run["broken"] += [f"{seed}: {what}" for what in broken]
        for name, further in more[0].items() if more else ():
            run[name] = run.get(name, 0) + further
        if time.monotonic() > started + options.seconds:
            break
    trials.close()  # type: ignore[attr-defined]  # a generator
    run["seconds"] = round(time.monotonic() - started)
    run["commit"] = ledger.commit()
    json.dump(run, sys.stdout, ensure_ascii=False)
    if not options.dry:
        ledger.add(run)
    return 1 if run["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
