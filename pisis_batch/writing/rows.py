"""Rows of a record: drawn field by field, mended, with keys of their own and parents that exist."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from stdnum.co import nit

from pisis_batch.layouts import Condition, Field, Layout, Record
from pisis_batch.layouts.relation import Derived, Parent, RowChecked, Unique
from pisis_batch.layouts.shorthand import pieces
from pisis_batch.writing.decided import World, due, holds, meets
from pisis_batch.writing.mending import Bench, concerns, mended
from pisis_batch.writing.values import value

Row = dict[str, str]
_TRIES = 200
_POOL = 120  # different rows of a record; more rows repeat these under keys of their own
_OPTIONAL = 0.5
_STOPPED = 0.1
_OLDEST = 90  # years


@dataclass(slots=True)
class Workshop:
    """What is made so far, and what identifies it."""

    layout: Layout
    world: World
    chance: random.Random
    made: dict[str, list[Row]] = field(default_factory=dict)
    counters: dict[tuple[str, str], int] = field(default_factory=dict)
    named: dict[str, list[Row]] = field(default_factory=dict)

    def parents(self, check: Parent) -> list[Row]:
        """The lines that a child may name."""
        known = self.named.get(check.of)
        if known is None:
            made = self.made.get(check.of, [])
            known = self.named[check.of] = [one for one in made if all(one[key] for key in check.pairs.values())]
        return known

    def bench(self, record: Record) -> Bench:
        """The tools for one record's rows."""
        checks = tuple(
            check
            for check in self.layout.check
            if isinstance(check, RowChecked) and check.on == record.name and not check.off
        )
        return Bench(record, checks, self.world, self.chance)


def rows(record: Record, many: int, shop: Workshop) -> list[Row]:
    """Rows with distinct keys; whoever an earlier record names is named again where the fields are the same."""
    bench, found, seen = shop.bench(record), list[Row](), set[tuple[str, ...]]()
    keys = [record.unique, *(check.fields for check in bench.checks if isinstance(check, Unique))]
    births = _births(record, shop.layout)
    free = concerns(bench).isdisjoint(name for key in keys for name in key)
    for _ in range(many * _TRIES):
        if len(found) == many:
            break
        fresh = len(found) < _POOL
        row = _fresh(bench, births) if fresh else _rekeyed(dict(shop.chance.choice(found[:_POOL])), bench, keys)
        if not _belongs(row, bench, shop) or not ((free and not fresh) or mended(row, bench)):
            continue
        before = _derived(row, bench, shop)
        told = [(name, *(row[part] for part in key)) for name, key in zip("abcdefgh", keys, strict=False) if key]
        if any(key in seen for key in told):
            shop.counters.update(before)
            continue
        seen.update(told)
        found.append(row)
    return found


def _fresh(bench: Bench, births: set[str]) -> Row:
    """A row drawn field by field; a condition may look ahead, so what it governs is settled by mending."""
    row: Row = dict.fromkeys(bench.record.by_name, "")
    acting = bench.record.action
    for one in bench.record.fields:
        if one.name in births:
            row[one.name] = _birth(bench)
        elif one.same_as is not None:
            row[one.name] = bench.world.singles.get(one.same_as, "")
        elif acting and one.name == acting.field and acting.insert:
            # a sample stands alone: nothing is stored that it could update or annul
            rests = acting.none is not None and bench.chance.random() < _STOPPED
            row[one.name] = (acting.none if rests else acting.insert) or ""
            continue
        elif one.check_digit_of is not None:
            row[one.name] = nit.calc_check_digit(row[one.check_digit_of])
        else:
            wanted = due(one, row, bench.record, bench.world)
            kept = bench.record.stop is not None and one.name in bench.record.stop.keep
            if wanted or (wanted is None and not kept and bench.chance.random() < _OPTIONAL):
                row[one.name] = value(one, bench.chance, bench.world.cut, row)
        stop = bench.record.stop
        if stop and one.name in stop.when and bench.chance.random() > _STOPPED:
            row[one.name] = _going_on(one, stop.when, row, bench)
    return row


