"""Conditions of a layout decided for one written row: of a value what `validators.condiciones` says of a column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pisis_batch.layouts import Clause, Condition, Field, Not, Record, Span, Test

_PARTS = {"año": (0, 4), "mes": (5, 7), "día": (8, 10)}


@dataclass(frozen=True, slots=True)
class World:
    """What a row may refer to: the cut date, and the control record and file name as `control.field`, `name.part`."""

    cut: date
    singles: Mapping[str, str] = field(default_factory=dict)

    def of(self, reference: str, row: Mapping[str, str]) -> str:
        """The value of a reference; `:mes` takes part of a date."""
        name, _, part = reference.partition(":")
        value = self.singles.get(name, "") if "." in name else row[name]
        low, high = _PARTS.get(part, (0, None))
        return value[low:high].lstrip("0") if part else value


def holds(condition: Condition | None, row: Mapping[str, str], record: Record, world: World) -> bool:
    """Whether every clause holds."""
    return all(
        meets(clause, world.of(name, row), record.by_name.get(name), world.cut)
        for name, clause in (condition or {}).items()
    )


def meets(clause: Clause, value: str, of: Field | None, cut: date) -> bool:
    """Whether a value satisfies a clause."""
    if isinstance(clause, Not):
        return value not in clause.values
    if not isinstance(clause, Test):
        return value in clause
    codes = value.split((of.list if of else None) or ",")
    parts = [
        not clause.has or any(code in codes for code in clause.has),
        not any(code in codes for code in clause.lacks),
        clause.number is None or clause.number.contains(value),
        clause.real is None or real(value, of) is clause.real,
        clause.filled is None or bool(value) is clause.filled,
    ]
    if clause.age:
        unit, span = clause.age
        parts.append(aged(value, cut, unit, span))
    return all(parts)


def real(value: str, of: Field | None, absent: tuple[str, ...] = ()) -> bool:
    """Whether a value is neither empty, nor a wildcard, nor stands for nothing."""
    return value not in {"", *((of.sentinels or ()) if of else ()), *absent}


def aged(value: str, cut: date, unit: str, span: Span) -> bool:
    """Whether a date of birth gives an age within limits at the cut date."""
    try:
        born = date.fromisoformat(value)
    except ValueError:
        return False
    months = (cut.year - born.year) * 12 + cut.month - born.month - (cut.day < born.day)
    return span.contains(str({"days": (cut - born).days, "months": months, "years": months // 12}[unit]))


def due(of: Field, row: Mapping[str, str], record: Record, world: World) -> bool | None:
    """Whether a field must be filled; None when it may."""
    if of.reserved or (of.empty_if and holds(of.empty_if, row, record, world)):
        return False
    if of.only_if:
        return holds(of.only_if, row, record, world)
    if of.required_if:
        return True if holds(of.required_if, row, record, world) else None
    return True if of.required else None
