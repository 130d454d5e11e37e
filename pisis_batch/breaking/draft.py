"""A file in the making and the registry it needs: what breakers change before it becomes bytes."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pisis_batch import writing
from pisis_batch.layouts import Layout, Record

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Breaking:
    """A file that yields one code, who sends it, and the registry it needs.

    `sender` is the login whose folder it goes into, None for the root of the inbox. `tables` are the CSV texts of
    `pisis registry load`, by table. `before` are files that must have been loaded first, in order.
    """

    code: str
    name: str
    content: bytes
    sender: str | None
    tables: Mapping[str, str]
    before: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Draft:
    """The cells of a file by record, its name's values, the registry's rows by table. Breakers change it in place."""

    layout: Layout
    today: date
    records: dict[str, list[Row]]
    stated: dict[str, str]
    sender: str | None
    tables: dict[str, list[Row]] = field(default_factory=dict)
    before: list[tuple[str, bytes]] = field(default_factory=list)
    name: str | None = None

    @property
    def control(self) -> Row:
        """The control record."""
        return self.records[self.layout.control.name][0]

    def state(self, name: str, value: str) -> None:
        """Change a value of the control record and of the file name alike."""
        if name in self.control:
            self.control[name] = value
        if name in self.stated:
            self.stated[name] = value

    def renumbered(self) -> None:
        """Consecutive and total as they should be."""
        if self.layout.sequence:
            rows = [row for name in self.layout.sequence.over for row in self.records.get(name, [])]
            for place, row in enumerate(rows, start=1):
                row[self.layout.sequence.field] = str(place)
        if self.layout.total:
            owner, name = self.layout.total.field.split(".")
            if owner == self.layout.control.name:
                self.control[name] = str(sum(len(self.records.get(record, [])) for record in self.layout.total.over))

    def written(self) -> tuple[str, bytes]:
        """The file's name and bytes."""
        return self.name or self.layout.file_name.write(self.stated), text(self.layout, self.records)

    def done(self, code: str) -> Breaking:
        """The file and its registry."""
        name, content = self.written()
        tables = {table: _csv(rows) for table, rows in self.tables.items() if rows}
        return Breaking(code, name, content, self.sender, tables, tuple(self.before))


def draft(layout: Layout, today: date, *, rows: int = 4, seed: int = 0) -> Draft:
    """A file right in structure, of fictitious values, as cells. There is no registry yet."""
    name, content = writing.sample(layout, rows, cut=today, seed=seed)
    marks = {record.mark: record for record in layout.records}
    records: dict[str, list[Row]] = {record.name: [] for record in layout.records}
    for line in content.decode(layout.encoding).split("\r\n"):
        cells = line.split(layout.separator)
        record = marks[cells[0]]
        records[record.name].append(dict(zip((f.name for f in record.fields), cells, strict=True)))
    stated = layout.file_name.read(name)
    return Draft(layout, today, records, dict(stated) if isinstance(stated, dict) else {}, None)


def line(layout: Layout, record: Record, row: Row) -> str:
    """A row as it stands in a file."""
    return layout.separator.join(row[f.name] for f in record.fields)


def text(layout: Layout, records: Mapping[str, list[Row]]) -> bytes:
    """Rows as a file."""
    lines = [line(layout, record, row) for record in layout.records for row in records.get(record.name, [])]
    return "\r\n".join(lines).encode(layout.encoding, "replace")


def _csv(rows: list[Row]) -> str:
    told = io.StringIO()
    writer = csv.DictWriter(told, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return told.getvalue()
