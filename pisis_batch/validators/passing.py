"""Which lines of a small file a `[[check]]` of single lines may object to, told in plain Python: sound, not complete.

What is told here to pass does pass; whatever is not plain enough to be sure of is left to the rules. So a rule sees
the few lines that are left, or none. `tests/test_sifting.py` holds the two to the same findings.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from pisis_batch.layouts import Clause, Condition, Field, Not, Span, Test
from pisis_batch.layouts.relation import (
    Bands,
    Computed,
    Derived,
    Distinct,
    EqualSums,
    OneOf,
    Order,
    Parent,
    RowChecked,
    Sum,
    Together,
    Value,
)
from pisis_batch.layouts.shorthand import pieces
from pisis_batch.model import Batch, Row

if TYPE_CHECKING:
    from pisis_batch.validators.escena import Scene

_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTS = {"año": slice(0, 4), "mes": slice(5, 7), "día": slice(8, 10)}
_APART = 0.004  # less than what a product may differ by
_MONTHS = 12

Cells = Mapping[str, str]
Kind = TypeVar("Kind", bound=RowChecked)


class _Known:
    """What was found of the texts of a record's lines: many lines say the same, and many checks ask the same of it."""

    def __init__(self, scene: "Scene") -> None:
        self.met: dict[tuple[int, str, str], bool | None] = {}
        self.ordered: dict[tuple[int, str, str, str, str], bool] = {}
        try:
            self.cut: date | None = date.fromisoformat(scene.cut_text or "")
        except ValueError:
            self.cut = None


