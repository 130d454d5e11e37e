"""Judging in this very process: for a trusted place, or where children cannot be had."""

from collections.abc import Callable

from pisis_batch import judging
from pisis_batch.judging import Ask, Judged, Task
from pisis_batch.layouts import Shelf


class DirectJudge:
    """Fulfils `ports.Judge`; no limit holds here, and what it raises is whatever went wrong."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def judge(self, task: Task, ask: Ask, alive: Callable[[], bool] = lambda: True) -> Judged:
        """Judge one file."""
        del alive  # nothing here waits
        return judging.judge(task, self._shelf, ask)

    def warm(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing to let go of."""
