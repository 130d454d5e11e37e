"""How small files fare beside a large one."""

import statistics
import time
from pathlib import Path

import postgresql as pg
from entities import day, drop, drop_large, register, text, verdicts, workspace
from worker import running, wait

from pisis_batch import service, wiring
from pisis_batch.ports import Ports


def beside(server: pg.PostgreSQL, files: int, lines: int, large: int, seconds: float) -> dict[str, object]:
    """How long small files take from reception to verdict, alone and while one of `large` lines is in hand.

    They come one after another until the large one has its verdict, or for so many seconds.
    """
    said: dict[str, object] = {"large_lines": large}
    with workspace(server.database(), files + 1, lines) as (root, settings):
        ports = wiring.ports(settings, workers=True)
        register(ports, lines + 1, large)
        with running(root, 2, patient=False) as (log, _):
            for place in range(4):
                drop(root, place, text(place, lines, day(2)), day(2))
            service.take_in(ports)
            wait(ports, log)  # it is up
            said |= _told("alone", [small(root, ports, place, lines, 1) for place in range(files)])
            drop_large(root, files, large, day(0))
            (guid,) = service.take_in(ports)
            begun, spent, place = time.monotonic(), list[float](), 0
            while not ended(ports, guid) and time.monotonic() < begun + seconds:
                spent.append(small(root, ports, place % files, lines, 3 + place // files))
                place += 1
            said |= _told("beside", spent)
            said |= {"large_ended": ended(ports, guid), "large_seconds": round(time.monotonic() - begun, 1)}
        said["verdicts"] = verdicts(ports)
        ports.registry.close()  # type: ignore[attr-defined]
    return said


def small(root: Path, ports: Ports, place: int, lines: int, back: int) -> float:
    """Seconds of one small file from reception to verdict."""
    drop(root, place, text(place, lines, day(back)), day(back))
    begun = time.perf_counter()
    (guid,) = service.take_in(ports)
    while not ended(ports, guid):
        time.sleep(0.01)
    return time.perf_counter() - begun


def ended(ports: Ports, guid: str) -> bool:
    receipt = ports.registry.receipt(guid)
    return receipt is not None and receipt.state in {"terminado", "cuarentena"}


def _told(name: str, spent: list[float]) -> dict[str, object]:
    at = statistics.quantiles(spent, n=20, method="inclusive") if len(spent) > 1 else [max(spent, default=0.0)]
    return {
        f"{name}_files": len(spent),
        f"{name}_p50_ms": 1000 * statistics.median(spent or [0.0]),
        f"{name}_p95_ms": 1000 * at[-1],
        f"{name}_longest_ms": 1000 * max(spent, default=0.0),
    }
