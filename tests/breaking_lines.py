"""Rows of a record around the edges of what its fields allow: one cell shorter, longer or stranger than it may be."""

import random
from collections.abc import Iterator
from datetime import date

from lines_of import line_of

from pisis_batch import accepting
from pisis_batch.layouts import Layout, Record
from pisis_batch.writing import sample

_SIGNS = "A1aÑñ -.'\"_@\x81 "


def at_the_edges(layout: Layout, record: Record, chance: random.Random, many: int) -> Iterator[list[str]]:
    """Rows, each right but for one cell."""
    pattern, written = accepting.expression(record), list[list[str]]()
    if pattern is None:
        text = sample(layout, 30, cut=date(2026, 7, 15), seed=2)[1].decode(layout.encoding)
        lines = [line.split(layout.separator) for line in text.split("\r\n")]
        written = [cells for cells in lines if cells[0] == record.mark]
    for turn in range(many):
        cells = line_of(pattern, chance).split("|") if pattern else [*chance.choice(written)]
        place = turn % len(record.fields)
        field = record.fields[place]
        most, least = field.max or len(cells[place]), field.min or 1
        longer = [most, most + 1, least, least - 1, chance.randrange(most + 2)]
        filler = chance.choice([*cells[place][-1:], *_SIGNS, field.list or "0"])
        ends = (
            [end for end in (field.range.low, field.range.high, f"{field.range.high}1") if end] if field.range else []
        )
        edge = (cells[place] + filler * (most + 1))[: max(chance.choice(longer), 0)]
        cells[place] = chance.choice([edge, edge, *ends, *field.options[:2]])
        yield cells
