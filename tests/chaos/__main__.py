"""Run the harness: rounds of chaos for so many minutes, or every planted defect until it is found."""

import argparse
import json
import sys
import time
from pathlib import Path

from chaos.campaign import Plan, run
from chaos.defects import DEFECTS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--defects", action="store_true", help="plant each defect and look whether it is found")
    parser.add_argument("--only", default="", help="one defect")
    parser.add_argument("--tries", type=int, default=4, help="seeds for each defect")
    parser.add_argument("--json", type=Path, help="where the figures go")
    said = parser.parse_args()
    told = defects(said) if said.defects or said.only else campaign(said)
    if said.json:
        said.json.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return 0 if told["well"] else 1


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def campaign(said: argparse.Namespace) -> dict[str, object]:
    """Rounds until the time is over, each with a new world and the next seed."""
    until = time.monotonic() + said.minutes * 60
    sums: dict[str, int] = {}
    harms: dict[str, int] = {}
    seed, well, begun = said.seed, True, time.monotonic()
    while time.monotonic() < until:
        plan = Plan(workers=said.workers, seconds=min(60.0, max(10.0, until - time.monotonic())))
        verdict, done = run(plan, seed)
        for name in ("files", "quarantined", "lost", "doubled", "disordered", "unreported", "open_links"):
            sums[name] = sums.get(name, 0) + getattr(verdict, name)
        for name, times in done.items():
            harms[name] = harms.get(name, 0) + times
        _say(f"seed {seed}: {'well' if verdict.well else verdict.details[:5]} {dict(done)}")
        well, seed = well and verdict.well, seed + 1
    minutes = round((time.monotonic() - begun) / 60, 1)
    return {
        "well": well,
        "minutes": minutes,
        "seeds": [said.seed, seed - 1],
        "workers": said.workers,
        **sums,
        "harms": harms,
    }


def defects(said: argparse.Namespace) -> dict[str, object]:
    """Every defect, with one seed after another until the checker finds it."""
    found: dict[str, str] = {}
    for name in [said.only] if said.only else list(DEFECTS):
        for seed in range(said.seed, said.seed + said.tries):
            verdict, _ = run(Plan(workers=3, files=10, seconds=15, patience=60, defect=name), seed)
            if not verdict.well:
                found[name] = f"seed {seed}: {verdict.details[0]}"
                break
        _say(f"{name}: {found.get(name, 'NOT FOUND')}")
    planted = 1 if said.only else len(DEFECTS)
    return {"well": len(found) == planted, "planted": planted, "found": len(found), "by": found}


if __name__ == "__main__":
    sys.exit(main())
