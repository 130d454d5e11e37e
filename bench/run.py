"""Every measure beside its peer, one after the other in one run: medians of ratios, results.json, docs/rendimiento.md.

    python bench/run.py [--size small|modest|full] [--times N] [--seed N]

A measure is a whole process; ours and theirs alternate, so that what else the machine does falls on both. Ratios are of
CPU seconds and of wall seconds, ours by theirs: below 1 we are faster.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from measures import ENVIRONMENT, HOME, Row, against, run
from page import with_those_kept, write

SIZES = {
    "small": (100_000, 500_000, 30_000),
    "modest": (200_000, 1_000_000, 100_000),
    "full": (1_000_000, 5_000_000, 1_000_000),
}
PYTHON = sys.executable
PEER_PYTHON = str(HOME / ".venv-bench/bin/python")
OF_BENCH = {"duckdb", "frictionless"}
_SOME = 1600  # files of a backlog that is not the full one
_chance = argparse.Namespace(seed=1)


def peer(name: str, path: Path) -> list[str]:
    """The command of a peer."""
    return [PEER_PYTHON if name in OF_BENCH else PYTHON, "bench/peers.py", name, str(path)]


def ours(path: Path, findings: Path | None = None, registry: Path | None = None) -> list[str]:
    """The command of our validation, the second one with it where there is a registry."""
    more = ["--findings", str(findings)] if findings else []
    return [PYTHON, "bench/ours.py", str(path), *more, *(["--registry", str(registry)] if registry else [])]


def _file(folder: Path, users: int, dirty: float = 0.0) -> Path:
    path = folder / f"{users}-{dirty}.txt"
    if not path.exists():
        run(PYTHON, "bench/files.py", str(users), str(path), "--dirty", str(dirty), "--seed", str(_chance.seed))
    return path


def _registry(folder: Path, users: int) -> Path:
    """A registry that the clean file is right against, its numbers made already as they are after the first file."""
    path = folder / f"{users}.db"
    if not path.exists():
        run(PYTHON, "bench/registry.py", str(users), str(path), "--seed", str(_chance.seed))
        run(*ours(_file(folder, users), registry=path))
    return path


def _by_the_clock(number: str, what: str, goal: float, cpu: float, wall: float) -> Row:
    """A line whose goal is of wall time: two threads may do in one second two seconds' work."""
    return Row(number, what, goal, wall, "× reloj", cpu=cpu)


def warm(path: Path, times: int, registry: Path | None = None) -> tuple[float, float]:
    """Ratios of CPU and wall seconds of ours by reading a file with polars, each in a process that has begun."""
    both = ([*ours(path, registry=registry), "--warm", str(times)], [*peer("read", path), str(times)])
    (wall, cpu), (their_wall, their_cpu) = (json.loads(subprocess.check_output(one, cwd=HOME)) for one in both)  # noqa: S603 ours
    return cpu / their_cpu, wall / their_wall


