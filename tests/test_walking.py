"""The compiled walk accepts what the expressions accept, says the same of a line however it meets it, and stays inside."""

import random
import re
import subprocess
import sys
import textwrap

import numpy as np
import polars as pl
import pytest
import sanitized
from dirty import dirty
from hypothesis import given
from hypothesis import strategies as st
from lines_of import line_of
from test_accepting import ODD, RECORDS, sound
from test_sifting import judged, sifted
from worlds import NOW

from pisis_batch import accepting, automata, chunks, fingerprints, reading, shapes, validators, walking
from pisis_batch.layouts import Layout, Record, shelf
from pisis_batch.model import Limits
from pisis_batch.validators import structure
from pisis_batch.writing import sample

BESIDE = r"""
    import ctypes, mmap, random
    from pisis_batch import chunks, walking
    from pisis_batch.layouts import shelf_for
    from datetime import date
    layout = shelf_for(["SEG500USIN20260715NI000900123456.TXT"]).layouts[0]
    walker = chunks.apart(layout, date(2026, 7, 15)).walker
    size = mmap.PAGESIZE
    room = mmap.mmap(-1, 3 * size)
    start = ctypes.addressof(ctypes.c_char.from_buffer(room))
    start += -start % size
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + size), size, 0) == 0
    chance, many = random.Random(5), 0
    for _ in range(400):
        raw = bytes(chance.choices(b"\r\r||23AV1", k=chance.randrange(60))) + chance.choice([b"\n", b"\r\n", b"|\n"])
        ctypes.memmove(start + size - len(raw), raw, len(raw))
        out = [(ctypes.c_uint64 * (8 * len(raw)))() for _ in range(6)]
        walking._LIBRARY.pisis_walk(ctypes.byref(walker._table), ctypes.c_void_p(start + size - len(raw)), ctypes.c_int64(len(raw)),
                                    ctypes.c_int64(raw.count(b"\n")), ctypes.c_uint8(255), ctypes.c_int64(many % 80), *out)
        many += 1
    print(many)
"""

UNDERSTOOD = [pair for pair in RECORDS if accepting.expression(pair[1]) is not None]
NOTHING = walking.Asked({}, {})
PATTERNS = (
    *("", "A", "[A-C]{2,4}", "(?:0|[1-9][0-9]{0,3})", "(?:A(?:[ -]B{1,2}){0,2})?", "A|AB|ABC", "[0-9]{0,2}A?[^A]?"),
    *(shapes._DATE, shapes._TIME, str(shapes._mail(1, 100)), str(shapes._name(1, 60)), "(?:A?B?){1,3}Ñ"),
)


def walker_of(record: Record, asked: walking.Asked = NOTHING) -> walking.Walker:
    found = walking.accepting_walker([record], [asked])
    assert found is not None
    return found


def fine(walker: walking.Walker, lines: list[str]) -> list[str]:
    raw = b"".join(line.encode("cp1252", "replace") + b"\r\n" for line in lines)
    records = walker.walk(raw).records
    assert len(records) == len(lines)
    return [line for line, record in zip(lines, records, strict=True) if record != walking.NOBODY]


@pytest.mark.parametrize(("layout", "record"), UNDERSTOOD, ids=lambda x: getattr(x, "annex", "") or x.name)
def test_it_accepts_what_the_expression_accepts(layout: Layout, record: Record) -> None:
    pattern, matcher = accepting.expression(record), accepting.matcher(record)
    assert pattern is not None
    assert matcher is not None
    chance = random.Random(13)
    drawn = [line_of(pattern, chance) for _ in range(200)]
    lines = list(drawn)
    for _ in range(600):
        cells = chance.choice(drawn).split("|")
        place = chance.randrange(len(cells))
        longer = cells[place] + chance.choice([*cells[place][-1:], "A", "1", "x", " ", "|", "\r"])
        cells[place] = chance.choice([longer, cells[place][:-1], chance.choice(ODD), cells[place].lower()])
        lines.append("|".join(cells))
    lines = [line.encode("cp1252", "replace").decode("cp1252") for line in lines]
    accepted = fine(walker_of(record), lines)
    expected = [line for line in lines if matcher.fullmatch(line)]
    assert accepted == expected
    assert sound(accepted, record) == accepted
    assert 0 < len(accepted) < len(lines)


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if "^" not in pattern])
def test_an_automaton_matches_what_its_expression_matches(pattern: str) -> None:
    cells = automata.cells([{pattern: 1}], "cp1252")
    chance, whole = random.Random(3), re.compile(pattern)
    words = [line_of(pattern, chance) for _ in range(150)]
    words += [word[: chance.randrange(len(word) + 1)] + chance.choice(["", "A", "B", "0", "Ñ"]) for word in words]
    words += ["".join(chance.choices("AB0 -Ñ.@", k=chance.randrange(5))) for _ in range(300)]
    for word in words:
        state = cells.starts[0]
        for byte in word.encode("cp1252"):
            state = cells.steps[state][cells.classes[byte]]
        assert bool(cells.accepts[state]) == bool(whole.fullmatch(word)), word


