"""The sender's own lines, as text and by the number that findings use."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from pisis_batch.annotations import stripped
from pisis_batch.layouts import Layout
from pisis_batch.model import Content
from pisis_batch.reading import decoded

_WINDOW = 16 * 1024 * 1024
_PART = 256 * 1024  # of a window, what the processor has at hand
_SMALL = 1024 * 1024
_DENSE = 4  # of so many neighbouring lines one is asked for: they are read together
_BOM = b"\xef\xbb\xbf"


class Original:
    """Lines of a file without being cut up: where each one ends is found once, text is made for what is asked.

    A large file is looked at through windows and never copied whole, unless it has marks to be taken off.
    """

    def __init__(self, content: Content, layout: Layout | None) -> None:
        self.separator = layout.separator if layout else "|"
        self._encoding = layout.encoding if layout else "cp1252"
        marked = content.find(b"#") >= 0 and content.find(b"#!") >= 0  # one byte is found many times sooner
        self._content: Content = stripped(content[:]) if marked else content

    @cached_property
    def _ends(self) -> Sequence[int]:
        return _ends(self._content)

    def __len__(self) -> int:
        return len(self._ends)

    def line(self, number: int, longest: int) -> str:
        """A line without its ending, cut off at so many characters; empty for a number that the file does not have."""
        if not 1 <= number <= len(self._ends):
            return ""
        start = 0 if number == 1 else int(self._ends[number - 2]) + 1
        end = int(self._ends[number - 1])
        piece = self._content[start : min(end, start + 4 * longest + len(_BOM))]
        if number == 1:
            piece = piece.removeprefix(_BOM)
        return decoded(piece, self._encoding).removesuffix("\r")[:longest]

    def lines(self, numbers: Iterable[int], longest: int) -> list[str]:
        """Several lines, in the order asked."""
        asked = list(numbers)
        first, last = min(asked, default=0), max(asked, default=0)
        if not (first >= 1 and last <= len(self) and last - first < _DENSE * len(asked)):
            return [self.line(number, longest) for number in asked]
        start = int(self._ends[first - 2]) + 1 if first > 1 else 0
        end = int(self._ends[last - 1])
        if end - start > _SMALL * _DENSE:
            return [self.line(number, longest) for number in asked]
        piece = self._content[start:end]
        text = decoded(piece.removeprefix(_BOM) if first == 1 else piece, self._encoding).split("\n")
        return [text[number - first].removesuffix("\r")[:longest] for number in asked]


def _ends(content: Content) -> Sequence[int]:
    """Where the lines end; the end of the file ends a last line without an ending."""
    size = len(content)
    rest = [] if size and content[size - 1 : size] == b"\n" else [size]
    if size < _SMALL:
        return [*(found.start() for found in re.finditer(rb"\n", content[:])), *rest]
    import numpy as np  # noqa: PLC0415 only a large file is worth what it loads

    windows = ((at, np.frombuffer(content[at : at + _WINDOW], np.uint8)) for at in range(0, size, _WINDOW))
    ends = [
        np.flatnonzero(window[first : first + _PART] == ord("\n")) + (at + first)
        for at, window in windows
        for first in range(0, len(window), _PART)
    ]
    return np.concatenate([*ends, np.array(rest, np.intp)])  # type: ignore[return-value]  # integers by their place
