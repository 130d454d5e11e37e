"""The consecutives of a large file, whose right lines are known by their numbers alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pisis_batch.frames import pl
from pisis_batch.layouts import Layout
from pisis_batch.model import unreadable
from pisis_batch.numbering import Numbering

DIGITS = 18  # of a number that fits 64 bits
_WRITTEN = f"^[1-9][0-9]{{0,{DIGITS - 1}}}$"


class Consecutives:
    """At a glance while they are right; a `Numbering` for each run of records."""

    def __init__(self, layout: Layout) -> None:
        sequence = layout.sequence
        self._layout, self._field = layout, sequence.field if sequence else ""
        over = tuple(sequence.over) if sequence else ()
        runs = [(name,) for name in over] if sequence and sequence.restart else [over]
        self._runs = [(names, Numbering()) for names in runs if names]

    def add(
        self,
        rows: Mapping[str, pl.DataFrame],
        accepted: Mapping[str, tuple[np.ndarray, np.ndarray]],
        odd: pl.DataFrame | None,
    ) -> None:
        """Take some neighbouring lines: by record its rows, the lines whose numbers are known; what is no row."""
        unread = None if odd is None else unreadable(odd, self._layout).select("line").sort("line")
        for over, numbering in self._runs:
            found = {name: accepted[name] for name in over if name in accepted}
            others = [
                rows[name].select("line", record=pl.lit(name), value=self._field) for name in over if name in rows
            ]
            if unread is None or unread.is_empty():
                numbers = _in_order(list(found.values()), others)
                if numbers is None or (_steady(numbers) and numbering.add_right(int(numbers[0]), len(numbers))):
                    continue
            parts = [_numbered(name, *lines) for name, lines in found.items()] + others
            empty = pl.DataFrame(schema={"line": pl.UInt32, "record": pl.String, "value": pl.String})
            none = pl.DataFrame(schema={"line": pl.UInt32})
            numbering.add(pl.concat([empty, *parts]).sort("line"), none if unread is None else unread)

    @property
    def right(self) -> bool:
        """Whether they break nowhere."""
        return all(numbering.right for _, numbering in self._runs)

    def breaks(self) -> list[pl.DataFrame]:
        """Of each run the stretches that are off."""
        return [numbering.breaks() for _, numbering in self._runs]


def _numbered(name: str, places: np.ndarray, numbers: np.ndarray) -> pl.DataFrame:
    line, value = pl.Series("line", places, dtype=pl.UInt32), pl.Series(numbers).cast(pl.String)
    return pl.DataFrame({"line": line, "value": value}).select("line", record=pl.lit(name), value="value")


def _in_order(accepted: list[tuple[np.ndarray, np.ndarray]], others: list[pl.DataFrame]) -> np.ndarray | None:
    """The numbers of some lines in the order of the lines, 0 where none is written; None when there is no line."""
    told = [_written(frame) for frame in others]
    lines = [places for places, _ in accepted] + [frame["line"].to_numpy() for frame in told]
    numbers: list[np.ndarray] = [found for _, found in accepted] + [frame["value"].to_numpy() for frame in told]
    if len(lines) <= 1:
        return numbers[0] if lines else None
    return np.concatenate(numbers)[np.argsort(np.concatenate(lines), kind="stable")]


def _written(frame: pl.DataFrame) -> pl.DataFrame:
    """The same lines with their numbers (value)."""
    written = pl.col("value").str.contains(_WRITTEN)
    return frame.select("line", value=pl.when(written).then(pl.col("value").cast(pl.Int64, strict=False)).fill_null(0))


def _steady(numbers: np.ndarray) -> bool:
    """Whether each number is one more than the one before."""
    return bool((np.diff(numbers) == 1).all())
