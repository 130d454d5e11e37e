"""Bursts in short: many files are taken in one pass that never sleeps; `make burst` is the long version."""

import time
from pathlib import Path

import pytest
from campaign import bursts

from pisis_batch import service
from pisis_batch.ports import Ports


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
