"""Coverage-guided fuzzing of bytes to verdict, with atheris: `make fuzz`.

An empty folder of inputs is filled with hostile files first, so that it starts from whole files. A crash is a file
that raised, took too long, or whose documents are not harmless; it is left there.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pisis_batch"]):
    from worlds import NAME

    from campaign import hostile, judged
    from pisis_batch.layouts import shelf

_SEEDS, _SHORT = 600, 2_000  # files to start from, and bytes of the longest: short ones are tried more often


def one(content: bytes) -> None:
    """One input."""
    found = judged.wrong(hostile.Hostile("bytes", NAME, content, anywhere=True), shelf())
    if wrong := [what for what in found if "verdict" not in what]:
        raise AssertionError(wrong)


def fill(folder: Path) -> None:
    """Hostile files under the name of the annex, where there is nothing yet."""
    if any(folder.iterdir()):
        return
    for number, case in enumerate(hostile.corpus(1, _SEEDS)):
        if len(case.content) <= _SHORT:
            (folder / f"{number:04}").write_bytes(case.content)


if __name__ == "__main__":
    fill(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
