r"""A large file in chunks: what must be looked at is kept, the rest is counted, and of it only keys remain.

One walk over the bytes of each chunk says which lines have no fault in any cell. Those are counted; of them only the
consecutive and 64-bit hashes of the unique keys are read. Every other
line is read as `reading` reads it and its cells are judged at once. Then come the lines that only the whole file shows
to be wrong: repeated keys, lines out of order, where the consecutive breaks. The batch that results has few rows and
the figures of all (`model.Figures`), and the rules find in it what they find in the whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date

from pisis_batch import reading
from pisis_batch.chunks import Piece, apart, chunks, taken_apart
from pisis_batch.consecutives import DIGITS
from pisis_batch.cutting import irregular
from pisis_batch.layouts import Field, Layout
from pisis_batch.model import Batch, Brief, Content, Limits
from pisis_batch.sieve import Judge, Sieve

_WORKERS, _TURN = 2, 0.0005  # threads that take chunks apart; seconds


def can_sift(layout: Layout) -> bool:
    """Whether the rules of an annex find the same in a sifted file: none may compare lines but by key and number."""
    repeats = any(one.same_as for record in layout.details for one in record.fields)
    plain = layout.separator == "|" and layout.effect.kind != "registros" and not layout.check and not repeats
    return plain and all(map(_countable, _numbered(layout)))


def _numbered(layout: Layout) -> list[Field]:
    sequence = layout.sequence
    return [layout.record[name].by_name[sequence.field] for name in sequence.over] if sequence else []


def _countable(field_: Field) -> bool:
    """Whether every sound value of a field is a number of one spelling that fits 64 bits."""
    short = field_.type == "N" and field_.max is not None and field_.max <= DIGITS
    return short and field_.required and not (field_.leading_zeros or field_.condition or field_.empty_if)


def sift(
    content: Content, layout: Layout, name: str, limits: Limits, judge: Judge, *, today: date, sound: bool = False
) -> tuple[Batch, list[Brief]] | None:
    """The batch with the figures of the whole file, and what `judge` says of the cells. None: read it the other way.

    `today`: the day of reception, against which the ends of contracts are held. `sound`: only a sound file is wanted,
    so that the first doubt ends it.
    """
    if not can_sift(layout):
        return None
    work = Sieve(layout, limits, judge, today, sound=sound)
    bom = content[:3] == reading.BOM
    if reading.whole_problem(content, limits):
        return None
    how = apart(layout, today) if sound else apart(layout, today, judge.asks, limits.line)
    if how is None:
        return None
    with _turns(), ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(_WORKERS) as pool:
        if not sound:  # what judges doubts, and what the registry is compared with, is loaded while the walk goes on
            beside.submit(lambda: [*map(judge.asks, how.records)])
        waiting: list[tuple[int, Future[Piece | None]]] = []
        for begin, end in chunks(content, 3 if bom else 0):
            waiting.append((begin, pool.submit(taken_apart, content, begin, end, how)))
            if len(waiting) > _WORKERS and not work.add(*_next(waiting)):
                return None
        while waiting:
            if not work.add(*_next(waiting), last=len(waiting) == 0):
                return None
    if bom:
        work.odd.insert(0, irregular([{"line": 1, "problem": "bom"}]))
    return work.batch(content, name), work.cells


@contextmanager
def _turns() -> Iterator[None]:
    """Short turns at the interpreter: who comes back from polars or numpy waits no five milliseconds for the other."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(_TURN, usual))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _next(waiting: list[tuple[int, Future[Piece | None]]]) -> tuple[int, Piece | None]:
    offset, coming = waiting.pop(0)
    return offset, coming.result()
