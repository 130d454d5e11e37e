"""The same file through what others would use, each as a process of its own: python bench/peers.py NAME FILE.

`read` only reads (polars, cp1252, every column text). The others apply the rules of single cells as well as each can
say them; `loop` and `duckdb` also look for repeated keys and profiles without their user.
"""

import csv
import re
import sys
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
    """A table schema for the users alone, cut out of the file beforehand (not counted: see `bench/run.py`)."""
    from frictionless import Dialect, Schema, fields, validate  # noqa: PLC0415
    from frictionless.formats import CsvControl  # noqa: PLC0415
    from frictionless.resources import TableResource  # noqa: PLC0415

    listed = [fields.StringField(name=f"c{n}", constraints={"pattern": f"({part})"}) for n, part in enumerate(_USER)]
    schema = Schema(fields=listed, primary_key=["c2", "c3"])
    dialect = Dialect(header=False, controls=[CsvControl(delimiter="|")])
    resource = TableResource(
        path=path.name, basepath=str(path.parent), schema=schema, dialect=dialect, encoding="cp1252", format="csv"
    )
    report = validate(resource, limit_errors=10**9)
    return int(report.stats["errors"])


PEERS = {each.__name__: each for each in (read, loop, pydantic, pandera, duckdb, frictionless)}

if __name__ == "__main__":
    print(PEERS[sys.argv[1]](Path(sys.argv[2])))
