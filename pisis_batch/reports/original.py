"""The sender's own lines, as text and by the number that findings use."""

from collections.abc import Iterable

import numpy as np

from pisis_batch.annotations import stripped
from pisis_batch.reading import decoded

_WINDOW = 16 * 1024 * 1024


class Original:
    """Lines of a file without being cut up: where each one ends is found once, text is made for what is asked."""

    def __init__(self, content: bytes) -> None:
        self._content = stripped(content)
        ends = [_ends(self._content, at) for at in range(0, len(self._content), _WINDOW)]
        self._ends = np.concatenate([*ends, np.array([len(self._content)])])
        if self._content.endswith(b"\n"):
            self._ends = self._ends[:-1]

    def __len__(self) -> int:
        return len(self._ends)

    def line(self, number: int, longest: int) -> str:
        """A line without its ending, cut off at so many characters; empty for a number that the file does not have."""
        if not 1 <= number <= len(self._ends):
            return ""
        start = 0 if number == 1 else int(self._ends[number - 2]) + 1
        piece = self._content[start : min(int(self._ends[number - 1]), start + longest + 4)]
        if number == 1:
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        return decoded(piece).removesuffix("\r")[:longest]

    def lines(self, numbers: Iterable[int], longest: int) -> list[str]:
        """Several lines, in the order asked."""
        return [self.line(number, longest) for number in numbers]


def _ends(content: bytes, at: int) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    window = np.frombuffer(content, np.uint8, count=min(_WINDOW, len(content) - at), offset=at)
    return np.flatnonzero(window == ord("\n")) + at
