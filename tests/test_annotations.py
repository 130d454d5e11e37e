"""Marks in a file: whatever the bytes, taking the marks off gives the very bytes back."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pisis_batch.annotations import annotated, stripped
from pisis_batch.reports import original

PIECES = [
    b"#! ",
    b"#!=",
    b'"#! ',
    b"#!",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b"\r",
    b"1|NI|",
    b"2|1|CC|\xd1",
    b"\x00",
    b"\x1a",
    b"x",
]
FILES = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=14).map(b"".join)
NOTES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from([b"EST001 campo 3: mal", b"", b"=x", b"#! "])), max_size=6
)


@settings(max_examples=400, deadline=None)
@given(content=FILES, notes=NOTES)
@example(content=b'\xef\xbb\xbf#! a\n#!=b\n"#! c', notes=[])
@example(content=b"1|a", notes=[(1, b"n"), (7, b"n")])
@example(content=b"#!=#! a\r\n\r\n", notes=[(0, b"n"), (2, b"n")])
def test_the_marks_come_off_and_leave_the_very_bytes(content: bytes, notes: list[tuple[int, bytes]]) -> None:
    marked = annotated(content, sorted(notes))
    assert stripped(marked) == content
    assert marked.count(b"\r\n") == content.count(b"\r\n") + len(notes)


def test_a_note_stands_above_its_line_and_the_escape_shows_what_was_there() -> None:
    content = b"1|a\r\n#! mine\n2|b"
    assert annotated(content, [(1, b"x"), (3, b"y"), (3, b"z")]) == b"#! x\r\n1|a\r\n#!=#! mine\n#! y\r\n#! z\r\n2|b"


def test_what_editors_do_to_a_mark_does_not_hide_it() -> None:
    assert stripped(b'\xef\xbb\xbf#! todo\r\n1|a\r\n"#! uno"\r\n2|b\r\n#! fin') == b"\xef\xbb\xbf1|a\r\n2|b\r\n"


def test_a_file_without_marks_is_not_even_copied() -> None:
    content = b"1|a\r\n2|b!#|# !\r\n"
    assert stripped(content) is content


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", [""]),
        (b"1|a", ["1|a"]),
        (b"1|a\r\n\r\n2|\xd1b\n", ["1|a", "", "2|Ñb"]),
        (b"\xef\xbb\xbf1|a\n#! nota\r\n2|b|" + b"c" * 30, ["1|a", "2|b|" + "c" * 16]),
    ],
)
def test_lines_are_shown_by_the_numbers_that_findings_use(
    monkeypatch: pytest.MonkeyPatch, content: bytes, lines: list[str]
) -> None:
    monkeypatch.setattr(original, "_WINDOW", 4)
    shown = original.Original(content, None)
    assert shown.lines(range(1, len(shown) + 1), 20) == lines == [shown.line(n, 20) for n in range(1, len(lines) + 1)]
    assert shown.lines([len(shown), 1], 20) == [lines[-1], lines[0]]
    assert shown.line(0, 20) == shown.line(len(lines) + 1, 20) == ""
