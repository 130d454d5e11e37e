"""Mutated records: sound files of every layout, each of their lines hurt in one way, through reading and validation.

Each file has three hundred lines of each kind and each line has its own wound, so that what is counted are records; every twentieth
file is small and hurt anywhere, line ends and control record included. Nothing may raise, figures add up, findings
stand in lines that are there. Of every fiftieth file the quick way and the whole rule table must find the same, and its
documents must be harmless.
"""

import random
import time
from collections.abc import Iterator

import pytest
from test_sifting import in_full
from worlds import NOW, facts

from campaign import judged
from pisis_batch import pipeline
from pisis_batch.judging import Judged
from pisis_batch.layouts import Layout, shelf
from pisis_batch.model import Limits, Outcome, Received
from pisis_batch.reports import answer
from pisis_batch.writing import sample

_LINES, _BASES = 300, 6
_SLOWEST = 10.0
#: What a wound may bring in.
_TOKENS = [
    b"", b" ", b'"', b"'", b"\x00", b"\x1a", b"\x81", b"\xff", b"\xd1", b"\xa0", b"=1+1", b"@x", b"<b>", b"-1", b"+1", b"1e9",
    b"NaN", b"0", b"00", b"9" * 30, b"A" * 300, b"2026-02-30", b"20261231", b"9999-99-99", b"\xe2\x80\xae", b"{{7*7}}",
    b"a@b", b"..", b"%s", b"\x1b[31m", b"\t", b"\x0b", b"\xc2\x85", b"1,5", b"1.5", b"\xb2", b"\xef\xbb\xbf", b";", b"#",
]  # fmt: skip
_BREAKS = [b"\r", b"\n", b"\r\n", b"\n\n", b"|"]


def trials(seeds: Iterator[int]) -> Iterator[tuple[int, int, list[str], dict[str, int]]]:
    """For each seed a file; the seed, how many of its records were hurt, and what was broken."""
    layouts = list(shelf())
    known: dict[tuple[str, int], tuple[str, bytes]] = {}
    asked = facts()
    for seed in seeds:
        chance = random.Random(seed)
        layout = layouts[seed % len(layouts)]
        small = seed % 20 == 0
        base = (layout.annex, chance.randrange(_BASES) + (_BASES if small else 0))
        if base not in known:
            known[base] = sample(layout, 3 if small else _LINES, cut=NOW.date(), seed=base[1])
        name, content = known[base]
        hurt, many = (hurt_anywhere(content, chance), 1) if small else _each_line(content, layout, chance)
        yield seed, many, _wrong(name, hurt, asked, whole=seed % 50 == 0, layout=layout), {"files": 1}


def _each_line(content: bytes, layout: Layout, chance: random.Random) -> tuple[bytes, int]:
    separator = layout.separator.encode()
    first, *lines = content.split(b"\r\n")
    return b"\r\n".join([first, *(_hurt(line, separator, chance) for line in lines)]), len(lines)


def _hurt(line: bytes, separator: bytes, chance: random.Random) -> bytes:
    cells = line.split(separator)
    at = chance.randrange(len(cells))
    cell = cells[at]
    kind = chance.randrange(8)
    if kind == 0:
        cells[at] = chance.choice(_TOKENS)
    elif kind == 1:
        place = chance.randint(0, len(cell))
        cells[at] = cell[:place] + chance.choice(_TOKENS) + cell[place:]
    elif kind == 2:
        place = chance.randint(0, max(len(cell) - 1, 0))
        cells[at] = (
            cell[:place] + bytes([chance.choice([n for n in range(256) if n not in (10, 13)])]) + cell[place + 1 :]
        )
    elif kind == 3:
        cells[at] = cell[: chance.randint(0, len(cell))]
    elif kind == 4:
        del cells[at]
    elif kind == 5:
        cells.insert(at, chance.choice([b"", cell, b"x"]))
    elif kind == 6:
        other = chance.randrange(len(cells))
        cells[at], cells[other] = cells[other], cells[at]
    else:
        cells[at] = cell.swapcase() if chance.random() < 0.5 else cell * 2
    return separator.join(cells)


def hurt_anywhere(content: bytes, chance: random.Random) -> bytes:
    """The content with some bytes of it taken out or others put in."""
    hurt = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(hurt))
        hurt[at : at + chance.randint(0, 4)] = chance.choice(
            [*_TOKENS, *_BREAKS, chance.randbytes(chance.randint(1, 4))]
        )
    return bytes(hurt)


def _outcome(name: str, content: bytes, asked: object) -> Outcome:
    received = Received(judged.GUID, name, content, NOW, "CC10000001")
    examined = pipeline.examine(received, shelf(), Limits())
    return pipeline.judge(examined, asked) if examined.sound else pipeline.conclude(examined, asked)  # type: ignore[arg-type]


def _wrong(name: str, content: bytes, asked: object, *, whole: bool, layout: Layout) -> list[str]:
    started = time.process_time()
    try:
        outcome = _outcome(name, content, asked)
        found = _doubtful(outcome, content)
        if whole:
            found += _both_ways(outcome, name, content, asked)
            documents, _ = answer(outcome, NOW)
            found += judged.harmful(Judged(outcome, (), tuple(documents)))
    except Exception as error:  # noqa: BLE001  # exactly what must never happen
        found = [f"it raised {type(error).__name__}"]
    spent = time.process_time() - started
    return [f"{layout.annex}: {what}" for what in [*found, *([f"it took {spent:.0f} s"] if spent > _SLOWEST else [])]]


def _doubtful(outcome: Outcome, content: bytes) -> list[str]:
    counts, frame = outcome.counts, outcome.findings.frame
    found = [] if counts.read == counts.correct + counts.with_errors else ["its figures do not add up"]
    last = frame["line"].max()
    if last is not None and int(last) > content.count(b"\n") + 1:  # type: ignore[call-overload]
        found.append("a finding stands in a line that is not there")
    if outcome.verdict == "rechazado" and not (frame["severity"] == "error").any():
        found.append("it was rejected without an error")
    return found


def _both_ways(outcome: Outcome, name: str, content: bytes, asked: object) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        in_full(patch)
        full = _outcome(name, content, asked)
    same = outcome.findings.frame.equals(full.findings.frame) and outcome.counts == full.counts
    return [] if same else ["the quick way and the whole one do not agree"]
