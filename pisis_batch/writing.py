"""Batch to bytes, and valid samples of any annex: the counterpart of `reading`, drawn from the layout alone."""

import random
from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from pisis_batch.layouts import CATALOGS, Condition, Field, Layout, Not, Record

_NAMES = ("ANA", "LUISA", "PEDRO", "JUAN", "MARIA", "ROSA", "EVA", "LUZ", "PEÑA", "RUIZ", "GOMEZ", "DIAZ")
_WORDS = ("MEDICO GENERAL", "ENFERMERA", "AUXILIAR", "ODONTOLOGA", "CONDUCTOR")
_FIRST_NUMBER = 1_090_000_000  # the range of fictitious identification numbers
_TRIES = 200


def write(layout: Layout, records: Mapping[str, pl.DataFrame]) -> bytes:
    """A file of these records, grouped in the layout's order: cp1252, CRLF after each line but the last."""
    lines: list[str] = []
    for record in layout.records:
        frame = records.get(record.name)
        if frame is None or frame.is_empty():
            continue
        joined = frame.select(pl.concat_str([field.name for field in record.fields], separator=layout.separator))
        lines += joined.to_series().to_list()
    return "\r\n".join(lines).encode("cp1252")


def sample(layout: Layout, rows: int = 5, *, cut: date, seed: int = 0) -> tuple[str, bytes]:
    """A file name and content with `rows` lines of each detail record, right in structure. Values are fictitious."""
    chance = random.Random(seed)  # noqa: S311 repeatable, not secret
    made: dict[str, list[dict[str, str]]] = {}
    for record in layout.details:
        made[record.name] = _rows(record, 1 if record.occurs in {"1", "0..1"} else rows, made, chance)
    _number(layout, made)
    control = _row(layout.control, chance) | {layout.cut_date: cut.isoformat()}
    if layout.total:
        control[layout.total.field.split(".")[1]] = str(sum(len(made[name]) for name in layout.total.over))
    _entity(layout, control)
    for field in layout.control.fields:
        if field.condition and not _holds(field.condition, control):
            control[field.name] = ""
    frames = {name: pl.DataFrame(listed) for name, listed in made.items()}
    frames[layout.control.name] = pl.DataFrame([control])
    return layout.file_name.write(control), write(layout, frames)


def _entity(layout: Layout, control: dict[str, str]) -> None:
    """The entity of every sample: NIT 900123456."""
    said = {layout.entity.type: "NI", layout.entity.number: "900123456", layout.entity.name: "ENTIDAD FICTICIA"}
    control |= {name: value for name, value in said.items() if name in layout.control.by_name}


def _number(layout: Layout, made: dict[str, list[dict[str, str]]]) -> None:
    if layout.sequence:
        place = 0
        for name in layout.sequence.over:
            for row in made[name]:
                place += 1
                row[layout.sequence.field] = str(place)


def _rows(
    record: Record, many: int, made: Mapping[str, list[dict[str, str]]], chance: random.Random
) -> list[dict[str, str]]:
    """Rows with distinct keys; whoever an earlier record names is named again where the fields are the same."""
    found: list[dict[str, str]] = []
    keys: set[tuple[str, ...]] = set()
    earlier = [row for listed in made.values() for row in listed if row.get("accion", "V") == "V"]
    people = [field.name for field in record.fields if field.datum == "id" or field.name == "tipo_id"]
    for _ in range(many * _TRIES):
        if len(found) == many:
            break
        row = _row(record, chance)
        if earlier and people:
            whom = chance.choice(earlier)
            row |= {name: whom[name] for name in people if name in whom}
        key = tuple(row[name] for name in record.unique)
        if not record.unique or key not in keys:
            keys.add(key)
            found.append(row)
    return found


def _row(record: Record, chance: random.Random) -> dict[str, str]:
    row: dict[str, str] = {}
    for field in record.fields:
        needed = _holds(field.condition, row) if field.condition else field.required or chance.random() < 0.5  # noqa: PLR2004 half of them
        row[field.name] = _value(field, chance) if needed else ""
    return row


def _holds(condition: Condition, row: Mapping[str, str]) -> bool:
    return all(
        row[name] not in clause.values if isinstance(clause, Not) else row[name] in clause
        for name, clause in condition.items()
    )


def _value(field: Field, chance: random.Random) -> str:
    """A value the field accepts."""
    if field.allowed is not None:
        return chance.choice(field.allowed)
    catalog = CATALOGS.get(field.catalog or "")
    if catalog and not catalog.registry:
        # citizens' cards only, where there are any: their numbers are easy to make up
        return "CC" if "CC" in catalog.codes else chance.choice(list(catalog.codes))
    if field.format == "correo":
        return f"USUARIO{chance.randrange(10**6)}@ENTIDAD.EXAMPLE"
    if field.format == "nombre":
        return chance.choice(_NAMES)
    if field.datum == "id":
        return str(_FIRST_NUMBER + chance.randrange(9_999_999))
    return _typed(field, chance)


def _typed(field: Field, chance: random.Random) -> str:
    longest = min(field.max or 10, 10)
    if field.type == "F":
        return (date(2030, 1, 1) + timedelta(days=chance.randrange(365))).isoformat()
    if field.type == "D":
        places = field.decimals or 0
        return f"{chance.randrange(1, 10**4)}" + (f".{chance.randrange(10**places):0{places}}" if places else "")
    if field.type == "N":
        low = 10 ** (max(field.min or 1, 1) - 1)
        return str(chance.randrange(low, max(10**longest, low + 1)))
    if field.type == "A":
        return "".join(chance.choice("ABCDEFGH123456789") for _ in range(max(field.min or 1, min(longest, 3))))
    words = chance.choice(_WORDS)
    return words[: field.max or len(words)].strip()
