"""Lives of the service, each a fork of a process that has everything warm, so that a trial costs what its work costs.

Three things make a fork possible after all libraries have been used. The judging is done by a process of its own that
outlives the trials and speaks as the isolated child does; it is asked once for the same file with the same answers of
the registry. The rest runs inside the one worker thread of polars: a fork keeps the thread that forks, so its pool is
there in the child too. And a workspace always has the same path, so that the engine's compiled statements are found
again (its connections are closed before the fork).
"""

import csv
import functools
import gc
import io
import os
import random
import shutil
import signal
import socket
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from campaign import world
from pisis_batch import judging, service
from pisis_batch.adapters import sql_engine, sql_registry, wire
from pisis_batch.judging import Ask, Judged, Task
from pisis_batch.layouts import Shelf, shelf
from pisis_batch.model import Facts, Questions
from pisis_batch.ports import JudgeError, Ports

_LONGEST = 20  # seconds of a life; one that hangs is a fault
#: Values of the files that no log may show.
CANARIES = (b"109000000", b"JUAN", b"GOMEZ", b"@ESE.GOV", b"@ese.gov", b"MEDICO")


def memory() -> str | None:
    """A RAM disk where there is one: a kill leaves the page cache, so nothing is proved less."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


class Nursery:
    """A warm process, and one workspace that is made anew for each trial.

    Made before anything has used polars; whatever else is done with it, is done inside `within`.
    """

    def __init__(self, *, isolation: bool = False) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="pisis-lives-", dir=memory()))
        self.workspace, self._template = self.base / "w", self.base / "template"
        self._isolation, self._lives = isolation, 0
        self.log = self.base / "log"
        self._judge = _Served(self.base / "judge")
        self._server = 0 if isolation else _fork(lambda: _serve(self.base / "judge"))

    def warm(self) -> "Nursery":
        """Use everything once, and let go of what a fork must not share."""
        engine = functools.cache(sql_engine.engine)
        sql_registry.engine = engine  # type: ignore[attr-defined]
        world.template(self._template)
        for seed in range(4):
            self.fresh(world.drawn(seed))
            made = self.ports()
            service.once(made)
            world.broken(self.workspace, world.drawn(seed), made)
            made.registry.engine.dispose()  # type: ignore[attr-defined]
        self.settle()
        return self

    def settle(self) -> None:
        """What lives now is never looked at by the collector again: pages stay shared."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def fresh(self, files: dict[str, bytes]) -> Path:
        """The workspace as new, with files dropped."""
        shutil.rmtree(self.workspace, ignore_errors=True)
        world.copied(self._template, self.workspace)
        world.drop(self.workspace, files)
        self._lives = 0
        return self.workspace

    def ports(self) -> Ports:
        """The real thing; only who judges is chosen here."""
        judge = None if self._isolation else self._judge
        return world.ports(self.workspace, judge, isolation=self._isolation)

    def life(self, point: str | None = None, before: Callable[[], None] = lambda: None) -> int:
        """One run of the service over what is there; its exit code, negative for a signal."""
        self._lives += 1
        chance = random.Random(self._lives)  # the same trial, the same names

        def live() -> None:
            uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)
            if point:
                os.environ["PISIS_CRASH_AT"] = point
            before()
            service.once(self.ports())

        return self._waited(_fork(live, self.log))

    def ended(self, files: dict[str, bytes], killed: int = 0, *, lives: int = 2) -> list[str]:
        """So many undisturbed lives more, and what does not add up then; the last of them is who accounts."""
        codes = [self.life() for _ in range(lives - 1)]
        verdict = self.base / "verdict"
        verdict.unlink(missing_ok=True)

        def account() -> None:
            made = self.ports()
            service.once(made)
            verdict.write_text("\n".join(world.broken(self.workspace, files, made, killed)), "utf-8")

        codes.append(self._waited(_fork(account, self.log)))
        broken = verdict.read_text("utf-8").splitlines() if verdict.exists() else ["the accounting itself failed"]
        broken += [f"a life ended with {code}" for code in codes if code]
        said = self.log.read_bytes() if self.log.exists() else b""
        self.log.unlink(missing_ok=True)
        return broken + [f"the log shows {word.decode()}" for word in CANARIES if word in said]

    def close(self) -> None:
        """End the judge and forget the workspaces."""
        if self._server:
            os.kill(self._server, signal.SIGKILL)
            os.waitpid(self._server, 0)
        shutil.rmtree(self.base)

    def _waited(self, pid: int) -> int:
        until = time.monotonic() + _LONGEST
        pause = 0.001
        while time.monotonic() < until:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.01)
        os.kill(pid, signal.SIGABRT)
        os.waitpid(pid, 0)
        return 99


