"""Breakers of single cells, for any annex: wrong values are tried, and the layout's own checks say what each is.

Every cell of a good record is replaced, a line for each try, by each value of a palette; one check of all those lines
tells which codes a try yields. A check new to a layout finds its breaker by itself, if one cell can break it.
"""

from collections.abc import Iterator
from itertools import islice

import polars as pl

from pisis_batch import reading, validators
from pisis_batch.breaking.draft import Breaking, Draft
from pisis_batch.layouts import CATALOGS, Field, Record
from pisis_batch.model import Batch, Limits
from pisis_batch.validators import RULES

_MOJIBAKE = "MU" + "Ñ".encode().decode("cp1252") + "OZ"
_WRONG = (
    *("", "X", "ZZ", "99", "0", "1", "2", "-1", "9" * 9, "1" * 60, "ABC", "JU4N", "abc", "jUAN"),
    *(_MOJIBAKE, "A\tB", "“A”", "JOSÉ", "MEDICO Nº 2", "12-3", "1,5", "1.555555", "1.2.3", "1, 2", "1,,2", "1,1"),
    *("31/12/2026", "2027-02-30", "2020-01-01", "2099-12-31", "1900-01-01", "1845-01-01", "1800-01-01"),
    *("NOMBRE.EXAMPLE", "A@B", "12345", "000", "007", "100000000", "SI", "NO"),
)
_TRIES = 12
_VALUES = 6


def _palette(field: Field, value: str) -> list[str]:
    """Values to try in a cell that holds `value`: spoilt forms of it, other valid ones, and plain nonsense."""
    spoilt = [
        f'"{value}"',
        f"{value} ",
        f" {value}",
        value.lower(),
        f"0{value}",
        value[:1],
        value[:-1],
        value * 9,
        f"{value}.",
    ]
    catalog = CATALOGS.get(field.catalog or "")
    others = [*(field.allowed or ())[:_VALUES], *(list(catalog.codes)[:_VALUES] if catalog else ())]
    others += list(catalog.disabled)[:1] if catalog else []
    return [one for one in dict.fromkeys([*spoilt, *others, *_WRONG]) if one != value]


def tries(made: Draft) -> dict[str, list[tuple[str, str, str]]]:
    """By code, the (record, field, value) of the cells that yield it, those that yield nothing else first."""
    name, content = made.written()
    batch = reading.read(content, made.layout, name, Limits())
    found: dict[str, list[tuple[int, tuple[str, str, str]]]] = {}
    for record in made.layout.records:
        if batch[record.name].is_empty():
            continue
        asked, frame = _spoilt(batch[record.name], record)
        spoilt = Batch(made.layout, name, {**batch.records, record.name: frame}, batch.irregular, frame.height)
        told = validators.check_structure(spoilt).frame.filter(pl.col("line").is_not_null())
        told = told.filter((pl.col("record") == record.name) & (pl.col("line") > _OFFSET))
        # what only many copies of one record do is no fault of the try
        told = told.filter(~pl.col("code").is_in(["ARC002", "ARC004", "ARC005", "ARC006", "ARC007"]))
        grouped = told.group_by("line", maintain_order=True).agg(pl.col("code").unique())
        for line, codes in grouped.iter_rows():
            for code in codes:
                found.setdefault(code, []).append((len(codes), asked[line - _OFFSET - 1]))
    return {code: [one for _, one in sorted(pairs, key=lambda pair: pair[0])] for code, pairs in found.items()}


_OFFSET = 1_000_000


def _spoilt(rows: pl.DataFrame, record: Record) -> tuple[list[tuple[str, str, str]], pl.DataFrame]:
    """A line for each try, on the first rows of a record: what was tried in each, and the lines."""
    asked: list[tuple[str, str, str]] = []
    lines: list[dict[str, object]] = []
    sample = rows.head(2).to_dicts()
    for row in sample:
        for field in record.fields[1:]:
            for value in _palette(field, row[field.name]):
                asked.append((record.name, field.name, value))
                lines.append(row | {field.name: value, "line": _OFFSET + len(asked)})
    return asked, pl.DataFrame(lines, schema=rows.schema)


def broken_cells(made: Draft, code: str, found: dict[str, list[tuple[str, str, str]]]) -> Iterator[Breaking]:
    """Files with one cell changed that may yield a code and nothing else."""
    likely = found.get(code, [])[:_TRIES]
    for record, field, value in [*likely, *islice(_shown(made, code), _TRIES)]:
        for row in made.records[record][:2]:
            kept = row[field]
            row[field] = value
            yield made.done(code)
            row[field] = kept


def _shown(made: Draft, code: str) -> Iterator[tuple[str, str, str]]:
    """The cells of the rule's own rejected examples, in the fields of the same place."""
    marks = {record.mark: record for record in made.layout.details}
    for example in RULES[code].rejects:
        for line in example.split("\n"):
            cells = line.split("|")
            record = marks.get(cells[0])
            if record and len(cells) == len(record.fields) and made.records[record.name]:
                for field, cell in zip(record.fields[1:], cells[1:], strict=True):
                    yield record.name, field.name, cell
