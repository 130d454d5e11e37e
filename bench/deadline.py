"""Deadline day for 60,000 entities, simulated from measured service times: how long files wait on 2, 4, 8 machines.

`python bench/deadline.py MEASURED.json`, what `bench/scale.py --json` wrote. Arrivals: each entity's file comes
at a moment drawn from a day that fills up towards the deadline (`Beta(4, 1.3)` over 24 hours); three of ten are
rejected and sent again once, 20 to 60 minutes after their answer. One entity's files wait for each other. A machine has
four files in hand. Service times are drawn from those measured one at a time, all made longer by one factor, so that a
machine with its four does as many files a second as was measured with four.
"""

import argparse
import heapq
import json
import random
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pygal

ENTITIES, SLOTS, AGAIN = 60_000, 4, 0.3
DAY = 24 * 3600.0


def service_of(told: Mapping[str, Any], slowdown: float = 1.0) -> list[float]:
    """Seconds of files on a machine that has four in hand, from what was measured."""
    samples = told["inline_postgresql"]["samples"]
    crowded = SLOTS / told["workers_4"]["files_per_second"] / statistics.mean(samples)
    return [slowdown * crowded * one for one in samples]


def waits(machines: int, service: list[float], seed: int, entities: int = ENTITIES) -> list[float]:
    """Seconds from reception to verdict of every file of the day."""
    lot = random.Random(seed)
    arrivals = [(DAY * lot.betavariate(4, 1.3), entity, True) for entity in range(entities)]
    heapq.heapify(arrivals)
    free = [0.0] * (machines * SLOTS)
    heapq.heapify(free)
    entity_free: dict[int, float] = {}
    waited = []
    while arrivals:
        at, entity, first = heapq.heappop(arrivals)
        begun = max(at, heapq.heappop(free), entity_free.get(entity, 0.0))
        ended = begun + lot.choice(service)
        heapq.heappush(free, ended)
        entity_free[entity] = ended
        waited.append(ended - at)
        if first and lot.random() < AGAIN:
            heapq.heappush(arrivals, (ended + lot.uniform(20 * 60, 60 * 60), entity, False))
    return waited


def fullest(seed: int, entities: int = ENTITIES) -> float:
    """Files of the fullest hour, those that come again with them."""
    lot = random.Random(seed)
    hours = [0] * 48
    for _ in range(entities):
        hours[int(24 * lot.betavariate(4, 1.3))] += 1
    return max(hours) * (1 + AGAIN)


def told(machines: int, service: list[float], seed: int, entities: int = ENTITIES) -> dict[str, float]:
    """p50, p95, p99 and the longest wait, in seconds, and how busy the machines are in the fullest hour."""
    waited = sorted(waits(machines, service, seed, entities))
    at = [waited[int(len(waited) * share)] for share in (0.5, 0.95, 0.99)]
    busy = fullest(seed, entities) * statistics.mean(service) / (3600 * machines * SLOTS)
    return {"machines": machines, "p50": at[0], "p95": at[1], "p99": at[2], "longest": waited[-1], "busiest_hour": busy}


def plot(rows: list[dict[str, float]]) -> bytes:
    """The waits as bars, an SVG that asks for nothing from elsewhere."""
    style = pygal.style.CleanStyle(font_family="sans-serif")
    chart = pygal.Bar(
        title="Espera el día del cierre (segundos)", style=style, js=(), width=720, height=360, no_prefix=True
    )
    chart.x_labels = [f"{row['machines']} máquinas" for row in rows]
    for name in ("p50", "p95", "p99"):
        chart.add(name, [round(row[name], 2) for row in rows])
    drawn: bytes = chart.render()
    return drawn


def main() -> None:
    """Simulate, print, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measured", type=Path)
    parser.add_argument(
        "--slowdown", type=float, default=1.0, help="times the measured seconds (larger files, slower cores)"
    )
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    service = service_of(json.loads(said.measured.read_text("utf-8")), said.slowdown)
    rows = [told(machines, service, said.seed) for machines in (2, 4, 8)]
    sys.stdout.write(json.dumps({"mean_service": statistics.mean(service), "rows": rows}, indent=1) + "\n")
    if said.plot:
        said.plot.write_bytes(plot(rows))


if __name__ == "__main__":
    main()
