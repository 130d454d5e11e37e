"""The compiled walk under the sanitizers of a compiler, held to the expressions: `make sanitize`.

`python tests/sanitized.py [--lines 40000] [--seed 1] [FOLDER…]` compiles `walk.c` so that a read or
write outside an array and any undefined result end the process, and walks with it: so many lines of each annex, drawn and
hurt; hostile files; and the files of the folders. What is read has no byte to spare.
"""

import argparse
import ctypes
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).parents[1] / "pisis_batch" / "walk.c"
_SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
_FLAGS = ["-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror", *_SANITIZERS, "-shared", "-fPIC"]
_RUNTIMES = ("libasan.so", "libclang_rt.asan-x86_64.so", "libclang_rt.asan.so")
_WALK = "PISIS_WALK_SANITIZED"
_TOGETHER = 300  # lines of a piece
#: What the source might say instead: `python tests/sanitized.py --defects` tells which of them nothing finds.
DEFECTS = (
    ("if (*here != '\\r' || here[1] == '\\n') break;", "if (here[1] == '\\n' || *here != '\\r') break;"),
    ("ends[line++] = here++ - raw;", "ends[++line] = here++ - raw;"),
    ("if (cell < MOST_CELLS) kept[cell]", "kept[cell]"),
    (" && width <= MOST_CELLS", ""),
    ("cell == width && width", "width"),
    ("cases &= accepted;", ";"),
    ("if (*begin >= '0' && *begin <= '9') value", "value"),
    ("raw + (lines[place] ? ends[lines[place] - 1] + 1 : 0)", "raw + ends[lines[place] - 1] + 1"),
    ("sizes[cell] = end - out[cell];", "sizes[cell] = end - out[cell] - 1;"),
    ("byte < edges[other + 1] - 1", "byte < edges[other + 1]"),
    ("cells[known - 1] == cell && ", ""),
    ("uint64_t hash = hashed(begin, here);", "uint64_t hash = hashed(begin, here + 2);"),
    ("last - first <= longest", "last - first < longest"),
    ("here > first && here[-1] == '\\r'", "here[-1] == '\\r'"),
    ("if (!end) end = over;", "if (!end) end = over + 1;"),
    ("*at++ = '\\n';\n            *last", "*at++ = '\\n', at += 2;\n            *last"),
)


@cache
def compiler() -> tuple[str, str] | None:
    """One that has the sanitizers, and its runtime, which must be loaded before anything else; None where none has."""
    for name in filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")):
        try:
            _run([name, "-x", "c", *_SANITIZERS, "-shared", "-fPIC", os.devnull, "-o", os.devnull])
            found = (_run([name, f"-print-file-name={runtime}"]).strip() for runtime in _RUNTIMES)
        except (OSError, subprocess.CalledProcessError):
            continue
        if runtime := next(filter(os.path.isabs, found), None):
            return name, runtime
    return None


def _run(command: list[str]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, text=True).stdout


def started(which: tuple[str, str], arguments: list[str], *, old: str = "", new: str = "") -> tuple[int, str]:
    """How this program ends with the sanitizers loaded, and what it said; with `new` for `old` in the source."""
    source = SOURCE.read_text("utf-8")
    assert old in source
    with tempfile.TemporaryDirectory() as folder:
        named, made = Path(folder, "walk.c"), Path(folder, "walk.so")
        named.write_text(source.replace(old, new, 1) if old else source, "utf-8")
        _run([which[0], *_FLAGS, str(named), "-o", str(made)])
        own = {
            _WALK: str(made),
            "LD_PRELOAD": which[1],
            "ASAN_OPTIONS": "detect_leaks=0",  # Python frees little at its end
            "PYTHONMALLOC": "malloc",  # else many texts share one allocation
        }
        command = [sys.executable, __file__, *arguments]
        ended = subprocess.run(
            command, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
        )
        return ended.returncode, ended.stdout


class _Exact:
    """The library, which is given arrays that end where the bytes do: those of Python have one more."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Callable[..., int]:
        """A function of it."""
        function = getattr(self._library, name)
        function.restype = ctypes.c_int64

        def called(*given: Any) -> int:
            exact = [np.frombuffer(one, np.uint8).copy() if isinstance(one, bytes) else one for one in given]
            return int(
                function(*(ctypes.c_void_p(one.ctypes.data) if isinstance(one, np.ndarray) else one for one in exact))
            )

        return called


def walk(lines: int, seed: int, annexes: list[str], folders: list[Path]) -> None:
    """Walk, and tell how much. Raises AssertionError where the walk and the expressions do not agree."""
    from walked import Walked  # noqa: PLC0415 only once the runtime is there

    from pisis_batch import walking  # noqa: PLC0415

    walking._LIBRARY = _Exact(ctypes.CDLL(os.environ[_WALK]))
    chance = random.Random(seed)
    files = [b"", b"\n", b"\r\n\n", b"\r", b"|", *(bytes([one]) for one in range(256))]
    if not annexes:
        from campaign import hostile  # noqa: PLC0415

        files += [case.content for case in hostile.corpus(seed, lines // 20)]
    files += [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    for layout in _layouts(annexes):
        walked = Walked(layout)
        if walked.walker is None:
            continue
        own = walked.lines(chance, lines)
        found = [walked.judged(b"".join(own[first : first + _TOGETHER])) for first in range(0, lines, _TOGETHER)]
        accepted, doubted = (sum(column) for column in zip(*found, strict=True))
        assert 0 < accepted < lines
        for content in files:
            walked.judged(content)
        said = f"{lines} lines, {accepted} accepted, of {doubted} the doubts told; {len(files)} files"
        sys.stdout.write(f"{layout.annex}: {said}\n")


def _layouts(annexes: list[str]) -> Iterable[Any]:
    """Those named, or each there is and some that are odd."""
    from pisis_batch.layouts import shelf_for  # noqa: PLC0415

    if annexes:
        return shelf_for(annexes).layouts
    from test_accepting import RECORDS  # noqa: PLC0415
    from walked import wide  # noqa: PLC0415

    return {layout.annex: layout for layout in (*(layout for layout, _ in RECORDS), wide())}.values()


def main() -> int:
    """Begin anew with the runtime loaded, or walk."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--lines", type=int, default=40_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--annex", action="append", default=[])
    asked.add_argument("--defects", action="store_true")
    asked.add_argument("folders", nargs="*", type=Path)
    options = asked.parse_args()
    if _WALK in os.environ:
        walk(options.lines, options.seed, options.annex, options.folders)
        return 0
    which = compiler()
    if which is None:
        sys.stdout.write("no compiler here has the sanitizers\n")
        return 2
    if options.defects:
        missed = [old for old, new in DEFECTS if not started(which, ["--lines", "2000"], old=old, new=new)[0]]
        sys.stdout.write("\n".join([f"{len(DEFECTS) - len(missed)} of {len(DEFECTS)} defects found", *missed, ""]))
        return 1 if missed else 0
    ended, text = started(which, sys.argv[1:])
    sys.stdout.write(text)
    return 1 if ended else 0


if __name__ == "__main__":
    sys.exit(main())
