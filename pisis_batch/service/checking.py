"""The verdict of a file, and nothing else: what a check says is what the service will do."""

import dataclasses
from typing import TYPE_CHECKING

from pisis_batch import pipeline
from pisis_batch.layouts import Shelf
from pisis_batch.model import Brake, Limits, Outcome, Received

if TYPE_CHECKING:
    from pisis_batch.ports import Ports


def check(
    received: Received,
    ports: "Ports | None",
    *,
    shelf: Shelf,
    limits: Limits,
    signatures: bool = False,
    counted: bool = False,
) -> Outcome:
    """The verdict without any effect; without ports only the structure is judged.

    `signatures`: by the setting `signature` as well; what we made ourselves nobody has signed yet.
    `counted`: of a very large file it is only told how many its changes are.
    """
    if ports is None:
        return pipeline.conclude(pipeline.examine(received, shelf, limits), None)
    from pisis_batch import judging  # noqa: PLC0415 it loads the documents as well

    judged = received.sender is not None
    task = judging.Task(received, limits, ports.clock(), ports.mail_from, sender_judged=judged)
    if signatures:
        task = dataclasses.replace(task, trust=ports.trust(ports.clock()))
    if counted:  # no file is held here, so that nobody needs the whole plan
        task = dataclasses.replace(task, brake=Brake(0, 0))
    return judging.outcome_of(task, shelf, ports.registry.ask, (lambda _: None) if counted else None)
