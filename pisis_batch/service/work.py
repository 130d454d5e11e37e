"""What there is to do: a receipt, or a chore of the calendar. The same for one process and for many workers."""

from collections.abc import Callable, Container, Sequence
from datetime import timedelta

from pisis_batch.model import Outcome
from pisis_batch.ports import OPEN, Chore, Ports
from pisis_batch.service.chores import chores
from pisis_batch.service.processing import process
from pisis_batch.service.publishing import NOTED_SECONDS, Publishing

#: How long a file rests after each failed attempt; after the last it is in quarantine.
RESTS = (timedelta(seconds=5), timedelta(seconds=30))
#: How soon to look again at a file that is in other hands, or whose entity's queue is.
TURN = timedelta(seconds=2)


class FileWork:
    """Fulfils `ports.Work`. The chores named in `apart` are somebody else's; so may be `publishing`."""

    def __init__(
        self,
        ports: Ports,
        on_outcome: Callable[[Outcome], None] | None = None,
        apart: Container[str] = (),
        publishing: Publishing | None = None,
    ) -> None:
        self._ports, self._on_outcome = ports, on_outcome
        self._publishing = publishing or Publishing(ports)
        self._chores = tuple(chore for chore in chores(ports) if chore.name not in apart)
        if publishing:  # before what is not noted is published once more
            self._chores = (Chore("anotar", publishing.note, timedelta(seconds=NOTED_SECONDS), ""), *self._chores)

    @property
    def chores(self) -> Sequence[Chore]:
        """What the calendar asks for."""
        return self._chores

    def file(self, guid: str) -> timedelta | None:
        """Work on a receipt, after the older ones of its lane. None when it has its end, else when to come back."""
        if self._done(guid):
            return None
        older = self._ports.registry.ahead(guid)
        if len(older) < 2:  # noqa: PLR2004 it was its turn
            return self._pause(guid)
        for one in older:
            if not self._done(one) and (pause := self._pause(one)):
                return pause
        return None

    def _done(self, guid: str) -> bool:
        """Whether a receipt came to its end just now."""
        outcome = process(guid, self._ports, self._publishing.publish, rested=True)
        if outcome is None:
            return False
        if self._on_outcome:
            self._on_outcome(outcome)
        return True

    def _pause(self, guid: str) -> timedelta | None:
        receipt = self._ports.registry.receipt(guid)
        if receipt is None or receipt.state not in OPEN:
            return None
        if receipt.state == "procesando" or receipt.attempts == 0:
            return TURN
        return RESTS[min(receipt.attempts, len(RESTS)) - 1]
