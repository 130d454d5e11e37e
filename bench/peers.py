"""The same file through what others would use, each as a process of its own: python bench/peers.py NAME FILE [TIMES].

`read` only reads (polars, cp1252, every column text). The others apply the rules of single cells as well as each can
say them, `pydantic` and `pandera` nothing else; `loop`, `duckdb` and `frictionless` also look for repeated keys and
profiles without their user, and `loop` for what a link must have and for the consecutive. With TIMES: seconds of the
quickest of several in one process.
"""

import csv
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_USER = (
    r"2", r"[1-9][0-9]{0,9}", r"CC|CE|CD|PA|PT", r"[A-Z0-9Ñ]{1,17}",
    r"[A-ZÑ]+([ '-][A-ZÑ]+)*", r"[A-ZÑ]+([ '-][A-ZÑ]+)*",
    r"V|O", r"([0-9]{7,26})?", r"([ !#-`{}~Ñ]{1,100})?", r"[01]?", r"([0-9]{4}-[0-9]{2}-[0-9]{2})?",
    r"([A-Za-z0-9._+-]{1,64}@([A-Za-z0-9-]+\.)+[A-Za-z]{2,})?",
)  # fmt: skip
_PROFILE = (
    r"3", r"[1-9][0-9]{0,9}", r"CC|CE|CD|PA|PT", r"[A-Z0-9Ñ]{1,17}", r"[A-Z0-9Ñ]{1,3}", r"A|R", r"([A-Z0-9Ñ]{1,4})?",
)  # fmt: skip
WIDE = 16


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="cp1252", newline="") as file:
        yield from csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE)


def _frame(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 each peer loads its own library
    import polars as pl  # noqa: PLC0415

    schema = {f"c{n}": pl.String for n in range(WIDE)}
    return pl.read_csv(
        path, separator="|", has_header=False, quote_char=None, schema=schema, infer_schema=False,
        truncate_ragged_lines=True, encoding="cp1252",
    )  # fmt: skip


def read(path: Path) -> int:
    """Only read."""
    return int(_frame(path).height)


def loop(path: Path) -> int:
    """A plain loop over the standard library's csv reader."""
    shapes = {shape[0]: [re.compile(part) for part in shape] for shape in (_USER, _PROFILE)}
    seen: set[tuple[str, ...]] = set()
    users: set[tuple[str, ...]] = set()
    found = 0
    for place, cells in enumerate(_lines(path)):
        shape = shapes.get(cells[0])
        if shape is None or len(shape) != len(cells):
            found += place > 0
            continue
        found += sum(not part.fullmatch(cell) for part, cell in zip(shape, cells, strict=True))
        found += cells[1] != str(place)
        if cells[0] == "2":
            linked = cells[6] == "V"
            found += linked != bool(cells[7]) or linked != bool(cells[8]) or linked != bool(cells[11])
            users.add((cells[2], cells[3]))
        else:
            found += (cells[2], cells[3]) not in users
        key = (cells[0], cells[2], cells[3], cells[4] if cells[0] == "3" else "")
        found += key in seen
        seen.add(key)
    return found


def pydantic(path: Path) -> int:
    """One model instance a record."""
    from typing import Annotated, Any  # noqa: PLC0415

    from pydantic import StringConstraints, TypeAdapter, ValidationError, create_model  # noqa: PLC0415

    made = {}
    for shape in (_USER, _PROFILE):
        fields: dict[str, Any] = {
            f"c{n}": (Annotated[str, StringConstraints(pattern=f"^({part})$")], ...) for n, part in enumerate(shape)
        }
        made[shape[0]] = (TypeAdapter(create_model(f"R{shape[0]}", **fields)), [f"c{n}" for n in range(len(shape))])
    found = 0
    for cells in _lines(path):
        if cells[0] in made:
            adapter, names = made[cells[0]]
            try:
                adapter.validate_python(dict(zip(names, cells, strict=False)))
            except ValidationError as error:
                found += error.error_count()
    return found


def pandera(path: Path) -> int:
    """One check a column, as pandera's guide shows it."""
    import pandera.polars as pa  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415
    from pandera.errors import SchemaErrors  # noqa: PLC0415

    frame, found = _frame(path), 0
    for shape in (_USER, _PROFILE):
        columns = {
            f"c{n}": pa.Column(pl.String, pa.Check.str_matches(f"^(?:{part})$"), nullable=True)
            for n, part in enumerate(shape)
        }
        own = frame.filter(pl.col("c0") == shape[0]).select(list(columns))
        try:
            pa.DataFrameSchema(columns).validate(own, lazy=True)
        except SchemaErrors as error:
            found += int(error.failure_cases.height)
    return found


def duckdb(path: Path) -> int:
    """SQL: a pass for the cells of each record, one for the keys, one for the references."""
    import duckdb as db  # noqa: PLC0415

    made = db.connect()
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(WIDE))
    made.execute(
        f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', delim='|', header=false, quote='', escape='',"  # noqa: S608
        f" null_padding=true, auto_detect=false, strict_mode=false, encoding='latin-1', columns={{{columns}}})"
    )
    found = 0
    for shape in (_USER, _PROFILE):
        parts = [
            f"count(*) FILTER (NOT regexp_full_match(coalesce(c{n}, ''), '{part.replace(chr(39), chr(39) * 2)}'))"
            for n, part in enumerate(shape)
        ]
        found += sum(made.execute(f"SELECT {', '.join(parts)} FROM t WHERE c0 = '{shape[0]}'").fetchone())  # type: ignore[arg-type]  # noqa: S608
    for keys, mark in (("c2, c3", "2"), ("c2, c3, c4", "3")):
        query = f"SELECT count(*) FROM (SELECT 1 FROM t WHERE c0 = '{mark}' GROUP BY {keys} HAVING count(*) > 1)"  # noqa: S608
        found += made.execute(query).fetchone()[0]  # type: ignore[index]
    query = (
        "SELECT count(*) FROM t p WHERE c0 = '3' AND NOT EXISTS"
        " (SELECT 1 FROM t u WHERE u.c0 = '2' AND u.c2 = p.c2 AND u.c3 = p.c3)"
    )
    return found + int(made.execute(query).fetchone()[0])  # type: ignore[index]


