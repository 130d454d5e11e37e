"""Which files of the inbox may be taken now: what still changes, is being written, or could not be moved is let be.

Size and time of a file must hold still for the settle time, and nobody may hold it open for writing.
"""

import time

from pisis_batch.adapters import folder_scan
from pisis_batch.adapters.folder_scan import Seen

AT_ONCE = 16_384  # files remembered, over all folders
LINK_GRACE = 10.0  # seconds: some servers rename by linking and unlinking
OPEN_GRACE = 900.0  # a file that is held open but does not change is taken as it is after so many
STUCK_SECONDS = 60.0  # how long a file that may not be renamed is let be

#: A file by its sender and its name.
Key = tuple[str | None, str]


class Stillness:
    """What was seen of files at earlier looks."""

    def __init__(self, settle_seconds: float) -> None:
        self._settle = settle_seconds
        self._still: dict[Key, tuple[int, int, int, float]] = {}
        self._stuck: dict[Key, float] = {}

    @property
    def stuck(self) -> int:
        """How many files could not be moved a moment ago."""
        return len(self._stuck)

    def stick(self, key: Key) -> None:
        """Note that a file could not be moved."""
        self._stuck[key] = time.monotonic()

    def is_stuck(self, key: Key) -> bool:
        """Whether a file could not be renamed a moment ago; it is tried again, but not all the time."""
        since = self._stuck.get(key)
        if since is not None and time.monotonic() - since >= STUCK_SECONDS:
            del self._stuck[key]
        return key in self._stuck

    def settled(self, folder: int, key: Key, seen: Seen) -> bool:
        """Whether it held still long enough, by its own time or between two looks of ours, and nobody writes to it."""
        if self.is_stuck(key):
            return False
        if seen.kind:
            return True
        now = (seen.node, seen.size, seen.changed)
        *before, since = self._still.get(key, (-1, -1, -1, 0.0))
        if tuple(before) != now:
            since = time.monotonic()
            self._remember(key, (*now, since))
        held = time.monotonic() - since
        if seen.links > 1 and held < max(LINK_GRACE, self._settle):
            return False
        if self._settle > 0 and time.time() - seen.changed / 1e9 < self._settle and held < self._settle:
            return False
        if held < OPEN_GRACE and folder_scan.being_written(folder, seen.name):
            return False
        self._still.pop(key, None)
        return True

    def _remember(self, key: Key, value: tuple[int, int, int, float]) -> None:
        while len(self._still) >= AT_ONCE:  # the longest forgotten goes: it is looked at anew
            self._still.pop(next(iter(self._still)))
        self._still[key] = value
