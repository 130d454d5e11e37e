"""Whoever judges files."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pisis_batch.judging import Ask, Judged, Task


class OutdatedError(RuntimeError):
    """What a verdict was based on changed before it could be committed: judge again."""


class JudgeError(RuntimeError):
    """Judging a file failed, and it is our fault: `kind` says how (tiempo, señal 9, dentro: ValueError…)."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Judge(Protocol):
    """Whoever judges files: this process, or children that can do no harm."""

    def judge(self, task: "Task", ask: "Ask", alive: Callable[[], bool] = ...) -> "Judged":
        """Judge one file; `ask` reaches the registry, `alive` is called now and then and ends the work when False.

        Raises JudgeError.
        """
        ...

    def warm(self, *, wait: bool = False) -> None:
        """Prepare for the first file; with `wait` until it may come. Raises UnavailableError when that fails."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
