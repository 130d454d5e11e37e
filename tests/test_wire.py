"""What goes between a child and its parent: values of the core, which change nothing that others share."""

import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pisis_batch.adapters import wire
from pisis_batch.layouts import Shelf, shelf
from pisis_batch.model import Batch, Facts, Findings, Verdict


class Harm:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.system, ("true",)


@pytest.mark.parametrize("value", [Harm(), Path("x"), os.getcwd, subprocess.Popen])
def test_what_a_child_says_can_only_be_a_value_of_the_core(value: object) -> None:
    with pytest.raises(wire.WireError):
        wire.loads(pickle.dumps(value), shelf())


@pytest.mark.parametrize(
    "given",
    [
        *(
            b"c%b\n%b\n" % (kind.__module__.encode(), kind.__name__.encode())
            for kind in (Facts, Batch, Findings, Verdict)
        ),
        *(b"c%b\n%b\n" % (wire.__name__.encode(), name) for name in (b"frame_of", b"layout_of")),
        b"cdatetime\ndate\n",
    ],
)
@pytest.mark.parametrize("state", [b"N}\x8c\x06harmedK\x01s\x86", b"}\x8c\x06harmedK\x01s"], ids=["slots", "dict"])
def test_what_a_child_says_changes_no_class(given: bytes, state: bytes) -> None:
    """A message that sets an attribute on what it asked for (BUILD), as no child of ours does."""
    with pytest.raises((wire.WireError, AttributeError)):
        wire.loads(b"\x80\x05" + given + state + b"b.", shelf())
    assert not any(hasattr(kind, "harmed") for kind in (Facts, Batch, Findings, Verdict, wire.frame_of))


def test_what_a_child_says_changes_nothing_that_others_share() -> None:
    layout = next(iter(shelf()))
    mine = wire.loads(wire.dumps(layout), Shelf((layout,)))
    assert mine == layout
    assert mine is not layout
    one, other = (wire.loads(wire.dumps(pl.DataFrame({"a": []})), shelf()) for _ in range(2))
    one.insert_column(0, pl.Series("b", [], dtype=pl.String))
    assert other.columns == ["a"]


def test_threads_may_send_the_same_frame_at_once() -> None:
    """In a process of its own: threads that wait for each other in native code are ended by nothing else."""
    script = """
        import threading
        import polars as pl
        from pisis_batch.adapters import wire
        frame, together = pl.DataFrame({"a": ["x"] * 400, "b": ["y"] * 400}), threading.Barrier(2)
        def send():
            together.wait()
            for _ in range(1500):
                wire.dumps(frame)
        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=60)


def test_a_large_frame_is_pressed_on_its_way_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"line": [1, None, 3] * 40, "value": ["Ñ", None, "largo " * 9] * 40})
    plain = wire.dumps(frame)
    monkeypatch.setattr(wire, "_LARGE", 1)
    pressed = wire.dumps(frame)
    assert len(pressed) < len(plain)
    assert wire.loads(pressed, shelf()).equals(frame)
    assert wire.loads(plain, shelf()).equals(frame)
