"""What a suggester is asked with, and the form of its answers."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple

from pisis_batch.frames import pl
from pisis_batch.layouts import CATALOGS, Field, Layout
from pisis_batch.model import Batch, Facts, Row, tuples

WRITE = "Escriba «{}»"
GUESS = "¿Quiso escribir «{}»?"


class Faulty(NamedTuple):
    """One of the distinct findings of a code, told apart by all but `n`; nulls are "", `line` is null where it does not matter."""

    n: int
    code: str
    record: str
    field: str
    value: str
    details: str
    line: int | None

    def detail(self, *names: str) -> str:
        """The first of some facts of its sentence that it has."""
        said = json.loads(self.details) if self.details else {}
        return next((str(said[name]) for name in names if said.get(name) is not None), "")


#: Which finding (`n`), the value expected, and the sentence with {} where that value stands.
Answer = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """The file that the findings are about."""

    layout: Layout
    batch: Batch | None
    facts: Facts | None

    def field(self, record: str, field: str) -> Field | None:
        """A field of the layout."""
        known = self.layout.record.get(record or self.layout.control.name)
        return known.by_name.get(field) if known else None

    def codes(self, field: Field) -> dict[str, str]:
        """The values a field may take, with their meaning; empty when they are not listed in the layout."""
        if field.values:
            return dict(field.values)
        if field.allowed:
            return dict.fromkeys(field.allowed, "")
        catalog = CATALOGS.get(field.catalog or "")
        return {} if catalog is None or catalog.registry else dict(catalog.codes)

    def cells(self, record: str, names: Sequence[str], rows: Iterable[Faulty]) -> dict[int, Row]:
        """Some cells of the lines that findings are about, by line; of a record that the annex does not have, none."""
        lines = {row.line for row in rows}
        if self.batch is None or record not in self.batch.records:
            return {}
        if self.batch.plain is not None:
            picked = self.batch.picked(record, ("line", *names))
            return {line: tuple(cells) for line, *cells in picked if line in lines}
        own = self.batch[record].select("line", *names).filter(pl.col("line").is_in(list(lines)))
        return {line: tuple(cells) for line, *cells in tuples(own, ("line", *names))}


#: Distinct findings of one code -> what is suggested for some of them.
Suggester = Callable[[Sequence[Faulty], Asked], Iterable[Answer]]
#: What a value should be, and the sentence that says so; None when nothing is known.
Meant = tuple[str, str] | None


def each(meant: Callable[[Faulty, Asked], Meant]) -> Suggester:
    """A suggester that looks at one value after another; nothing is suggested that was written already."""

    @wraps(meant)
    def suggester(rows: Sequence[Faulty], asked: Asked) -> Iterable[Answer]:
        for row in rows:
            found = meant(row, asked)
            if found is not None and found[0] != row.value:
                yield row.n, *found

    return suggester
