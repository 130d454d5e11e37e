"""Reading loses nothing: every line is a row or an oddity, whatever the bytes; the traps of the stack stay pinned."""

import csv
import io

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from worlds import CONTROL, NAME, NOW

from pisis_batch import pipeline, reading
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits, Received
from pisis_batch.validators.structure import cell_findings

LAYOUT = shelf().get("SEG500USIN")
assert LAYOUT is not None
_PIECE = st.sampled_from(
    [
        b"1|NI|",
        b"2|",
        b"3|",
        b"|",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b"\x00",
        b"\x1a",
        b"\xc3\x91",
        b"\xef\xbb\xbf",
        b"\x81",
        b" ",
        b"A",
        b"9",
    ]
)
_BYTES = st.one_of(st.binary(max_size=300), st.lists(_PIECE, max_size=60).map(b"".join))


def _lines(content: bytes) -> int:
    return content.removesuffix(b"\n").count(b"\n") + 1


@settings(max_examples=300, deadline=None)
@given(_BYTES)
def test_every_line_is_a_row_or_an_oddity(content: bytes) -> None:
    assert LAYOUT
    batch = reading.read(content, LAYOUT, NAME, Limits(line=200))
    if batch.last_line == 0:
        assert batch.irregular["problem"].to_list() in (["empty"], ["binary"])
        return
    rows = {line for frame in batch.records.values() for line in frame["line"]}
    odd = set(batch.irregular["line"])
    body = content.removeprefix(b"\xef\xbb\xbf")
    assert rows | odd == set(range(1, _lines(body) + 1))
    assert all(frame.null_count().sum_horizontal().sum() == 0 for frame in batch.records.values())


@settings(max_examples=60, deadline=None)
@given(_BYTES)
def test_any_bytes_get_a_verdict_and_sentences(content: bytes) -> None:
    received = Received("g", NAME, content, NOW, None)
    outcome = pipeline.conclude(pipeline.examine(received, shelf(), Limits(line=200)), None)
    assert outcome.verdict == "rechazado"
    assert outcome.counts.read == outcome.counts.correct + outcome.counts.with_errors


@pytest.mark.parametrize("byte", range(256))
def test_each_byte_inside_a_name_is_kept_or_objected_to(byte: int) -> None:
    line = b"2|1|CC|1090000001|JU" + bytes([byte]) + b"AN|PEREZ|O|||||"
    content = CONTROL.format(total=1).encode() + b"\r\n" + line
    examined = pipeline.examine(Received("g", NAME, content, NOW, None), shelf(), Limits())
    allowed = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ \x27-") | {0xD1}
    assert examined.findings.blocks is (byte not in allowed)


def test_a_long_line_costs_a_finding_and_not_its_neighbours() -> None:
    assert LAYOUT
    content = CONTROL.format(total=2).encode() + b"\n2|" + b"|" * 2_000_000 + b"\n2|2|CC|1090000001|JUAN|PEREZ|O|||||"
    batch = reading.read(content, LAYOUT, NAME, Limits())
    assert batch.irregular["problem"].to_list() == ["too_long"]
    assert batch["usuario"]["line"].to_list() == [3]


def test_a_file_over_the_limit_is_not_read() -> None:
    assert LAYOUT
    batch = reading.read(b"1|NI|900123456", LAYOUT, NAME, Limits(file=10))
    assert batch.irregular["problem"].to_list() == ["too_big"]


def test_no_final_newline_and_crlf_read_alike() -> None:
    assert LAYOUT
    lines = [CONTROL.format(total=1).encode(), b"2|1|CC|1090000001|JUAN|PEREZ|O|||||"]
    frames = [
        reading.read(end.join(lines) + last, LAYOUT, NAME, Limits())["usuario"]
        for end in (b"\n", b"\r\n")
        for last in (b"", end)
    ]
    assert all(frame.equals(frames[0]) for frame in frames)


def test_trap_pandera_checks_no_data_of_a_lazy_frame() -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(pl.Int64, pa.Check.gt(0))})
    bad = pl.DataFrame({"a": [-1]})
    schema.validate(bad.lazy()).collect()  # passes: this is why a lazy frame is refused at our door
    with pytest.raises(pa.errors.SchemaError):
        schema.validate(bad)
    with pytest.raises(TypeError, match="lazy frame"):
        cell_findings(bad.lazy(), LAYOUT.control)  # type: ignore[union-attr, arg-type]


def test_trap_csv_readers_swallow_lines_at_a_quote() -> None:
    text = '1|"AB|x\n2|c|y\n3|d"|z'
    assert len(list(csv.reader(io.StringIO(text), delimiter="|"))) == 1
    assert LAYOUT
    batch = reading.read(b'2|"AB|x\n2|c|y\n2|d"|z', LAYOUT, NAME, Limits())
    assert batch.irregular["line"].to_list() == [1, 2, 3]


def test_trap_polars_dates_are_lenient() -> None:
    lenient = pl.Series(["2025-1-1", " 2025-01-01"]).str.to_date("%Y-%m-%d", strict=False)
    assert lenient.null_count() < 2  # so a pattern is checked before a date is parsed


@settings(max_examples=150, deadline=None)
@given(_BYTES)
def test_small_files_are_read_like_large_ones(content: bytes) -> None:
    assert LAYOUT
    with pytest.MonkeyPatch.context() as patch:
        small = reading.read(content, LAYOUT, NAME, Limits(line=40))
        patch.setattr(reading, "_SMALL", 0)
        large = reading.read(content, LAYOUT, NAME, Limits(line=40))
    assert small.last_line == large.last_line
    assert small.irregular.equals(large.irregular), (small.irregular, large.irregular)
    for name, frame in small.records.items():
        assert frame.schema == large.records[name].schema
        assert frame.equals(large.records[name])


_CELLS = st.lists(
    st.sampled_from(["", "A", "MUÑOZ", "\r", "x\r", " ", '"', "\x00", "\x1a", "#", "2"]), min_size=5, max_size=13
)


@settings(max_examples=100, deadline=None)
@example(["2||||||||||\r"])  # a bar too few, and what the reader takes for part of the ending
@example(["2|||||||||\r|"])
@given(
    st.lists(
        st.one_of(st.text("|2\r A\ufeff", max_size=6), _CELLS.map("|".join), _CELLS.map(lambda c: "|".join(["2", *c]))),
        min_size=1,
        max_size=30,
    )
)
def test_many_lines_are_cut_like_few(lines: list[str]) -> None:
    assert LAYOUT
    lines += [f"2|{n}|{'|' * 9}" for n in range(3)] + [f"3|{n}|A||||" for n in range(3)]
    frame = pl.DataFrame({"text": lines}).with_row_index("line", offset=7).select("line", "text")
    rows, odd = reading.rows_of(frame, LAYOUT, Limits(line=40))
    shape = reading.shaped(frame, LAYOUT, Limits(line=40))
    assert odd.equals(reading.odd_lines(shape))
    for record in LAYOUT.records:
        found = reading.cells_of(shape, record, LAYOUT.separator)
        assert rows.get(record.name, found.clear()).equals(found)


@pytest.mark.parametrize("ending", ["\n", ""])
@given(
    st.lists(
        st.sampled_from(["", "a", "\r", "\r\r", '"b', "\x01", "\x00", "Ñ|c", "\ufeff", " ", "\x1a"]),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None)
def test_lines_end_at_lf_and_lose_one_cr(ending: str, lines: list[str]) -> None:
    text = "\n".join(lines) + ending
    expected = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    assert reading.lines_of(text.encode()).to_list() == expected
