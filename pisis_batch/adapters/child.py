"""The child that reads what senders wrote: one task at a time from one socket, with nothing else in its hands.

It has no database, no network and no file to write; its memory and processor time are limited, and its parent keeps
the wall clock. Run by `isolation`, as `python -m pisis_batch.adapters.child DESCRIPTOR [LAYOUTS]`.
"""

import os
import resource
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pisis_batch.adapters import confinement

if TYPE_CHECKING:
    from pisis_batch.adapters.mapped import MappedFile


def main() -> None:
    """Serve tasks until the parent hangs up."""
    network = confinement.no_network()  # before any library starts a thread
    from pisis_batch import judging  # noqa: PLC0415  # see above
    from pisis_batch.adapters import wire  # noqa: PLC0415
    from pisis_batch.adapters.folder_layouts import shelf_with  # noqa: PLC0415
    from pisis_batch.judging import without_original  # noqa: PLC0415
    from pisis_batch.model import Changes, Facts, Questions  # noqa: PLC0415

    channel = socket.socket(fileno=int(sys.argv[1]))
    shelf = shelf_with(Path(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004  # the operator's folder
    confinement.limits()
    files = confinement.only_reading(confinement.program_folders())
    wire.put(channel, wire.dumps(("ready", {"network": network, "files": files})))

    def ask(questions: Questions) -> Facts:
        wire.put(channel, wire.dumps(("asks", questions)))
        facts: Facts = wire.loads(wire.take(channel), shelf)
        return facts

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
            continue
        heaviest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        wire.put(channel, wire.dumps(("ends", (without_original(judged), heaviest))))


def _original(channel: socket.socket) -> "MappedFile":
    """The large file that the parent opened for us."""
    from pisis_batch.adapters.mapped import MappedFile  # noqa: PLC0415 only a large file needs it

    _, handles, _, _ = socket.recv_fds(channel, 1, 1)
    return MappedFile(os.fdopen(handles[0], "rb"))


if __name__ == "__main__":
    main()
