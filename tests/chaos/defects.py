"""Defects planted on purpose, to see whether the harness finds them. Each takes one guard away, and its twins with it."""

import dataclasses
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from pisis_batch.adapters import (
    procrastinate_tending,
    sql_engine,
    sql_facts,
    sql_lanes,
    sql_registry,
    sql_revision,
)
from pisis_batch.adapters.procrastinate_queue import ProcrastinateQueue
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import lane, receipt
from pisis_batch.ports import Receipt
from pisis_batch.service import chores, delivery, intake, processing, publishing, work
from pisis_batch.service.crash import crashpoint


def slow(stop_at: str = "") -> None:
    """No defect: every file takes up to half a second more before its commit, so that harm finds it in hand.

    With `stop_at`, the process falls asleep the first time it comes to that point, until somebody wakes it; with a
    `+` behind, only the file stands still, and the worker goes on telling that it lives; with a `!`, that attempt fails,
    and the next one that comes there.
    """
    real = processing.crashpoint
    asleep, fails = threading.Event(), iter("!!" if stop_at.endswith("!") else "")

    def dawdling(name: str) -> None:
        if name == "before_commit":
            time.sleep(random.uniform(0.0, 0.5))
        if name == stop_at.rstrip("!") and next(fails, ""):
            raise RuntimeError("planted")
        if name == stop_at.rstrip("+") and not asleep.is_set():
            asleep.set()
            if stop_at.endswith("+"):
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGSTOP)
        real(name)

    processing.crashpoint = dawdling


def _believed() -> None:
    def let_go(connection: sa.Connection, guid: str, fence: int) -> bool:
        del fence
        of = sa.select(receipt.c.lane).where(receipt.c.guid == guid).scalar_subquery()
        connection.execute(lane.update().where(lane.c.name == of).values(lease_until=None, owner=None))
        return True

    sql_lanes.let_go = let_go
    sql_registry._ENDED = sql_registry._ENDED_AGAIN
    sql_revision.current = lambda connection, who, **more: 0
    sql_facts.earlier = lambda *args: None


def _lease_for_all(*, order: bool) -> None:
    def lease(
        connection: sa.Connection, guid: str, who: str, seconds: float, *, again: bool, rested: bool = False
    ) -> Any:
        found = connection.execute(sa.select(receipt).where(receipt.c.guid == guid)).one()
        if found.state not in sql_lanes.OPEN and not again:
            return None
        if order and sql_lanes._older_waits(connection, found):
            return None
        number = lane.update().where(lane.c.name == found.lane).values(fence=lane.c.fence + 1, owner=who)
        fence = connection.execute(number.returning(lane.c.fence)).scalar_one()
        values = {"attempts": receipt.c.attempts + 1, "fence": fence, "state": "recibido"}
        taken = receipt.update().where(receipt.c.guid == guid).values(**values).returning(*receipt.c)
        return connection.execute(taken).one()

    sql_lanes.lease = lease


def no_fence() -> None:
    """A worker that slept past its lease, and woke up, is believed, even by the last index."""
    _believed()
    _without_the_last_index()


def _without_the_last_index() -> None:
    real = SqlRegistry.migrate

    def migrate(self: Any, **more: Any) -> Any:
        done = real(self, **more)
        with self.engine.begin() as connection:
            connection.execute(sa.text("DROP INDEX IF EXISTS one_open_link"))
            connection.execute(sa.text("DROP INDEX IF EXISTS one_open_profile_grant"))
        return done

    SqlRegistry.migrate = migrate


def no_lane() -> None:
    """Files are taken one by one, whatever their entity."""
    _lease_for_all(order=False)
    _believed()
    SqlRegistry.ahead = lambda self, guid: [guid]
    _one_lock_each()


def no_order() -> None:
    """One file of an entity at a time, but not the oldest first."""
    sql_lanes._older_waits = lambda connection, found: False
    SqlRegistry.ahead = lambda self, guid: [guid]
    _one_lock_each()


def _one_lock_each() -> None:
    real = ProcrastinateQueue.enlist

    def enlist(self: Any, connection: sa.Connection, new: Receipt) -> None:
        real(self, connection, Receipt(new.guid, new.file_name, "", "", new.size, None, new.received_at, lane=new.guid))

    ProcrastinateQueue.enlist = enlist


