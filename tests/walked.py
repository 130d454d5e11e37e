"""What the compiled walk must say of any bytes, said by the expressions of records, line by line and slowly."""

import random
import re
from collections.abc import Sequence

import numpy as np
from annexes import of_cells
from lines_of import line_of

from pisis_batch import accepting, chunks, walking
from pisis_batch.layouts import Layout, parse
from pisis_batch.walking import NOBODY

LONGEST = 150  # bytes of a line whose doubts are told
_DRAWN = 60  # lines of each record
_ODD = [*b'|||\r\r\r"#01239AZaz -.@:\t\x00\x0b\x0c\x1a\x7f\x80\x81\x8d\xa0\xd1\xf1\xff']


def wide() -> Layout:
    """One with more cells in a line than may be in doubt."""
    cells = (f'  {{ name = "c{n}", label = "C", type = "A", max = 2, required = false }},\n' for n in range(70))
    return parse(of_cells("XYZ100WIDE", "".join(cells)))


class Walked:
    """Records side by side in one walk, and what must come of it."""

    def __init__(self, layout: Layout) -> None:
        self.records = [one for one in layout.records if accepting.expression(one) is not None]
        self._asked = [chunks.asked(one, layout) for one in self.records]
        self.walker = walking.accepting_walker(self.records, self._asked) if self.records else None
        self._matchers = [accepting.matcher(one) for one in self.records]

    def lines(self, chance: random.Random, many: int) -> list[bytes]:
        """Lines that the expressions accept, most of them hurt in some bytes; and lines of anything."""
        patterns = [pattern for one in self.records if (pattern := accepting.expression(one)) is not None]
        drawn = [line_of(one, chance).encode("cp1252", "replace") for one in patterns for _ in range(_DRAWN)]
        return [_hurt(chance.choice(drawn), chance) for _ in range(many)]

    def judged(self, raw: bytes) -> tuple[int, int]:
        """How many lines were accepted, and of how many the doubts were told. Raises AssertionError on anything wrong."""
        assert self.walker is not None
        told = self.walker.walk(raw, 3 * LONGEST)  # as if each byte were a letter of three
        whole = raw.removesuffix(b"\n").split(b"\n") if raw else []
        assert (told.ends + 1).tolist() == np.cumsum([len(line) + 1 for line in whole], dtype=np.int64).tolist()
        lines = [line.removesuffix(b"\r") for line in whole]
        cells = [line.split(b"|") for line in lines]
        accepted = [self._record(line.decode("cp1252", "replace")) for line in lines]
        assert told.records.tolist() == accepted
        for line, own, record, doubted in zip(lines, cells, accepted, told.wholes.tolist(), strict=True):
            assert doubted == (self._doubted(line, own) if record == NOBODY else NOBODY)
        places = [place for place, record in enumerate(accepted) if record == NOBODY]
        found, last = walking.lines_of(raw, np.array(places, np.uint32))
        assert found == b"".join(whole[place] + b"\n" for place in places)
        assert last == (bool(places) and places[-1] == len(whole) - 1)
        self._cells(raw, told, cells)
        self._values(told, cells)
        return len(lines) - accepted.count(NOBODY), int((told.wholes != NOBODY).sum())

    def _record(self, line: str) -> int:
        return next((n for n, one in enumerate(self._matchers) if one is not None and one.fullmatch(line)), NOBODY)

    def _doubted(self, line: bytes, cells: Sequence[bytes]) -> int:
        """The record of a line that is not accepted, if its doubts are told."""
        if len(line) > LONGEST or line.endswith(b"\x1a"):
            return NOBODY
        fits = (
            n for n, one in enumerate(self.records) if one.mark.encode() == cells[0] and len(one.fields) == len(cells)
        )
        found = next(fits, NOBODY)
        return found if len(cells) <= walking.BITS else NOBODY

    def _values(self, told: walking.Walked, cells: Sequence[Sequence[bytes]]) -> None:
        """What is read as a number of accepted lines."""
        for number, (record, asked) in enumerate(zip(self.records, self._asked, strict=True)):
            for name, field in asked.values.items():
                for place in np.flatnonzero(told.records == number).tolist():
                    digits = re.sub(rb"[^0-9]", b"", cells[place][record.number(field)])
                    assert told.values[name][place] == int(digits or b"0")

    def _cells(self, raw: bytes, told: walking.Walked, cells: Sequence[Sequence[bytes]]) -> None:
        """The cells in doubt are those of the line, each line has one, and they are of one kind as far as they say the same."""
        for number, record in enumerate(self.records):
            places = np.flatnonzero(told.wholes == number).astype(np.uint32)
            if not len(places):
                continue
            doubts = told.doubts[places]
            width = len(record.fields)
            asked = [sorted({cell, cell * 7 % width}) for cell in range(width)]
            found = walking.kinds_of(
                raw, told.ends, places, doubts, [sum(1 << one for one in those) for those in asked]
            )
            wanted = [
                (place, cell)
                for place, bits in zip(places.tolist(), doubts.tolist(), strict=True)
                for cell in range(width)
                if bits >> cell & 1
            ]
            assert {place for place, _ in wanted} == set(places.tolist())
            cell_of = found.cells.tolist()
            assert [
                (line, cell_of[kind]) for line, kind in zip(found.lines.tolist(), found.kinds.tolist(), strict=True)
            ] == wanted
            texts = dict.fromkeys(range(len(cell_of)), b"")
            for cell, those in enumerate(asked):
                said = found.texts[cell].split(b"\n")[:-1]
                own = [kind for kind, one in enumerate(cell_of) if one == cell]
                texts |= {kind: said[n * len(those) : (n + 1) * len(those)] for n, kind in enumerate(own)}
                assert len(said) == len(own) * len(those)
            for (line, cell), kind in zip(wanted, found.kinds.tolist(), strict=True):
                assert texts[kind] == [cells[line][one] for one in asked[cell]]
            told_apart = {(cell, tuple(texts[kind])) for kind, cell in enumerate(cell_of)}
            assert len(cell_of) <= len(told_apart) * 1.1  # one that is hard to find again may have several


def _hurt(line: bytes, chance: random.Random) -> bytes:
    hurt = bytearray(line)
    for _ in range(chance.choice([0, 1, 1, 2, 5])):
        at = chance.randint(0, len(hurt))
        hurt[at : at + chance.choice([0, 1, 1, 3])] = bytes(chance.choices(_ODD, k=chance.choice([0, 1, 1, 2])))
    if chance.random() < 0.05:
        hurt = bytearray(chance.choices([*_ODD, *range(256)], k=chance.choice([0, 1, 2, 30, 700])))
    return bytes(hurt).replace(b"\n", b"") + chance.choice([b"\n", b"\r\n", b"\r\n", b"\r\r\n"])
