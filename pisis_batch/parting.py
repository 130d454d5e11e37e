"""A sifted file as whole batches of some persons each, for the rules that judge person by person."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from pisis_batch import fingerprints
from pisis_batch.chunks import fetched
from pisis_batch.cutting import nothing
from pisis_batch.model import Batch, Content, Limits, Persons


def parts(
    content: Content, batch: Batch, limits: Limits, size: int = 100_000, whom: np.ndarray | None = None
) -> Iterator[Batch]:
    """A sifted file as whole batches of some persons each, with all their lines and the control record.

    Persons come in the order of the record that has most of them, `size` of its lines at a time; whoever is only in
    others comes after them. So neighbours stay together, and each chunk is read again about once. With `whom` (hashes
    of persons) only those.
    """
    figures = batch.figures
    if figures is None or not figures.people:
        yield batch
        return
    people = {name: _only(named, whom) for name, named in figures.people.items()}
    who = max((who for _, who in people.values()), key=len)
    order = np.argsort(who, kind="stable")
    ranked = who[order]
    many = max(1, -(-len(who) // size))
    numbers = {name: _part_numbers(hashes, ranked, order, size, many) for name, (_, hashes) in people.items()}
    for number in range(many + 1):
        chosen = [lines[numbers[name] == number] for name, (lines, _) in people.items()]
        lines = np.sort(np.concatenate(chosen))
        if len(lines):
            rows = list(fetched(content, figures.chunks, lines, batch.layout, limits))
            records = {
                record.name: batch[record.name]
                if record.name not in figures.people
                else pl.concat([nothing(record), *(part[record.name] for part in rows)])
                for record in batch.layout.records
            }
            yield Batch(batch.layout, batch.file_name, records, batch.irregular, batch.last_line)


def _only(named: Persons, whom: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The lines of some persons, and who each is of."""
    if whom is None:
        return named.lines, named.who
    chosen = fingerprints.among(named.who, whom)
    return named.lines[chosen], named.who[chosen]


def _part_numbers(hashes: np.ndarray, ranked: np.ndarray, order: np.ndarray, size: int, many: int) -> np.ndarray:
    """In which part each line's person is: by the place of the person's first line in the leading record."""
    if not len(ranked):
        return np.full(len(hashes), many, np.int32)
    place = np.searchsorted(ranked, hashes)
    place[place == len(ranked)] = 0
    found = ranked[place] == hashes
    return np.where(found, order[place] // size, many).astype(np.int32)
