"""Cells as 64-bit numbers: what a large file says of each person and what the registry holds, quick to compare.

Two cells may meet in one number (once in 10^19 pairs): what is repeated in a file is confirmed on the text; what the
registry vouches for is not. Numbers are the same on every machine.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache
from io import BytesIO

import numpy as np

from pisis_batch import walking
from pisis_batch.frames import pl

WHO = ("tipo_id", "num_id")
NAMED = (*WHO, "primer_nombre", "primer_apellido")
HELD = (*WHO, "aplicacion")
GRANTED = ("aplicacion", "perfil")
VERSION = "walk-1"  # of the numbers: another one when they are made otherwise
#: What `packed` is made of, by record: cells to hash, and the one whose digits tell the end of a contract.
SAID: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "usuario": {"said": NAMED, "action": ("accion",)},
    "perfil": {"said": GRANTED, "action": ("accion",)},
}
UNTIL: Mapping[str, Mapping[str, str]] = {"usuario": {"until": "fecha_fin"}, "perfil": {}}
_STRETCH = 16_384  # numbers looked up together: what they may be among fits the cache
_TOP, _BITS = 7, 4  # shares go by the upper bits of the highest byte, the last one in memory; no more than so many
_AT_ONCE, _LOOKED = 2, 1 << 18
_ONE, _EVEN = np.uint64(1), np.uint64(2**64 - 2)
#: The column that a large file's record has to have for `said` to mean something, and the action that takes away.
_TAKES = {"usuario": "O", "perfil": "R"}


def of_rows(rows: pl.DataFrame, wanted: walking.Asked) -> walking.Walked:
    """What is wanted of the cells of some rows, as of the lines of a file (`walking`)."""
    names = tuple(dict.fromkeys([*(cell for those in wanted.sums.values() for cell in those), *wanted.values.values()]))
    text = BytesIO()
    rows.select(pl.lit("").alias("_"), *names).write_csv(
        text, include_header=False, separator="|", quote_style="never", line_terminator="\n"
    )
    return walking.told(text.getvalue().replace("Ñ".encode(), b"\xd1"), names, wanted)


def hashed(rows: pl.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Several cells of each row as one number: the hash of each, weighed by its place."""
    return of_rows(rows, walking.Asked({"_": names}, {})).sums["_"]


def packed(said: np.ndarray, action: np.ndarray, record: str, until: np.ndarray | None, today: date) -> np.ndarray:
    """What lines of users or profiles say (SAID), with whether they take away in the lowest bit.

    A link whose contract is over says nothing: 0. `until`: the end of a contract as 20260715, 0 where there is none.
    """
    if until is not None:
        over = (until > 0) & (until <= int(today.strftime("%Y%m%d"))) & (action == _letter("V"))
        said = np.where(over, np.uint64(0), said)
    numbers: np.ndarray = (said & _EVEN) | (action == _letter(_TAKES[record]))
    return numbers


@cache
def _letter(letter: str) -> np.uint64:
    return np.uint64(walking.told(f"|{letter}\n".encode(), ("_",), walking.Asked({"_": ("_",)}, {})).sums["_"][0])


def what(numbers: np.ndarray) -> np.ndarray:
    """`said` of what was packed, without its lowest bit."""
    return numbers & _EVEN


def takes(numbers: np.ndarray) -> np.ndarray:
    """`takes` of what was packed."""
    told: np.ndarray = np.bitwise_and(numbers, _ONE, out=np.empty(len(numbers), bool), casting="unsafe")
    return told


def registered(rows: pl.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Rows of the registry in the numbers of `what`."""
    return hashed(rows, names) & _EVEN


def granted(held: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Who holds an application (hash of HELD) and what of it (`what` of a profile), as one number."""
    both: np.ndarray = held ^ asked
    return both


def among(numbers: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Which of some numbers are among others."""
    if not len(those) or not len(numbers):
        return np.zeros(len(numbers), bool)
    return pl.Series(numbers).is_in(pl.Series(those).implode()).to_numpy()


def among_ranked(numbers: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """Which of some numbers, in any order, are among sorted ones."""
    if not len(ranked):
        return np.zeros(len(numbers), bool)
    place = np.searchsorted(ranked, numbers)
    place[place == len(ranked)] = 0
    found: np.ndarray = ranked[place] == numbers
    return found


def in_shares(work: Callable[..., np.ndarray], *numbers: np.ndarray) -> np.ndarray:
    """What some work finds, done with a share of all numbers at a time: of each array the smallest, sorted.

    So no second copy of many is needed; each share looks through all, so that of fewer there are fewer. Two at a time:
    numpy leaves the interpreter to others meanwhile.
    """
    bits = min(_BITS, 1 + (max(map(len, numbers)) // _LOOKED).bit_length())
    tops = [np.right_shift(np.ascontiguousarray(some).view(np.uint8)[_TOP::8], 8 - bits) for some in numbers]

    def done(share: int) -> np.ndarray:
        found = [_of_share(some, top, share) for some, top in zip(numbers, tops, strict=True)]
        for some in found:
            some.sort()
        return work(*found)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return np.concatenate(list(pool.map(done, range(1 << bits))))


def _of_share(numbers: np.ndarray, tops: np.ndarray, share: int) -> np.ndarray:
    """The numbers of a share, looked for so many at a time: which they are of all would be a byte more for each."""
    parts = [
        numbers[start : start + _LOOKED][tops[start : start + _LOOKED] == share]
        for start in range(0, len(numbers), _LOOKED)
    ]
    return np.concatenate([np.empty(0, np.uint64), *parts])


def left_over(ordered: np.ndarray, ranked: Sequence[np.ndarray]) -> np.ndarray:
    """Of sorted numbers those that are in none of some sorted arrays; each once."""
    left = ordered
    for those in ranked:
        left = left[~found_in(left, those)]
        _looked_through(those)
    return distinct(left)


def distinct(ordered: np.ndarray) -> np.ndarray:
    """Sorted numbers, each once; `np.unique` looks them up one by one instead, at thirty times the price."""
    if not len(ordered):
        return ordered
    found: np.ndarray = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return found


def _looked_through(numbers: np.ndarray) -> None:
    """Give back the pages of numbers that are mapped from a file: they are not needed soon."""
    if isinstance(numbers.base, mmap.mmap):
        numbers.base.madvise(mmap.MADV_DONTNEED)


def repeated(numbers: np.ndarray) -> np.ndarray:
    """The numbers that are there more than once; each once, sorted."""
    return in_shares(lambda some: distinct(some[1:][some[1:] == some[:-1]]), numbers)


def found_in(ordered: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """Which of some sorted numbers are among others, which are sorted too; a stretch at a time, to spare memory."""
    found = np.zeros(len(ordered), bool)
    for start in range(0, len(ordered), _STRETCH):
        some = ordered[start : start + _STRETCH]
        near = ranked[np.searchsorted(ranked, some[0]) : np.searchsorted(ranked, some[-1], side="right")]
        found[start : start + _STRETCH] = among_ranked(some, near)
    return found
