"""The page of capacity shows what was measured and what is computed from it."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).parents[1]
INLINE = {"p50_ms": 41.2, "p95_ms": 1830.0, "files_per_second": 12.5, "samples": [0.05, 0.1, 0.15]}
TOLD: dict[str, Any] = {
    "files": 200, "lines": 75, "cores": 2, "load": 0.1, "inline_sqlite": INLINE, "inline_postgresql": INLINE,
    **{f"workers_{n}": {"files_per_second": 6.25 * n, "commits_per_file": 20.0, "syncs_per_file": 8.0,
                        "worker_cpu_ms": 60.0, "server_cpu_ms": 20.0, "take_in_ms": 25.0}
       for n in (1, 2, 4)},
    "queue": {"put_ms": 2.4, "fetch_and_end_ms": 22.0},
    "commits_per_second": {"1": 300, "2": 500, "4": 900}, "audited_per_second": {"1": 200, "2": 200, "4": 190},
    "beside": {"large_lines": 5_000_000, "alone_p50_ms": 80.0, "alone_p95_ms": 120.0, "beside_p50_ms": 90.0,
               "beside_p95_ms": 200.0, "beside_files": 700, "large_seconds": 140.2, "large_ended": True},
}  # fmt: skip


@pytest.fixture
def capacity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(HOME / "bench")
    yield importlib.import_module("capacity")
    for name in ("capacity", "deadline"):
        sys.modules.pop(name)


def test_the_table_says_the_measured_and_where_the_limit_is(capacity: Any) -> None:
    table = capacity.table(TOLD)
    assert "| archivos por segundo: trabajador con 1 / 2 / 4 a la vez | 6,2 / 12,5 / 25,0 |" in table
    assert "| un proceso, SQLite: p50 / p95 por archivo | 41 ms / 1,83 s |" in table
    assert "| lo mismo, cada una con su eslabón de auditoría | 200 / 200 / 190 |" in table
    assert "el procesador de esta máquina da para 25 archivos por" in table
    assert "para 112 entre todas" in table
    assert "para 100. En esta máquina manda el procesador." in table


def test_deadline_day_is_computed_from_what_was_measured(capacity: Any) -> None:
    said, drawn = capacity.simulated(TOLD, 2_000)
    assert "25,0 archivos por segundo" in said
    assert "(media 0,16 s)" in said  # four at a time, 25 a second
    slow, _ = capacity.simulated(TOLD | {"workers_4": TOLD["workers_4"] | {"files_per_second": 0.2}}, 2_000)
    assert "(media 20,00 s)" in slow
    busy = [line.rsplit("|", 2)[1].strip() for line in slow.splitlines() if line.startswith(("| 2 ", "| 4 "))]
    assert busy == ["21 %", "10 %"]  # 300 files an hour, of which each takes a place for 20 s, and 8 or 16 places
    assert b"<svg" in drawn
    assert b"http://kozea" not in drawn


def test_the_page_holds_what_is_written_down(capacity: Any) -> None:
    said, _ = capacity.simulated(TOLD, 500)
    text = capacity.PAGE.read_text("utf-8")
    written = capacity.page(text, TOLD, said)
    assert capacity.table(TOLD) in written
    assert said in written
    assert capacity.page(written, TOLD, said) == written
    if capacity.MEASURED.exists():
        assert capacity.table(json.loads(capacity.MEASURED.read_text("utf-8"))) in text
