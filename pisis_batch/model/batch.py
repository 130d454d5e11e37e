"""The content of a file: a frame of text cells per record, and the lines that did not fit."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pisis_batch.layouts import Layout

#: Lines that could not become a row of a record, and oddities of the whole file (line is null).
IRREGULAR = pl.Schema(
    {
        "line": pl.UInt32,
        "problem": pl.String,
        "record": pl.String,
        "mark": pl.String,
        "cells": pl.UInt32,
        "expected": pl.UInt32,
        "value": pl.String,
    }
)


@dataclass(frozen=True, slots=True)
class Persons:
    """The persons that the lines of a record name, as numpy arrays of one length: their lines and hashes.

    who: the person. key: the line's unique key, where that is more than the person. said: what the line says of them,
    where the registry can vouch for it (`fingerprints`).
    """

    lines: Any
    who: Any
    key: Any = None
    said: Any = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of all lines of a file of which a batch holds only some.

    heights, firsts: per record, how many lines and the first. breaks: per run of consecutives, where it is off
    (`numbering.BREAKS`). elsewhere: lines whose cells were judged already and that are not among the rows.
    people: per record that names persons. today: the day by which their contracts were held against. chunks: where
    each chunk of the file begins, and its first line.
    """

    heights: Mapping[str, int]
    firsts: Mapping[str, int | None]
    breaks: tuple[pl.DataFrame, ...]
    elsewhere: pl.Series
    people: Mapping[str, Persons]
    today: date
    chunks: Any


@dataclass(frozen=True, slots=True)
class Batch:
    """A file's content: per record type a frame of text cells plus `line` (UInt32, from 1), and what did not fit."""

    layout: Layout
    file_name: str
    records: Mapping[str, pl.DataFrame]
    irregular: pl.DataFrame
    last_line: int = 0
    #: With figures the frames hold only the lines that the rules have to see.
    figures: Figures | None = None
    #: The control record as a row, when there is exactly one.
    control: dict[str, Any] | None = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        frame = self.records[self.layout.control.name]
        object.__setattr__(self, "control", frame.row(0, named=True) if frame.height == 1 else None)

    def __getitem__(self, record: str) -> pl.DataFrame:
        return self.records[record]

    @property
    def named(self) -> dict[str, str]:
        """What the file name states, by control field or part of the name; empty when it cannot be read."""
        stated = self.layout.file_name.read(self.file_name)
        return stated if isinstance(stated, dict) else {}

    @property
    def period(self) -> str:
        """The cut date that the control states, or the name where the control has none; empty without one control."""
        return str({**self.named, **(self.control or {})}.get(self.layout.cut_date, ""))

    @property
    def within(self) -> str:
        """What tells this file apart from others of its period, as a JSON object; empty when nothing does."""
        row = {**self.named, **(self.control or {})}
        said = {name: row.get(name, "") for name in self.layout.effect.within}
        return json.dumps(said, ensure_ascii=False) if said else ""

    def height(self, record: str) -> int:
        """How many lines of a record the file has."""
        return self.figures.heights[record] if self.figures else self.records[record].height

    def first(self, record: str) -> int | None:
        """The first line of a record; None when it has none."""
        if self.figures:
            return self.figures.firsts[record]
        found = self.records[record]["line"].min()
        return None if found is None else int(str(found))

    @property
    def details(self) -> int:
        """How many detail lines the file has, unreadable ones included."""
        readable = sum(self.height(record.name) for record in self.layout.details)
        return readable + self.unreadable.height

    @property
    def unreadable(self) -> pl.DataFrame:
        """Lines that are somebody's record but could not be cut into fields, the control's own excluded."""
        return unreadable(self.irregular, self.layout)


def unreadable(irregular: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The irregular lines that may be a detail record."""
    if irregular.is_empty():
        return irregular
    wrong = pl.col("problem").is_in(["unknown", "ragged", "too_long"])
    return irregular.filter(wrong & (pl.col("mark") != layout.control.mark))