class Sight:
    """A line's cells and the single values of its file, by reference, as `escena.Scene` has them in columns."""

    def __init__(self, scene: "Scene", cells: Cells, known: _Known) -> None:
        self.scene, self.cells, self.known = scene, cells, known

    def text(self, reference: str) -> str | None:
        """What a reference says here; None when it cannot be told."""
        if reference in self.cells:
            return self.cells[reference]
        name, _, part = reference.partition(":")
        said: str | None = self.scene.single(name) if "." in name else self.cells[name]
        return said[_PARTS[part]].lstrip("0") if part and said is not None else said

    def met(self, clause: Clause, reference: str) -> bool | None:
        """Whether a clause holds of what a reference says; None when that is not plain."""
        text = self.text(reference)
        if text is None:
            return None
        key = id(clause), reference, text
        if key not in self.known.met:
            self.known.met[key] = self._met(clause, text, self.scene.field(reference))
        return self.known.met[key]

    def _met(self, clause: Clause, text: str, field: Field | None) -> bool | None:
        if isinstance(clause, Not):
            return text not in clause.values
        if not isinstance(clause, Test):
            return text in clause
        told = list(self._tests(clause, text, field))
        return False if False in told else None if None in told else True

    def _tests(self, clause: Test, text: str, field: Field | None) -> Iterator[bool | None]:
        sign = (field.list if field else None) or ","
        listed = f"{sign}{text}{sign}"
        if clause.has:
            yield any(f"{sign}{code}{sign}" in listed for code in clause.has)
        if clause.lacks:
            yield not any(f"{sign}{code}{sign}" in listed for code in clause.lacks)
        if clause.number:
            form = _DAY if clause.number.dated else _PLAIN
            yield clause.number.contains(text) if form.fullmatch(text) else None
        if clause.real is not None:
            yield real(text, field) == clause.real
        if clause.filled is not None:
            yield (text != "") == clause.filled
        if clause.age:
            yield self._aged(text, *clause.age)

    def _aged(self, text: str, unit: str, span: Span) -> bool | None:
        cut = self.known.cut
        try:
            born = date.fromisoformat(text)
        except ValueError:
            return None
        if cut is None:
            return None
        months = (cut.year - born.year) * _MONTHS + cut.month - born.month - (cut.day < born.day)
        return span.contains(str({"days": (cut - born).days, "months": months}.get(unit, months // _MONTHS)))

    def fails(self, clause: Clause, name: str) -> bool:
        """Whether a clause of a condition surely does not hold here, whatever the governing cell's own condition says."""
        if self.met(clause, name) is not False:
            return False
        return not (isinstance(clause, Test) and self.text(name) == "" and False in {clause.filled, clause.real})

    def amounts(self, names: Sequence[str]) -> list[Decimal] | None:
        """Cells as numbers; None when one is not plainly a number."""
        texts = [self.cells[name] for name in names]
        return [Decimal(text) for text in texts] if all(map(_PLAIN.fullmatch, texts)) else None


def real(text: str, field: Field | None, absent: Sequence[str] = ()) -> bool:
    """Whether a cell holds a value that is neither empty, nor a wildcard of its field, nor stands for nothing."""
    return text not in {"", *((field.sentinels or ()) if field else ()), *absent}


def _value(check: Value, sight: Sight) -> bool:
    return all(
        sight.met(clause, name) is True
        or (not isinstance(clause, Test) and sight.cells[name] == "" and sight.scene.record.by_name[name].required)
        for name, clause in check.then.items()
    )


def _order(check: Order, sight: Sight) -> bool:
    return all(_ordered(check, sight, low, high) for low in check.low for high in check.high)


def _ordered(check: Order, sight: Sight, low: str, high: str) -> bool:
    first, last = sight.text(low), sight.text(high)
    if first is None or last is None:
        return False
    key, known = (id(check), low, high, first, last), sight.known.ordered
    if key not in known:
        known[key] = _in_order(check, (first, last), (sight.scene.field(low), sight.scene.field(high)))
    return known[key]


def _in_order(check: Order, texts: tuple[str, str], fields: tuple[Field | None, Field | None]) -> bool:
    first, last = texts
    if not all(real(text, field) for text, field in ((first, fields[0]), (last, fields[1]))):
        return True
    dated = any(field is not None and field.type == "F" for field in fields)
    if not all(map((_DAY if dated else _PLAIN).fullmatch, (first, last))):
        return False
    left: Any = first if dated else Decimal(first)
    right: Any = last if dated else Decimal(last)
    return bool(left < right or (left == right and not check.strict))


def _computed(check: Computed, sight: Sight) -> bool:
    parts = check.times or (*check.plus, *check.minus)
    if "" in {sight.cells[name] for name in (check.field, *parts)}:
        return True
    said, given = sight.amounts([check.field]), sight.amounts(parts)
    if said is None or given is None:
        return False
    if not check.times:
        return said[0] == sum(given[: len(check.plus)]) - sum(given[len(check.plus) :])
    product = 1.0
    for one in given:
        product *= float(one)
    return abs(float(said[0]) - product) < _APART


def _sums(check: EqualSums, sight: Sight) -> bool:
    left, right = sight.amounts(check.left), sight.amounts(check.right)
    return left is not None and right is not None and sum(left) == sum(right)


def _reals(check: OneOf | Together, sight: Sight) -> list[bool]:
    return [real(sight.cells[name], sight.scene.record.by_name[name], check.absent) for name in check.fields]


def _bands(check: Bands, sight: Sight) -> bool:
    measures = {sight.cells[name] for limits in check.bands.values() for name in limits}
    if not all(text == "" or _PLAIN.fullmatch(text) for text in measures):
        return False
    for name, limits in check.bands.items():
        if any(span.dated for span in limits.values()):
            return False
        if any(span.contains(sight.cells[measure]) for measure, span in limits.items()):
            return sight.cells[check.field] == name
    return True


def _derived(check: Derived, sight: Sight) -> bool:
    cell, form = sight.cells[check.field], ""
    for kind, text in pieces(check.template):
        said = sight.cells[text] if kind == "field" else text
        form += re.escape(said) if kind in {"field", "text"} else f"[0-9]{{{len(text)}}}"
    return cell == "" or re.fullmatch(form, cell) is not None


_PASSES: Mapping[type[RowChecked], Callable[[Any, Sight], bool]] = {
    Value: _value,
    Order: _order,
    Computed: _computed,
    EqualSums: _sums,
    OneOf: lambda check, sight: any(_reals(check, sight)),
    Together: lambda check, sight: len(set(_reals(check, sight))) == 1,
    Bands: _bands,
    Derived: _derived,
}


def doubtful(rows: Sequence[Row], checks: Sequence[Kind], scene: "Scene") -> tuple[list[Row], list[Kind]]:
    """The rows that any of these checks of a record may object to, and those checks."""
    places, known = scene.record.places, _Known(scene)
    sights = [Sight(scene, dict(zip(places, row, strict=True)), known) for row in rows]
    left: set[int] = set()
    asked: list[Kind] = []
    for check in checks:
        passes = _PASSES.get(type(check))
        found = [n for n in _looked_at(check.when, sights) if passes is None or not passes(check, sights[n])]
        if found:
            left.update(found)
            asked.append(check)
    return [rows[n] for n in sorted(left)], asked


def _looked_at(condition: Condition | None, sights: Sequence[Sight]) -> Sequence[int]:
    """The lines that a check may look at; what a clause says of a text is found once for all lines that have it."""
    lines: Sequence[int] = range(len(sights))
    for name, clause in (condition or {}).items():
        texts = [sights[n].text(name) for n in lines]
        fails = {text: sights[n].fails(clause, name) for text, n in dict(zip(texts, lines, strict=True)).items()}
        lines = [n for n, text in zip(lines, texts, strict=True) if not fails[text]]
    return lines


def held(batch: Batch, check: Parent | Distinct | Sum) -> bool:
    """Whether a check of lines against lines surely holds of a small file."""
    if batch.plain is None:
        return False
    if isinstance(check, Parent):
        known = set(batch.picked(check.of, list(check.pairs.values())))
        return known.issuperset(batch.picked(check.on, list(check.pairs)))
    owner, name = check.field.split(".")
    said = (batch.head(owner) or {}).get(name, "")
    if isinstance(check, Distinct):
        record, names = check.of[0].split(".")[0], [one.split(".")[1] for one in check.of]
        return _PLAIN.fullmatch(said) is not None and Decimal(said) == len(set(batch.picked(record, names)))
    record, column = check.of.split(".")
    cells = [said, *batch.picked(record, [column])]
    return all(map(_PLAIN.fullmatch, cells)) and Decimal(said) == sum(map(Decimal, cells[1:]))
