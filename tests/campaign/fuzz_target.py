"""Coverage-guided fuzzing of bytes to verdict, with atheris: `python -m campaign.fuzz_target [CORPUS] -max_total_time=600`.

Needs the group `bench` (atheris). A crash is a file that raised, took too long, or whose documents are not harmless.
"""

import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[1])]
with atheris.instrument_imports(include=["pisis_batch"]):
    from worlds import NAME

    from campaign import hostile, judged
    from pisis_batch.layouts import shelf


def one(content: bytes) -> None:
    """One input."""
    found = judged.wrong(hostile.Hostile("bytes", NAME, content, anywhere=True), shelf())
    if wrong := [what for what in found if "verdict" not in what]:
        raise AssertionError(wrong)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
