"""Bursts in short: many files are taken in one pass that never sleeps; `make burst` is the long version."""

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from campaign import bursts
from worlds import NAME

from pisis_batch import service
from pisis_batch.adapters import inline_queue
from pisis_batch.ports import Chore, Ports


def test_a_burst_is_taken_in_one_pass_without_a_pause(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    bursts.drop(workspace, 200, 20)

    def slept(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    monkeypatch.setattr(time, "sleep", slept)
    assert len(service.take_in(ports)) == 200
    lanes = {receipt.lane for receipt in ports.registry.pending()}
    assert len(lanes) == 20
    assert not [path for path in (workspace / "inbox").glob("*/*") if path.is_file()]


class _Blocked:
    """Fulfils `ports.Work`: files of one sender never end until they are let go."""

    def __init__(self, ports: Ports, sender: str) -> None:
        self._ports, self._sender = ports, sender
        self.free, self.done = threading.Event(), list[str]()
        self.chores = ()

    def file(self, guid: str) -> timedelta | None:
        receipt = self._ports.registry.receipt(guid)
        assert receipt
        if receipt.sender == self._sender:
            assert self.free.wait(60)
        self.done.append(str(receipt.sender))
        fence = self._ports.registry.attempt(guid)
        assert fence
        return timedelta(seconds=600)


def test_files_of_one_sender_that_hang_leave_hands_for_the_others(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline_queue, "PATIENCE", 0.05)
    for entity in range(6):  # an entity each: none waits for another
        put(workspace, "CC10000002", NAME.replace("900123456", f"90055500{entity}"))
    service.take_in(ports)
    put(workspace, "CC10000050", "otro.TXT")
    service.take_in(ports)
    queue, work = inline_queue.InlineQueue(ports.registry), _Blocked(ports, "CC10000002")
    try:
        assert queue.pump(work, lambda: False)
        assert work.done == ["CC10000050"]
        assert len(queue.in_hand()) == inline_queue.HANDS_OF_ONE
    finally:
        work.free.set()
        assert queue.drain(20)


def test_a_file_that_arrives_while_another_hangs_is_begun_at_once(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline_queue, "PATIENCE", 60.0)  # nobody waits this out
    put(workspace, "CC10000002", NAME.replace("900123456", "900555000"))
    service.take_in(ports)
    queue, work = inline_queue.InlineQueue(ports.registry), _Blocked(ports, "CC10000002")
    pumping = threading.Thread(target=queue.pump, args=(work, work.free.is_set), daemon=True)
    pumping.start()
    try:
        until(lambda: len(queue.in_hand()) == 1)
        put(workspace, "CC10000050", "otro.TXT")
        service.take_in(ports, accepted_some=queue.hear)
        until(lambda: work.done == ["CC10000050"])
        assert len(queue.in_hand()) >= 1
    finally:
        work.free.set()
        queue.hear()
        pumping.join(30)
        assert queue.drain(20)


def test_a_chore_of_every_moment_is_not_left_until_the_next_look(ports: Ports) -> None:
    queue, work, ran = inline_queue.InlineQueue(ports.registry), _Blocked(ports, ""), list[float]()
    every = timedelta(seconds=inline_queue.SOON / 2)
    work.chores = (Chore("note", lambda: ran.append(time.monotonic()), every, ""),)  # type: ignore[assignment]
    assert not queue.pump(work, lambda: False)
    assert queue.pump(work, lambda: False)  # too early: it is to come back
    assert len(ran) == 1
    time.sleep(every.total_seconds())
    assert not queue.pump(work, lambda: False)
    assert len(ran) == 2


class _Shared:
    """Fulfils `ports.Work`: at its first file it finds that another service has begun all of them."""

    def __init__(self, ports: Ports) -> None:
        self._ports, self.given, self.chores = ports, list[str](), ()

    def file(self, guid: str) -> timedelta | None:
        self.given.append(guid)
        for receipt in self._ports.registry.pending():
            self._ports.registry.attempt(receipt.guid)
        return timedelta(seconds=600)


def test_what_another_service_began_meanwhile_is_left_to_it(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out by looking, for each try to take a file costs a turn to write."""
    monkeypatch.setattr(inline_queue, "ABREAST", 1)
    for entity in range(6):
        put(workspace, "CC10000002", NAME.replace("900123456", f"90055500{entity}"))
    service.take_in(ports)
    queue, work = inline_queue.InlineQueue(ports.registry), _Shared(ports)
    monkeypatch.setattr(random, "randrange", lambda many: many - 1)
    heads = [receipt.guid for receipt in ports.registry.pending()]
    assert queue.pump(work, lambda: False)
    assert queue.drain(20)
    first, *others, last = heads
    assert work.given == [first, last, *others]  # the others not before they were looked at again, from elsewhere on


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class _Pairs:
    """Fulfils `ports.Work`: each file waits for another entity's to be in hand too."""

    def __init__(self, ports: Ports) -> None:
        self._ports, self._both = ports, threading.Barrier(2)
        self.lanes, self.met, self.chores = list[str](), 0, ()

    def file(self, guid: str) -> timedelta | None:
        receipt = self._ports.registry.receipt(guid)
        assert receipt
        assert receipt.lane not in self.lanes
        self.lanes.append(receipt.lane)
        self._both.wait(20)
        self.met += 1
        self.lanes.remove(receipt.lane)
        self._ports.registry.attempt(guid)
        return timedelta(seconds=600)


def test_two_entities_are_in_hand_at_once_and_never_two_files_of_one(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline_queue, "PATIENCE", 30.0)  # not for want of patience
    for number in ("900555000", "900555001"):
        for cut in ("20260714", "20260715"):
            put(workspace, "CC10000002", NAME.replace("900123456", number).replace("20260715", cut))
            service.take_in(ports)
    queue, work = inline_queue.InlineQueue(ports.registry), _Pairs(ports)
    assert queue.pump(work, lambda: False)
    assert queue.drain(20)
    assert work.met == 4  # in pairs, for a pair of one entity stops at the assertion above


def put(workspace: Path, sender: str, name: str) -> None:
    folder = workspace / "inbox" / sender
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")
