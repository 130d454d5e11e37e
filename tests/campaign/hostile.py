r"""Hostile files, each with the verdict it must get and where its fault must be found. The same seed, the same files.

A case is a good file of a few users with one thing done to it. `line` and `field` say where an error must be told
(None: of the whole file); a case without `code`, `line` or verdict `rechazado` must be loaded in spite of its looks.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from worlds import CONTROL, NAME

#: Fields of a user's record by number, and a sound value of each.
_GOOD = {
    3: "CC", 5: "JUAN", 6: "PEREZ", 7: "V", 8: "3150000000", 9: "MEDICO GENERAL", 10: "0", 11: "2026-12-31",
    12: "JUAN.PEREZ@ESE.GOV.CO",
}  # fmt: skip
_TEXT, _DIGITS, _DATE, _MAIL = (5, 6, 9), (4, 8), 11, 12


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file, and what must be said of it."""

    kind: str
    name: str
    content: bytes
    rejected: bool = True
    line: int | None = None
    field: int | None = None
    anywhere: bool = False  # the fault may be told of the whole file or of any line


Lines = list[list[bytes]]
Maker = Callable[[random.Random], Hostile]


def _lines(chance: random.Random) -> Lines:
    many = chance.randint(1, 6)
    lines = [CONTROL.format(total=many).encode().split(b"|")]
    for number in range(1, many + 1):
        cells = {1: "2", 2: str(number), 4: f"10900{chance.randrange(10**5):05}{number}"[:10], **_GOOD}
        cells[12] = f"u{number}@ese.gov.co"
        lines.append([cells[place].encode("cp1252") for place in range(1, 13)])
        lines[-1][3] = f"109000{number:04}".encode()
    return lines


def _joined(lines: Lines, end: bytes = b"\r\n") -> bytes:
    return end.join(b"|".join(cells) for cells in lines)


def _in_cell(kind: str, fields: tuple[int, ...], values: list[bytes], *, inside: bool = False) -> Maker:
    """One cell holds something it must not; with `inside` it stands amid the sound value."""

    def make(chance: random.Random) -> Hostile:
        lines = _lines(chance)
        line, field = chance.randint(2, len(lines)), chance.choice(fields)
        value, sound = chance.choice(values), lines[line - 1][field - 1]
        at = chance.randint(1, max(1, len(sound) - 1))
        lines[line - 1][field - 1] = sound[:at] + value + sound[at:] if inside else value
        return Hostile(kind, NAME, _joined(lines), line=line, field=field - 1)  # the annex counts from zero

    return make


def _in_line(kind: str, change: Callable[[random.Random, bytes], bytes]) -> Maker:
    def make(chance: random.Random) -> Hostile:
        lines = [b"|".join(cells) for cells in _lines(chance)]
        line = chance.randint(2, len(lines))
        lines[line - 1] = change(chance, lines[line - 1])
        ends = line == len(lines) and not lines[-1]  # that is no blank line but the end of the one before
        return Hostile(kind, NAME, b"\r\n".join(lines), line=line, anywhere=ends)

    return make


def _whole(kind: str, change: Callable[[random.Random, bytes], bytes], *, rejected: bool = True) -> Maker:
    def make(chance: random.Random) -> Hostile:
        content = change(chance, _joined(_lines(chance)))
        return Hostile(kind, NAME, content, rejected=rejected, anywhere=True)

    return make


def _named(kind: str, names: list[str]) -> Maker:
    def make(chance: random.Random) -> Hostile:
        return Hostile(kind, chance.choice(names), _joined(_lines(chance)), anywhere=True)

    return make


_C0 = [bytes([n]) for n in range(1, 32) if n not in {10, 13}] + [b"\x7f"]
_C1 = [bytes([n]) for n in (0x81, 0x8D, 0x8F, 0x90, 0x9D)]
_SCRIPT = [
    b"<script>alert(1)</script>", b"<img src=x onerror=alert(1)>", b"javascript:alert(1)", b"'\"><svg/onload=1>",
    b"{{7*7}}", b"${7*7}", b"<!--", b"]]>", b"&#60;b&#62;",
]  # fmt: skip
_FORMULA = [b"=1+1", b"+1+1", b"@SUM(1)", b"=cmd' /C calc'!A0", b'=HYPERLINK("http://x.example")']
_NUMBERS = [
    b"1_000", b"+12", b"-5", b"1e400", b"NaN", b"inf", b"0x1F", b" 12", b"12 ", b"1,5", b"1.5", "１２".encode(),
    "٣٤".encode(), b"\xb2\xb3", b"12\xa0", b"9" * 5000, b"9" * 27,
]  # fmt: skip
_DATES = [
    b"20261231", b"2026-W01-1", b"2026-1-1", b"2026/12/31", b"31-12-2026", b"2026-02-30", b"0000-00-00", b"+2026-12-31",
    b"2026-12-31T00:00:00", b" 2026-12-31", b"2026-12-31 ", b"hoy", b"9999-99-99", b"2026-13-01", "２026-12-31".encode(),
]  # fmt: skip
_MAILS = [
    b"a@b", b"a b@x.example", b"@x.example", b"a@", b"a@@x.example", b"a@x.example,b@y.example", b"a@x..example",
    b"a@x.example\x0bBcc: b@y.example", b"<a@x.example>", b"a@\xe1x.example", b"x" * 70 + b"@x.example", b"a@-x.example",
]  # fmt: skip


