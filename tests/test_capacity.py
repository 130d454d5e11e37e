"""The page of capacity shows what was measured, and the formula holds with it."""

import importlib.util
import json
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
INLINE = {"p50_ms": 41.2, "p95_ms": 1830.0, "files_per_second": 12.5, "samples": []}
TOLD: dict[str, Any] = {
    "files": 200, "lines": 75, "cores": 2, "load": 0.1, "inline_sqlite": INLINE, "inline_postgresql": INLINE,
    **{f"workers_{n}": {"files_per_second": 6.25 * n, "commits_per_file": 20.0, "worker_cpu_ms": 60.0, "server_cpu_ms": 20.0}
       for n in (1, 2, 4)},
    "queue": {"put_ms": 2.4, "fetch_and_end_ms": 22.0}, "commits_per_second": {"1": 300, "4": 900},
    "beside": {"large_lines": 5_000_000, "alone_p50_ms": 80.0, "alone_p95_ms": 120.0, "beside_p50_ms": 90.0,
               "beside_p95_ms": 200.0},
}  # fmt: skip


def _page_of() -> Any:
    found = importlib.util.spec_from_file_location("capacity", HOME / "bench/capacity.py")
    assert found
    assert found.loader
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def test_the_table_says_the_measured_and_where_the_limit_is() -> None:
    capacity = _page_of()
    table = capacity.table(TOLD)
    assert "| archivos por segundo: trabajador con 1 / 2 / 4 a la vez | 6,2 / 12,5 / 25,0 |" in table
    assert "| un proceso, SQLite: p50 / p95 por archivo | 41 ms / 1,83 s |" in table
    assert "el procesador da para 25 archivos por segundo" in table
    assert "las transacciones, para 45. Manda el procesador." in table
    written = capacity.page(capacity.PAGE.read_text("utf-8"), TOLD)
    assert written.count("<!-- medido -->") == written.count("<!-- fin -->") == 1
    assert table in written
    if capacity.MEASURED.exists():
        told = json.loads(capacity.MEASURED.read_text("utf-8"))
        assert capacity.table(told) in capacity.PAGE.read_text("utf-8")
