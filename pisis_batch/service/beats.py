"""Signs of life: each loop of the service says that it goes round; one that falls silent has stopped."""

import time
from collections.abc import Callable

#: Seconds that each loop may be silent: a large file is copied, a slow server is waited for, and neither is the end.
SILENCE = {"buzón": 300.0, "cola": 300.0, "correo": 1200.0}


class Beats:
    """When each loop was last seen. Any thread may say so, and any may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """The loop goes round."""
        self._last[loop] = self._clock()

    def loops(self) -> list[tuple[str, float, bool]]:
        """Of each loop that ever began: its name, seconds since it was last seen, and whether that is well."""
        now = self._clock()
        return [(loop, now - last, now - last <= SILENCE[loop]) for loop, last in list(self._last.items())]

    def silent(self) -> list[str]:
        """Loops that have stopped."""
        return [loop for loop, _, well in self.loops() if not well]
