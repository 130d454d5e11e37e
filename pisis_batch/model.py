"""The nouns: what a file is at each step, from the bytes received to the letters that answer it.

Received -> Batch -> Examined -> (Questions, Facts) -> Outcome -> letters. All frozen; many rows are polars frames.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

import polars as pl

from pisis_batch.layouts import Layout

Severity = Literal["error", "advertencia", "informativo"]
Stage = Literal["estructura", "contenido", "sistema"]


_STRETCH = 4 * 1024 * 1024  # bytes digested at a time


class Content(Protocol):
    """The bytes of a file: `bytes`, or something like it that does not hold them in memory (`mmap`)."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: slice, /) -> bytes: ...
    def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...  # noqa: D102 as of bytes
    def rfind(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...  # noqa: D102 as of bytes


class Id(NamedTuple):
    """An identification: type and number, as in `CC 10000001` or `NI 900123456`."""

    type: str
    number: str

    @classmethod
    def parse(cls, text: str) -> "Id":
        """Read `CC:123`, `CC 123` or the login form `CC123`. Raises ValueError when it is none of them."""
        flat = text.strip().upper().replace(":", "").replace(" ", "")
        if not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{1,17}", flat, re.ASCII):
            raise ValueError("no es una identificación: escriba el tipo y el número, como CC:10000001")
        return cls(flat[:2], flat[2:])

    @property
    def login(self) -> str:
        """The SISPRO login of the person: type and number together (requirement B11.11)."""
        return self.type + self.number

    def __str__(self) -> str:
        return f"{self.type} {self.number}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be, in bytes (Q29)."""

    file: int = 512 * 1024 * 1024
    line: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Brake:
    """When a file that unlinks many is held: more than `users`, or more than `percent` of the entity's users.

    The percentage counts from `at_least` unlinked users on. 0 turns either off.
    """

    users: int = 20
    percent: int = 50
    at_least: int = 5


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it arrived: bytes, never a path. `sender` is the login that owns the folder, None when nobody does.

    `unread`: why there are no bytes: what it is instead of a file, or "too_big" with the size in `unread_size`.
    """

    guid: str
    name: str
    content: Content
    received_at: datetime
    sender: str | None
    unread: str = ""
    unread_size: int = 0

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the bytes."""
        return self._digest(hashlib.sha256())

    @property
    def md5(self) -> str:
        """Upper-case MD5 of the bytes, as the ministry's documents print it (Q11)."""
        return self._digest(hashlib.md5(usedforsecurity=False)).upper()

    def _digest(self, digest: "hashlib._Hash") -> str:
        for start in range(0, len(self.content), _STRETCH):
            digest.update(self.content[start : start + _STRETCH])
        return digest.hexdigest()


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
class Figures:
    """What is known of all lines of a file of which a batch holds only some.

    heights, firsts: per record, how many lines and the first. breaks: per run of consecutives, where it is off
    (`numbering.BREAKS`). elsewhere: lines whose cells were judged already and that are not among the rows.
    people: per record the lines that name a person, and the person hashed (numpy arrays). chunks: where each chunk
    of the file begins, and its first line.
    """

    heights: Mapping[str, int]
    firsts: Mapping[str, int | None]
    breaks: tuple[pl.DataFrame, ...]
    elsewhere: pl.Series
    people: Mapping[str, tuple[Any, Any]]
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


FINDINGS = pl.Schema(
    {
        "code": pl.String,
        "severity": pl.String,
        "stage": pl.String,
        "line": pl.UInt32,
        "record": pl.String,
        "field_no": pl.UInt16,
        "field": pl.String,
        "value": pl.String,
        "details": pl.String,  # JSON object with just the names that the code's texts use
    }
)


_NO_FINDINGS = pl.DataFrame(schema=FINDINGS)


@dataclass(frozen=True, slots=True)
class Findings:
    """Many findings as one frame (schema FINDINGS) that iterates as :class:`Finding`."""

    frame: pl.DataFrame = dataclasses.field(default_factory=lambda: _NO_FINDINGS)

    def __len__(self) -> int:
        return self.frame.height

    def __iter__(self) -> Iterator[Finding]:
        for row in self.frame.iter_rows(named=True):
            yield Finding(**{**row, "details": json.loads(row["details"] or "{}")})

    def where(self, severity: Severity) -> "Findings":
        """Only the findings of one severity."""
        return Findings(self.frame.filter(pl.col("severity") == severity))

    @property
    def blocks(self) -> bool:
        """Whether any finding is an error."""
        return bool((self.frame["severity"] == "error").any())

    def by_code(self) -> list[tuple[str, int]]:
        """Codes and how often each occurs, errors first, most frequent first."""
        grouped = self.frame.group_by("code", "severity", maintain_order=True).len()
        ordered = grouped.sort(
            pl.col("severity") != "error", -pl.col("len").cast(pl.Int64), "code", maintain_order=True
        )
        return [(row[0], row[2]) for row in ordered.iter_rows()]


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
        if found is None or not found[1].isdigit():
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


@dataclass(frozen=True, slots=True)
class Questions:
    """What the registry must tell before a file can be judged. `people`: columns tipo_id, num_id (distinct).

    `period` and `within` as in Batch, for a file that replaces what is stored of its period; else empty.
    `keys`: per record whose lines act on stored ones, the columns of its key (distinct).
    """

    annex: str
    entity: Id | None
    sender: str | None
    sha256: str
    people: pl.DataFrame
    received_at: datetime
    guid: str
    period: str = ""
    within: str = ""
    keys: Mapping[str, pl.DataFrame] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegisteredEntity:
    """An entity as the registry knows it."""

    id: Id
    razon_social: str
    tipo_entidad: str
    municipio: str
    correo_institucional: str
    correo_confirmado: bool
    representante: Id | None
    contacto: Id | None
    activa: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """Who dropped the file; the login is empty when nobody did.

    `registered`: a user of some entity, or a representative or contact (A3.7). `entitled`: linked to the entity of the
    file, or its representative or contact. `email`: a confirmed address, or None.
    """

    login: str
    registered: bool
    entitled: bool
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier receipt of the same bytes that was loaded."""

    guid: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored now of the same annex, entity and period: by which receipt, and how many detail records."""

    guid: str
    received_at: datetime
    rows: int
    later: bool = False  # received after the file that is judged


_TEXT = pl.String
#: Rows of `Facts`; every column is text unless said otherwise.
PERSONS = pl.Schema(dict.fromkeys(["tipo_id", "num_id", "primer_nombre", "primer_apellido"], _TEXT))
LINKED = pl.Schema(
    {
        **dict.fromkeys(
            ["tipo_id", "num_id", "primer_nombre", "primer_apellido", "telefono", "cargo", "contrato_indefinido"], _TEXT
        ),
        "fecha_fin": _TEXT,
        "correo": _TEXT,
    }
)
GRANTS = pl.Schema(dict.fromkeys(["tipo_id", "num_id", "aplicacion", "perfil"], _TEXT))
_SPAN = pl.Schema(dict.fromkeys(["valid_from", "valid_to", "from_guid", "to_guid"], _TEXT))
#: Rows of `Traces`: what held from when to when, and the receipts that began and ended it.
LINK_HISTORY = pl.Schema({**LINKED, **_SPAN})
GRANT_HISTORY = pl.Schema({**GRANTS, **_SPAN})
PROFILES = pl.Schema(
    {
        **dict.fromkeys(["codigo", "nombre", "cod_aplicacion", "nombre_aplicacion", "tipos_entidad"], _TEXT),
        "habilitado": pl.Boolean,
    }
)
PERIODS = pl.Schema(dict.fromkeys(["inicio", "corte", "reporte_desde", "reporte_hasta"], pl.Date))


def _empty(schema: pl.Schema) -> Any:
    none = pl.DataFrame(schema=schema)  # frames are never changed in place: one serves all
    return dataclasses.field(default_factory=lambda: none)


@dataclass(frozen=True, slots=True)
class Facts:
    """The registry's answer: `today` is the day of reception in Bogotá; frames hold only what the questions asked.

    persons: the asked people found in Mi Seguridad Social. linked: the asked people linked now to the entity.
    roster: everybody linked to it, up to some thousands, to tell a slip in a number from a stranger; no rule asks it.
    grants: profiles they hold there now. profiles: the whole catalogue. periods: the annex's calendar.
    kept: what a file that replaces its period would replace. stored: per record, the asked keys that are stored now.
    users: how many are linked to the entity now, named by the file or not. revision: of all this.
    `sender` None means the sender is not judged (a check without one).
    """

    today: date
    entity: RegisteredEntity | None = None
    sender: Sender | None = None
    earlier: Earlier | None = None
    persons: pl.DataFrame = _empty(PERSONS)
    linked: pl.DataFrame = _empty(LINKED)
    roster: pl.DataFrame = _empty(PERSONS)
    grants: pl.DataFrame = _empty(GRANTS)
    profiles: pl.DataFrame = _empty(PROFILES)
    periods: pl.DataFrame = _empty(PERIODS)
    kept: Kept | None = None
    stored: Mapping[str, pl.DataFrame] = dataclasses.field(default_factory=dict)
    users: int = 0
    revision: str = ""
    _people: dict[Id, dict[str, Any] | None] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def person(self, id_: Id) -> dict[str, Any] | None:
        """A person among `persons`, as a row."""
        if id_ not in self._people:
            found = self.persons.filter((pl.col("tipo_id") == id_.type) & (pl.col("num_id") == id_.number))
            self._people[id_] = found.row(0, named=True) if found.height else None
        return self._people[id_]


@dataclass(frozen=True, slots=True)
class Traces:
    """What the receipt `guid` did at its entity: the whole history there of everybody whom it touched."""

    guid: str
    entity: Id
    links: pl.DataFrame
    grants: pl.DataFrame


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
    schema = pl.Schema({"line": pl.UInt32, **dict.fromkeys(names, _TEXT)})
    return _empty(schema)


_USER = ("tipo_id", "num_id", "primer_nombre", "primer_apellido")
_LINK = (*_USER, "telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo")


@dataclass(frozen=True, slots=True)
class Changes:
    """What a file does to the registry, as frames with the causing `line`; only real differences are in it.

    linked, updated: columns of LINKED. unlinked: tipo_id, num_id, primer_nombre, primer_apellido.
    assigned: tipo_id, num_id, aplicacion, perfil (a row replaces whatever profile the user holds in that application;
    the default profile of each newly linked user is among them, with the user's line).
    withdrawn: tipo_id, num_id, aplicacion, perfil (explicit withdrawals, and the grants dropped by an unlinking).
    stored: record, accion (insertar, actualizar, anular): the detail lines whose records are kept as they are.
    """

    linked: pl.DataFrame = _rows(*_LINK)
    updated: pl.DataFrame = _rows(*_LINK)
    unlinked: pl.DataFrame = _rows(*_USER)
    assigned: pl.DataFrame = _rows("tipo_id", "num_id", "aplicacion", "perfil")
    withdrawn: pl.DataFrame = _rows("tipo_id", "num_id", "aplicacion", "perfil")
    stored: pl.DataFrame = _rows("record", "accion")

    def together(self, other: "Changes") -> "Changes":
        """These changes and others of the same file."""
        names = [field.name for field in dataclasses.fields(self)]
        return Changes(**{name: pl.concat([getattr(self, name), getattr(other, name)]) for name in names})

    def counts(self) -> dict[str, int]:
        """Rows by kind, in the contract's names."""
        return {field.name: getattr(self, field.name).height for field in dataclasses.fields(self)}


#: What a corrected copy changed, or would: `line` of the original (null: the whole file), `code` the findings answered.
REPAIRS = pl.Schema(
    {
        "line": pl.UInt32,
        "record": pl.String,
        "field_no": pl.UInt16,
        "field": pl.String,
        "before": pl.String,
        "after": pl.String,
        "code": pl.String,
        "confidence": pl.String,  # cierta, alta, media, baja
        "applied": pl.Boolean,
    }
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
PROGRESS = pl.Schema(
    {
        "status": pl.String,
        "code": pl.String,
        "record": pl.String,
        "field": pl.String,
        "field_no": pl.UInt16,
        "line_before": pl.UInt32,
        "line_after": pl.UInt32,
        "value_before": pl.String,
        "value_after": pl.String,
    }
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


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that travels with a letter or lies in the sender's outbox."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class EndedContracts:
    """Users of an entity whose contract ended before a day, still linked. `users`: columns of LINKED (Q18)."""

    entity: RegisteredEntity
    before: date
    users: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Unreported:
    """An entity that reported an annex before and has not in the period that closes on `until`."""

    entity: RegisteredEntity
    annex: str
    cut_off: date
    until: date


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before it is addressed: one e-mail is made of it for each recipient."""

    kind: Literal["acta", "resultado", "confirmacion", "falla", "espera", "vencimiento", "recordatorio", "resumen"]
    to: tuple[str, ...]
    subject: str
    html: str
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message to store: one recipient; Message-ID and Date are fixed inside `body` (RFC 5322 bytes)."""

    kind: str
    recipient: str
    subject: str
    message_id: str
    body: bytes
