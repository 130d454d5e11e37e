"""What every command that runs until it is stopped has: signals, systemd, a port to be asked on."""

import signal
import threading
from typing import TYPE_CHECKING

from pisis_batch.settings import SettingsError

if TYPE_CHECKING:
    from pisis_batch import service
    from pisis_batch.adapters.prometheus import Metrics
    from pisis_batch.ports import Ports
    from pisis_batch.settings import Settings


def by_the_clock(settings: "Settings", *, fixed_allowed: bool) -> "Settings":
    """The settings of a service, whose clock goes. Raises SettingsError when it is stopped."""
    if settings.now is not None and not fixed_allowed:
        raise SettingsError("PISIS_NOW detiene el reloj: no se usa en el servicio sin --allow-fixed-clock")
    return settings


def stopped() -> threading.Event:
    """Set by SIGTERM or Ctrl-C; systemd is told."""
    from pisis_batch.adapters import systemd

    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        systemd.notify("STOPPING=1\nSTATUS=terminando lo que está en curso")

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, end)
    return stop


def ready(status: str) -> None:
    """Tell systemd that the work has begun."""
    from pisis_batch.adapters import systemd

    systemd.notify(f"READY=1\nSTATUS={status}")


def asked_on(
    port: int,
    settings: "Settings",
    ports: "Ports",
    beats: "service.Beats",
    metrics: "Metrics",
    *,
    address: str = "127.0.0.1",
    intake: bool = True,
) -> None:
    """Answer /metrics, /health and /ready on a port while the process lives. `intake`: the inbox must be there."""
    from pisis_batch import wiring
    from pisis_batch.adapters import status_server

    vitals = wiring.vitals(settings, ports, beats.loops, intake=intake)
    status_server.serve(port, vitals, metrics.page, address)
