"""Hints that the inbox changed. Events get lost and observers die silently; whoever listens scans anyway."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

# what the library says of itself is of no use on an operator's terminal, where it would come out for want of a handler
logging.getLogger("watchdog").addHandler(logging.NullHandler())


class WatchdogHints:
    """Fulfils `ports.Hints`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def listening(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake` on every change below the folder, until the block ends."""
        observer = Observer()
        observer.schedule(_Waker(wake), str(self._folder), recursive=True)
        observer.start()
        try:
            yield
        finally:
            observer.stop()
            observer.join(timeout=5)


class _Waker(FileSystemEventHandler):
    """Only sets an event: an exception here would end the observer for good."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in {"created", "moved", "closed"}:
            self._wake()
