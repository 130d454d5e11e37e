"""Judging in this very process: for a trusted place, or where children cannot be had."""

from collections.abc import Callable
from pathlib import Path

from pisis_batch import judging
from pisis_batch.adapters.spool import Spool
from pisis_batch.judging import Ask, Judged, Task
from pisis_batch.layouts import Shelf
from pisis_batch.model import Changes


class DirectJudge:
    """Fulfils `ports.Judge`; no limit holds here, and what it raises is whatever went wrong."""

    def __init__(self, shelf: Shelf, folder: Path | None = None) -> None:
        self._shelf, self._folder = shelf, folder

    def judge(self, task: Task, ask: Ask, alive: Callable[[], bool] = lambda: True) -> Judged:
        """Judge one file."""
        del alive  # nothing here waits
        spool: Spool | None = None

        def keep(changes: Changes) -> None:
            nonlocal spool
            spool = spool or Spool(self._folder)
            spool.keep(changes)

        judged = judging.judge(task, self._shelf, ask, keep)
        return judged if spool is None else judging.with_parts(judged, spool)

    def warm(self, *, wait: bool = False) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing to let go of."""
