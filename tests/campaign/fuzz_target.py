"""Coverage-guided fuzzing of bytes to verdict, with atheris: `make fuzz ANNEX=…`.

An empty folder of inputs is filled first: with hostile files for the annex of users, with sound and hurt ones for others.
Each input is judged as it comes, documents and messages included, and examined again as if it were large: by the
compiled walk, in chunks of some lines. A crash is a file that raised, took too long, whose documents are not harmless,
or of which the two ways do not find the same; it is left there.
"""

import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris
import pytest

with atheris.instrument_imports(include=["pisis_batch"]):
    from test_sifting import judged as examined
    from test_sifting import middling, sifted
    from worlds import NAME, NOW

    from campaign import hostile, judged, mutated
    from pisis_batch import automata, sifting
    from pisis_batch.layouts import Layout, shelf
    from pisis_batch.writing import sample

_SEEDS, _SHORT = 600, 2_000  # files to start from, and bytes of the longest: short ones are tried more often
_ANNEX = os.environ.get("ANNEX") or "SEG500USIN"


def _layout() -> Layout:
    found = shelf().get(_ANNEX)
    assert found is not None, _ANNEX
    return found


_LAYOUT = _layout()
_NAME = NAME if NAME.startswith(_ANNEX) else sample(_LAYOUT, 1, cut=NOW.date(), seed=1)[0]


_build, _tables = automata.cells, dict[str, automata.Cells]()


def _cells(fields: Sequence[automata.Alternatives], encoding: str) -> automata.Cells:
    """The tables of the annex, made once: they are half of what a short file costs."""
    return _tables.get(key := repr(fields)) or _tables.setdefault(key, _build(fields, encoding))


def one(content: bytes) -> None:
    """One input."""
    found = judged.wrong(hostile.Hostile("bytes", _NAME, content, anywhere=True), shelf())
    if wrong := [what for what in found if "verdict" not in what]:
        raise AssertionError(wrong)
    if not sifting.can_sift(_LAYOUT):
        return
    whole = examined(_LAYOUT, _NAME, content)
    for way in (middling, sifted):
        with pytest.MonkeyPatch.context() as patch:
            way(patch, *[150] * (way is sifted))
            other = examined(_LAYOUT, _NAME, content)
        if not (other[0].equals(whole[0]) and other[1] == whole[1]):
            raise AssertionError(f"{way.__name__}: another finding than when it is read whole")


def fill(folder: Path) -> None:
    """Files under the name of the annex, where there is nothing yet."""
    if any(folder.iterdir()):
        return
    if _NAME == NAME:
        contents = [case.content for case in hostile.corpus(1, _SEEDS)]
    else:
        chance = random.Random(1)
        sound = [sample(_LAYOUT, seed % 4, cut=NOW.date(), seed=seed)[1] for seed in range(_SEEDS // 10)]
        contents = [*sound, *(mutated.hurt_anywhere(chance.choice(sound), chance) for _ in range(_SEEDS - len(sound)))]
    for number, content in enumerate(contents):
        if len(content) <= _SHORT:
            (folder / f"{number:04}").write_bytes(content)


if __name__ == "__main__":
    automata.cells = _cells
    fill(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
