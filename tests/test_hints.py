"""Hints come from a library that has its own to say."""

import subprocess
import sys


def test_what_the_library_says_does_not_reach_the_terminal() -> None:
    """In a process of its own: here the tests have handlers of theirs."""
    said = (
        "import logging, pisis_batch.adapters.watchdog_hints\n"
        "logging.getLogger('watchdog.observers.inotify').error('called when the thread is inactive')"
    )
    ended = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, timeout=60)
    assert ended.stderr == b""
