"""A written row is mended until every relation of its layout holds: one small function a kind.

Each returns whether it had to change something. Mending one relation may break another, so they go round until a whole
round changes nothing; where two pull against each other, chance lets the condition give way instead of the consequence.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from pisis_batch.layouts import Field, Record
from pisis_batch.layouts.relation import (
    Bands,
    Computed,
    EqualSums,
    OneOf,
    Order,
    Parts,
    RowChecked,
    Together,
    Value,
)
from pisis_batch.writing.decided import World, due, holds, meets, real
from pisis_batch.writing.values import satisfying, truly, unreal, value

_ROUNDS = 80
_GIVE_WAY = 0.25

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Bench:
    """What mending a row of a record needs."""

    record: Record
    checks: tuple[RowChecked, ...]
    world: World
    chance: random.Random

    def field(self, name: str) -> Field:
        """A field of the record."""
        return self.record.by_name[name]


def concerns(bench: Bench) -> set[str]:
    """Fields that some relation of a row speaks of: a row in which no other changes need not be mended again."""
    told = [check.written() for check in bench.checks if type(check) in _MENDERS]
    return {name for name in bench.record.by_name if any(f'"{name}"' in one for one in told)}


def mended(row: Row, bench: Bench) -> bool:
    """Change the row until every relation holds; False when it never settles."""
    for _ in range(_ROUNDS):
        changed = [_MENDERS[type(check)](check, row, bench) for check in bench.checks if type(check) in _MENDERS]
        settled = [_filled(row, bench), _governed(row, bench)]
        if not any(settled) and not any(changed):
            return True
    return False


def _filled(row: Row, bench: Bench) -> bool:
    """Empty what must be empty, fill what must be filled."""
    changed = False
    for field in bench.record.fields:
        wanted = due(field, row, bench.record, bench.world)
        if wanted is False and row[field.name]:
            row[field.name], changed = "", True
        elif wanted is True and not row[field.name]:
            made = truly(field, bench.chance, bench.world.cut, row, ())
            row[field.name], changed = made or "", True
    return changed


def _governed(row: Row, bench: Bench) -> bool:
    """Draw again what another field asks a different length or form of."""
    changed = False
    for field in bench.record.fields:
        told = row[field.name]
        for name, cases in (field.length_by or {}).items():
            span = cases.get(row[name])
            if told and span and not span.contains(str(len(told))):
                row[field.name], changed = value(field, bench.chance, bench.world.cut, row), True
        for name, shapes in (field.pattern_by or {}).items():
            shape = shapes.get(row[name])
            if told and shape and not re.fullmatch(shape, told):
                row[field.name], changed = value(field, bench.chance, bench.world.cut, row), True
    return changed


def _applies(check: RowChecked, row: Row, bench: Bench) -> bool:
    return holds(check.when, row, bench.record, bench.world)


def _spared(name: str, row: Row, bench: Bench) -> bool:
    """Whether a cell is rightly empty."""
    return row[name] == "" and due(bench.field(name), row, bench.record, bench.world) is False


def _set(row: Row, name: str, value: str | None) -> bool:
    if value is None or row[name] == value:
        return False
    row[name] = value
    return True


def _value(check: Value, row: Row, bench: Bench) -> bool:
    if not _applies(check, row, bench):
        return False
    cut = bench.world.cut
    wrong = {
        name: clause
        for name, clause in check.then.items()
        if not meets(clause, row[name], bench.field(name), cut) and not _spared(name, row, bench)
    }
    if not wrong:
        return False
    personal = any(getattr(clause, "age", None) for clause in wrong.values()) or bench.chance.random() < _GIVE_WAY
    if personal and check.when and _broken(check, row, bench):
        return True
    for name, clause in wrong.items():
        _set(row, name, satisfying(bench.field(name), clause, bench.chance, cut, row))
    return True


def _broken(check: Value, row: Row, bench: Bench) -> bool:
    """Make the condition fail by another value of one of its own fields."""
    names = [name for name in check.when or {} if name in bench.record.by_name and bench.field(name).constant is None]
    if not names:
        return False
    name = bench.chance.choice(names)
    clause = (check.when or {})[name]
    for _ in range(20):
        made = truly(bench.field(name), bench.chance, bench.world.cut, row, ())
        other = unreal(bench.field(name), bench.chance, ())
        for one in (other, made) if bench.chance.random() < _GIVE_WAY * 2 else (made, other):
            if one is not None and not meets(clause, one, bench.field(name), bench.world.cut):
                return _set(row, name, one)
    return False


def number(text: str) -> Decimal | None:
    """A written number."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _order(check: Order, row: Row, bench: Bench) -> bool:
    if not _applies(check, row, bench):
        return False
    return any([_pair(check, low, high, row, bench) for low in check.low for high in check.high])  # noqa: C419 every one is to be done


