"""Batch to bytes, and valid samples of any annex: the counterpart of `reading`, drawn from the layout alone."""

import random
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_DOWN, Decimal

import polars as pl

from pisis_batch.layouts import Layout
from pisis_batch.layouts.relation import Children, Count, Distinct, Limit, Sorted, Sum
from pisis_batch.writing.decided import World, due, holds
from pisis_batch.writing.mending import mended, number
from pisis_batch.writing.patterns import drawn
from pisis_batch.writing.rows import Row, Workshop, first_of_month, rows, singles
from pisis_batch.writing.values import neighbours, value

#: What stands between two lines.
END = b"\r\n"
_TRIES = 20

__all__ = ["END", "neighbours", "sample", "sampled", "value", "write"]


def write(layout: Layout, records: Mapping[str, pl.DataFrame]) -> bytes:
    """A file of these records, grouped in the layout's order: CRLF after each line but the last."""
    lines: list[str] = []
    for record in layout.records:
        frame = records.get(record.name)
        if frame is None or frame.is_empty():
            continue
        joined = frame.select(pl.concat_str([field.name for field in record.fields], separator=layout.separator))
        lines += joined.to_series().to_list()
    return END.decode().join(lines).encode(layout.encoding)


def sample(layout: Layout, rows: int = 5, *, cut: date, seed: int = 0) -> tuple[str, bytes]:
    """A file name and content with `rows` lines of each detail record, right in structure. Values are fictitious."""
    name, made = sampled(layout, rows, cut=cut, seed=seed)
    frames = {
        record.name: pl.DataFrame(made[record.name], schema=dict.fromkeys(record.by_name, pl.String))
        for record in layout.records
    }
    return name, write(layout, frames)


def sampled(layout: Layout, many: int, *, cut: date, seed: int = 0) -> tuple[str, dict[str, list[Row]]]:
    """The same as rows by record, to be changed before they are written."""
    chance = random.Random(seed)  # noqa: S311 repeatable, not secret
    parts = {name: _part(layout, name, cut, chance) for name in layout.file_name.fields}
    control = _control(layout, cut, chance, parts)
    world = World(cut, dict(singles(layout, control, parts)))
    for _ in range(_TRIES):  # the only owner of a record that must occur may be one that has none
        shop = Workshop(layout, world, chance)
        for record in layout.details:
            shop.made[record.name] = rows(record, 1 if record.occurs in {"1", "0..1"} else many, shop)
        if all(shop.made[record.name] for record in layout.details if record.occurs.startswith("1")):
            break
    _limited(layout, shop)
    _arranged(layout, shop)
    _totals(layout, shop, control)
    name = layout.file_name.write({**parts, **control})
    return name, {layout.control.name: [control], **shop.made}


def _part(layout: Layout, name: str, cut: date, chance: random.Random) -> str:
    """A part of the name that the control may not have."""
    piece, told = layout.file_name.piece(name), layout.name_parts.get(name)
    if piece.text == "AAAAMMDD":
        return cut.isoformat()
    fixed = {layout.entity.type: "NI", layout.entity.number: "900123456"}
    if name in fixed:
        return fixed[name]
    if told and told.values:
        return chance.choice(list(told.values))
    if piece.padded and "X" not in piece.text:
        return str(chance.randrange(1, 10**piece.width))
    return drawn(f"[A-Z0-9]{{{piece.width}}}" if "X" in piece.text else f"[A-Z]{{{piece.width}}}", chance)


def _control(layout: Layout, cut: date, chance: random.Random, parts: Mapping[str, str]) -> Row:
    """The control record; what it counts is written last."""
    record = layout.control
    said = {name: told for name, told in parts.items() if name in record.by_name}
    said |= {layout.cut_date: cut.isoformat(), layout.entity.type: "NI", layout.entity.number: "900123456"}
    said |= {layout.entity.name or "": "ENTIDAD FICTICIA"}
    row: Row = dict.fromkeys(record.by_name, "")
    world = World(cut, {f"name.{name}": told for name, told in parts.items()})
    for field in record.fields:
        if field.name in said:
            row[field.name] = said[field.name]
        elif field.type == "F" and field.constant is None:
            row[field.name] = first_of_month(cut)
        elif due(field, row, record, world) is not False:
            row[field.name] = value(field, chance, cut, row)
    whole = {**parts, **row}
    for field in record.fields:
        if field.same_as:
            stated = {"name": layout.file_name.write(whole), **{f"name.{n}": told for n, told in parts.items()}}
            row[field.name] = stated.get(field.same_as, row[field.name])
    bench = Workshop(layout, world, chance).bench(record)
    _digits(row, layout)
    mended(row, bench)
    return row


def _digits(row: Row, layout: Layout) -> None:
    from stdnum.co import nit  # noqa: PLC0415 few annexes need it

    for field in layout.control.fields:
        if field.check_digit_of:
            row[field.name] = nit.calc_check_digit(row[field.check_digit_of])


def _limited(layout: Layout, shop: Workshop) -> None:
    """Bring what has a limit under it, in equal shares."""
    for check in layout.check:
        if not isinstance(check, Limit) or check.off:
            continue
        other, column = check.of.split(".")
        record = layout.record[check.on]
        mine = [row for row in shop.made.get(check.on, []) if holds(check.when, row, record, shop.world)]
        for row in mine:
            key = [row[name] for name in check.by]
            allowed = sum(
                (
                    number(one[column]) or Decimal(0)
                    for one in shop.made.get(other, [])
                    if [one[n] for n in check.by] == key
                ),
                Decimal(0),
            )
            share = 1 if check.each else sum(1 for one in mine if [one[n] for n in check.by] == key)
            given = number(row[check.field])
            least = (allowed / share).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
            if given is not None and allowed and given > least:
                row[check.field] = str(least)


def _arranged(layout: Layout, shop: Workshop) -> None:
    """Count children, sort what is sorted, number the lines."""
    for check in layout.check:
        if isinstance(check, Children) and not check.off:
            counted: dict[tuple[str, ...], int] = {}
            for row in shop.made.get(check.of, []):
                key = tuple(row[name] for name in check.pairs.values())
                counted[key] = counted.get(key, 0) + 1
            record = layout.record[check.on]
            for row in shop.made.get(check.on, []):
                if holds(check.when, row, record, shop.world):
                    row[check.field] = str(counted.get(tuple(row[name] for name in check.pairs), 0))
        elif isinstance(check, Sorted) and not check.off:
            shop.made[check.on].sort(key=lambda row, names=check.fields: [row[name] for name in names])  # type: ignore[misc]
    if layout.sequence:
        place = 0
        for name in layout.sequence.over:
            place = 0 if layout.sequence.restart else place
            for row in shop.made[name]:
                place += 1
                row[layout.sequence.field] = str(place)


def _totals(layout: Layout, shop: Workshop, control: Row) -> None:
    """What the control record counts and adds up."""
    counts = [(layout.total.field, layout.total.over)] if layout.total else []
    counts += [(check.field, check.over) for check in layout.check if isinstance(check, Count)]
    for place, over in counts:
        control[place.split(".")[1]] = str(sum(len(shop.made[name]) for name in over))
    for check in layout.check:
        if isinstance(check, Sum):
            record, column = check.of.split(".")
            total = sum((number(row[column]) or Decimal(0) for row in shop.made[record]), Decimal(0))
            control[check.field.split(".")[1]] = str(total)
        elif isinstance(check, Distinct):
            record, names = check.of[0].split(".")[0], [one.split(".")[1] for one in check.of]
            different = {tuple(row[name] for name in names) for row in shop.made[record]}
            control[check.field.split(".")[1]] = str(len(different))
