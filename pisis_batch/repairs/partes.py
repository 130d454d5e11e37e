"""A file in two: the records at fault and the others, each person's records together."""

import dataclasses
from typing import Literal

import polars as pl

from pisis_batch.layouts import Layout
from pisis_batch.repairs.archivo import Sheet


def kept(sheet: Sheet, faulty: pl.Series, *, which: Literal["rejected", "correct"]) -> Sheet:
    """The sheet with only one of the parts; the control record is in both, lines that cannot be read in the first."""
    shared = _shared_key(sheet.layout)
    details = [record.name for record in sheet.layout.details]
    named = [
        frame.filter(pl.col("line").is_in(faulty.implode())).select(shared)
        for frame in map(sheet.records.get, details)
        if frame is not None
    ]
    people = pl.concat(named).unique() if shared and named else None
    records = dict(sheet.records)
    for name in details:
        frame = records[name]
        wrong = frame["line"].is_in(faulty.implode())
        if people is not None:
            wrong |= frame.select(pl.struct(shared).is_in(people.to_struct().implode())).to_series()
        records[name] = frame.filter(wrong if which == "rejected" else ~wrong)
    loose = sheet.loose if which == "rejected" else sheet.loose.clear()
    return dataclasses.replace(sheet, records=records, loose=loose)


def _shared_key(layout: Layout) -> list[str]:
    """The fields by which records of all types speak of the same person; empty when they do not."""
    keys = [record.unique for record in layout.details]
    return [name for name in keys[0] if all(name in key for key in keys)] if keys else []