def _pair(check: Order, low: str, high: str, row: Row, bench: Bench) -> bool:
    own = bench.record.by_name
    first, last = bench.world.of(low, row), bench.world.of(high, row)
    if not (real(first, own.get(low)) and real(last, own.get(high))):
        return False
    dated = any(name in own and own[name].type == "F" for name in (low, high))
    if dated:
        left, right = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=check.days)
        if left < right or (left == right and not check.strict):
            return False
        return _shifted(check, (low, high), row, bench)
    small, large = number(first), number(last)
    if small is None or large is None or small < large or (small == large and not check.strict):
        return False
    if low in own and high in own:
        row[low], row[high] = row[high], row[low]
        return True
    return _set(row, *((high, first) if high in own else (low, last)))


def _shifted(check: Order, pair: tuple[str, str], row: Row, bench: Bench) -> bool:
    """Move one of two dates to the other, a day apart when they may not be equal."""
    apart = timedelta(days=1 if check.strict else 0)
    first, last = (date.fromisoformat(bench.world.of(name, row)) for name in pair)
    if pair[1] in bench.record.by_name:
        return _set(row, pair[1], (first + apart).isoformat())
    return _set(row, pair[0], (last - apart).isoformat())


def _computed(check: Computed, row: Row, bench: Bench) -> bool:
    terms = [number(row[name]) for name in (*check.plus, *check.minus, *check.times)]
    if not _applies(check, row, bench) or None in terms:
        return False
    if check.times:
        total = Decimal(1)
        for name in check.times:
            total *= Decimal(row[name])
        total = total.quantize(Decimal("0.01"))
    else:
        total = sum((Decimal(row[name]) for name in check.plus), Decimal(0))
        total -= sum((Decimal(row[name]) for name in check.minus), Decimal(0))
    if number(row[check.field]) == total:
        return False
    if total < 0 and not bench.field(check.field).negative:
        return any([_set(row, name, "0") for name in check.minus])  # noqa: C419 every one is to be done
    return _set(row, check.field, str(total))


def _equal(check: EqualSums, row: Row, bench: Bench) -> bool:
    if not _applies(check, row, bench):
        return False
    left = sum((number(row[name]) or Decimal(0) for name in check.left), Decimal(0))
    right = sum((number(row[name]) or Decimal(0) for name in check.right), Decimal(0))
    if left == right:
        return False
    for name in check.right[:-1]:
        row[name] = "0"
    return _set(row, check.right[-1], str(left))


def _one_of(check: OneOf, row: Row, bench: Bench) -> bool:
    names = check.fields
    if not _applies(check, row, bench) or any(real(row[n], bench.field(n), check.absent) for n in names):
        return False
    name = bench.chance.choice(names)
    return _set(row, name, truly(bench.field(name), bench.chance, bench.world.cut, row, check.absent))


def _together(check: Together, row: Row, bench: Bench) -> bool:
    if not _applies(check, row, bench):
        return False
    told = {name: real(row[name], bench.field(name), check.absent) for name in check.fields}
    if len(set(told.values())) == 1 or any(_spared(name, row, bench) for name in check.fields):
        return False
    empties = {name: unreal(bench.field(name), bench.chance, check.absent) for name in check.fields}
    if bench.chance.random() < _GIVE_WAY and None not in empties.values():
        return any([_set(row, name, empties[name]) for name, is_real in told.items() if is_real])  # noqa: C419 every one is to be done
    reals = {n: truly(bench.field(n), bench.chance, bench.world.cut, row, check.absent) for n in check.fields}
    return any([_set(row, name, reals[name]) for name, is_real in told.items() if not is_real])  # noqa: C419 every one is to be done


def _bands(check: Bands, row: Row, bench: Bench) -> bool:
    if not _applies(check, row, bench):
        return False
    for name, limits in check.bands.items():
        if any(span.contains(row[measure]) for measure, span in limits.items()):
            return _set(row, check.field, name)
    return False


def _parts(check: Parts, row: Row, bench: Bench) -> bool:
    field = bench.field(check.field)
    if not _applies(check, row, bench) or not real(row[check.field], field):
        return False
    text = row[check.field].zfill(check.width * check.many)
    parts = [int(text[n * check.width : (n + 1) * check.width] or 0) for n in range(check.many)]
    total = check.total is None or check.total.contains(str(parts[-1]))
    each = check.each is None or all(check.each.contains(str(part)) for part in parts[:-1])
    if len(text) == check.width * check.many and sum(parts[:-1]) == parts[-1] and total and each:
        return False
    small = [bench.chance.randint(0, 3) for _ in range(check.many - 1)]
    return _set(row, check.field, "".join(f"{part:0{check.width}}" for part in (*small, sum(small))))


_MENDERS: dict[type, Callable[..., bool]] = {
    Value: _value,
    Order: _order,
    Computed: _computed,
    EqualSums: _equal,
    OneOf: _one_of,
    Together: _together,
    Bands: _bands,
    Parts: _parts,
}
