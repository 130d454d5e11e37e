"""What a relation may look at besides its own line: the control record, the parts of the file name, the cut date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TypeVar

from pisis_batch.frames import pl
from pisis_batch.layouts import Field, Record
from pisis_batch.layouts.relation import RowChecked
from pisis_batch.model import Batch, framed
from pisis_batch.validators import passing
from pisis_batch.validators.condiciones import day, holds
from pisis_batch.validators.rule import Found, together

_PARTS = {"año": (0, 4), "mes": (5, 2), "día": (8, 2)}


@dataclass(frozen=True, slots=True)
class Scene:
    """A record's columns and the single values of the file, by reference."""

    batch: Batch
    record: Record

    def column(self, reference: str) -> pl.Expr:
        """The text of a field of the record, of `control.field` or of `name.part`; `:mes` takes part of a date."""
        name, _, part = reference.partition(":")
        text = pl.lit(self.single(name), dtype=pl.String) if "." in name else pl.col(name)
        return text.str.slice(*_PARTS[part]).str.strip_chars_start("0") if part else text

    def single(self, reference: str) -> str | None:
        """What the control record or the name says; None when it cannot be told."""
        owner, _, name = reference.partition(".")
        if owner == "name":
            stated = self.batch.layout.file_name.read(self.batch.file_name)
            return stated.get(name) if isinstance(stated, dict) else None
        row = self.batch.control
        return str(row[name]) if row and row.get(name) else None

    def field(self, reference: str) -> Field | None:
        """The field a reference is about; None for a part of the name or of a date."""
        owner, _, name = reference.partition(".")
        if ":" in reference or owner == "name":
            return None
        record = self.batch.layout.record.get(owner) if name else self.record
        return record.by_name.get(name or owner) if record else None

    def titled(self, reference: str) -> str:
        """What a reference is called in a sentence."""
        base, _, part = reference.partition(":")
        field = self.field(base)
        name = base.removeprefix("name.")
        piece = self.batch.layout.name_parts.get(name)
        label = field.label if field else piece.label if piece else name
        return f"{part} de {label}" if part else label

    @property
    def cut_text(self) -> str | None:
        """The cut date as it is written in the control record or the name; None when it cannot be told."""
        name = self.batch.layout.cut_date
        inside = name in self.batch.layout.control.by_name
        return self.single(f"{'control' if inside else 'name'}.{name}")

    @property
    def cut(self) -> pl.Expr:
        """The cut date, as a date."""
        return day(pl.lit(self.cut_text, dtype=pl.String))

    def when(self, check: RowChecked) -> pl.Expr:
        """Where a check looks."""
        if not check.when:
            return pl.lit(value=True)
        return holds(check.when, self.record, self.column, self.cut)

    def spared(self, name: str) -> pl.Expr:
        """Whether a cell is empty because the layout wants it empty here."""
        field = self.record.by_name[name]
        reasons = [holds(field.empty_if, self.record)] if field.empty_if else []
        reasons += [~holds(field.only_if, self.record)] if field.only_if else []
        return (pl.col(name) == "") & pl.any_horizontal(reasons) if reasons else pl.lit(value=False)


@dataclass(frozen=True, slots=True)
class Objection:
    """Where a check objects: the field to blame, which lines, and what its sentence needs (text or expressions)."""

    field: str
    wrong: pl.Expr
    details: Mapping[str, str | pl.Expr] = dataclass_field(default_factory=dict)


Kind = TypeVar("Kind", bound=RowChecked)


def objected(
    batch: Batch, kind: type[Kind], objections: Callable[[Kind, Scene], Iterator[Objection]], names: tuple[str, ...]
) -> Found:
    """The rows that the checks of a kind object to, one select per record; `names` are the details they carry."""
    columns = ["record", "field", "value", "severity", "oficial", *names]
    found: list[pl.DataFrame] = []
    for record in batch.layout.records:
        checks = [c for c in batch.layout.check if isinstance(c, kind) and c.on == record.name and not c.off]
        if not checks:
            continue
        scene = Scene(batch, record)
        if batch.plain is not None:
            rows, checks = passing.doubtful(batch.plain[record.name], checks, scene)
        if batch.plain is not None and not rows:
            continue
        frame = batch[record.name] if batch.plain is None else framed(rows, record)
        if frame.is_empty():
            continue
        made = [(check, one) for check in checks for one in objections(check, scene)]
        flags = frame.select(
            [
                (scene.when(check) & one.wrong & ~scene.spared(one.field)).fill_null(value=False).alias(str(place))
                for place, (check, one) in enumerate(made)
            ]
        )
        for place, (check, one) in enumerate(made):
            if flags[str(place)].any():
                found.append(_told(frame.filter(flags[str(place)]), check, one, record).select("line", *columns))
    return together(found)


def _told(rows: pl.DataFrame, check: RowChecked, one: Objection, record: Record) -> pl.DataFrame:
    return rows.with_columns(
        record=pl.lit(record.name),
        field=pl.lit(one.field),
        value=pl.col(one.field),
        severity=pl.lit(check.severity),
        oficial=pl.lit(check.official(one.field) or None, dtype=pl.String),
        **{
            name: (pl.lit(told) if isinstance(told, str) else told).cast(pl.String)
            for name, told in one.details.items()
        },
    )
