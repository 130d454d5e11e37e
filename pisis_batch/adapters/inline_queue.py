"""One process does everything: no engine, no other machine. Receipts wait in the registry, in order of arrival."""

import random
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from pisis_batch.ports import Receipt, Registry, Work

#: Files in hand while all goes well: while a child judges one, another is applied and answered.
ABREAST = 2
#: Seconds that these may take; then the next entity's file is begun beside them.
PATIENCE = 0.4
#: Files in hand at most, and of one sender.
HANDS, HANDS_OF_ONE = 4, 2
#: Seconds: a chore that comes oftener than this is not left until the next look at an idle inbox.
SOON = 1.0
_HEADS = 64


class InlineQueue:
    """Fulfils `ports.Queue`: a receipt whose attempt failed rests for its pause, its entity's later ones behind it.

    Two files of different entities are done at a time; only while these take longer than is fair are others done beside
    them, so that a file that takes for ever holds up nobody but its own entity, and several nobody but their sender.
    """

    here = True

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._resting: dict[str, float] = {}
        self._done: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(HANDS, "file")
        self._in_hand: dict[Future[timedelta | None], Receipt] = {}
        self._heard: Future[None] = Future()

    def pump(self, work: Work, stop: Callable[[], bool]) -> bool:
        """Receipts that wait and are not resting, entities in turns, then every chore that is due; until `stop`.

        True when there is something to come back for soon.
        """
        for _ in range(_HEADS):  # and then the chores, however many arrive
            self._heard = Future()  # before the look, so that nothing that comes later is missed
            while self._round(work, stop) and not stop():
                pass
            if not self._collect(PATIENCE, self._heard):
                break
        early = False
        for chore in work.chores:
            since = time.monotonic() - self._done.get(chore.name, float("-inf"))
            if since < chore.every.total_seconds() or stop():
                early = early or chore.every.total_seconds() < SOON
                continue
            self._done[chore.name] = time.monotonic()
            try:
                chore.run()
            except Exception as error:  # noqa: BLE001 a chore that fails comes back; the files go on
                import structlog  # noqa: PLC0415 loaded when there is something to say

                structlog.get_logger().error("chore_failed", chore=chore.name, error=type(error).__name__)
        return bool(self._in_hand or self._resting or early)

    def hear(self) -> None:
        """Receipts have arrived: whoever waits for a file that hangs need not wait for them to be begun."""
        if not self._heard.done():
            self._heard.set_result(None)

    def in_hand(self) -> list[str]:
        """Receipts that a thread works on."""
        return [receipt.guid for receipt in self._in_hand.values()]

    def drain(self, seconds: float) -> bool:
        """Wait for the files in hand; whether all of them ended."""
        until = time.monotonic() + seconds
        while self._in_hand and (left := until - time.monotonic()) > 0:
            self._collect(left)
        return not self._in_hand

    def _round(self, work: Work, stop: Callable[[], bool]) -> int:
        """Begin what may be begun now; how many files that was."""
        begun = 0
        for receipt in self._heads():
            while len(self._in_hand) >= HANDS and not stop():
                self._collect(PATIENCE)
            if stop():
                break
            if self._is_busy(receipt) or receipt.guid in self._resting or self._is_old(receipt):
                continue
            self._in_hand[self._pool.submit(work.file, receipt.guid)] = receipt
            begun += 1
            if len(self._in_hand) >= ABREAST:
                self._collect(PATIENCE)
        return begun

    def _heads(self) -> list[Receipt]:
        """The first that wait of each entity; from anywhere on when another service may be at the first ones."""
        now = time.monotonic()
        self._resting = {guid: until for guid, until in self._resting.items() if until > now}
        heads = self._registry.pending(_HEADS)
        first = random.randrange(len(heads)) if heads and self._resting else 0  # noqa: S311 nobody gains by foreseeing it
        return heads[first:] + heads[:first]

    def _is_old(self, receipt: Receipt) -> bool:
        """Whether another service has begun it since we looked: to ask costs less than to write, and no turn."""
        return bool(self._resting) and self._registry.receipt(receipt.guid) != receipt

    def _is_busy(self, receipt: Receipt) -> bool:
        """Whether its queue is in hand, or as many files of its sender as one may have: others find a free hand."""
        others = self._in_hand.values()
        mine = sum(other.sender == receipt.sender for other in others)
        return mine >= HANDS_OF_ONE or any(other.lane == receipt.lane for other in others)

    def _collect(self, seconds: float, heard: Future[None] | None = None) -> bool:
        """Take back what ended, waiting so long for the first, or for receipts that arrive; whether any did."""
        if not self._in_hand:
            return False
        awaited: list[Future[Any]] = list(self._in_hand)
        if heard is not None:
            awaited.append(heard)
        wait(awaited, seconds, FIRST_COMPLETED)
        for future in [one for one in self._in_hand if one.done()]:
            receipt = self._in_hand.pop(future)
            error = future.exception()
            if error is not None:
                import structlog  # noqa: PLC0415 loaded when there is something to say

                structlog.get_logger().error("step_failed", guid=receipt.guid, error=type(error).__name__)
            pause = timedelta(seconds=PATIENCE) if error is not None else future.result()
            if pause is not None:
                self._resting[receipt.guid] = time.monotonic() + pause.total_seconds()
        return heard is not None and heard.done()
