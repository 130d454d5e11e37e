"""Rows of a record around the edges of what its fields allow: one cell shorter, longer or stranger than it may be."""

import random
from collections.abc import Iterator

from lines_of import line_of

from pisis_batch import accepting
from pisis_batch.layouts import Record

_SIGNS = "A1aÑñ -.'\"_@\x81 "


def at_the_edges(record: Record, chance: random.Random, many: int) -> Iterator[list[str]]:
    """Rows, each right but for one cell; of a record that nothing is accepted of, rows of single signs."""
    pattern = accepting.expression(record)
    for turn in range(many):
        cells = line_of(pattern, chance).split("|") if pattern else [record.mark, *("1" for _ in record.fields[1:])]
        place = turn % len(record.fields)
        field = record.fields[place]
        most, least = field.max or len(cells[place]), field.min or 1
        longer = [most, most + 1, least, least - 1, chance.randrange(most + 2)]
        filler = chance.choice([*cells[place][-1:], *_SIGNS])
        cells[place] = (cells[place] + filler * (most + 1))[: max(chance.choice(longer), 0)]
        yield cells
