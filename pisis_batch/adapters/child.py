"""The process whose copies read what senders wrote, with nothing else in their hands.

It gives up the network and every file but the program's, loads everything, and never reads what anybody sent: each
time it is asked it makes a copy of itself (`fork`), which costs milliseconds, and the copy serves tasks from one
socket, one at a time. A copy has no database, no network and no file to write; its memory and processor time are
limited, others keep the wall clock, and it ends with the process that made it. Run by `nursery`, as
`python -m pisis_batch.adapters.child DESCRIPTOR [LAYOUTS]`.

A copy starts with one thread and so must polars: its threads are made by the first query, never before a copy.
"""

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pisis_batch.adapters import confinement

if TYPE_CHECKING:
    from pisis_batch.adapters.mapped import MappedFile
    from pisis_batch.layouts import Shelf

_SAID = 4096  # bytes of a request at most
_READY = b"r"  # a copy's first word
_DIES_WITH_PARENT = 1
#: Whoever holds the database is not to wait for one that judges; a large file gives way to the small ones beside it.
_NICE, _WIDE_NICE = 5, 10


def main() -> None:
    """Make copies until whoever asks hangs up."""
    confinement.first_to_go()
    network = confinement.no_network()  # before any library starts a thread
    gc.disable()  # what is loaded stays: to look through it while it is loaded is a third of this start
    from pisis_batch.adapters import wire  # noqa: F401, PLC0415  # see above; loaded for the copies
    from pisis_batch.adapters.folder_layouts import shelf_with  # noqa: PLC0415

    control = socket.socket(fileno=int(sys.argv[1]))
    shelf = shelf_with(Path(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004  # the operator's folder
    confinement.limits()
    files = confinement.only_reading(confinement.program_folders())
    _load()
    gc.collect()
    gc.freeze()  # what all copies share is not looked through again by any of them
    gc.enable()
    _tell(control, {"network": network, "files": files})
    living: set[int] = set()
    while True:
        said, handles, _, _ = socket.recv_fds(control, _SAID, 1)
        if not said:
            return
        asked = json.loads(said)
        if asked["do"] == "copy":
            _tell(control, _copied(control, handles[0], shelf, living, wide=asked["wide"]))
        else:
            _tell(control, _ended(asked["pid"], living, kill=asked["do"] == "kill"))


def _load() -> None:
    """What is loaded when it is first needed elsewhere, and would be loaded by each copy anew."""
    import polars  # noqa: F401, ICN001, PLC0415
    import xlsxwriter  # noqa: F401, PLC0415

    from pisis_batch import judging, walking  # noqa: F401, PLC0415
    from pisis_batch.reports import look  # noqa: PLC0415

    look.load()


def _tell(control: socket.socket, said: dict[str, Any]) -> None:
    control.send(json.dumps(said).encode("ascii"))


def _copied(
    control: socket.socket, handle: int, shelf: "Shelf", living: set[int], *, wide: bool
) -> dict[str, int | None]:
    """A copy that serves the socket `handle`; its number, or None when the system has no room for one."""
    with socket.socket(fileno=handle) as channel:
        own = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            return {"pid": None}
        if pid == 0:
            status = 1
            with contextlib.suppress(BaseException):  # its words may carry what a file says
                control.close()
                _settle(own, wide=wide)
                channel.send(_READY)
                _serve(channel, shelf)
                status = 0
            os._exit(status)
    living.add(pid)
    return {"pid": pid}


def _settle(parent: int, *, wide: bool) -> None:
    """What a copy is apart from its parent. For small files one thread of polars costs a third less than several."""
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    os.nice(_WIDE_NICE if wide else _NICE)
    if not wide:
        os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl  # noqa: PLC0415 the network is left before anything is loaded

    pl.DataFrame({"line": [1]}).select("line")  # a copy whose libraries did not survive it hangs here, not on a file


def _ended(pid: int, living: set[int], *, kill: bool) -> dict[str, int | None]:
    """How a copy ended (its exit code, or its signal below zero); None while it lives. Only copies are killed."""
    if pid not in living:
        return {"code": 0}
    if kill:
        os.kill(pid, signal.SIGKILL)
    gone, status = os.waitpid(pid, os.WNOHANG)
    if not gone:
        return {"code": None}
    living.discard(pid)
    return {"code": os.waitstatus_to_exitcode(status)}


def _serve(channel: socket.socket, shelf: "Shelf") -> None:
    """Serve tasks until the parent hangs up."""
    from pisis_batch import judging  # noqa: PLC0415  # the network is left before anything is loaded
    from pisis_batch.adapters import wire  # noqa: PLC0415
    from pisis_batch.model import Changes, Facts, Questions  # noqa: PLC0415

    facts: Facts | None = None

    def ask(questions: Questions) -> Facts:
        nonlocal facts
        wire.put(channel, wire.dumps(("asks", questions)))
        facts = told = wire.loads(wire.take(channel), shelf)
        return told  # type: ignore[no-any-return]  # what the parent says is what it was asked

    def keep(changes: Changes) -> None:
        wire.put(channel, wire.dumps(("part", changes)))

    while True:
        try:
            task, seconds, memory, mapped = wire.loads(wire.take(channel), shelf)
            if mapped:
                task = judging.about(task, _original(channel))
        except wire.GoneError:
            return
        confinement.spend(seconds, memory)
        try:
            judged = judging.judge(task, shelf, ask, keep)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this task's; its text may carry data
            wire.put(channel, wire.dumps(("fails", type(error).__name__)))
            facts = None
            continue
        heaviest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        wire.put(channel, wire.dumps(("ends", (judging.without_original(judged), heaviest)), facts))
        facts = None


def _original(channel: socket.socket) -> "MappedFile":
    """The large file that the parent opened for us."""
    from pisis_batch.adapters.mapped import MappedFile  # noqa: PLC0415 only a large file needs it

    _, handles, _, _ = socket.recv_fds(channel, 1, 1)
    return MappedFile(os.fdopen(handles[0], "rb"))


if __name__ == "__main__":
    main()
