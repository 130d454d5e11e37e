"""Files with one seeded defect among other slips: the corpus that the naming of causes is measured on.

`python tests/defects.py [FILES]` measures and prints; `make causes` runs it. Each defect is a function of the cells of a
good file; noise changes a few other cells, a different slip each, so that the cause is not alone.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from pisis_batch import pipeline, writing
from pisis_batch.causes import Diagnosis, diagnose
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits, Outcome, Received

NOW = datetime(2026, 7, 15, 21, 37, 45, tzinfo=timezone(timedelta(hours=-5)))
Rows = list[list[str]]
Maker = Callable[[Rows, random.Random], Rows | bytes]
_DEFECTS: dict[str, tuple[str, Maker]] = {}


def _defect(slug: str) -> Callable[[Maker], Maker]:
    def keep(maker: Maker) -> Maker:
        _DEFECTS[maker.__name__] = (slug, maker)
        return maker

    return keep


def good(rows: int, chance: random.Random) -> tuple[str, Rows]:
    """The name and cells of a file right in structure; half of the users carry an Ñ, contracts have an end."""
    name, content = writing.sample(shelf().get("SEG500USIN"), rows, cut=NOW.date(), seed=chance.randrange(10**6))  # type: ignore[arg-type]
    return name, [line.split("|") for line in content.decode("cp1252").split("\r\n")]


def text(rows: Rows) -> bytes:
    return "\r\n".join("|".join(row) for row in rows).encode("cp1252")


def _users(rows: Rows) -> Iterator[list[str]]:
    return (row for row in rows if row[0] == "2")


@_defect("utf-8")
def utf8(rows: Rows, chance: random.Random) -> bytes:
    for row in _users(rows):
        row[5] = chance.choice(["MUÑOZ", "PEÑA", "NUÑEZ", row[5]])
    return text(rows).decode("cp1252").encode("utf-8")


@_defect("utf-8")
def utf8_mark(rows: Rows, chance: random.Random) -> bytes:
    for row in _users(rows):
        row[5] = chance.choice(["MUÑOZ", "PEÑA", row[5]])
    return text(rows).decode("cp1252").encode("utf-8-sig")


@_defect("utf-16")
def utf16(rows: Rows, chance: random.Random) -> bytes:
    return text(rows).decode("cp1252").encode("utf-16")


@_defect("separador")
def semicolons(rows: Rows, chance: random.Random) -> bytes:
    return text(rows).replace(b"|", chance.choice([b";", b",", b"\t"]))


@_defect("encabezado")
def titles(rows: Rows, chance: random.Random) -> Rows:
    return [["TIPO", "CONSECUTIVO", "TIPO ID", "NUMERO ID"], *rows]


@_defect("saltos-de-linea")
def carriage_returns(rows: Rows, chance: random.Random) -> bytes:
    return text(rows).replace(b"\r\n", b"\r")


@_defect("incompleto")
def cut_short(rows: Rows, chance: random.Random) -> bytes:
    whole = text(rows)
    cut = whole[: len(whole) * chance.randrange(40, 90) // 100].rstrip(b"\r\n")
    last = cut.rsplit(b"\n", 1)[-1]
    return cut[: -max(len(last) - 8, 0)] if len(last) > 8 else cut


@_defect("archivos-unidos")
def pasted_twice(rows: Rows, chance: random.Random) -> Rows:
    return rows + [list(row) for row in rows]


@_defect("minusculas")
def lower(rows: Rows, chance: random.Random) -> Rows:
    columns = [4, 5, 8] if chance.random() < 0.5 else range(2, 12)
    for row in _users(rows):
        for k in columns:
            row[k] = row[k].lower()
    return rows


@_defect("tildes")
def accents(rows: Rows, chance: random.Random) -> Rows:
    for row in _users(rows):
        for k in (4, 5):
            row[k] = row[k].replace("A", "Á", 1).replace("I", "Í", 1).replace("E", "É", 1)
    return rows


@_defect("espacios")
def padded(rows: Rows, chance: random.Random) -> Rows:
    columns = [4, 5] if chance.random() < 0.5 else [*range(1, 7)]
    for row in _users(rows):
        for k in columns:
            row[k] = row[k].ljust(len(row[k]) + 2) if chance.random() < 0.8 else row[k]
    return rows


@_defect("comillas")
def quoted(rows: Rows, chance: random.Random) -> Rows:
    columns = chance.choice([range(12), [4, 5, 8]])
    for row in rows[1:]:
        for k in columns:
            if k < len(row) and row[k]:
                row[k] = f'"{row[k]}"'
    return rows


@_defect("barra-final")
def closing_pipes(rows: Rows, chance: random.Random) -> Rows:
    return [[*row, ""] for row in rows]


@_defect("columnas-corridas")
def inserted_cell(rows: Rows, chance: random.Random) -> Rows:
    """A cell too many from some line on: the records have one field more than the annex."""
    place, start = chance.randrange(3, 10), chance.randrange(1, len(rows) // 3)
    for row in list(_users(rows))[start:]:
        row.insert(place, chance.choice(["CARLOS", "X", "123"]))
    return rows


@_defect("columnas-corridas")
def removed_cell(rows: Rows, chance: random.Random) -> Rows:
    place, start = chance.choice([2, 3, 6, 7, 8, 9]), chance.randrange(1, len(rows) // 3)
    for row in list(_users(rows))[start:]:
        del row[place]
    return rows


@_defect("columnas-corridas")
def shifted_right(rows: Rows, chance: random.Random) -> Rows:
    place, start = chance.randrange(2, 9), chance.randrange(0, len(rows) // 3)
    for row in list(_users(rows))[start:]:
        row.insert(place, "" if chance.random() < 0.5 else "DATO")
        row.pop()
    return rows


@_defect("columnas-corridas")
def shifted_left(rows: Rows, chance: random.Random) -> Rows:
    place, start = chance.choice([2, 3, 5, 6, 7, 8]), chance.randrange(0, len(rows) // 3)
    for row in list(_users(rows))[start:]:
        del row[place]
        row.append("")
    return rows


@_defect("columnas-intercambiadas")
def exchanged(rows: Rows, chance: random.Random) -> Rows:
    one, two = chance.choice([(2, 3), (7, 8), (8, 11), (6, 7), (7, 11), (8, 9)])
    for row in _users(rows):
        row[one], row[two] = row[two], row[one]
    return rows


@_defect("fechas")
def other_dates(rows: Rows, chance: random.Random) -> Rows:
    form = chance.choice(["%d/%m/%Y", "%d-%m-%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d 00:00:00", "%d/%m/%y"])
    for row in _users(rows):
        if row[6] == "V":
            row[9], row[10] = "0", date(2027, chance.randrange(1, 13), chance.randrange(1, 29)).strftime(form)
    return rows


@_defect("fechas")
def day_and_month_exchanged(rows: Rows, chance: random.Random) -> Rows:
    for row in _users(rows):
        if row[6] == "V":
            row[9], row[10] = "0", f"2027-{chance.randrange(13, 29)}-{chance.randrange(1, 13):02}"
    return rows


@_defect("nit-dv")
def check_digit(rows: Rows, chance: random.Random) -> Rows:
    rows[0][2] = chance.choice(["9001234568", "900123456-8"])
    return rows


@_defect("consecutivo-reiniciado")
def restarted(rows: Rows, chance: random.Random) -> Rows:
    for place, row in enumerate((row for row in rows if row[0] == "3"), start=1):
        row[1] = str(place)
    return rows


@_defect("consecutivo-desde-cero")
def from_zero(rows: Rows, chance: random.Random) -> Rows:
    for row in rows[1:]:
        row[1] = str(int(row[1]) - 1)
    return rows


@_defect("total-cuenta-control")
def total_with_control(rows: Rows, chance: random.Random) -> Rows:
    rows[0][4] = str(int(rows[0][4]) + 1)
    return rows


@_defect("total-de-un-tipo")
def total_of_users(rows: Rows, chance: random.Random) -> Rows:
    rows[0][4] = str(sum(1 for _ in _users(rows)))
    return rows


@_defect("valor-repetido")
def one_wrong_value(rows: Rows, chance: random.Random) -> Rows:
    column, value = chance.choice([(2, "TI"), (11, "SIN CORREO"), (7, "0"), (4, "N.N."), (10, "1900-13-01")])
    for row in _users(rows):
        if row[6] == "V" or column < 6:
            row[column] = value
    return rows


@_defect("columna-vacia")
def empty_column(rows: Rows, chance: random.Random) -> Rows:
    column = chance.choice([4, 5, 7, 8, 11])
    for row in _users(rows):
        row[column] = ""
    return rows


@_defect("miles")
def thousands(rows: Rows, chance: random.Random) -> Rows:
    sign = chance.choice(".,")
    for row in _users(rows):
        row[3] = f"{int(row[3].split('-')[0]):,}".replace(",", sign)
    return rows


@_defect("notacion-cientifica")
def scientific(rows: Rows, chance: random.Random) -> Rows:
    for row in _users(rows):
        if row[7]:
            row[7] = "3.15E+09"
    return rows


@_defect("ceros")
def zero_padded(rows: Rows, chance: random.Random) -> Rows:
    for row in rows[1:]:
        row[1] = row[1].zfill(10)
    return rows


_SLIPS: tuple[Callable[[list[str]], None], ...] = (
    lambda row: row.__setitem__(4, row[4].lower()),
    lambda row: row.__setitem__(5, row[5] + "."),
    lambda row: row.__setitem__(4, " " + row[4]),
    lambda row: row.__setitem__(6, "X"),
    lambda row: row.__setitem__(2, "ZZ"),
    lambda row: row.__setitem__(5, "PÉREZ"),
    lambda row: row.__setitem__(3, row[3] + "-1"),
    lambda row: row.__setitem__(4, ""),
    lambda row: row.append("SOBRA"),
)


def _noise(rows: Rows, chance: random.Random, share: float) -> None:
    """Single slips in a few user lines."""
    users = [row for row in _users(rows) if len(row) == 12]
    for row in chance.sample(users, min(int(share * len(users)), len(users))):
        chance.choice(_SLIPS)(row)


@dataclass(frozen=True)
class Seeded:
    """One file of the corpus: its defect, the cause it must be told as, and its bytes."""

    defect: str
    slug: str
    name: str
    content: bytes


def seeded(defect: str, seed: int) -> Seeded:
    """A file with this defect, of 12 to 150 users, with up to 8 % of other slips among them."""
    chance = random.Random(f"{defect} {seed}")
    slug, maker = _DEFECTS[defect]
    name, rows = good(chance.choice([12, 30, 60, 150]), chance)
    _noise(rows, chance, chance.choice([0, 0.03, 0.08]))
    made = maker(rows, chance)
    return Seeded(defect, slug, name, made if isinstance(made, bytes) else text(made))


def corpus(files: int) -> Iterator[Seeded]:
    """Files with every defect in turn."""
    names = list(_DEFECTS)
    return (seeded(names[place % len(names)], place // len(names)) for place in range(files))


@lru_cache(64)
def outcome(one: Seeded) -> Outcome:
    received = Received("g", one.name, one.content, NOW, "CC10000001")
    return pipeline.conclude(pipeline.examine(received, shelf(), Limits()), None)


def top(diagnosis: Diagnosis) -> str:
    return diagnosis.causes[0].slug if diagnosis.causes else "-"


def measure(files: int) -> tuple[float, Counter[tuple[str, str, str]]]:
    """The share of files whose top cause is right, and the wrong answers."""
    wrong: Counter[tuple[str, str, str]] = Counter()
    for one in corpus(files):
        said = top(diagnose(outcome(one)))
        if said != one.slug:
            wrong[one.defect, one.slug, said] += 1
    return 1 - sum(wrong.values()) / files, wrong


if __name__ == "__main__":
    MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 640
    SHARE, WRONG = measure(MANY)
    for (defect, slug, said), times in WRONG.most_common():
        print(f"{times:4}  {defect}: debía ser {slug} y dijo {said}")  # noqa: T201 a measurement is printed
    print(f"{MANY} archivos, {len(_DEFECTS)} defectos: la primera causa es la correcta en {SHARE:.1%}")  # noqa: T201
    sys.exit(0 if SHARE >= 0.95 else 1)
