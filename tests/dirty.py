"""Random files of any annex, clean, dirty and hostile, from a seed."""

import random
from datetime import date

from pisis_batch.layouts import Layout
from pisis_batch.writing import sample

CELLS = (
    *(
        "",
        " ",
        "0",
        "007",
        "-1",
        "+5",
        "1.5",
        "A",
        "a",
        "Ñ",
        "JOSÉ",
        "\x81",
        "\x00",
        "Ã‘",
        "X Y",
        " X",
        "X ",
        '"X"',
        "'X'",
    ),
    *(
        "2027-02-30",
        "2028-02-29",
        "2026-07-15",
        "31/12/2026",
        "A@B.CO",
        "A@B",
        "X" * 101,
        "9" * 27,
        "TI",
        "CC",
        "V",
        "O",
        "R",
    ),
)
LINES = (
    b"",
    b"   ",
    b"|",
    b"9|1|X",
    b"2",
    b"2|1",
    b"3|||||||||",
    b"\x1a",
    b"\r",
    b"2\r|x",
    b"\xef\xbb\xbf",
    b"#x",
    b"'",
    b"\x01",
)


def dirty(layout: Layout, seed: int, rows: int = 12) -> tuple[str, bytes]:
    """A file name and content. One in five is as the annex wants it."""
    chance = random.Random(seed)
    name, content = sample(layout, chance.randrange(1, rows), cut=date(2026, 7, 15), seed=seed)
    lines = content.split(b"\r\n")
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        _spoil(lines, chance)
    ending = chance.choice([b"\r\n", b"\r\n", b"\r\n", b"\n"])
    content = ending.join(lines) + chance.choice([b"", b"", ending, ending * 2, b"\x1a", ending + b"\x1a", b"\r"])
    return name, chance.choice([b"", b"", b"", b"", b"\xef\xbb\xbf"]) + content


def _spoil(lines: list[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(lines))
    kind = chance.randrange(8)
    if kind < 3:  # a cell
        cells = lines[place].split(b"|")
        cells[chance.randrange(len(cells))] = chance.choice(CELLS).encode("cp1252", "ignore") or b"\x81"
        lines[place] = b"|".join(cells)
    elif kind == 3:  # a line twice
        lines.insert(chance.randrange(len(lines) + 1), lines[place])
    elif kind == 4:  # a line elsewhere
        lines.insert(chance.randrange(len(lines)), lines.pop(place))
    elif kind == 5 and len(lines) > 1:  # a line lost
        lines.pop(place)
    elif kind == 6:  # a line of another kind
        lines.insert(place, chance.choice(LINES))
    else:  # a key twice
        cells, other = lines[place].split(b"|"), lines[chance.randrange(len(lines))].split(b"|")
        cells[2:4] = other[2:4]
        lines[place] = b"|".join(cells)
