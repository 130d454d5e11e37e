"""What runs on a host: the watcher that only takes files in, or a worker; perhaps with a planted defect."""

import ctypes
import json
import logging
import os
import socket
import sys
from pathlib import Path

import structlog

from chaos import defects
from pisis_batch import service, wiring  # noqa: F401 the same
from pisis_batch.adapters import procrastinate_queue, watchdog_hints  # noqa: F401 the same
from pisis_batch.cli import cluster, files, root  # noqa: F401 loaded before the hosts are forked
from pisis_batch.service import watching, work  # noqa: F401 the same

_UTS, _NET = 0x04000000, 0x40000000


def elsewhere(name: str) -> bool:
    """Give this process a host name and a network of its own; False where the kernel does not let us."""
    if ctypes.CDLL(None, use_errno=True).unshare(_UTS | _NET) != 0:
        return False
    socket.sethostname(name)
    return True


def main(said: str) -> None:
    """Become the host that the harness describes."""
    folder, role, name, defect, crash_at, stop_at = json.loads(said)
    elsewhere(name)
    os.environ["PISIS_CRASH_AT"] = crash_at
    log = (Path(folder) / "hosts.log").open("a")
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    defects.slow(stop_at)
    if defect:
        defects.DEFECTS[defect]()
    order = ["watch", "--enqueue"] if role == "watcher" else ["worker", "--concurrency", "2"]
    root(["-w", folder, *order], standalone_mode=False)


if __name__ == "__main__":
    main(sys.argv[1])
