"""Instructions of a fixed small workload under callgrind, against those last written down: python bench/guard.py [--write]

The workload is what is ours to keep fast: reading, the accepting expressions and the rules on a small file, many times.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
KEPT = HOME / "bench/guard.txt"
MOST = 1.10
_WORK = """
import sys; sys.path.insert(0, "bench")
import small
from pisis_batch import accepting, cutting
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits
layout = shelf().get("SEG500USIN")
text = small.content(0)[1].decode("cp1252")
for turn in range({turns}):
    cutting.cut(text, layout, Limits())
    for line in text.split("\\r\\n"):
        any((found := accepting.matcher(record)) and found.fullmatch(line) for record in layout.records)
"""


def counted(turns: int) -> int:
    """Instructions of so many turns, the start of the program included."""
    with tempfile.TemporaryDirectory() as name:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={name}/out", sys.executable, "-c"]
        done = subprocess.run(  # noqa: S603 ours
            [*command, _WORK.format(turns=turns)], cwd=HOME, capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": "0", "POLARS_MAX_THREADS": "1", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError("callgrind did not say how many")
    return int(found[1])


def main() -> None:
    """Count, compare, or write down."""
    if shutil.which("valgrind") is None:
        print("valgrind no está instalado: no se puede contar")
        return
    found = counted(12) - counted(2)  # without the start
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
