"""Cells as 64-bit numbers: what a large file says of each person and what the registry holds, quick to compare.

A number is the hash of some cells with a pipe between them; cells of a file hold no pipe, so that different cells are
never the same text. Two texts may still meet in one number (once in 10^19 pairs): what is only repeated in a file is
confirmed on the text; what the registry vouches for is not. Numbers are the same in every process that runs the same
version of polars.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

WHO = ("tipo_id", "num_id")
NAMED = (*WHO, "primer_nombre", "primer_apellido")
HELD = (*WHO, "aplicacion")
VERSION = pl.__version__
_EVEN = np.uint64(2**64 - 2)
#: The column that a large file's record has to have for `said` to mean something, and the action that takes away.
_TAKES = {"usuario": "O", "perfil": "R"}


def hashed(names: Sequence[str]) -> pl.Expr:
    """Several cells as one number."""
    return pl.concat_str([pl.col(name) for name in names], separator="|").hash()


def said(record: str, today: date) -> list[pl.Expr]:
    """What a line of users or profiles says (said), and whether it takes away (takes); see `packed`.

    A link whose contract is over says nothing: 0.
    """
    if record == "usuario":
        over = (pl.col("fecha_fin") != "") & (pl.col("fecha_fin") <= today.isoformat()) & (pl.col("accion") == "V")
        what = pl.when(over).then(pl.lit(0, dtype=pl.UInt64)).otherwise(hashed(NAMED))
    else:
        what = hashed(("aplicacion", "perfil"))
    return [what.alias("said"), (pl.col("accion") == _TAKES[record]).alias("takes")]


def packed(cells: pl.DataFrame) -> np.ndarray:
    """`said` with `takes` in its lowest bit."""
    numbers: np.ndarray = (cells["said"].to_numpy() & _EVEN) | cells["takes"].to_numpy()
    return numbers


def unpacked(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What was packed: `said` without its lowest bit, and `takes`."""
    return numbers & _EVEN, (numbers & np.uint64(1)).astype(bool)


def registered(rows: pl.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Rows of the registry in the numbers of `unpacked`."""
    numbers: np.ndarray = rows.select(hashed(names)).to_series().to_numpy() & _EVEN
    return numbers


def granted(held: np.ndarray, what: np.ndarray) -> np.ndarray:
    """Who holds an application (hash of HELD) and what of it (said of a profile), as one number."""
    both: np.ndarray = held ^ what
    return both


def among(numbers: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Which of some numbers are among others."""
    if not len(those) or not len(numbers):
        return np.zeros(len(numbers), bool)
    return pl.Series(numbers).is_in(pl.Series(those).implode()).to_numpy()


def strangers(numbers: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """The numbers that are not among others, which are sorted; each once, sorted."""
    ordered = np.sort(numbers)
    if not len(ranked):
        return np.unique(ordered)
    place = np.searchsorted(ranked, ordered)
    place[place == len(ranked)] = 0
    return np.unique(ordered[ranked[place] != ordered])
