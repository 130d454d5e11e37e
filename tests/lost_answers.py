"""A line to PostgreSQL that fails at a COMMIT: before the server hears it, or after it did and before the answer."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # as the wire protocol says it


class Line:
    """Passes bytes between a worker and the server's socket, and counts the COMMITs that go by.

    `fails`: (which COMMIT, counted from 1; whether the server hears it). Its connection ends there, once.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.commits = 0
        self.failed = False
        self.fails: tuple[int, bool] | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def count_anew(self, fails: tuple[int, bool] | None = None) -> None:
        """Forget the COMMITs so far; fail at one that is to come."""
        with self._lock:
            self.commits, self.failed, self.fails = 0, False, fails

    def close(self) -> None:
        """No new connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                worker, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(worker,), daemon=True).start()

    def _carry(self, worker: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with worker, server, contextlib.suppress(OSError):
            server.connect(self._server)
            while True:
                ready, _, _ = select.select([worker, server], [], [])
                if server in ready:
                    told = server.recv(65536)
                    worker.sendall(told)
                    if not told:
                        return
                if worker in ready:
                    said = worker.recv(65536)
                    if not said or self._lost(said, server):
                        return
                    server.sendall(said)

    def _lost(self, said: bytes, server: socket.socket) -> bool:
        """Whether the line breaks now; when the server is to hear the COMMIT, it has ended it by then."""
        if _COMMIT not in said:
            return False
        with self._lock:
            self.commits += 1
            if self.fails is None or self.failed or self.commits != self.fails[0]:
                return False
            self.failed, heard = True, self.fails[1]
        if heard:
            server.sendall(said)
            server.recv(65536)  # the answer, which nobody gets
        return True


@contextmanager
def line(url: str) -> Iterator[tuple[Line, str]]:
    """A line to the server of a URL, and the URL by which it is used."""
    parts = urlsplit(url)
    made = Line(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432")
    try:
        user = parts.username
        yield made, f"{parts.scheme}://{user}@127.0.0.1:{made.port}{parts.path}?sslmode=disable&gssencmode=disable"
    finally:
        made.close()