def _in_control(chance: random.Random, content: bytes) -> bytes:
    """One of the cells that say whose file it is and how long holds something it must not."""
    first, end, rest = content.partition(b"\r\n")
    cells, at = first.split(b"|"), chance.choice([1, 2, 4])
    cells[at] = chance.choice([*_NUMBERS, *_SCRIPT, "\u202e".encode(), cells[at] + b"\x00", b"\x00" * 70 + cells[at]])
    return b"|".join(cells) + end + rest


MAKERS: tuple[Maker, ...] = (
    _in_cell("comilla", _TEXT, [b'"', b'""', b'"A'], inside=True),
    _in_cell("nulo", (*_TEXT, *_DIGITS, _DATE, _MAIL), [b"\x00"], inside=True),
    _in_cell("control", _TEXT, _C0, inside=True),
    _in_cell("indefinido", _TEXT, _C1, inside=True),
    _in_cell("retorno suelto", _TEXT, [b"\r"], inside=True),
    _in_cell("salto de otro", _TEXT, [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", "\u2028".encode(), b"\x85"], inside=True),
    _in_cell("signo", (5, 6), [b"#", b"%", b"\xa7", b"\xb6", b"1", b"_", b";", b"\\"], inside=True),
    _in_cell("marcado", (5, 6), _SCRIPT),
    _in_cell("fórmula", (5, 6), _FORMULA),
    _in_cell("número", _DIGITS, _NUMBERS),
    _in_cell("fecha", (_DATE,), _DATES),
    _in_cell("correo", (_MAIL,), _MAILS),
    _in_cell("acción", (7,), [b"X", b"v", b"VV", b"", b"0", b" V"]),
    _in_cell("tipo de identificación", (3,), [b"XX", b"cc", b"", b"C", b"CCC", b"C C", b"\xd1\xd1"]),
    _in_cell("muy largo", (5, 6, 9), [b"A" * 300, b"A" * 5000]),
    _in_cell("invisible", (5, 6), ["\u200b".encode(), "\u202e".encode(), "\ufeff".encode(), "А".encode()], inside=True),
    _in_cell("vacío", (3, 4, 5, 6, 7), [b""]),
    _in_line("campos de menos", lambda chance, line: b"|".join(line.split(b"|")[: chance.randint(1, 11)])),
    _in_line("campos de más", lambda chance, line: line + b"|x" * chance.randint(1, 50)),
    _in_line("un millón de barras", lambda chance, line: line + b"|" * 1_000_000),
    _in_line("línea enorme", lambda chance, line: line.replace(b"JUAN", b"J" * chance.randint(70_000, 2_000_000))),
    _in_line("otro separador", lambda chance, line: line.replace(b"|", chance.choice([b";", b",", b"\t", b"\xa6"]))),
    _in_line("tipo de registro", lambda chance, line: chance.choice([b"9", b"", b"22", b"2 ", b" 2", b"\xb2"]) + line[1:]),
    _in_line("consecutivo", lambda chance, line: line.replace(b"2|", b"2|77", 1)),
    _in_line("línea en blanco", lambda chance, line: chance.choice([b"", b"   ", b"\t"])),
    _whole("control hostil", _in_control),
    _whole("UTF-16", lambda chance, content: content.decode("cp1252").encode(chance.choice(["utf-16", "utf-16-le", "utf-16-be"]))),
    _whole("UTF-32", lambda chance, content: content.decode("cp1252").encode("utf-32")),
    _whole("dos marcas", lambda chance, content: b"\xef\xbb\xbf" * 2 + content),
    _whole("comprimido", lambda chance, content: chance.choice([b"PK\x03\x04", b"\x1f\x8b\x08", b"%PDF-1.7", b"\xd0\xcf\x11\xe0"]) + content),
    _whole("vacío del todo", lambda chance, content: chance.choice([b"", b"\n", b"\r\n" * 3, b"\xef\xbb\xbf", b"   ", b"\x1a"])),
    _whole("sin control", lambda chance, content: content.partition(b"\r\n")[2]),
    _whole("dos controles", lambda chance, content: content + b"\r\n" + content.partition(b"\r\n")[0]),
    _whole("control al final", lambda chance, content: content.partition(b"\r\n")[2] + b"\r\n" + content.partition(b"\r\n")[0]),
    _whole("solo control", lambda chance, content: content.partition(b"\r\n")[0]),
    _whole("total", lambda chance, content: content.replace(b"2026-07-15|", b"2026-07-15|9", 1)),
    _whole("basura", lambda chance, content: chance.randbytes(chance.randint(1, 4000))),
    _whole("cortado", lambda chance, content: content[: chance.randint(1, len(content) - 60)]),
    _whole("líneas vacías sin fin", lambda chance, content: content + b"\n" * chance.randint(1000, 200_000)),
    _whole("repetido", lambda chance, content: content + b"\r\n" + content.split(b"\r\n")[1]),
    _named("nombre", [
        "../../etc/passwd", "SEG500USIN20260230NI000900123456.TXT", "SEG500USIN20260715NI000900123457.TXT", "x.TXT", "",
        NAME.lower() + ".exe", NAME + ".TXT", "SEG500USIN20260715NI٠٠٠900123456.TXT", "A" * 255, "\\x1b[31m.TXT",
    ]),
    _whole("solo LF", lambda chance, content: content.replace(b"\r\n", b"\n"), rejected=False),
    _whole("fin de línea", lambda chance, content: content + chance.choice([b"\r\n", b"\n"]), rejected=False),
    _whole("como debe ser", lambda chance, content: content, rejected=False),
)  # fmt: skip


def corpus(seed: int, many: int) -> Iterator[Hostile]:
    """So many files, every kind in its turn."""
    chance = random.Random(seed)
    for number in range(many):
        yield MAKERS[number % len(MAKERS)](chance)
