"""However a file is read, its findings are the same: in one go, without polars, or sifted in chunks.

PISIS_FILES says how many random files of each annex (`make differential` asks for many).
"""

import os
import random
import sys
import time
from datetime import date
from typing import Any

import polars as pl
import pytest
from dirty import dirty
from worlds import NOW

from pisis_batch import chunks, pipeline, reading, sifting, verdict
from pisis_batch.adapters import wire
from pisis_batch.layouts import Layout, Shelf, shelf
from pisis_batch.model import Counts, Later, Limits, Received, Verdict
from pisis_batch.validators import structure
from pisis_batch.writing import sample

FILES = int(os.environ.get("PISIS_FILES", "150"))
SIFTABLE = [layout for layout in shelf() if sifting.can_sift(layout)]


#: Seeds that once told two ways of reading apart.
REMEMBERED = (509,)


def judged(layout: Layout, name: str, content: bytes) -> tuple[pl.DataFrame, Counts]:
    examined = pipeline.examine(Received("g", name, content, NOW, None), Shelf((layout,)), Limits(line=300))
    return examined.findings.frame, verdict.count(examined.batch, examined.findings, Verdict.RECHAZADO)


def in_full(patch: pytest.MonkeyPatch) -> None:
    """Everything through polars and the whole rule table."""
    patch.setattr(reading, "_SMALL", 0)
    patch.setattr(structure, "suspicious", lambda frame, _: frame)


def sifted(patch: pytest.MonkeyPatch, chunk: int) -> None:
    patch.setattr(pipeline, "MIDDLING", 0)
    patch.setattr(pipeline, "LARGE", 0)
    patch.setattr(chunks, "CHUNK", chunk)


def middling(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pipeline, "MIDDLING", 0)
    patch.setattr(chunks, "CHUNK", 400)


@pytest.mark.parametrize("layout", list(shelf()), ids=lambda layout: layout.annex)
def test_fast_and_full_find_the_same(layout: Layout) -> None:
    found = 0
    for seed in (*range(FILES if layout in SIFTABLE else FILES // 15), *REMEMBERED):
        name, content = dirty(layout, seed)
        fast = judged(layout, name, content)
        with pytest.MonkeyPatch.context() as patch:
            in_full(patch)
            full = judged(layout, name, content)
        assert fast[0].equals(full[0]), (seed, fast[0].to_dicts(), full[0].to_dicts())
        assert fast[1] == full[1], seed
        found += not full[0].is_empty()
        if layout in SIFTABLE:
            with pytest.MonkeyPatch.context() as patch:
                middling(patch)
                middle = judged(layout, name, content)
            assert middle[0].equals(full[0]), (seed, middle[0].to_dicts(), full[0].to_dicts())
            assert middle[1] == full[1], seed
            for chunk in (150, 700) if seed % 10 == 0 else (400,):
                with pytest.MonkeyPatch.context() as patch:
                    sifted(patch, chunk)
                    parts = judged(layout, name, content)
                assert parts[0].equals(full[0]), (seed, chunk, parts[0].to_dicts(), full[0].to_dicts())
                assert parts[1] == full[1], (seed, chunk)
    assert found


def test_the_figures_of_a_sifted_file(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    name, content = sample(layout, 400, cut=date(2026, 7, 15), seed=1)
    sifted(monkeypatch, 2_000)
    found = pipeline.examine(Received("g", name, content, NOW, None), shelf(), Limits())
    assert found.sound
    assert found.batch is not None
    assert found.batch.figures is not None
    assert found.batch.details == content.count(b"\n")
    assert [found.batch[record.name].height for record in layout.records] == [1, 0, 0]
    assert found.batch.first("usuario") == 2


def test_a_sound_file_of_middling_size_is_cut_when_its_rows_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    name, content = sample(layout, 400, cut=date(2026, 7, 15), seed=1)
    whole = reading.read(content, layout, name, Limits())
    middling(monkeypatch)
    found = pipeline.examine(Received("g", name, content, NOW, None), shelf(), Limits())
    batch = found.batch
    assert batch is not None
    assert isinstance(batch.records, Later)
    assert batch.records._frames == {}
    assert (batch.control, batch.last_line, batch.figures) == (whole.control, whole.last_line, None)
    again = wire.loads(wire.dumps(batch), shelf())
    for record in layout.records:
        assert batch[record.name].equals(whole[record.name])
        assert again[record.name].equals(whole[record.name])
    assert len(found.findings) == 0
    broken = content.replace(b"|V|", b"|X|", 1)
    assert broken != content
    doubtful = pipeline.examine(Received("g", name, broken, NOW, None), shelf(), Limits())
    assert doubtful.batch is not None
    assert not isinstance(doubtful.batch.records, Later)
    assert len(doubtful.findings)


def test_whichever_thread_is_done_first(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    sifted(monkeypatch, 150)
    name, content = max((dirty(layout, seed) for seed in range(30)), key=lambda made: len(made[1]))
    once = judged(layout, name, content)
    whole, usual = sifting.taken_apart, sys.getswitchinterval()
    for seed in range(5):
        chance = random.Random(seed)

        def late(*said: Any, chance: random.Random = chance) -> chunks.Piece | None:
            time.sleep(chance.random() / 200)
            return whole(*said)

        monkeypatch.setattr(sifting, "taken_apart", late)
        again = judged(layout, name, content)
        assert again[0].equals(once[0])
        assert again[1] == once[1]
    assert not once[0].is_empty()
    assert sys.getswitchinterval() == usual


#: Letters that are the only ones beyond ASCII, some of many, bytes that Latin-1 reads otherwise, and none at all.
@pytest.mark.parametrize("raw", [b"PE\xd1A|MU\xd1OZ", b"PE\xd1A|JOS\xc9", b"\xd1 \x80 \x81 \x93", b"PENA", b"\xe9"])
def test_letters_are_decoded_as_reading_does(raw: bytes) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    how = chunks.apart(layout, NOW.date())
    assert how is not None
    text = chunks.taken_apart(b"2|1|" + raw + b"\r\n", 0, len(raw) + 6, how)
    assert text is not None
    assert text.suspects.frame(0)["text"].to_list() == ["2|1|" + reading.decoded(raw)]
