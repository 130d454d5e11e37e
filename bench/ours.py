"""Our validation of a file, as a process of its own.

python bench/ours.py FILE [--registry DATABASE] [--findings CSV] [--cells] [--warm TIMES]

Without a registry the first validation alone: structure, keys, numbering. With one both. With `--cells` by a layout that
says nothing of keys and numbering, as peers that look at single cells do. Prints how many findings. With `--warm` prints
the wall and CPU seconds of the quickest of several in this process, as it is for a service; what it loads is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from pisis_batch.frames import loading

with loading():  # as the command does
    from pisis_batch import pipeline
    from pisis_batch.adapters.mapped import MappedFile
    from pisis_batch.layouts import Shelf, shelf_for
    from pisis_batch.model import Examined, Findings, Limits, Received

if TYPE_CHECKING:
    from pisis_batch.ports import Registry

NAME = "SEG500USIN20260715NI000900123456.TXT"
AT = datetime(2026, 7, 15, 12, tzinfo=timezone(timedelta(hours=-5)))
HASHES = ("0" * 64, "0" * 32)  # known since the file was taken in, as a service knows them
LIMITS = Limits(file=2**40)
SHELF = shelf_for([NAME])  # as `pisis check` does: no other annex need be read to judge the file


def opened(database: Path) -> Registry:
    """The registry in a SQLite database, as `pisis check` opens it."""
    with loading():
        from pisis_batch.adapters import sqlite_asking  # noqa: PLC0415 only with a registry

    url = f"sqlite:///{database}"
    return sqlite_asking.opened(url, lambda: _all_of_it(url)) or _all_of_it(url)


def _all_of_it(url: str) -> Registry:
    from pisis_batch.adapters.sql_registry import SqlRegistry  # noqa: PLC0415 only when it is not as usual

    return SqlRegistry(url)


def whole(examined: Examined, registry: Registry) -> Findings:
    """The findings of both validations."""
    if examined.batch is not None and examined.batch.figures is not None:
        from pisis_batch import partwise  # noqa: PLC0415 only a large file needs what it loads

        return partwise.check(examined, registry.ask, LIMITS).findings
    return pipeline.judge(examined, registry.ask(pipeline.questions(examined))).findings


def cells_alone() -> Shelf:
    """The layout without what needs more than one cell and its line."""
    layout = SHELF.find(NAME)
    if layout is None:
        raise LookupError(NAME)
    record = {name: one.but(unique=()) for name, one in layout.record.items()}
    return Shelf((layout.but(record=record, sequence=None),))


def warm(received: Received, times: int, database: Path | None) -> tuple[float, float]:
    """Wall and CPU seconds of the quickest of some."""
    registry = opened(database) if database else None
    spent = []
    for _ in range(times + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        examined = pipeline.examine(received, SHELF, LIMITS)
        if registry is not None:
            whole(examined, registry)
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(wall for wall, _ in spent[1:]), min(cpu for _, cpu in spent[1:])


if __name__ == "__main__":
    said = argparse.ArgumentParser()
    said.add_argument("file", type=Path)
    said.add_argument("--registry", type=Path)
    said.add_argument("--findings", type=Path)
    said.add_argument("--cells", action="store_true")
    said.add_argument("--warm", type=int)
    given = said.parse_args()
    content = MappedFile(given.file)
    received = Received("bench", NAME, content, AT, "CC10000001", known=HASHES)
    if given.warm:
        print(json.dumps(warm(received, given.warm, given.registry)))
        sys.exit()
    examined = pipeline.examine(received, cells_alone() if given.cells else SHELF, LIMITS)
    findings = whole(examined, opened(given.registry)) if given.registry and examined.sound else examined.findings
    if given.findings:
        findings.frame.write_csv(given.findings)
    print(len(findings), findings.by_code()[:5])
