"""Every measure beside its peer, one after the other in one run: medians of ratios, results.json, docs/rendimiento.md.

    python bench/run.py [--size modest|full] [--limit PROGRAM] [--times N]

A measure is a whole process; ours and theirs alternate, so that what else the machine does falls on both. Ratios are of
CPU seconds and of wall seconds, ours by theirs: below 1 we are faster.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
SIZES = {
    "small": (100_000, 500_000, 30_000),
    "modest": (200_000, 1_000_000, 100_000),
    "full": (1_000_000, 5_000_000, 1_000_000),
}
PYTHON = sys.executable
PEER_PYTHON = str(HOME / ".venv-bench/bin/python")
OF_BENCH = {"duckdb", "frictionless"}


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took."""

    wall: float
    cpu: float
    mib: float


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: `value` against `goal`, lower is better unless `more`."""

    number: str
    what: str
    goal: float
    value: float
    unit: str
    wall: float | None = None
    more: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal is met."""
        return self.value >= self.goal if self.more else self.value <= self.goal


#: An installed program has its bytecode; a start that has to make it measures the compiler.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(*command: str) -> Spent:
    """Run a process to its end; its wall and CPU seconds and its highest resident memory."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=HOME, env=_ENVIRONMENT)  # noqa: S603 ours
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[:3]}: {process.stderr.read()[-400:] if process.stderr else b''!r}")
    return Spent(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def against(ours: Sequence[str], theirs: Sequence[str], times: int) -> tuple[float, float, Spent]:
    """Medians of the CPU and wall ratios, and our median run."""
    pairs = [(run(*ours), run(*theirs)) for _ in range(times)]
    cpu = statistics.median(one.cpu / other.cpu for one, other in pairs)
    wall = statistics.median(one.wall / other.wall for one, other in pairs)
    return cpu, wall, sorted((one for one, _ in pairs), key=lambda one: one.cpu)[len(pairs) // 2]


def peer(name: str, path: Path) -> list[str]:
    """The command of a peer."""
    return [PEER_PYTHON if name in OF_BENCH else PYTHON, "bench/peers.py", name, str(path)]


def ours(path: Path, findings: Path | None = None) -> list[str]:
    """The command of our validation."""
    return [PYTHON, "bench/ours.py", str(path), *(["--findings", str(findings)] if findings else [])]


def _file(folder: Path, users: int, dirty: float = 0.0) -> Path:
    path = folder / f"{users}-{dirty}.txt"
    if not path.exists():
        run(PYTHON, "bench/files.py", str(users), str(path), "--dirty", str(dirty))
    return path


def large(folder: Path, sizes: tuple[int, int, int], limit: str | None, times: int) -> list[Row]:
    """Rows 1 to 4: reading speed, the limit, bad files, memory."""
    rows, seen = [], []
    for users, goal in ((sizes[0], 1.0), (sizes[1], 0.75)):
        cpu, wall, own = against(ours(_file(folder, users)), peer("read", _file(folder, users)), times)
        rows.append(
            Row("1", f"estructura de {users * 3 // 2:,} registros / solo leerlos con polars", goal, cpu, "× CPU", wall)
        )
        seen.append((users, own))
        if limit:
            cpu, wall, _ = against(ours(_file(folder, users)), [limit, str(_file(folder, users))], times)
            rows.append(
                Row("2", f"{users * 3 // 2:,} registros / programa en C de una pasada", 3.0, cpu, "× CPU", wall)
            )
    users = sizes[0]
    for share, goal, what in (
        (0.01, 1.25, "1 % de registros malos"),
        (1.0, 3.0, "todos malos, con sus hallazgos escritos"),
    ):
        bad = ours(_file(folder, users, share), folder / "findings.csv")
        cpu, wall, _ = against(bad, ours(_file(folder, users)), times)
        rows.append(Row("3", f"{what} / archivo limpio", goal, cpu, "× CPU", wall))
    (few, small), (many, big) = seen
    rows.append(Row("4", f"memoria máxima con {many * 3 // 2:,} registros", 400, big.mib, "MiB"))
    growth = (big.mib - small.mib) * 2**20 / ((many - few) * 1.5)
    rows.append(Row("4", "memoria por registro de más", 25, growth, "bytes"))
    return rows


def peers(folder: Path, sizes: tuple[int, int, int], times: int) -> list[Row]:
    """Row 5: what others use, theirs by ours (more is better)."""
    rows = []
    for users, names in (
        (min(100_000, sizes[0]), ("frictionless", "pydantic", "loop", "pandera", "duckdb")),
        (sizes[0], ("pandera", "duckdb")),
    ):
        path = _file(folder, users)
        for name in names:
            other = path
            if name == "frictionless":
                other = folder / "users.txt"
                other.write_bytes(b"\r\n".join(line for line in path.read_bytes().split(b"\r\n") if line[:2] == b"2|"))
            goal = {
                "frictionless": 12.0,
                "pandera": 2.0 if users >= 1_000_000 else 1.0,
                "duckdb": 2.0 if users >= 1_000_000 else 1.0,
            }
            cpu, wall, _ = against(peer(name, other), ours(path), times)
            rows.append(
                Row(
                    "5",
                    f"{name} / nuestro, {users * 3 // 2:,} registros",
                    goal.get(name, 1.0),
                    cpu,
                    "× CPU",
                    wall,
                    more=True,
                )
            )
    return rows


def applying(sizes: tuple[int, int, int], times: int) -> list[Row]:
    """Row 6."""
    rows = []
    for word, what in (("", "la mitad existe igual"), ("changed", "la mitad existe y cambia")):
        script = f"import sys; sys.path.insert(0, 'bench'); import applying, json; print(json.dumps(applying.ratios({sizes[2]}, {times}, changed={bool(word)})))"
        found = json.loads(subprocess.check_output([PYTHON, "-c", script], cwd=HOME))  # noqa: S603 ours
        rows.append(
            Row(
                "6",
                f"aplicar {sizes[2]:,} vínculos y la mitad de perfiles ({what}) / upsert simple",
                1.3,
                statistics.median(found),
                "× CPU",
            )
        )
    return rows


def small() -> list[Row]:
    """Rows 7, 9 and 10."""

    def said(*arguments: str) -> list[float]:
        return list(json.loads(subprocess.check_output([PYTHON, "bench/small.py", *arguments], cwd=HOME)))  # noqa: S603 ours

    alone, whole = sorted(said("validate", "60")), sorted(said("answer", "40")[1:])
    rows = [
        Row("7", "validar 50 registros, proceso caliente, mediana", 10, statistics.median(alone), "ms CPU"),
        Row("7", "del buzón al veredicto guardado, p95", 25, whole[int(len(whole) * 0.95) - 1], "ms"),
        Row("9", "archivos pequeños por segundo, un proceso", 60, said("backlog", "200")[0], "archivos/s", more=True),
    ]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "SEG500USIN20260715NI000900123456.TXT"
        path.write_bytes(
            b"1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO\r\n2|1|CC|1090000001|JUAN|PEREZ|O|||||"
        )
        pisis = str(Path(PYTHON).with_name("pisis"))
        for command, bare in ((["check", "--offline", str(path)], "polars"), (["--help"], "click")):
            run(pisis, *command)  # whoever starts it first makes its bytecode
            cpu, wall, _ = against([pisis, *command], [PYTHON, "-c", f"import {bare}"], 7)
            rows.append(Row("10", f"pisis {command[0]} en frío / import {bare}", 2.0, cpu, "× CPU", wall))
    return rows


def plot(rows: Sequence[Row], path: Path) -> None:
    """How far each measure is from its goal."""
    import pygal  # noqa: PLC0415 only here

    chart = pygal.HorizontalBar(
        show_legend=False, width=900, height=60 + 34 * len(rows), x_title="parte de la meta (1 = la meta)", range=(0, 2)
    )
    chart.title = "Cada medida frente a su meta (hasta la línea 1, cumplida)"
    chart.x_labels = [f"{row.number}. {row.what}" for row in reversed(rows)]
    parts = [(row.goal / row.value if row.more else row.value / row.goal) for row in reversed(rows)]
    chart.add("", [{"value": round(min(part, 2), 3), "color": "#2e7d32" if part <= 1 else "#c62828"} for part in parts])
    path.write_text(chart.render(is_unicode=True, disable_xml_declaration=True) + "\n", "utf-8")


def page(rows: Sequence[Row], size: str) -> str:
    """The measured part of docs/rendimiento.md."""
    lines = [
        f"Medido con `make bench SIZE={size}`; razones entre procesos completos que se alternan en una misma corrida (mediana).",
        "",
        "| # | Medida | Meta | Hallado | Reloj | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        sign = "≥" if row.more else "≤"
        wall = f"{row.wall:.2f} ×" if row.wall is not None else ""
        lines.append(
            f"| {row.number} | {row.what} | {sign} {row.goal:g} | {row.value:.2f} {row.unit} | {wall} | {'✓' if row.reached else '✗'} |"
        )
    return "\n".join([*lines, "", "![Cada medida frente a su meta](rendimiento.svg)", ""])


_BEGIN, _END = "<!-- medido -->", "<!-- fin de lo medido -->"


def main() -> None:
    """Measure and write."""
    said = argparse.ArgumentParser()
    said.add_argument("--size", choices=list(SIZES), default="modest")
    said.add_argument("--limit", help="the C program of one pass, compiled")
    said.add_argument("--times", type=int, default=3)
    said.add_argument("--only", default="", help="rows to measure anew, as 1,5")
    given = said.parse_args()
    sizes, results = SIZES[given.size], HOME / "bench/results.json"
    parts: dict[str, Callable[[Path], list[Row]]] = {
        "1": lambda folder: large(folder, sizes, given.limit, given.times),
        "5": lambda folder: peers(folder, sizes, given.times),
        "6": lambda _: applying(sizes, given.times),
        "7": lambda _: small(),
    }
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        for number, part in parts.items():
            if not given.only or number in given.only.split(","):
                rows += part(Path(name))
                print(
                    *(f"{row.number:>3} {row.what}: {row.value:.2f} {row.unit} (meta {row.goal:g})" for row in rows),
                    sep="\n",
                )
    if given.only:
        kept = [Row(**row) for row in json.loads(results.read_text("utf-8"))["rows"]]
        names = {row.what for row in rows}
        rows = sorted(
            [*rows, *(row for row in kept if row.what not in names)], key=lambda row: (int(row.number), row.what)
        )
    results.write_text(
        json.dumps({"size": given.size, "rows": [asdict(row) for row in rows]}, ensure_ascii=False, indent=1) + "\n",
        "utf-8",
    )
    plot(rows, HOME / "docs/rendimiento.svg")
    document = HOME / "docs/rendimiento.md"
    text = document.read_text("utf-8")
    head, rest = text.split(_BEGIN)
    document.write_text(f"{head}{_BEGIN}\n\n{page(rows, given.size)}\n{_END}{rest.split(_END)[1]}", "utf-8")


if __name__ == "__main__":
    main()
