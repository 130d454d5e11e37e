"""Children that judge: they answer like this process does, hold nothing of ours, and may die without harm."""

import dataclasses
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import GOOD, filled
from test_service import drop, linked, mails
from worlds import NAME, NOW, facts, file_of

from pisis_batch import chunks, judging, service, wiring
from pisis_batch.adapters import folder_archive, mapped, wire
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.isolation import Bounds, ChildJudge
from pisis_batch.adapters.mapped import MappedFile
from pisis_batch.adapters.watchdog_hints import WatchdogHints
from pisis_batch.judging import Task
from pisis_batch.layouts import shelf
from pisis_batch.model import Facts, Limits, Questions, Received
from pisis_batch.ports import JudgeError, Ports, UnavailableError
from pisis_batch.settings import Settings

GUID = "e70e425b-9264-4385-8660-8aa9c25f1bda"


def task(content: bytes = file_of(GOOD)) -> Task:
    return Task(Received(GUID, NAME, content, NOW, "CC10000001"), Limits(), NOW, "PISIS <a@b.example>")


def answer(questions: Questions) -> Facts:
    assert questions.guid == GUID
    return facts('persons = ["CC 1090000001 JUAN PEREZ"]')


@pytest.fixture(scope="module")
def children() -> Iterator[ChildJudge]:
    made = ChildJudge(shelf())
    yield made
    made.close()


def first(children: ChildJudge) -> Any:
    children.judge(task(), answer)
    return children._idle[0]


def test_a_child_says_to_the_byte_what_this_process_says(children: ChildJudge) -> None:
    for content in (file_of(GOOD), b"", file_of(GOOD).replace(b"|", b"\x00"), file_of(GOOD, control=False)):
        there, here = children.judge(task(content), answer), judging.judge(task(content), shelf(), answer)
        assert there.mails == here.mails
        assert there.documents == here.documents
        assert there.outcome.received == here.outcome.received
        assert there.outcome.verdict == here.outcome.verdict
        assert there.outcome.findings.frame.equals(here.outcome.findings.frame)
        assert there.outcome.changes.counts() == here.outcome.changes.counts()
        assert there.outcome.examined.entity == here.outcome.examined.entity
    assert len(children._idle) == 1


