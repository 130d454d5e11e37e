"""The service over HTTP, for machines: /metrics, /health (does it live?), /ready (can it receive and answer?)."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pisis_batch.adapters.vitals import Sign, Vitals

Page = tuple[int, str, bytes]


def serve(port: int, vitals: Vitals, metrics: Callable[[], bytes], address: str = "127.0.0.1") -> Callable[[], None]:
    """Answer on a port until what is returned is called. Every other path is 404; nothing can be changed."""
    pages: dict[str, Callable[[], Page]] = {
        "/metrics": lambda: (200, "text/plain; version=0.0.4; charset=utf-8", metrics()),
        "/health": lambda: _page(vitals.alive()),
        "/ready": lambda: _page(vitals.ready()),
    }

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # of whoever connects and says nothing

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            status, kind, body = page() if page else (404, "text/plain", b"")
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: whoever asks every few seconds is no news."""

    server = ThreadingHTTPServer((address, port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="status", daemon=True)
    thread.start()

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return close


def _page(signs: list[Sign]) -> Page:
    well = all(sign.well or not sign.fatal for sign in signs)
    told = {"well": well, "signs": {sign.name: {"well": sign.well, "note": sign.note} for sign in signs}}
    return (200 if well else 503), "application/json", json.dumps(told, ensure_ascii=False).encode()
