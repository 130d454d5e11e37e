r"""Marks that people may leave in a file, and that reading does not see: whole lines that begin with `#! `.

    annotated(b"2|1|CC|…\r\n", [(1, "EST012 campo 3: …")]) -> b"#! EST012 campo 3: …\r\n2|1|CC|…\r\n"
    stripped(that) -> b"2|1|CC|…\r\n"

No line of an annex begins with `#`. A line of the file that looks like a mark all the same is written with `#!=` before
it, and gets it taken off again, so that `stripped(annotated(f, notes)) == f` for every f. A spreadsheet may put a
quotation mark before a mark, and an editor its byte order mark before the first line: both are understood.
"""

import re
from collections.abc import Iterable

MARK = b"#! "
_ESCAPE = b"#!="
_BOM = rb"(?P<bom>(?:\xef\xbb\xbf)?)"
#: Lines of an original that would be taken for a mark or an escape.
_ALIKE = re.compile(rb'^(?=(?:\xef\xbb\xbf)?"?#![ =])', re.MULTILINE)
_MARKED = re.compile(rb'^%b(?:#!=|"?#! [^\n]*(?:\n|\Z))' % _BOM, re.MULTILINE)


def stripped(content: bytes) -> bytes:
    """The file without its marks. A file that has none, which is nearly every file, is returned as it is."""
    return _MARKED.sub(rb"\g<bom>", content) if b"#!" in content else content


def annotated(content: bytes, notes: Iterable[tuple[int, bytes]]) -> bytes:
    r"""The file with each note on a line of its own above the line of that number (from 1, in rising order).

    Lines end at LF. A number past the last line puts its note above the last one. A note must have no line ending.
    """
    content = _ALIKE.sub(_ESCAPE, content) if b"#!" in content else content
    made: list[bytes] = []
    line, told, at = 1, 0, 0
    for number, note in notes:
        while line < number:
            end = content.find(b"\n", at) + 1
            if end in {0, len(content)}:
                break
            line, at = line + 1, end
        made += (content[told:at], MARK, note, b"\r\n")
        told = at
    return b"".join([*made, content[told:]])
