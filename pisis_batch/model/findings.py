"""What is wrong with a file, and the end of its first validation."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pisis_batch.frames import Columns, Row, height, no_rows, picked, pl
from pisis_batch.layouts import Layout
from pisis_batch.model.batch import Batch
from pisis_batch.model.received import Id, Received, Severity, Stage


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a file: facts only; `validators.message` puts it in words."""

    code: str
    severity: Severity
    stage: Stage
    line: int | None = None
    record: str | None = None
    field_no: int | None = None
    field: str | None = None
    value: str | None = None
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)


FINDINGS = Columns(
    code="String",
    severity="String",
    stage="String",
    line="UInt32",
    record="String",
    field_no="UInt16",
    field="String",
    value="String",
    details="String",  # JSON object with just the names that the code's texts use
)


#: What may be an entity at all: it is stored, and printed in documents.
_ID_TYPE, _ID_NUMBER = re.compile("[A-Z]{2}"), re.compile("[0-9]{1,20}")
_FEW = 500  # findings up to which each is looked at by itself: polars takes longer to start


@dataclass(frozen=True, slots=True)
class Brief:
    """Many findings in short, for most of a million is the same text again and again.

    kinds: what findings say beside their line and value, a row each (the other columns of FINDINGS). kind, line, value:
    of each finding the row of its kind, and its own.
    """

    kinds: pl.DataFrame
    kind: pl.Series
    line: pl.Series
    value: pl.Series

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Brief:
        """Findings that are each of a kind of their own."""
        kind = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
        return cls(frame.drop("line", "value"), kind, frame["line"], frame["value"])

    def __len__(self) -> int:
        return len(self.kind)

    def in_full(self) -> pl.DataFrame:
        """As a frame (schema FINDINGS)."""
        columns = {name: self.kinds[name].gather(self.kind) for name in self.kinds.columns}
        return pl.DataFrame(columns | {"line": self.line, "value": self.value}).select(FINDINGS.names())


@dataclass(frozen=True)
class Findings:
    """Many findings as one frame (schema FINDINGS) that iterates as :class:`Finding`.

    brief: the same in short, where they were found so.
    """

    frame: pl.DataFrame = no_rows(FINDINGS)
    brief: Brief | None = dataclasses.field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, rows: list[Row]) -> Findings:
        """A few, given as rows."""
        return cls(rows)  # type: ignore[arg-type]  # they stand for their frame

    def __getstate__(self) -> dict[str, Any]:
        return {"frame": self.rows if self.few else self.frame}

    def __len__(self) -> int:
        return height(self, "frame")

    @property
    def few(self) -> bool:
        """Whether they are so few that each is best looked at by itself."""
        return len(self) <= _FEW

    @cached_property
    def rows(self) -> list[Row]:
        """The same as tuples, for whoever looks at a few."""
        return picked(self, "frame", FINDINGS.names())

    def __iter__(self) -> Iterator[Finding]:
        for row in self.frame.iter_rows(named=True):
            yield Finding(**{**row, "details": json.loads(row["details"] or "{}")})

    def where(self, severity: Severity) -> Findings:
        """Only the findings of one severity."""
        if self.few:
            return Findings.of([row for row in self.rows if row[1] == severity])
        return Findings(self.frame.filter(pl.col("severity") == severity))

    def __add__(self, more: Findings) -> Findings:
        """These, and then others."""
        if self.few and more.few:
            return Findings.of([*self.rows, *more.rows])
        return Findings(pl.concat([self.frame, more.frame]))

    def many(self, severity: Severity) -> int:
        """How many findings of one severity."""
        if self.few:
            return sum(row[1] == severity for row in self.rows)
        return int((self.frame["severity"] == severity).sum())

    @property
    def blocks(self) -> bool:
        """Whether any finding is an error."""
        return self.many("error") > 0

    @cached_property
    def kinds(self) -> Mapping[tuple[str, str, str | None], int]:
        """How many there are by code, severity and record, in the order of the first of each."""
        if self.few:
            return dict(Counter((code, severity, record) for code, severity, _, _, record, *_ in self.rows))
        counted = self.frame.group_by("code", "severity", "record", maintain_order=True).len()
        return {(code, severity, record): many for code, severity, record, many in counted.iter_rows()}

    def by_code(self) -> list[tuple[str, int]]:
        """Codes and how often each occurs, errors first, most frequent first."""
        counted: dict[tuple[bool, str], int] = {}
        for (code, severity, _), many in self.kinds.items():
            key = severity != "error", code
            counted[key] = counted.get(key, 0) + many
        ordered = sorted(counted.items(), key=lambda one: (one[0][0], -one[1], one[0][1]))
        return [(code, many) for (_, code), many in ordered]


@dataclass(frozen=True, slots=True)
class Examined:
    """End of the first validation. `layout` is None when the name belongs to no annex; `batch` with it."""

    received: Received
    layout: Layout | None
    batch: Batch | None
    findings: Findings

    @property
    def sound(self) -> bool:
        """Whether the file may go on to the second validation."""
        return self.batch is not None and not self.findings.blocks

    @property
    def entity(self) -> Id | None:
        """The entity the file speaks for: by its control record, else by its name."""
        if self.layout is None:
            return None
        found = self.layout.entity.of(self.batch.control or {}) if self.batch else None
        if found is None or not (_ID_TYPE.fullmatch(found[0]) and _ID_NUMBER.fullmatch(found[1])):
            stated = self.layout.file_name.read(self.received.name)
            found = self.layout.entity.of(stated) if isinstance(stated, dict) else None
        return Id(*found) if found else None

    @property
    def cut_date(self) -> str | None:
        """The cut date (AAAA-MM-DD) the file reports: by its control record, else by its name."""
        if self.layout is None:
            return None
        stated = self.layout.file_name.read(self.received.name)
        named = stated if isinstance(stated, dict) else {}
        row = (self.batch.control if self.batch else None) or {}
        return row.get(self.layout.cut_date) or named.get(self.layout.cut_date)
