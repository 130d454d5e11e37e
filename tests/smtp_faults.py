"""An SMTP server over a real socket that answers what a script says, so that every fault can be had on purpose."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

#: What an honest server says to each command, "" being the greeting and "." the end of the content.
HONEST = {
    "": b"220 prueba ESMTP\r\n",
    "EHLO": b"250-prueba\r\n250 8BITMIME\r\n",
    "HELO": b"250 prueba\r\n",
    "MAIL": b"250 OK\r\n",
    "RCPT": b"250 OK\r\n",
    "DATA": b"354 adelante\r\n",
    ".": b"250 recibido\r\n",
    "RSET": b"250 OK\r\n",
    "QUIT": b"221 adios\r\n",
    "STARTTLS": b"220 adelante\r\n",
    "NOOP": b"250 OK\r\n",
}
DROP = None


class Faulty:
    """One conversation after another. `script` overrides HONEST: bytes to answer, None to hang up, seconds to wait.

    `kept`: the contents taken, raw, each with the recipients it was accepted for.
    """

    def __init__(self, script: Mapping[str, Any], context: ssl.SSLContext | None = None) -> None:
        self.script: dict[str, Any] = {**HONEST, **script}
        self.context = context
        self.kept: list[tuple[list[str], bytes]] = []
        self.heard: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            peer.settimeout(10)
            lines = _Lines(peer)
            with contextlib.suppress(OSError):
                self._talk(lines)
            lines.peer.close()

    def _talk(self, lines: "_Lines") -> None:
        to: list[str] = []
        if not self._say(lines.peer, ""):
            return
        while line := lines.next():
            self.heard.append(line)
            verb = line[:4].upper().decode("latin-1").strip()
            verb = "STARTTLS" if line.upper().startswith(b"STARTTLS") else verb
            if not self._say(lines.peer, verb if verb in self.script else "NOOP"):
                return
            if verb == "RCPT" and self.script["RCPT"] == HONEST["RCPT"]:
                to.append(line.decode("latin-1").strip())
            if verb == "STARTTLS" and self.context is not None:
                lines.peer = self.context.wrap_socket(lines.peer, server_side=True)
            if verb == "DATA" and self.script["DATA"] in {HONEST["DATA"], 3.0}:
                content = lines.content()
                answer = self.script["."]
                if not isinstance(answer, bytes) or answer.startswith(b"250 "):
                    self.kept.append((to, content))  # taken, even when the answer is never given
                to = []
                if not self._say(lines.peer, "."):
                    return

    def _say(self, peer: socket.socket, verb: str) -> bool:
        answer = self.script[verb]
        if callable(answer):
            answer = answer()
        if isinstance(answer, float):
            time.sleep(answer)
            answer = HONEST[verb]
        if isinstance(answer, list):  # dripped
            for piece in answer:
                peer.sendall(piece)
                time.sleep(0.05)
            return True
        if answer is DROP:
            return False
        peer.sendall(answer)
        return True


class _Lines:
    def __init__(self, peer: socket.socket) -> None:
        self.peer, self._held = peer, b""

    def next(self) -> bytes:
        while b"\n" not in self._held:
            piece = self.peer.recv(65536)
            if not piece:
                return b""
            self._held += piece
        line, _, self._held = self._held.partition(b"\n")
        return line + b"\n"

    def content(self) -> bytes:
        whole = b""
        while not whole.endswith(b"\r\n.\r\n"):
            line = self.next()
            if not line:
                raise OSError("cut off in the content")
            whole += line
        return whole.removesuffix(b".\r\n")


@contextlib.contextmanager
def faulty(script: Mapping[str, Any] | None = None, context: ssl.SSLContext | None = None) -> Iterator[Faulty]:
    """A server that runs while the block does."""
    server = Faulty(script or {}, context)
    server._thread.start()
    try:
        yield server
    finally:
        server._server.close()