def test_a_large_original_is_handed_over_as_an_open_file(
    children: ChildJudge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(file_of(GOOD))
    archive = FolderArchive(tmp_path / "archive")
    sha256, _, size = archive.keep(tmp_path / NAME)
    monkeypatch.setattr(folder_archive, "LARGE", size)
    content = archive.fetch(sha256)
    assert isinstance(content, MappedFile)
    asked = judging.about(task(), content)
    there, here = children.judge(asked, answer), judging.judge(task(), shelf(), answer)
    assert (there.mails, there.documents) == (here.mails, here.documents)
    assert there.outcome.received.content is content
    assert there.outcome.received.sha256 == sha256
    archive.path(sha256).chmod(0o600)
    archive.path(sha256).write_bytes(bytes(size))
    with pytest.raises(ValueError, match="no longer matches"):
        archive.fetch(sha256)


def test_what_was_read_of_a_large_original_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux maps more than the page that is read, also before it, once a copy lies in large pieces of its cache."""
    (tmp_path / NAME).write_bytes((b"3" * 99 + b"\n") * 160_000)
    archive = FolderArchive(tmp_path / "archive")
    sha256, _, size = archive.keep(tmp_path / NAME)
    monkeypatch.setattr(folder_archive, "LARGE", size)
    content = archive.fetch(sha256)
    for begin, end in chunks.chunks(content, 0):
        assert content[begin:end].endswith(b"\n")
    assert content.find(b"#!") == -1
    smaps = Path("/proc/self/smaps").read_text("utf-8").split(str(archive.path(sha256)))[1]
    held = re.search(r"^Rss: +(\d+) kB", smaps, re.MULTILINE)
    assert held is not None
    assert int(held[1]) < 3 * 1024


def test_a_mapped_file_is_looked_through_as_bytes_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"3|1|CC|1090000001|186|A|1274\r\n#3|2"
    (tmp_path / NAME).write_bytes(said)
    content = MappedFile(tmp_path / NAME)
    for stretch in range(1, len(said)):
        monkeypatch.setattr(mapped, "_STRETCH", stretch)
        for sought in (b"3", b"|2", b"CC|10", b"1274\r\n", b"#!", b"zz", said):
            for start, end in ((0, None), (3, None), (0, 9), (len(said), None), (5, 999)):
                assert content.find(sought, start, end) == said.find(sought, start, end)


def test_a_child_has_the_compiled_walk(children: ChildJudge) -> None:
    assert "/walk.so" in Path(f"/proc/{first(children).pid}/maps").read_text()


def test_a_child_goes_before_the_service_when_memory_runs_out(children: ChildJudge) -> None:
    assert Path(f"/proc/{first(children).pid}/oom_score_adj").read_text() == "1000\n"
    assert int(Path("/proc/self/oom_score_adj").read_text()) < 1000


def test_a_child_holds_nothing_of_its_parents(children: ChildJudge, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w"):
        child = first(children)
        pid = child.pid
        held = {str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()}
        assert not [name for name in held if name.startswith("/") and name != "/dev/null"]
        assert len([name for name in held if name.startswith("socket:")]) == 1
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"PISIS" not in environment
        limits = Path(f"/proc/{pid}/limits").read_text()
        for name in ("Max core file size", "Max file size"):
            assert limits.split(name)[1].split()[:2] == ["0", "0"]
        if children._nursery.confined["network"]:
            assert Path(f"/proc/{pid}/net/dev").read_text().count(":") <= 1  # at most a loopback that is down


@pytest.mark.parametrize("number", [signal.SIGSEGV])
def test_a_child_that_dies_is_told_by_its_signal_and_replaced(children: ChildJudge, number: signal.Signals) -> None:
    child = first(children)

    def deadly(questions: Questions) -> Facts:
        os.kill(child.pid, number)
        return answer(questions)

    with pytest.raises(JudgeError, match=f"señal {int(number)}"):
        children.judge(task(), deadly)
    assert children.judge(task(), answer).outcome.verdict


def test_a_child_that_takes_too_long_is_ended_and_the_lease_is_kept_meanwhile(children: ChildJudge) -> None:
    child = first(children)

    def stopping(questions: Questions) -> Facts:
        os.kill(child.pid, signal.SIGSTOP)
        return answer(questions)

    children._bounds = Bounds(seconds=0.3)
    with pytest.raises(JudgeError, match="tiempo"):
        children.judge(task(), stopping)
    children._bounds = Bounds()
    assert not Path(f"/proc/{child.pid}").exists()


def test_work_whose_lease_is_lost_is_given_up(children: ChildJudge, monkeypatch: pytest.MonkeyPatch) -> None:
    child = first(children)
    monkeypatch.setattr("pisis_batch.adapters.conversation._BEAT_SECONDS", 0.05)

    def stopping(questions: Questions) -> Facts:
        os.kill(child.pid, signal.SIGSTOP)
        return answer(questions)

    asked: list[int] = []
    with pytest.raises(JudgeError, match="turno perdido"):
        children.judge(task(), stopping, lambda: len(asked) < 3 and not asked.append(1))
    assert len(asked) == 3


def test_memory_and_processor_time_are_bounded() -> None:
    tight = ChildJudge(shelf(), Bounds(memory=1300 * 2**20, memory_per_byte=0))
    with pytest.raises(JudgeError, match=r"señal|dentro|salida"):
        tight.judge(task(b"2|1\n" * 20_000_000), answer)
    tight.close()


def test_a_fault_inside_is_told_by_kind_alone_and_the_child_goes_on(children: ChildJudge) -> None:
    child = first(children)
    broken = dataclasses.replace(task(), limits=None)  # type: ignore[arg-type]  # what no caller does
    with pytest.raises(JudgeError, match=r"^dentro: AttributeError$"):
        children.judge(broken, answer)
    assert first(children) is child


def test_facts_are_not_sent_back_but_named(children: ChildJudge) -> None:
    told: list[Facts] = []

    def asked(questions: Questions) -> Facts:
        told.append(answer(questions))
        return told[-1]

    assert children.judge(task(), asked).outcome.facts is told[-1]
    named = wire.dumps(told[0], told[0])
    assert len(named) < len(wire.dumps(told[0])) / 10
    with pytest.raises((wire.WireError, StopIteration)):
        wire.loads(named, shelf())


def test_a_child_costs_no_new_interpreter_and_ends_with_what_it_was_made_of(children: ChildJudge) -> None:
    child, nursery = first(children), children._nursery
    made_of = nursery._process
    assert made_of
    assert child.pid in _of(made_of.pid)
    threads = [path.read_text() for path in Path(f"/proc/{made_of.pid}/task").glob("*/comm")]
    assert not [name for name in threads if re.match(r"polars-\d|tokio", name)]  # a copy would wait for them for ever
    assert len({Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (child.pid, made_of.pid)}) == 1  # no exec
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: not child.fresh(Bounds()))
    assert first(children).pid != child.pid
    assert nursery._process is made_of
    assert not Path(f"/proc/{child.pid}").exists()  # nobody is left to be reaped

    (child,) = children._idle
    made_of.kill()
    until(lambda: not child.fresh(Bounds()))
    until(lambda: not Path(f"/proc/{child.pid}/exe").exists())
    with pytest.raises(UnavailableError):
        nursery.ended(child.copy)
    assert first(children).pid != child.pid
    assert nursery._process is not made_of


def test_a_file_whose_child_goes_with_what_it_was_made_of_has_made_no_attempt(children: ChildJudge) -> None:
    def deadly(questions: Questions) -> Facts:
        assert children._nursery._process
        children._nursery._process.kill()
        children._nursery._process.wait()
        return answer(questions)

    with pytest.raises(UnavailableError):
        children.judge(task(), deadly)
    assert children.judge(task(), answer).outcome.verdict


def test_a_large_file_has_a_child_of_its_own_that_gives_way(
    children: ChildJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both give way to the service, and the large one to the small."""
    small = first(children)
    seen: list[tuple[int, int]] = []

    def asked(questions: Questions) -> Facts:
        seen.extend((child.pid, os.getpriority(os.PRIO_PROCESS, child.pid)) for child in children._busy)
        return answer(questions)

    children.judge(task(), asked)
    monkeypatch.setattr("pisis_batch.adapters.isolation._WIDE", 1)
    children.judge(task(), asked)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    (one, its), (other, lower) = seen
    assert (one, its) == (small.pid, min(own + 5, 19))
    assert other != one
    assert lower == min(own + 10, 19)
    assert children._idle == [small]


def test_two_threads_judge_in_two_children(children: ChildJudge) -> None:
    started, go = threading.Event(), threading.Event()

    def slow(questions: Questions) -> Facts:
        started.set()
        go.wait(20)
        return answer(questions)

    thread = threading.Thread(target=children.judge, args=(task(), slow))
    thread.start()
    assert started.wait(20)
    assert children.judge(task(), answer).outcome.verdict
    go.set()
    thread.join(20)
    assert len(children._idle) == 2


@pytest.fixture
def isolated(workspace: Path) -> Iterator[Ports]:
    made = filled(wiring.ports(Settings.load(workspace, now=NOW, settle_seconds=0, isolation=True)))
    yield made
    made.judge.close()
    made.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def test_the_whole_way_with_children_and_a_poison_file_is_quarantined_as_our_fault(
    workspace: Path, isolated: Ports
) -> None:
    ask = isolated.registry.ask
    killed: list[int] = []
    others = _children()

    def poisoned(questions: Questions) -> Facts:
        if questions.sender == "CC10000002" and (
            found := [pid for pid in _children() if pid not in [*others, *killed]]
        ):
            os.kill(found[0], signal.SIGKILL)
            killed.append(found[0])
        return ask(questions)

    isolated.registry.ask = poisoned  # type: ignore[method-assign]
    drop(workspace, file_of(GOOD))
    assert [outcome.verdict for outcome in service.once(isolated)] == ["cargado"]
    assert linked(isolated) == ["1090000001 186/1274 PISIS/NEO", "1090000002 PISIS/NEO"]
    drop(workspace, file_of(GOOD.replace("JUAN", "JOSE")), sender="CC10000002")
    service.once(isolated)
    assert len(killed) == 3
    assert {run["state"] for run in isolated.registry.runs()} == {"terminado", "cuarentena"}
    assert [one for one in mails(workspace) if str(one["Subject"]).startswith("En espera")]


def test_a_file_that_hangs_holds_up_nobody_and_a_stop_takes_it_back_uncounted(workspace: Path, isolated: Ports) -> None:
    ask, seen, stop, judge = isolated.registry.ask, [], threading.Event(), isolated.judge
    assert isinstance(judge, ChildJudge)
    judge._bounds = Bounds(seconds=300)
    hangs = threading.Event()

    def hanging(questions: Questions) -> Facts:
        if questions.sender == "CC10000050":
            (child,) = judge._busy
            os.kill(child.pid, signal.SIGSTOP)
            hangs.set()
        return ask(questions)

    isolated.registry.ask = hanging  # type: ignore[method-assign]
    thread = threading.Thread(
        target=service.watch,
        args=(isolated, WatchdogHints(workspace / "inbox")),
        kwargs={"rescan_seconds": 0.3, "stop": stop, "on_outcome": lambda outcome: seen.append(outcome.received)},
    )
    thread.start()
    try:
        drop(workspace, file_of(GOOD), sender="CC10000050", name="hangs.TXT")
        assert hangs.wait(60)
        for number in range(3):
            drop(workspace, file_of(GOOD.replace("MEDICO", f"MEDICO {number}")))
            until(lambda: len(seen) > number)  # noqa: B023  # waited for within the turn
        (hung,) = isolated.registry.pending()
    finally:
        stopped = time.monotonic()
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert time.monotonic() - stopped < 12
    (back,) = isolated.registry.pending()
    assert (back.guid, back.state, back.attempts) == (hung.guid, "recibido", 0)


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _children() -> list[int]:
    """Those that judge: copies of what this process started."""
    return [copy for pid in _of("self") for copy in _of(pid)]


def _of(pid: object) -> list[int]:
    listed = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(pid) for pids in listed for pid in pids]
