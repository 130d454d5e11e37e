"""Named points at which a test may kill the process, to prove that nothing is lost or done twice."""

import os
import signal

_passed: dict[str, int] = {}


def crashpoint(name: str) -> None:
    """Die here if `PISIS_CRASH_AT` says so (`sent`, or `sent:3` for the third time); otherwise nothing."""
    wanted = os.environ.get("PISIS_CRASH_AT")
    if wanted is None:
        return
    _passed[name] = _passed.get(name, 0) + 1
    point, _, turn = wanted.partition(":")
    if point == name and _passed[name] == int(turn or 1):
        os.kill(os.getpid(), signal.SIGKILL)
