"""The end of a file: its verdict, what it changes, and how it stands against the attempt before."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pisis_batch.frames import Columns, Few, few, height, no_rows, pl, texts
from pisis_batch.model.batch import Batch
from pisis_batch.model.facts import Facts
from pisis_batch.model.findings import Examined, Findings
from pisis_batch.model.received import Received


class Verdict(StrEnum):
    """What became of a file. The first three are final and stand in ack.json; a held file has no ack yet."""

    CARGADO = "cargado"
    RECHAZADO = "rechazado"
    SIN_CAMBIOS = "sin cambios"
    RETENIDO = "retenido"


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures that add up: read = correct + with_errors. They count detail lines; the control is not one."""

    read: int = 0
    correct: int = 0
    with_errors: int = 0
    duplicated: int = 0
    loaded: int = 0
    warnings: int = 0


def _rows(*names: str) -> Any:
    return no_rows(Columns(line="UInt32") | texts(*names))


_USER = ("tipo_id", "num_id", "primer_nombre", "primer_apellido")


_LINK = (*_USER, "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo")


class Parts(Protocol):
    """Changes too many to be held in memory, kept in parts until they are applied."""

    def ordered(self, kind: str) -> Iterator[pl.DataFrame]:
        """As `Changes.ordered`."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...


#: What a file may do to the registry, in the contract's names.
KINDS = ("linked", "updated", "unlinked", "assigned", "withdrawn", "stored")
_STRETCH = 100_000  # rows at a time
_FEW = 1_000  # rows whose order matters to no index
_MANY = 10_000  # rows from which it pays to compare numbers
_DIGITS = 18


@dataclass(frozen=True)
class Changes:
    """What a file does to the registry, as frames with the causing `line`; only real differences are in it.

    linked, updated: columns of LINKED. unlinked: tipo_id, num_id, primer_nombre, primer_apellido.
    assigned: tipo_id, num_id, aplicacion, perfil (a row replaces whatever profile the user holds in that application;
    the default profile of each newly linked user is among them, with the user's line).
    withdrawn: tipo_id, num_id, aplicacion, perfil (explicit withdrawals, and the grants dropped by an unlinking).
    stored: record, accion (insertar, actualizar, anular): the detail lines whose records are kept as they are.

    Of a very large file the frames are empty: `passed` says how many rows of each kind are in `parts`.
    """

    linked: pl.DataFrame = _rows(*_LINK)
    updated: pl.DataFrame = _rows(*_LINK)
    unlinked: pl.DataFrame = _rows(*_USER)
    assigned: pl.DataFrame = _rows("tipo_id", "num_id", "aplicacion", "perfil")
    withdrawn: pl.DataFrame = _rows("tipo_id", "num_id", "aplicacion", "perfil")
    stored: pl.DataFrame = _rows("record", "accion")
    passed: Mapping[str, int] = dataclasses.field(default_factory=dict)
    parts: Parts | None = None

    @classmethod
    def of(cls, parts: Sequence[Changes]) -> Changes:
        """The changes of the parts of a file."""
        return cls(**{name: pl.concat([getattr(part, name) for part in (cls(), *parts)]) for name in KINDS})

    def counts(self) -> dict[str, int]:
        """Rows by kind, in the contract's names."""
        return {name: height(self, name) + self.passed.get(name, 0) for name in KINDS}

    def ordered(self, kind: str) -> Iterator[Few | pl.DataFrame]:
        """The rows of a kind in the order of persons, about, some at a time; a few as they are."""
        if self.parts is not None:
            yield from self.parts.ordered(kind)
        rows = few(self, kind)
        if isinstance(rows, Few) or rows.height <= _FEW:
            if rows.height:
                yield rows
        elif rows.height < _MANY:
            yield rows.sort(placed(rows))
        else:
            for same in rows.partition_by("tipo_id"):
                yield from _by_number(same).iter_slices(_STRETCH)

    def close(self) -> None:
        """Let go of what is kept outside memory; only the figures are left."""
        if self.parts is not None:
            self.parts.close()


def _by_number(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of one type of document as the text of its number is ordered, found by numbers in a quarter of the time."""
    padded = rows["num_id"].str.pad_end(_DIGITS, "0").cast(pl.UInt64, strict=False)
    return rows[padded.arg_sort()] if padded.null_count() == 0 else rows.sort(placed(rows))


def placed(rows: pl.DataFrame) -> list[str]:
    """The columns that order the changes of a kind; no two rows are equal in all of them."""
    return [name for name in ("tipo_id", "num_id", "line", "aplicacion") if name in rows.columns]


#: What a corrected copy changed, or would: `line` of the original (null: the whole file), `code` the findings answered.
REPAIRS = Columns(
    line="UInt32",
    record="String",
    field_no="UInt16",
    field="String",
    before="String",
    after="String",
    code="String",
    confidence="String",  # cierta, alta, media, baja
    applied="Boolean",
)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected copy of a file, with the name it must have. `repairs` has schema REPAIRS, the done ones first.

    `examined`: the copy read again; its findings are what is still wrong with it.
    """

    name: str
    content: bytes
    repairs: pl.DataFrame
    examined: Examined

    @property
    def done(self) -> pl.DataFrame:
        """The certain repairs, which are in the copy."""
        return self.repairs.filter("applied")

    @property
    def proposals(self) -> pl.DataFrame:
        """The doubtful ones, which are not."""
        return self.repairs.filter(~pl.col("applied"))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a report: its bytes, read again, and what was found (schema FINDINGS). `batch` None: no annex."""

    received: Received
    findings: pl.DataFrame
    batch: Batch | None = None


#: The errors of two attempts; `status`: corregido, sigue, nuevo, dañado (right before), pendiente (not looked at now).
PROGRESS = Columns(
    status="String",
    code="String",
    record="String",
    field="String",
    field_no="UInt16",
    line_before="UInt32",
    line_after="UInt32",
    value_before="String",
    value_after="String",
)


@dataclass(frozen=True, slots=True)
class Progress:
    """An attempt against the one before it (`guid`, `received_at`): every error of either with its status."""

    guid: str
    received_at: datetime
    rows: pl.DataFrame

    def counts(self) -> dict[str, int]:
        """Errors by status."""
        found = dict(self.rows.group_by("status").len().iter_rows())
        return {status: found.get(status, 0) for status in ("corregido", "sigue", "nuevo", "dañado", "pendiente")}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a file: verdict, every finding of both validations, and the changes it causes (empty if rejected)."""

    examined: Examined
    facts: Facts | None
    findings: Findings
    verdict: Verdict
    counts: Counts
    changes: Changes
    ruleset: str
    corrected: Corrected | None = None
    progress: Progress | None = None

    @property
    def received(self) -> Received:
        """The file."""
        return self.examined.received
