"""What there is to do: a receipt, or a chore of the calendar. The same for one process and for many workers."""

from collections.abc import Callable, Container, Sequence
from datetime import timedelta

import structlog

from pisis_batch.model import Outcome
from pisis_batch.ports import OPEN, Chore, Ports, UnavailableError
from pisis_batch.service.chores import chores
from pisis_batch.service.delivery import publish
from pisis_batch.service.processing import process

#: How long a file rests after each failed attempt; after the last it is in quarantine.
RESTS = (timedelta(seconds=5), timedelta(seconds=30))
#: How soon to look again at a file that is in other hands, or whose entity's queue is.
TURN = timedelta(seconds=2)
_log = structlog.get_logger()


class FileWork:
    """Fulfils `ports.Work`. The chores named in `apart` are somebody else's."""

    def __init__(
        self, ports: Ports, on_outcome: Callable[[Outcome], None] | None = None, apart: Container[str] = ()
    ) -> None:
        self._ports, self._on_outcome = ports, on_outcome
        self._chores = tuple(chore for chore in chores(ports) if chore.name not in apart)

    @property
    def chores(self) -> Sequence[Chore]:
        """What the calendar asks for."""
        return self._chores

    def file(self, guid: str) -> timedelta | None:
        """Work on a receipt, after the older ones of its lane. None when it has its end, else when to come back."""
        for older in self._ports.registry.ahead(guid):
            outcome = process(older, self._ports)
            if outcome is not None:
                try:
                    publish(self._ports, older)
                except (OSError, UnavailableError) as error:  # a chore publishes what is left over
                    _log.error("publishing_failed", guid=older, error=type(error).__name__)
                if self._on_outcome:
                    self._on_outcome(outcome)
            elif pause := self._pause(older):
                return pause
        return None

    def _pause(self, guid: str) -> timedelta | None:
        receipt = self._ports.registry.receipt(guid)
        if receipt is None or receipt.state not in OPEN:
            return None
        if receipt.state == "procesando" or receipt.attempts == 0:
            return TURN
        return RESTS[min(receipt.attempts, len(RESTS)) - 1]