def split_effect() -> None:
    """The receipt is ended in one transaction, and its effect follows in another."""
    real = SqlRegistry._end

    def end(self: Any, outcome: Any, *args: Any, **kwargs: Any) -> bool:
        with self.engine.begin() as connection:
            guid = outcome.received.guid
            connection.execute(receipt.update().where(receipt.c.guid == guid).values(state="terminado"))
        crashpoint("split")
        time.sleep(0.2)
        return bool(real(self, outcome, *args, **kwargs))

    SqlRegistry._end = end
    sql_registry._ENDED = sql_registry._ENDED_AGAIN


def job_apart() -> None:
    """The job is put after the receipt was recorded, and nobody looks for receipts without one."""
    real = SqlRegistry.accept
    _no_search()

    def accept(self: Any, *receipts: Receipt) -> None:
        fresh = [one for one in receipts if not self.receipt(one.guid)]
        enlist, self.enlist = self.enlist, None
        real(self, *fresh)
        self.enlist = enlist
        for one in fresh:
            crashpoint("accepted")
            time.sleep(0.1)
            with self.engine.begin() as connection:
                enlist(connection, one)

    SqlRegistry.accept = accept


def _no_search() -> None:
    procrastinate_tending._FORGOTTEN = sa.text(
        "SELECT 0 WHERE CAST(:large AS bigint) > 0 AND CAST(:large_queue AS text) <> CAST(:queue AS text) "
        "AND CAST(:task AS text) <> '' AND cardinality(CAST(:open AS text[])) > 0"
    )


def no_rescue() -> None:
    """Nobody looks after the jobs of the dead."""
    ProcrastinateQueue.tend = lambda self: (0, 0)


def early_receipt() -> None:
    """The job is struck off before its file is done."""
    _no_search()
    real = work.FileWork.file

    def file(self: Any, guid: str) -> timedelta | None:
        with self._ports.registry.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM procrastinate_jobs WHERE queueing_lock = :guid"), {"guid": guid})
        return real(self, guid)

    work.FileWork.file = file


def marked_before_sent() -> None:
    """A mail counts as sent before it is."""

    def deliver(ports: Any) -> tuple[int, int]:
        sent = 0
        while mails := ports.registry.mails_due(ports.clock(), 1):
            ports.registry.mail_sent(mails, ports.clock())
            crashpoint("sent")
            time.sleep(0.05)
            sent += len(list(ports.mailer.send(mails)))
        return sent, 0

    delivery.deliver = chores.deliver = deliver


def marked_before_published() -> None:
    """Documents count as published before they are."""

    def publish(self: Any, judged: Any, fence: int) -> None:
        received = judged.outcome.received
        self._ports.registry.each_published([(received.guid, fence)])
        crashpoint("published")
        time.sleep(0.1)
        self._ports.outbox.publish(received.sender, received.guid, judged.documents)

    publishing.Publishing.publish = publish


def claim_forgotten_early() -> None:
    """A claimed file is forgotten before its receipt is recorded."""
    real = intake._receipts

    def receipts(kept: Any, ports: Any) -> Any:
        for claimed, _ in kept:
            ports.inbox.release(claimed)
            time.sleep(0.1)
        return real(kept, ports)

    intake._receipts = receipts


def another_guid() -> None:
    """A claim that an interrupted intake left over is taken for a new file."""
    real = intake._receipts

    def receipts(kept: Any, ports: Any) -> Any:
        return [
            dataclasses.replace(one, guid=f"{random.getrandbits(32):08x}-0000-4000-8000-{random.getrandbits(48):012x}")
            for one in real(kept, ports)
        ]

    intake._receipts = receipts


def lazy_commit() -> None:
    """A commit is answered before it is on disk."""
    real = sql_engine.session

    def session() -> dict[str, Any]:
        said = real()
        return {**said, "options": f"{said['options']} -c synchronous_commit=off"}

    sql_engine.session = session


def stale_answers() -> None:
    """What the registry said once of an entity is believed again, and nobody asks whether it still holds."""
    answers: dict[Any, Any] = {}
    lock = threading.Lock()
    _without_the_last_index()
    real = SqlRegistry.ask
    sql_revision.current = lambda connection, who, **more: 0

    def ask(self: Any, questions: Any) -> Any:
        with lock:
            if questions.entity not in answers:
                answers[questions.entity] = real(self, questions)
            return answers[questions.entity]

    SqlRegistry.ask = ask


DEFECTS: dict[str, Callable[[], None]] = {
    made.__name__: made
    for made in (
        no_fence,
        no_lane,
        no_order,
        split_effect,
        job_apart,
        no_rescue,
        early_receipt,
        marked_before_sent,
        marked_before_published,
        claim_forgotten_early,
        another_guid,
        lazy_commit,
        stale_answers,
    )
}