def _going_on(one: Field, when: Condition, row: Row, bench: Bench) -> str:
    """A value with which the line does not stop: most lines go on to their end."""
    drawn = (value(one, bench.chance, bench.world.cut, row) for _ in range(_TRIES))
    return next((told for told in drawn if not meets(when[one.name], told, one, bench.world.cut)), row[one.name])


def _births(record: Record, layout: Layout) -> set[str]:
    """Fields that some condition takes an age from, and those that are born by name."""
    found = {name for name in record.by_name if "nacimiento" in name and record.by_name[name].type == "F"}
    for check in layout.check:
        if isinstance(check, RowChecked) and check.on == record.name:
            found |= {name for name, clause in (check.when or {}).items() if getattr(clause, "age", None)}
    return found


def _birth(bench: Bench) -> str:
    """Any age; months and days count as much as years, so that every limit is met by somebody."""
    days = bench.chance.choice([35, 250, 2_000, 6_000, _OLDEST * 365])
    return (bench.world.cut - timedelta(days=bench.chance.randrange(_recent(), days))).isoformat()


def _recent() -> int:
    """Newborns are older than the oldest of a sample's dates, so that what happened to them came after."""
    return 26


def _belongs(row: Row, bench: Bench, shop: Workshop) -> bool:
    """Name a line of the parent record that is there; False when there is none to name."""
    for check in bench.checks:
        if isinstance(check, Parent) and holds(check.when, row, bench.record, bench.world):
            parents = shop.parents(check)
            if not parents:
                if check.severity == "error":
                    return False
                continue
            whom = bench.chance.choice(parents)
            row |= {name: whom[key] for name, key in check.pairs.items()}
    people = [name for name in bench.record.by_name if name in {"tipo_id", "num_id"}]
    earlier = [one for made in shop.made.values() for one in made if one.get("accion", "V") == "V"] if people else []
    if earlier:
        whom = bench.chance.choice(earlier)
        row |= {name: whom[name] for name in people if name in whom}
    return True


def _rekeyed(row: Row, bench: Bench, keys: Sequence[Sequence[str]]) -> Row:
    """The same row under another key: what is open in it is drawn anew."""
    made = {
        check.field
        for check in bench.checks
        if isinstance(check, Derived) and holds(check.when, row, bench.record, bench.world)
    }
    for name in {name for key in keys for name in key} - made:
        one = bench.field(name)
        closed = one.allowed is not None or one.list is not None or one.same_as is not None
        if row[name] and not closed and row[name] not in (one.sentinels or ()):
            row[name] = value(one, bench.chance, bench.world.cut, row)
    return row


def _derived(row: Row, bench: Bench, shop: Workshop) -> dict[tuple[str, str], int]:
    """Write the identifiers that other fields make up; what they leave open counts on within what stands before it.

    Returns the counters as they were, for a row that is not kept.
    """
    before: dict[tuple[str, str], int] = {}
    for check in bench.checks:
        if not isinstance(check, Derived) or not holds(check.when, row, bench.record, bench.world):
            continue
        if due(bench.field(check.field), row, bench.record, bench.world) is False:
            continue
        told = ""
        for kind, text in pieces(check.template):
            if kind == "digits":
                place = (check.field, told)
                before.setdefault(place, shop.counters.get(place, 0))
                shop.counters[place] = shop.counters.get(place, 0) + 1
                told += str(shop.counters[place]).zfill(len(text))
            else:
                told += row[text] if kind == "field" else text
        row[check.field] = told
    return before


def singles(layout: Layout, control: Mapping[str, str], parts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What rows may refer to."""
    yield from ((f"{layout.control.name}.{name}", told) for name, told in control.items())
    named = {name: control.get(name, parts.get(name, "")) for name in layout.file_name.fields}
    yield from ((f"name.{name}", told) for name, told in named.items())
    yield "name", layout.file_name.write(named)


def first_of_month(cut: date) -> str:
    """Where a sample's period begins: in the month of its cut, so that a month asked for lies inside."""
    return cut.replace(day=1).isoformat()
