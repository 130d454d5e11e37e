"""Where a consecutive number breaks, line by line or a stretch of the file at a time.

A stretch is a run of numbers that are off by the same amount. Lines that could not be read may or may not have been
numbered, so what follows them is given the benefit of the doubt.
"""

from __future__ import annotations

from pisis_batch.frames import Columns, pl

#: Stretches that are off: first line with its record and number, last line, how many lines, the number it should be.
BREAKS = Columns(line="UInt32", record="String", value="String", last="UInt32", size="UInt32", esperado="Int64")


class Numbering:
    """Counts along the numbered lines of a file, given in order and in as many parts as suit."""

    def __init__(self) -> None:
        self._place = self._unread = self._stretch = 0
        self._off: int | None = None
        self._found: list[pl.DataFrame] = []

    def add_right(self, first: int, many: int) -> bool:
        """Take a part that is numbered `first`, `first` + 1… without a gap; False when that breaks here."""
        if first != self._place + 1:
            return False
        self._place += many
        self._stretch += self._off != 0
        self._off = 0
        return True

    def add(self, numbered: pl.DataFrame, unread: pl.DataFrame) -> None:
        """Take a part: its numbered lines (line, record, value) and its unreadable ones (line), both in order."""
        before = pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + self._unread
        written = pl.col("value").str.contains("^[1-9][0-9]{0,17}$")
        placed = (
            numbered.with_columns(place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + self._place)
            .join_asof(unread.select("line", before=before), on="line")
            .with_columns(
                before=pl.col("before").fill_null(self._unread),
                off=pl.when(written).then(pl.col("value").cast(pl.Int64, strict=False)) - pl.col("place"),
            )
            .filter(pl.col("off").is_not_null())
        )
        self._place += numbered.height
        self._unread += unread.height
        if placed.is_empty():
            return
        new = (pl.col("off") != pl.col("off").shift(1)).fill_null(value=placed["off"][0] != self._off)
        stretches = placed.with_columns(stretch=new.cum_sum().cast(pl.Int64) + self._stretch)
        self._stretch, self._off = stretches["stretch"][-1], stretches["off"][-1]
        wrong = stretches.filter((pl.col("off") < 0) | (pl.col("off") > pl.col("before")))
        if wrong.height:
            first = wrong.with_columns(
                last=pl.col("line"), size=pl.lit(1, dtype=pl.UInt32), esperado=pl.col("place") + pl.col("before")
            )
            self._found.append(_gathered(first))

    @property
    def right(self) -> bool:
        """Whether it breaks nowhere."""
        return not self._found

    def breaks(self) -> pl.DataFrame:
        """The stretches that are off (schema BREAKS), in order."""
        if not self._found:
            return pl.DataFrame(schema=BREAKS)
        return _gathered(pl.concat(self._found)).select(*BREAKS).cast(BREAKS.schema)


def _gathered(rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each stretch."""
    first = [pl.col(name).first() for name in ("line", "record", "value", "esperado")]
    return rows.group_by("stretch", maintain_order=True).agg(*first, pl.col("last").last(), pl.col("size").sum())