def _limit(folder: Path) -> Path | None:
    """The program in C, compiled; None where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    run(compiler, "-O3", "-march=native", "bench/limit.c", "-o", str(folder / "limit"))
    return folder / "limit"


def large(folder: Path, sizes: tuple[int, int, int], times: int) -> list[Row]:
    """Rows 1 to 4: reading speed, the limit, bad files, memory."""
    rows, seen, limit = [], [], _limit(folder)
    for users, goal in ((sizes[0], 1.0), (sizes[1], 0.75)):
        path, registry = _file(folder, users), _registry(folder, users)
        said = f"{users * 3 // 2:,} registros"
        cpu, wall, _ = against(ours(path), peer("read", path), times)
        rows.append(_by_the_clock("1", f"estructura de {said} / solo leerlos con polars", goal, cpu, wall))
        cpu, wall = warm(path, times)
        what = f"estructura de {said}, proceso caliente / solo leerlos con polars, caliente"
        rows.append(_by_the_clock("1", what, goal, cpu, wall))
        cpu, wall, own = against(ours(path, registry=registry), peer("read", path), times)
        rows.append(_by_the_clock("1", f"todo, con el registro, de {said} / solo leerlos con polars", goal, cpu, wall))
        seen.append((users, own))
        cpu, wall = warm(path, times, registry)
        what = f"todo, con el registro, de {said}, proceso caliente / solo leerlos con polars, caliente"
        rows.append(_by_the_clock("1", what, goal, cpu, wall))
        if limit is None:
            print("fila 2: no hay compilador de C")
            continue
        cpu, wall, _ = against(ours(path), [str(limit), str(path)], times)
        rows.append(_by_the_clock("2", f"estructura de {said} / programa en C de una pasada", 3.0, cpu, wall))
    users = sizes[0]
    for share, goal, what in (
        (0.01, 1.25, "1 % de registros malos"),
        (1.0, 3.0, "todos malos, con sus hallazgos escritos"),
    ):
        bad = ours(_file(folder, users, share), folder / "findings.csv")
        cpu, wall, _ = against(bad, ours(_file(folder, users)), times)
        rows.append(Row("3", f"{what} / archivo limpio", goal, cpu, "× CPU", wall))
    (few, small), (many, big) = seen
    rows.append(
        Row("4", f"memoria máxima de todo, con el registro, con {many * 3 // 2:,} registros", 400, big.mib, "MiB")
    )
    growth = (big.mib - small.mib) * 2**20 / ((many - few) * 1.5)
    rows.append(Row("4", "memoria por registro de más, la del registro incluida", 25, growth, "bytes"))
    return rows


def huge(folder: Path, sizes: tuple[int, int, int], _times: int) -> list[Row]:
    """Rows 11 and 12: the documents of a million findings, and a file of twice the size."""
    said = json.loads(
        subprocess.check_output([PYTHON, "bench/reports.py", str(_file(folder, sizes[0], 1.0))], cwd=HOME)  # noqa: S603 ours
    )
    made = sum(said["documents"].values()) / said["validation"]
    rows = [Row("11", f"documentos de {said['findings']:,} hallazgos / su validación", 2.0, made, "× CPU")]
    rows.append(Row("11", "memoria máxima de validar y hacer esos documentos", 1024, said["mib"], "MiB"))
    users = sizes[1]
    once, twice = (run(*ours(_file(folder, many))) for many in (users, users * 2))
    start = run(PYTHON, "-c", "from pisis_batch import pipeline, sifting")
    linear = (twice.cpu - start.cpu) / (once.cpu - start.cpu) / 2
    rows.append(Row("12", f"{users * 3:,} registros / dos veces la mitad", 1.1, linear, "× CPU"))
    growth = (twice.mib - once.mib) * 2**20 / (users * 1.5)
    return [*rows, Row("12", f"memoria por registro de más, hasta {users * 3:,}", 25, growth, "bytes")]


#: Seconds for a cell of the validator of the CFPB's small business lending files, measured apart and not in this
#: run: 4,380 clean records of 81 fields a second.
_CFPB = 1 / (4_380 * 81)
#: Goals by how many users the file has: (few, a million and more).
_CELLS = "solo celdas"
#: What each peer looks at; none of them knows the registry, and ours without it is what they are held against.
_SCOPES = {
    "frictionless": "celdas, llaves y referencias, separado antes en dos tablas",
    "pydantic": _CELLS,
    "loop": "celdas, lo que pide la acción, consecutivo, llaves y referencias",
    "pandera": _CELLS,
    "duckdb": "celdas, llaves y referencias",
}
_GOALS = {"frictionless": (12.0, 50.0), "pandera": (1.0, 2.0), "duckdb": (1.0, 2.0)}
_MANY = 1_000_000


def peers(folder: Path, sizes: tuple[int, int, int], times: int) -> list[Row]:
    """Row 5: what others use, theirs by ours (more is better). The slow ones meet the largest file once."""
    rows = []
    for users in dict.fromkeys((min(100_000, sizes[0]), sizes[0])):
        path, said = _file(folder, users), f"{users * 3 // 2:,} registros"
        for name, scope in _SCOPES.items():
            if name == "frictionless":
                run(
                    PYTHON,
                    "-c",
                    f"import sys; sys.path.insert(0, 'bench'); import peers; peers.apart(peers.Path({str(path)!r}))",
                )
            once = users >= _MANY and name in {"frictionless", "pydantic", "loop"}
            goal = _GOALS.get(name, (1.0, 1.0))[users >= _MANY]
            cpu, wall, _ = against(peer(name, path), ours(path), 1 if once else times)
            what = f"{name} ({scope}) / nuestra estructura entera, {said}"
            rows.append(Row("5", what, goal, cpu, "× CPU", wall, more=True))
            if scope == _CELLS:
                cpu, wall, _ = against(peer(name, path), [*ours(path), "--cells"], 1 if once else times)
                what = f"{name} ({scope}) / lo nuestro, también {scope}, {said}"
                rows.append(Row("5", what, goal, cpu, "× CPU", wall, more=True))
        own = run(*ours(path))
        per_cell = own.cpu / (users * 12 + users // 2 * 7)
        rows.append(
            Row(
                "5",
                f"validador de la CFPB / nuestra estructura, por celda, {said}",
                1.0,
                _CFPB / per_cell,
                "×",
                more=True,
            )
        )
    return rows


def applying(sizes: tuple[int, int, int], times: int) -> list[Row]:
    """Row 6, on either database."""
    rows = []
    for database, peer, unit in (("sqlite", "upsert simple", "× CPU"), ("postgresql", "COPY y un solo merge", "×")):
        for more, what in ([], "la mitad existe igual"), (["--changed"], "la mitad existe y cambia"):
            told = ["--links", str(sizes[2]), "--times", str(times), "--database", database, *more]
            found = json.loads(subprocess.check_output([PYTHON, "bench/applying.py", *told], cwd=HOME))  # noqa: S603 ours
            name = "SQLite" if database == "sqlite" else "PostgreSQL"
            said = f"{name}: aplicar {sizes[2]:,} vínculos y la mitad de perfiles ({what}) / {peer}"
            rows.append(Row("6", said, 1.3, statistics.median(found), unit))
    return rows


def backlog(folder: Path, size: str, times: int) -> list[Row]:
    """Row 9: the whole service before a backlog; on one core, on two, and two services on two, in turns."""

    def said(files: int, *more: str) -> list[float]:
        entities = "500" if files > _SOME else "200"
        command = [PYTHON, "bench/backlog.py", str(files), entities, "--within", str(folder), *more]
        return list(json.loads(subprocess.check_output(command, cwd=HOME, env=ENVIRONMENT)))  # noqa: S603 ours

    two = ("--services", "2")
    turns = [
        (said(_SOME, "--cores", "1")[0], said(_SOME, *two, "--apart")[0], said(_SOME, *two)[0]) for _ in range(times)
    ]
    alone, apart, beside = zip(*turns, strict=True)
    pace, cost = said(20_000 if size == "full" else _SOME)
    what = "archivos pequeños por segundo de una cola, con sus documentos y correos"
    by_one = "dos `pisis watch` en dos núcleos{} / uno en un núcleo"

    def linear(how: str, both: Sequence[float]) -> Row:
        ratio = statistics.median(many / one for many, one in zip(both, alone, strict=True))
        return Row("9", by_one.format(how), 1.8, ratio, "×", more=True)

    return [
        Row("9", f"{what}: `pisis watch` y su hijo en dos núcleos", 60, pace, "archivos/s", more=True),
        Row("9", "lo que cuesta cada uno (un núcleo alcanza mil entre esto)", 16.7, cost, "ms CPU"),
        Row("9", f"{what}: en un núcleo", 60, statistics.median(alone), "archivos/s", more=True),
        Row(
            "9", f"{what}: dos servicios, cada uno en su núcleo", 60, statistics.median(apart), "archivos/s", more=True
        ),
        linear(", cada uno en el suyo", apart),
        linear("", beside),
    ]


def small() -> list[Row]:
    """Rows 7, 8 and 10."""

    def said(*arguments: str) -> list[float]:
        return list(json.loads(subprocess.check_output([PYTHON, "bench/small.py", *arguments], cwd=HOME)))  # noqa: S603 ours

    alone, whole = sorted(said("validate", "60")), sorted(said("answer", "43")[3:])
    sent = sorted(said("mailed", "20"))
    rows = [
        Row("7", "validar 50 registros, proceso caliente, mediana", 10, statistics.median(alone), "ms CPU"),
        Row("7", "del buzón al veredicto guardado, p95", 25, whole[int(len(whole) * 0.95) - 1], "ms"),
        Row("8", "del buzón al correo, p95, con 2 s de reposo del archivo", 3, sent[int(len(sent) * 0.95) - 1], "s"),
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


def main() -> None:
    """Measure and write."""
    said = argparse.ArgumentParser()
    said.add_argument("--size", choices=list(SIZES), default="modest")
    said.add_argument("--times", type=int, default=3)
    said.add_argument("--only", default="", help="rows to measure anew, as 1,5")
    said.add_argument("--seed", type=int, default=1, help="what the large files and their registry are drawn from")
    given = said.parse_args()
    _chance.seed = given.seed
    sizes, results = SIZES[given.size], HOME / "bench/results.json"
    parts: dict[str, Callable[[Path], list[Row]]] = {
        "1": lambda folder: large(folder, sizes, given.times),
        "11": lambda folder: huge(folder, sizes, given.times),
        "5": lambda folder: peers(folder, sizes, given.times),
        "6": lambda _: applying(sizes, given.times),
        "7": lambda _: small(),
        "9": lambda folder: backlog(folder, given.size, given.times),
    }
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        for number, part in parts.items():
            if not given.only or number in given.only.split(","):
                measured = part(Path(name))
                rows += measured
                for row in measured:
                    print(f"{row.number:>3} {row.what}: {row.value:.2f} {row.unit} (meta {row.goal:g})", flush=True)
                write(with_those_kept(rows, results) if given.only else rows, given.size, results)


if __name__ == "__main__":
    main()