def frictionless(path: Path) -> int:
    """A package of two tables with keys and a reference: a schema knows one kind of record.

    The file is taken apart by record beforehand (`apart`, not counted: see `bench/run.py`).
    """
    from frictionless import Package  # noqa: PLC0415

    def table(name: str, shape: tuple[str, ...], keys: list[str], **more: object) -> dict[str, object]:
        fields = [
            {
                "name": f"c{n}",
                "type": "string",
                "constraints": {"pattern": part, "required": not re.fullmatch(part, "")},
            }
            for n, part in enumerate(shape)
        ]
        return {
            "name": name, "path": path.with_suffix(f".{name}").name, "scheme": "file", "format": "csv",
            "encoding": "cp1252",
            "dialect": {"header": False, "csv": {"delimiter": "|"}},
            "schema": {"fields": fields, "primaryKey": keys, **more},
        }  # fmt: skip

    person = ["c2", "c3"]
    reference = [{"fields": person, "reference": {"resource": "users", "fields": person}}]
    tables = [
        table("users", _USER, person),
        table("profiles", _PROFILE, [*person, "c4"], foreignKeys=reference),
    ]
    package = Package.from_descriptor({"name": "file", "resources": tables}, basepath=str(path.parent))
    report = package.validate(limit_errors=10**9)
    return int(report.stats["errors"])


def apart(path: Path) -> None:
    """The users and the profiles of a file as files of their own, beside it."""
    made = (path.with_suffix(f".{name}").open("wb") for name in ("users", "profiles"))
    with path.open("rb") as source, next(made) as users, next(made) as profiles:
        for line in source:
            if line[:2] in {b"2|", b"3|"}:
                (users if line[:1] == b"2" else profiles).write(line)


PEERS = {each.__name__: each for each in (read, loop, pydantic, pandera, duckdb, frictionless)}


def warm(name: str, path: Path, times: int) -> tuple[float, float]:
    """Wall and CPU seconds of the quickest of some, once everything is loaded."""
    spent = []
    for _ in range(times + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        PEERS[name](path)
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(wall for wall, _ in spent[1:]), min(cpu for _, cpu in spent[1:])


if __name__ == "__main__":
    one, where, *often = sys.argv[1:]
    print(json.dumps(warm(one, Path(where), int(often[0]))) if often else PEERS[one](Path(where)))
