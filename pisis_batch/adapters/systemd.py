"""What systemd wants to hear of a service (sd_notify): that it is ready, that it lives, that it stops."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable

_LOOK_SECONDS = 15.0


def notify(state: str) -> bool:
    """Send a state (`READY=1`); False where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
        channel.settimeout(0)  # one who does not read holds nobody up
        channel.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        return True
    return False


def watchdog(silent: Callable[[], list[str]], stop: threading.Event) -> threading.Thread | None:
    """Tell systemd that the service lives as long as no loop is silent; None where it did not ask for that."""
    if not os.environ.get("WATCHDOG_USEC"):
        return None
    pause = min(_LOOK_SECONDS, int(os.environ["WATCHDOG_USEC"]) / 3e6)

    def tell() -> None:
        while not stop.wait(pause):
            stopped = silent()
            notify(f"STATUS=sin señales: {', '.join(stopped)}" if stopped else "WATCHDOG=1")

    thread = threading.Thread(target=tell, name="watchdog", daemon=True)
    thread.start()
    return thread
