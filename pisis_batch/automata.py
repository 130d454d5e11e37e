r"""From the accepting expressions of cells to one table that reads a byte at a time: state and class of byte -> state.

    "[A-Z]{1,3}|0" -> states 0 (refused), 1 (nothing read), 2, 3, 4 (letters read), 5 (a zero); 2 to 5 accept

An expression becomes the set of its character positions and what may follow each (Glushkov), and these sets become
states. What a field accepts depends on the case its line is in, so that a state says in which cases it accepts, as
bits. `scanning` walks the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from re import _constants as said  # the library's own reading of expressions: it has no public name
from re import _parser
from typing import Any

EVERY = 2**64 - 1  # all cases
_MOST_STATES = 30_000  # of a layout: more would not stay near the processor

#: One field: expressions, and the cases in which each accepts its cell, as bits.
Alternatives = Mapping[str, int]


class TooLargeError(Exception):
    """Expressions that need more states than are worth having."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a stretch of an expression: whether it may be empty, and the positions it may begin and end with, as bits."""

    empty: bool
    first: int
    last: int


@dataclass(slots=True)
class _Positions:
    """The character positions of an expression: the bytes each takes, and the positions after it, as bits."""

    letters: Mapping[int, int]  # the byte of each character, as one of 256 bits
    known: dict[object, int] = field(default_factory=dict)  # sets of characters read before
    bytes_: list[int] = field(default_factory=list)  # 256 bits each
    after: list[int] = field(default_factory=list)

    def single(self, allowed: int) -> _Part:
        self.bytes_.append(allowed)
        self.after.append(0)
        bit = 1 << (len(self.after) - 1)
        return _Part(empty=False, first=bit, last=bit)

    def sequence(self, parts: Iterable[_Part]) -> _Part:
        whole = _Part(empty=True, first=0, last=0)
        for part in parts:
            for position in _ones(whole.last):
                self.after[position] |= part.first
            whole = _Part(
                whole.empty and part.empty,
                whole.first | part.first if whole.empty else whole.first,
                part.last | (whole.last if part.empty else 0),
            )
        return whole

    def of(self, tree: Any) -> _Part:
        return self.sequence(self._item(kind, what) for kind, what in tree)

    def _item(self, kind: Any, what: Any) -> _Part:
        if kind is said.LITERAL:
            return self.single(self._byte(what))
        if kind is said.IN:
            return self.single(self._among(what))
        if kind is said.SUBPATTERN:
            return self.of(what[-1])
        if kind is said.BRANCH:
            return _either([self.of(branch) for branch in what[1]])
        if kind is said.MAX_REPEAT and what[1] is not said.MAXREPEAT:
            return self._repeated(*what)
        raise ValueError(f"{kind} is not read here")

    def _repeated(self, least: int, most: int, inner: Any) -> _Part:
        """So many copies, each after the least one only where the one before it is there."""
        whole = _Part(empty=True, first=0, last=0)
        for number in range(most, 0, -1):
            joined = self.sequence([self.of(inner), whole])
            whole = joined if number <= least else _Part(empty=True, first=joined.first, last=joined.last)
        return whole

    def _byte(self, code: int) -> int:
        """The byte of a character, as one of 256 bits; none when it has not just one."""
        return self.letters.get(code, 0)

    def _among(self, items: Any) -> int:
        key = tuple(items)
        if key not in self.known:
            self.known[key] = reduce(or_, (self._span(kind, what) for kind, what in items), 0)
        return self.known[key]

    def _span(self, kind: Any, what: Any) -> int:
        if kind not in {said.LITERAL, said.RANGE}:
            raise ValueError(f"{kind} is not read here")
        first, last = what if kind is said.RANGE else (what, what)
        return reduce(or_, (self._byte(code) for code in range(first, last + 1)), 0)


def _either(parts: Sequence[_Part]) -> _Part:
    first = last = 0
    for part in parts:
        first, last = first | part.first, last | part.last
    return _Part(any(part.empty for part in parts), first, last)


def _ones(bits: int) -> Iterable[int]:
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


@dataclass(slots=True)
class Cells:
    """The automata of some fields, side by side: in which cases each state accepts, and where each field begins.

    `bytes_` tells the bytes apart: two of one class lead everywhere to the same state. State 0 refuses.
    """

    classes: list[int]
    steps: list[list[int]]
    accepts: list[int]
    starts: list[int]


def cells(fields: Sequence[Alternatives], encoding: str) -> Cells:
    """One automaton a field, those of equal fields made once. `encoding`: one byte a character.

    Raises TooLargeError.
    """
    whole = bytes(range(256)).decode(encoding, "replace")
    letters = {ord(letter): 1 << byte for byte, letter in enumerate(whole) if letter != "\ufffd"}
    read: dict[tuple[tuple[str, int], ...], tuple[_Positions, list[tuple[_Part, int]]]] = {}
    for one in fields:
        key = tuple(one.items())
        if key not in read:
            positions = _Positions(letters)
            read[key] = positions, [(positions.of(_parser.parse(pattern)), cases) for pattern, cases in one.items()]
    masks = {mask for positions, _ in read.values() for mask in positions.bytes_}
    classes, samples = _classes(masks)
    found = Cells(classes, [[0] * len(samples)], [0], [])
    begins = {key: _states(found, positions, parts, samples) for key, (positions, parts) in read.items()}
    found.starts.extend(begins[tuple(one.items())] for one in fields)
    return found


def _classes(masks: set[int]) -> tuple[list[int], list[int]]:
    """The class of each byte, and a byte of each class."""
    ordered = sorted(masks)
    numbers: dict[tuple[int, ...], int] = {}
    classes: list[int] = []
    samples: list[int] = []
    for byte in range(256):
        own = tuple(mask >> byte & 1 for mask in ordered)
        if own not in numbers:
            numbers[own] = len(samples)
            samples.append(byte)
        classes.append(numbers[own])
    return classes, samples


def _states(found: Cells, positions: _Positions, parts: Sequence[tuple[_Part, int]], samples: Sequence[int]) -> int:
    """Put the states of one field behind those found; which is its first.

    A state is what may come next and in which cases the cell may end here.
    """
    takes = [sum(1 << place for place, mask in enumerate(positions.bytes_) if mask >> byte & 1) for byte in samples]
    reached: dict[int, int] = {0: 0}  # the state after some positions
    numbers: dict[tuple[int, int], int] = {}

    def numbered(after: int, accepts: int) -> int:
        state = numbers.setdefault((after, accepts), len(found.accepts))
        if state == len(found.accepts):
            if state >= _MOST_STATES:
                raise TooLargeError
            found.accepts.append(accepts)
            waiting.append(after)
        return state

    def stepped(ended: int) -> int:
        after = reduce(or_, (positions.after[place] for place in _ones(ended)), 0)
        return numbered(after, reduce(or_, (cases for part, cases in parts if part.last & ended), 0))

    waiting: list[int] = []
    begin = reduce(or_, (part.first for part, _ in parts), 0)
    start = numbered(begin, reduce(or_, (cases for part, cases in parts if part.empty), 0))
    for after in waiting:
        row = []
        for taken in takes:
            ended = after & taken
            if ended not in reached:
                reached[ended] = stepped(ended)
            row.append(reached[ended])
        found.steps.append(row)
    return start