def within(work: Callable[[], int]) -> int:
    """Do all of it inside the worker thread of polars, of which there must be one (`POLARS_MAX_THREADS=1`)."""
    pl.DataFrame.write_csv = _csv  # type: ignore[method-assign]
    pl.DataFrame.n_unique = lambda self, subset=None: self.unique(subset).height  # type: ignore[method-assign]
    done: list[int] = []

    def run(frame: pl.DataFrame) -> pl.DataFrame:
        done.append(work())
        return frame

    pl.DataFrame({"x": [1]}).lazy().map_batches(run).collect(background=True).fetch_blocking()  # type: ignore[union-attr]
    return done[0]


def _fork(work: Callable[[], object], log: Path | None = None) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            said = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(said, 1)
            os.dup2(said, 2)
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


class _Served:
    """Fulfils `ports.Judge`: asks the judge that outlives the trials."""

    def __init__(self, place: Path) -> None:
        self._place = str(place)

    def judge(self, task: Task, ask: Ask, alive: Callable[[], bool] = lambda: True) -> Judged:
        """One task to its end."""
        del alive
        known = shelf()
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(self._place)
            wire.put(channel, wire.dumps(task))
            while True:
                word, said = wire.loads(wire.take(channel), known)
                if word == "asks":
                    wire.put(channel, wire.dumps(ask(said)))
                elif word == "ends":
                    return judging.with_received(said, task.received)
                else:
                    raise JudgeError(f"dentro: {said}")

    def warm(self, *, wait: bool = False) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing to let go of."""


def _serve(place: Path) -> None:
    known, asked, told = shelf(), {}, {}  # type: Shelf, dict[bytes, bytes], dict[tuple[bytes, bytes], bytes]
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place))
        door.listen(64)
        while True:
            channel, _ = door.accept()
            with channel:
                try:
                    _answer(channel, known, asked, told)
                except (OSError, wire.GoneError):
                    continue  # the life that asked is over


def _answer(
    channel: socket.socket, known: Shelf, asked: dict[bytes, bytes], told: dict[tuple[bytes, bytes], bytes]
) -> None:
    task = wire.take(channel)
    heard: list[bytes] = []

    def ask(questions: Questions) -> Facts:
        question = wire.dumps(("asks", questions))
        if heard:
            asked.pop(task, None)  # a second question: nothing is kept of such a file
        else:
            asked[task] = question
        if len(heard) == 0 and first:
            heard.append(first.pop())
        else:
            wire.put(channel, question)
            heard.append(wire.take(channel))
        found: Facts = wire.loads(heard[-1], known)
        return found

    first: list[bytes] = []
    if task in asked:
        wire.put(channel, asked[task])
        first.append(wire.take(channel))
        if (task, first[0]) in told:
            wire.put(channel, told[task, first[0]])
            return
    try:
        said: tuple[str, Any] = ("ends", judging.without_original(judging.judge(wire.loads(task, known), known, ask)))
    except (OSError, wire.GoneError):
        raise
    except Exception as error:  # noqa: BLE001  # as the child does
        said = ("fails", type(error).__name__)
    answer = wire.dumps(said)
    if len(heard) == 1 and task in asked:
        told[task, heard[0]] = answer
    wire.put(channel, answer)


def _csv(
    self: pl.DataFrame,
    file: Any = None,
    *,
    include_header: bool = True,
    separator: str = ",",
    quote_style: str = "necessary",
    **rest: Any,
) -> str | None:
    """As polars writes it, without the threads it writes with."""
    styles = {"always": csv.QUOTE_ALL, "necessary": csv.QUOTE_MINIMAL, "never": csv.QUOTE_NONE}
    text = io.StringIO()
    quote = None if quote_style == "never" else '"'
    writer = csv.writer(text, delimiter=separator, quoting=styles[quote_style], lineterminator="\n", quotechar=quote)
    del rest
    if include_header:
        writer.writerow(self.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in self.iter_rows())
    if file is None:
        return text.getvalue()
    file.write(text.getvalue().encode())
    return None
