"""Instructions of a fixed small workload under callgrind, against those last written down: python bench/guard.py [--write]

The workload is what is ours to keep fast, a small file of fifty records judged from its bytes to its changes: one that
is right, and one with a line that is not. It is counted in one process, between two marks, after some turns that warm
it up, so that the start of the program and what is made once are no part of the figure.
"""

import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
KEPT = HOME / "bench/guard.txt"
MOST = 1.10
_MARK = "getppid"  # what the workload calls, and nothing else does
_WARM, _TURNS = 3, 10
_CONTROL = (
    "1|NI|900123456|2026-07-15|50|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000001|LUISA|PEREZ|C@ESE.EXAMPLE"
)


def _file(*, right: bool) -> bytes:
    phones = ["3150000000" if right or n else "315000000X" for n in range(35)]
    users = [
        f"2|{n + 1}|CC|{1_090_000_000 + n}|JUAN|PEREZ|V|{phone}|MEDICO GENERAL|1||JUAN{n}@HOSPITAL.EXAMPLE"
        for n, phone in enumerate(phones)
    ]
    profiles = [f"3|{n + 36}|CC|{1_090_000_000 + n}|186|A|1274" for n in range(15)]
    return "\r\n".join([_CONTROL, *users, *profiles]).encode("cp1252")


def work() -> None:
    """The workload, with a mark before what is counted and one after. It waits to be told that counting has begun."""
    import polars as pl  # noqa: PLC0415 only the process that works loads what it works with

    from pisis_batch import pipeline  # noqa: PLC0415
    from pisis_batch.layouts import shelf  # noqa: PLC0415
    from pisis_batch.model import PERSONS, PROFILES, Facts, Limits, Received  # noqa: PLC0415

    now = datetime(2026, 7, 15, 21, 0, tzinfo=UTC)
    people = [("CC", str(1_090_000_000 + n), "JUAN", "PEREZ") for n in range(35)]
    facts = Facts(
        today=now.date(),
        persons=pl.DataFrame([*people, ("CC", "10000001", "LUISA", "PEREZ")], schema=PERSONS, orient="row"),
        profiles=pl.DataFrame([("1274", "X", "186", "X", "", True)], schema=PROFILES, orient="row"),
    )
    name = "SEG500USIN20260715NI000900123456.TXT"
    files = [Received("g", name, _file(right=right), now, None) for right in (True, False)]
    own = shelf()

    def turn() -> None:
        for received in files:
            examined = pipeline.examine(received, own, Limits())
            if examined.sound:
                pipeline.judge(examined, facts)

    gc.disable()  # it comes when it comes
    for _ in range(_WARM):
        turn()
    print("ready", flush=True)
    sys.stdin.readline()
    turn()
    os.getppid()
    for _ in range(_TURNS):
        turn()
    os.getppid()


def counted() -> int:
    """Instructions of a turn."""
    environment = {"PYTHONHASHSEED": "0", "POLARS_MAX_THREADS": "1", "PATH": "/usr/bin:/bin"}
    with tempfile.TemporaryDirectory() as folder:
        worker = subprocess.Popen(  # noqa: S603 ours
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--dump-before={_MARK}",  # noqa: S607 wherever it is installed
             f"--callgrind-out-file={folder}/out", sys.executable, __file__, "--work"],
            cwd=HOME, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if worker.stdout is None or worker.stdout.readline() != "ready\n":
            raise RuntimeError("the workload did not start")
        subprocess.run(["callgrind_control", "-i", "on", str(worker.pid)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603, S607 beside valgrind
        worker.communicate("go\n")
        dumps = sorted(Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        found = re.search(r"^(?:summary|totals): (\d+)", dumps[1].read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise RuntimeError("callgrind did not say how many")
    return int(found[1]) // _TURNS


def main() -> None:
    """Count, compare, or write down."""
    if "--work" in sys.argv:
        work()
        return
    if shutil.which("valgrind") is None:
        print("valgrind no está instalado: no se puede contar")
        return
    found = counted()
    if "--write" in sys.argv:
        KEPT.write_text(f"{found}\n", "utf-8")
        return
    if not KEPT.exists():
        print(f"{found:,} instrucciones; no hay cifra anotada: anótela con --write")
        return
    kept = int(KEPT.read_text("utf-8"))
    print(f"{found:,} instrucciones; anotadas {kept:,}: {found / kept:.3f}")
    if found > kept * MOST:
        sys.exit("más de un décimo por encima de lo anotado")


if __name__ == "__main__":
    main()