def test_what_an_automaton_does_not_understand_is_said() -> None:
    for pattern in ("A*", "[^A]", "A(?=B)", r"\d"):
        with pytest.raises(ValueError, match="not read here"):
            automata.cells([{pattern: 1}], "cp1252")


def test_a_layout_of_too_many_states_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    monkeypatch.setattr(automata, "_MOST_STATES", 100)
    assert chunks.apart(layout, NOW.date()) is None
    name, content = dirty(layout, 4)
    whole = judged(layout, name, content)
    sifted(monkeypatch, 400)
    assert judged(layout, name, content)[0].equals(whole[0])


def test_without_the_compiled_walk_a_file_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    monkeypatch.setattr(walking, "AVAILABLE", False)
    assert chunks.apart(layout, NOW.date()) is None


def test_numbers_of_a_line_are_the_same_by_either_way() -> None:
    """What was accepted in one go, and the same lines read into rows because of a doubt: the keys have to meet."""
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    name, content = sample(layout, 300, cut=NOW.date(), seed=2)
    how = chunks.apart(layout, NOW.date())
    assert how is not None
    piece = chunks.taken_apart(content, 0, len(content), how)
    assert piece is not None
    batch = reading.read(content, layout, name, Limits())
    for record in layout.details:
        places, numbers = piece.accepted[record.name]
        rows = batch[record.name]
        assert (places + 1).tolist() == rows["line"].to_list()
        assert numbers["number"].tolist() == rows["consecutivo"].cast(pl.Int64).to_list()
        for key, told in chunks.numbers_of(rows, record, layout, NOW.date()).items():
            assert (numbers[key] == told).all(), key
    assert batch["usuario"].filter(pl.col("fecha_fin") != "").height
    assert b"\xd1" in content


def test_numbers_tell_cells_apart() -> None:
    rows = pl.DataFrame(
        {"a": ["", "A", "AA", "Ñ", "N", "é", "B", "A", "", "A\r"], "b": ["A", "", "", *"BBBA", "A", "", "A"]}
    )
    numbers = fingerprints.hashed(rows, ("a", "b"))
    assert len(set(numbers.tolist())) == rows.height
    assert numbers[7] == fingerprints.hashed(pl.DataFrame({"b": ["A"], "a": ["A"]}), ("a", "b"))[0]
    assert fingerprints.hashed(rows.clear(), ("a",)).tolist() == []
    assert (
        len(set(fingerprints.hashed(pl.DataFrame({"a": [str(n) for n in range(200_000)]}), ("a",)).tolist())) == 200_000
    )


def test_letters_of_utf8_are_told_apart() -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    layout = layout.but(encoding="utf-8")
    how = chunks.apart(layout, NOW.date())
    assert how is not None
    line = "3|{}|CC|109{}|INS|A|A"
    names = ["0000001", "000000Ñ", "0000Ñ00", "000é", "000С"]
    raw = "\n".join(line.format(place, name) for place, name in enumerate(names)).encode()
    piece = chunks.taken_apart(raw, 0, len(raw), how)
    assert piece is not None
    assert piece.accepted["perfil"][0].tolist() == [0, 1, 2]
    assert piece.suspects.frame(0)["text"].to_list() == [line.format(place, names[place]) for place in (3, 4)]


