"""The service as a process: under the locks of its unit, what it says of itself, and how it ends."""

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confined import calls, service
from conftest import GOOD, filled
from test_service import drop
from worlds import NAME, file_of

from pisis_batch import service as service_of
from pisis_batch import wiring
from pisis_batch.ports import Ports
from pisis_batch.service import Beats, watch
from pisis_batch.settings import Settings

HOME = Path(__file__).parents[1]
UNITS = sorted((HOME / "deploy").glob("*.service"))
MAIN = "from pisis_batch.cli import main; main()"
systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def asked(port: int, page: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@contextmanager
def serving(
    workspace: Path, *options: str, order: str = "watch", before: tuple[str, ...] = (), **environment: str
) -> Iterator[Any]:
    """A real `pisis watch` or `pisis worker`, and the socket on which systemd would hear it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0pisis-" + workspace.name + str(os.getpid()))
        heard.settimeout(60)
        command = [*before, sys.executable, "-c", MAIN, "-w", str(workspace), order, *options]
        told = {"NOTIFY_SOCKET": "@" + heard.getsockname()[1:].decode(), "PISIS_SETTLE_SECONDS": "0", **environment}
        process = subprocess.Popen(command, env={**os.environ, **told}, stderr=subprocess.PIPE, text=True)
        try:
            yield process, heard
        finally:
            process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()


def hears(heard: socket.socket, word: str) -> bool:
    while not heard.recv(4096).startswith(word.encode()):
        pass
    return True


def until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


@systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_closed(unit: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert told.returncode == 0, told.stdout
    assert float(told.stdout.rpartition(": ")[2].split()[0]) <= 2.0
    there = tmp_path / unit.name  # its program is not installed where the unit says
    there.write_text(unit.read_text("utf-8").replace("/srv/pisis/.venv/bin/pisis", "/bin/true"), "utf-8")
    timer = unit.with_suffix(".timer")
    if timer.is_file():
        shutil.copy(timer, tmp_path)
    seen = subprocess.run(["systemd-analyze", "verify", str(there)], capture_output=True, text=True, check=False)
    assert unit.stem.strip("@") not in seen.stderr, seen.stderr


def test_units_have_the_same_locks_and_orders_that_exist() -> None:
    boxes = {
        unit.name: unit.read_text("utf-8").partition("User=pisis\n")[2].partition("\n[")[0].strip() for unit in UNITS
    }
    assert len(set(boxes.values())) == 1
    lasting = [unit for unit in UNITS if dict(service(unit)).get("Restart")]
    assert len(lasting) == 2
    assert {dict(service(unit)).get("OOMPolicy") for unit in lasting} == {"continue"}
    assert {dict(service(unit))["ExecStart"].split()[1] for unit in UNITS} == {"watch", "worker", "doctor"}


@systemd
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the calls are named as on x86-64")
def test_the_service_works_under_the_locks_of_its_unit(workspace: Path, ports: Ports) -> None:
    """System calls, write-or-run pages, no new rights, no capabilities, its umask; the child still locks itself in."""
    unit = HOME / "deploy/pisis-batch.service"
    assert {"unshare", "landlock_restrict_self", "prlimit64"} <= calls(unit)
    assert not {"mount", "ptrace", "setuid", "chown", "bpf", "reboot"} & calls(unit)
    before = (sys.executable, str(HOME / "tests/confined.py"), str(unit))
    if os.geteuid() == 0 and shutil.which("setpriv"):
        before = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", *before)
    port, folder = free_port(), workspace / "inbox/CC10000001"
    folder.mkdir(parents=True)
    box = {"POLARS_SKIP_CPU_CHECK": "1", "PISIS_ISOLATION": "true", "WATCHDOG_USEC": "300000"}
    with serving(workspace, "--metrics", str(port), before=before, **box) as (process, heard):
        assert hears(heard, "READY=1")
        assert hears(heard, "WATCHDOG=1")
        (folder / NAME).write_bytes(file_of(GOOD))
        until(lambda: list((workspace / "outbox").glob("CC10000001/*/ack.json")))
        status = Path(f"/proc/{process.pid}/status").read_text("ascii")
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
        nets = {Path(f"/proc/{pid}/ns/net").readlink() for pid in children}
        assert nets
        assert Path("/proc/self/ns/net").readlink() not in nets
        assert asked(port, "/health")[0] == 200
        code, told = asked(port, "/ready")
        assert code == 200, told
        assert told["signs"]["archivos sin veredicto"]["note"] == "0"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    (ack,) = (workspace / "outbox").glob("CC10000001/*/ack.json")
    assert ack.stat().st_mode & 0o077 == 0
    assert json.loads(ack.read_bytes())["file_name"] == NAME


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_worker_says_the_same_of_itself_as_the_watcher(workspace: Path) -> None:
    ports = filled(wiring.ports(Settings.load(workspace, settle_seconds=0), workers=True))
    (workspace / "outbox").mkdir(exist_ok=True)
    port = free_port()
    with serving(workspace, "--metrics", str(port), "--no-chores", order="worker", WATCHDOG_USEC="300000") as (
        process,
        heard,
    ):
        assert hears(heard, "READY=1")
        assert hears(heard, "WATCHDOG=1")
        drop(workspace, file_of(GOOD.split("\n", 1)[0]))
        (guid,) = service_of.take_in(ports)
        until((workspace / "outbox/CC10000001" / guid / "ack.json").is_file)
        code, told = asked(port, "/health")
        assert (code, list(told["signs"])) == (200, ["cola"])
        code, told = asked(port, "/ready")
        assert code == 200, told
        assert {"cola", "base de datos", "carpeta archive", "carpeta outbox"} <= set(told["signs"])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert b"pisis_files_total{verdict=" in answer.read()
        process.send_signal(signal.SIGTERM)
        assert hears(heard, "STOPPING=1")
        assert process.wait(15) == 0
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def test_a_stop_comes_soon_whatever_is_in_hand_and_loses_nothing(workspace: Path, ports: Ports) -> None:
    lines = "\n".join(f"2|{n}|CC|{1_090_000_000 + n}|JUAN|PEREZ|V|31500000|MEDICO|1||" for n in range(1, 100_001))
    folder = workspace / "inbox/CC10000001"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(file_of(lines))

    def state() -> tuple[str, int] | None:
        pending = ports.registry.pending()
        return (pending[0].state, pending[0].attempts) if pending else None

    with serving(workspace, PISIS_ISOLATION="true") as (process, heard):
        assert hears(heard, "READY=1")
        until(lambda: state() == ("procesando", 1))
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert hears(heard, "STOPPING=1")
        assert process.wait(15) == 0
        assert time.monotonic() - begun <= 10
    pending = ports.registry.pending()
    if pending:  # it was given back, and not as an attempt
        assert (pending[0].state, pending[0].attempts) in {("recibido", 0), ("procesando", 1)}
        assert ports.registry.attempt(pending[0].guid) is not None
    assert sum(1 for _ in (workspace / "var/claims").glob("*/*/*")) == 0


def test_readiness_falls_with_the_database_the_disk_or_a_loop(workspace: Path, ports: Ports) -> None:
    now = [1000.0]
    beats = Beats(lambda: now[0])
    vitals = wiring.vitals(Settings.load(workspace), ports, beats.loops)
    assert [sign.name for sign in vitals.ready() if not sign.well] == ["arranque"]
    for loop in ("buzón", "cola", "correo"):
        beats.beat(loop)
    assert [sign.name for sign in vitals.ready() if not sign.well] == []
    now[0] += 400
    beats.beat("cola")
    assert [sign.name for sign in vitals.alive() if not sign.well] == ["buzón"]
    assert beats.silent() == ["buzón"]
    beats.beat("buzón")
    shutil.rmtree(workspace / "outbox")
    assert [sign.name for sign in vitals.ready() if not sign.well] == ["carpeta outbox"]
    (workspace / "outbox").mkdir()
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
    for file in (workspace / "var").glob("registry.db*"):
        file.unlink()
    assert "base de datos" in [sign.name for sign in vitals.ready() if not sign.well]


def test_a_writer_that_takes_long_is_no_fault_of_the_database(workspace: Path, ports: Ports) -> None:
    beats = Beats()
    beats.beat("cola")
    vitals = wiring.vitals(Settings.load(workspace), ports, beats.loops)
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with ports.registry.engine.begin() as connection:  # type: ignore[attr-defined]  # the database adapter has it
            connection.exec_driver_sql("UPDATE lane SET fence = fence")
            held.set()
            free.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    (sign,) = [sign for sign in vitals.ready() if sign.name == "base de datos"]
    free.set()
    thread.join()
    assert (sign.well, sign.note) == (True, "ocupada")


class Deaf:
    """A judge that hears nothing of a stop, as one deep in a large file may."""

    def __init__(self) -> None:
        self.begun, self.free = threading.Event(), threading.Event()

    def judge(self, *_: object) -> None:
        self.begun.set()
        self.free.wait(30)
        raise RuntimeError("too late")

    def warm(self, *, wait: bool = False) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Heard, and not minded."""


class Quiet:
    """Hints that never come."""

    @contextmanager
    def listening(self, _: object) -> Iterator[None]:
        yield


def test_a_file_whose_thread_hears_nothing_goes_back_in_line_uncounted(workspace: Path, ports: Ports) -> None:
    deaf, stop = Deaf(), threading.Event()
    ports = dataclasses.replace(ports, judge=deaf)  # type: ignore[arg-type]  # it never answers
    drop(workspace, file_of(GOOD))
    threading.Thread(target=lambda: deaf.begun.wait(30) and stop.set(), daemon=True).start()
    begun = time.monotonic()
    assert not watch(ports, Quiet(), rescan_seconds=0.1, stop=stop)
    assert time.monotonic() - begun < 20
    (waits,) = ports.registry.pending()
    assert (waits.state, waits.attempts) == ("recibido", 0)
    deaf.free.set()
    time.sleep(0.5)  # what it says then is nobody's
    (waits,) = ports.registry.pending()
    assert (waits.state, waits.attempts) == ("recibido", 0)


def test_what_another_service_accepted_is_not_left_until_the_next_look_at_the_inbox(
    workspace: Path, ports: Ports, tmp_path: Path
) -> None:
    """Of two services over one folder one takes everything in, and the other has nothing to be told by."""
    stop, ready, seen = threading.Event(), threading.Event(), list[str]()
    given = {"rescan_seconds": 600.0, "stop": stop, "on_ready": ready.set}
    given["on_outcome"] = lambda outcome: seen.append(outcome.received.guid)
    served = threading.Thread(target=watch, args=(ports, Quiet()), kwargs=given)
    served.start()
    assert ready.wait(30)
    time.sleep(0.5)  # its first look finds nothing
    path = tmp_path / "SEG500USIN20260715NI000900123456.TXT"
    path.write_bytes(file_of(GOOD))
    guid = service_of.submit(path, "CC10000001", ports)
    until = time.monotonic() + 30
    while not seen and time.monotonic() < until:
        time.sleep(0.05)
    stop.set()
    served.join(20)
    assert seen == [guid]
