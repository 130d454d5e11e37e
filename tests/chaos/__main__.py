"""Run the harness: rounds of chaos for so many minutes, the time of a takeover, or every planted defect until found."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import postgresql as pg

from chaos import aims, ledger, takeover
from chaos.campaign import Plan, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--defects", action="store_true", help="plant each defect and look whether it is found")
    parser.add_argument("--only", default="", help="some defects, with commas between them")
    parser.add_argument("--takeover", type=int, default=0, metavar="TIMES", help="kill a worker with a file in hand")
    parser.add_argument("--lease", type=float, default=20.0, help="of the takeover")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--no-ledger", action="store_true", help="do not write the run down")
    said = parser.parse_args()
    if said.takeover:
        told = takeover.measured(said.takeover, said.lease, _say)
    elif said.defects or said.only:
        told = defects([name for name in said.only.split(",") if name] or list(aims.AIMS))
    else:
        told = campaign(said)
    if said.json:
        said.json.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if not said.no_ledger:
        ledger.add(told)
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return 0 if told["well"] else 1


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def campaign(said: argparse.Namespace) -> dict[str, Any]:
    """Rounds until the time is over, each with a new world and the next seed."""
    until = time.monotonic() + said.minutes * 60
    sums: dict[str, int] = {}
    harms: dict[str, int] = {}
    seed, well, begun, settled = said.seed, True, time.monotonic(), 0.0
    while time.monotonic() < until:
        done = run(Plan(workers=said.workers, seconds=min(40.0, max(10.0, until - time.monotonic()))), seed)
        verdict = done.verdict
        for name in ("files", "quarantined", "lost", "doubled", "disordered", "unreported", "open_links"):
            sums[name] = sums.get(name, 0) + getattr(verdict, name)
        for name, times in done.harm.items():
            harms[name] = harms.get(name, 0) + times
        settled = max(settled, done.settled)
        _say(
            f"seed {seed}: {'well' if verdict.well else verdict.details[:5]} in {done.settled:.0f} s {dict(done.harm)}"
        )
        well, seed = well and verdict.well, seed + 1
    return {
        "kind": "chaos",
        "well": well,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "seeds": [said.seed, seed - 1],
        "workers": said.workers,
        **sums,
        "settled": round(settled),
        "harms": harms,
    }


def defects(names: list[str]) -> dict[str, Any]:
    """Each defect in the round that is meant for it, and that round without it."""
    by: dict[str, dict[str, Any]] = {}
    quiet: dict[aims.Aim, bool] = {}
    with pg.running() as server:
        for name in names:
            aim = aims.AIMS[name]
            begun = time.monotonic()
            verdict = aims.run(aim, name, server)
            shown = [kind for kind in aim.shows if getattr(verdict, kind)]
            spent = round(time.monotonic() - begun)
            if aim not in quiet:
                calm = aims.run(aim, "", server)
                quiet[aim] = calm.well
                if not calm.well:
                    _say(f"{name}, not planted: {calm.details[:3]}")
            told = next(
                (one for one in verdict.details if one.partition(":")[0] in shown), "; ".join(verdict.details[:2])
            )
            by[name] = {"found": bool(shown), "quiet": quiet[aim], "told": told or "nada", "seconds": spent}
            _say(f"{name}: {'found' if shown else 'NOT FOUND'} in {spent} s: {by[name]['told']}")
    well = all(one["found"] and one["quiet"] for one in by.values())
    return {"kind": "defects", "well": well, "by": by}


if __name__ == "__main__":
    sys.exit(main())