def test_lines_of_any_bytes_are_counted_and_end_where_they_end() -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    how = chunks.apart(layout, NOW.date())
    assert how is not None
    chance = random.Random(9)
    for _ in range(300):
        raw = bytes(chance.choices([10, 13, 124, 50, 51, 65, 0, 255, 209], k=chance.randrange(1, 120)))
        told = how.walker.walk(raw)
        whole = raw if raw.endswith(b"\n") else raw + b"\n"
        assert told.ends.tolist() == [place for place, byte in enumerate(whole) if byte == 10]
        assert set(told.records.tolist()) <= {0, 1, walking.NOBODY}
    assert len(how.walker.walk(b"").records) == 0


def test_the_walk_never_reads_behind_the_last_line() -> None:
    """The bytes end where memory ends: one read too many is the end of the process."""
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(BESIDE)], capture_output=True, check=False)
    assert told.returncode == 0, told.stderr.decode()[-300:]
    assert told.stdout == b"400\n"


@pytest.mark.skipif(sanitized.compiler() is None, reason="no compiler here has sanitizers")
def test_sanitizers_find_nothing_in_the_walk_but_a_defect() -> None:
    which = sanitized.compiler()
    assert which is not None
    asked = ["--lines", "200", "--annex", "SEG500USIN"]
    ended, text = sanitized.started(which, asked)
    assert ended == 0, text[-600:]
    beyond, instead = sanitized.DEFECTS[0]  # one byte too many is read
    ended, text = sanitized.started(which, asked, old=beyond, new=instead)
    assert ended
    assert "AddressSanitizer" in text


def test_what_is_not_in_doubt_has_no_fault_and_says_the_same_by_either_way() -> None:
    """Lines with other letters, lone CRs, wrong cells: their keys meet those of rows, and all their faults are found."""
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    _, content = sample(layout, 60, cut=NOW.date(), seed=3)
    chance, lines = random.Random(4), []
    cells = [
        b"",
        b"X",
        b"JOS\xc9",
        b"\x80\x8d\xff",
        b"a\rb",
        b"\r",
        b"0",
        b"2030-02-30",
        b"\xd1",
        b"1\x1a",
        b"CC",
        b"O",
    ]
    for line in content.splitlines() * 4:
        parts = line.split(b"|")
        for _ in range(chance.choice([0, 1, 1, 3])):
            parts[chance.randrange(1, len(parts))] = chance.choice(cells)
        lines.append(b"|".join(parts))
    raw = b"\r\n".join(lines)
    how = chunks.apart(layout, NOW.date(), validators.asked_with, 600)
    assert how is not None
    piece = chunks.taken_apart(raw, 0, len(raw), how)
    assert piece is not None
    batch = reading.read(raw, layout, "x", Limits())
    for record in layout.details:
        places, numbers = piece.accepted[record.name]
        rows = batch[record.name].filter(pl.col("line").is_in((places + 1).tolist()))
        for key, told in chunks.numbers_of(rows, record, layout, NOW.date()).items():
            assert (numbers[key] == told).all(), key
        doubts = piece.doubts[record.name]
        assert len(doubts.lines) > 30
        assert any(b"\xc9" in lines[place] for place in doubts.lines)
        found = structure.of_doubts(doubts, record).in_full().with_columns(pl.col("line") + 1)
        suspects = rows.filter(pl.col("line").is_in((doubts.lines + 1).tolist()))
        assert found.equals(structure.of_suspects(suspects, record).in_full().sort("line", "field_no"))
        assert found.height > 30


@given(st.lists(st.sampled_from([b"", b"2|1", b"\r", b"\x00", b"\xd1|\xff" * 9]), min_size=1, max_size=9), st.data())
def test_some_lines_are_taken_out_with_their_ends(lines: list[bytes], data: st.DataObject) -> None:
    raw = b"\n".join(lines) + data.draw(st.sampled_from([b"", b"\n"]))
    every = raw.removesuffix(b"\n").split(b"\n")
    some = sorted(data.draw(st.sets(st.integers(0, len(every) - 1), min_size=1)))
    text, last = walking.lines_of(raw, np.array(some, np.uint32))
    there = [place for place in some if raw and (every[place] or place < len(every) - 1 or raw.endswith(b"\n"))]
    assert text == b"".join(every[place] + b"\n" for place in there)
    assert last == (there[-1:] == [len(every) - 1])
