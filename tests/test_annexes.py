"""Every built-in annex: it accepts what it writes, its names go there and back, each listed value passes and what stands
beside it does not."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import NOW

from pisis_batch import pipeline
from pisis_batch.layouts import Field, FileName, Layout, Record, Shelf, shelf
from pisis_batch.model import Limits, Received
from pisis_batch.validators.structure import cell_findings
from pisis_batch.writing import neighbours, sample, sampled
from pisis_batch.writing.values import options

EACH = pytest.mark.parametrize("layout", list(shelf()), ids=lambda layout: f"{layout.annex}-{layout.valid_from.year}")


def in_force(layout: Layout) -> date:
    """A cut date of the version: versions of one annex follow each other."""
    later = [one.valid_from for one in shelf() if one.annex == layout.annex and one.valid_from > layout.valid_from]
    return min(later) - timedelta(days=20) if later else date(2026, 7, 15)


def errors(layout: Layout, name: str, content: bytes) -> list[tuple[int | None, str, str | None, str | None]]:
    examined = pipeline.examine(Received("g", name, content, NOW, None), Shelf((layout,)), Limits())
    found = examined.findings.where("error")
    return [(one.line, one.code, one.field, one.value) for one in found]


@settings(max_examples=4, deadline=None)
@given(rows=st.integers(1, 12), seed=st.integers(0, 10**6), back=st.integers(0, 17))
@EACH
def test_an_annex_accepts_what_it_writes(layout: Layout, rows: int, seed: int, back: int) -> None:
    cut = in_force(layout) - timedelta(days=back)
    name, content = sample(layout, rows, cut=max(cut, layout.valid_from), seed=seed)
    assert errors(layout, name, content) == []
    assert sample(layout, rows, cut=max(cut, layout.valid_from), seed=seed) == (name, content)


@EACH
def test_many_rows_have_keys_of_their_own(layout: Layout) -> None:
    name, content = sample(layout, 130, cut=in_force(layout), seed=7)
    assert content.count(b"\n") >= 130
    assert errors(layout, name, content) == []


def stated(pattern: FileName) -> st.SearchStrategy[dict[str, str]]:
    """Values for every part of a name."""
    parts: dict[str, st.SearchStrategy[str]] = {}
    for piece in pattern.pieces:
        if piece.text == "AAAAMMDD":
            value = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(date.isoformat)
        elif piece.padded and "X" not in piece.text:
            value = st.integers(1, 10**piece.width - 1).map(str)
        else:
            signs = "ABC019" if "X" in piece.text else "ABCXYZ"
            value = st.text(signs, min_size=piece.width, max_size=piece.width)
            if piece.padded:
                value = value.map(lambda text: text.lstrip("0") or "0")
        if piece.field:
            parts[piece.field] = value
    return st.fixed_dictionaries(parts)


@EACH
def test_names_go_there_and_back(layout: Layout) -> None:
    @settings(max_examples=20, deadline=None)
    @given(stated(layout.file_name))
    def there_and_back(values: dict[str, str]) -> None:
        name = layout.file_name.write(values)
        assert len(name) == layout.file_name.width
        assert layout.file_name.read(name) == values
        assert layout.file_name.read(name.lower()) == values

    there_and_back()


def tried(field: Field, good: str) -> list[tuple[str, str | None]]:
    """(value, code of its fault or None) of everything the field says by itself."""
    told = field.allowed or (options(field) if field.list or field.catalog else ())
    right = [(value, None) for value in (*told, *(field.sentinels or ())) if value]
    return [*right, *neighbours(field, good)]


@EACH
def test_each_listed_value_passes_and_its_neighbour_does_not(layout: Layout) -> None:
    _, made = sampled(layout, 40, cut=in_force(layout), seed=11)
    for record in layout.records:
        rows: list[dict[str, str]] = []
        expected: list[tuple[str, str, str | None]] = []
        shown = set()
        for field in record.fields[1:]:
            base = next((row for row in made[record.name] if row[field.name] or field.reserved), None)
            if base is None:
                continue
            shown.add(field.name)
            for value, code in tried(field, base[field.name]):
                rows.append({**base, field.name: value})
                expected.append((field.name, value, code))
        assert_told(record, rows, expected)
        enumerated = {field.name for field in record.fields if field.values}
        assert len(enumerated - shown) <= len(enumerated) // 10


def assert_told(record: Record, rows: list[dict[str, str]], expected: list[tuple[str, str, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(record.by_name, pl.String)).with_row_index("line", offset=1)
    found = cell_findings(frame, record)
    codes = {(row["line"], row["field"]): row["code"] for row in found.iter_rows(named=True)}
    wrong = [
        (name, value, code, codes.get((line, name)))
        for line, (name, value, code) in enumerate(expected, 1)
        if codes.get((line, name)) != code
    ]
    assert wrong == []
