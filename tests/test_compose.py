"""The services of the compose file as processes, each locked in as its container would be, on servers that are real.

The root is read-only, /tmp is small and empty, no capability is left, and only the volumes of the compose file can be
written; database, object store and mail sink stand where their names point to.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
import pytest
import sqlalchemy as sa
import yaml
from aiosmtpd.controller import Controller
from conftest import GOOD, REGISTRY, load
from lost_answers import line
from postgresql import PostgreSQL
from test_workers import until
from worlds import NAME, file_of

from pisis_batch import wiring
from pisis_batch.adapters import object_store
from pisis_batch.settings import FILE, Settings

HOME = Path(__file__).parents[1]
OURS = ("watcher", "worker-1", "worker-2")
BWRAP = shutil.which("bwrap")
pytestmark = pytest.mark.skipif(BWRAP is None, reason="bwrap (bubblewrap) is not installed")


class Sink:
    """What the mail server was given."""

    def __init__(self) -> None:
        self.recipients: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.recipients += envelope.rcpt_tos
        return "250 OK"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


class Containers:
    """The image's folder, the volumes, and how to run a service in them."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root, self.environment = root, environment
        self.told = yaml.safe_load((HOME / "deploy/compose.yaml").read_text("utf-8"))["services"]
        self.ports = {name: str(free_port()) for name in OURS}
        for folder in ("inbox", "outbox", "var", "llaves"):  # as the Dockerfile makes them
            (root / "image" / folder).mkdir(parents=True)
        (root / "image" / FILE).touch()

    def volume(self, name: str) -> Path:
        folder = self.root / "volumes" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def command(self, name: str, *order: str) -> list[str]:
        """What stands for `docker run`: bubblewrap with the limits that the service has."""
        service = self.told[name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        locks = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/srv"]  # noqa: S108 the container's
        locks += ["--ro-bind", str(HOME), str(HOME)]
        locks += ["--ro-bind", str(self.root / "image"), "/srv/pisis"]
        for tmpfs in service["tmpfs"][1:]:  # the first is /tmp
            locks += ["--tmpfs", tmpfs.partition(":")[0]]
        for volume in service["volumes"]:
            source, place = volume.split(":")
            locks += ["--bind", str(self.volume(source)), place]
        locks += ["--unshare-user", "--uid", "10001", "--gid", "10001", "--unshare-uts", "--hostname", name]
        locks += ["--unshare-pid", "--die-with-parent", "--cap-drop", "ALL", "--chdir", "/srv/pisis"]
        port = self.ports[name]
        said = [word.replace("9464", port) for word in order or service["command"]]
        return [BWRAP or "", *locks, sys.executable, "-c", "from pisis_batch.cli import main; main()", *said]

    @contextmanager
    def running(self) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
        started = {}
        try:
            for name in OURS:
                with (self.root / f"{name}.log").open("wb") as log:
                    started[name] = subprocess.Popen(
                        self.command(name), env=self.environment, stdout=log, stderr=log, start_new_session=True
                    )
            yield started
        finally:
            for process in started.values():
                process.kill()
                process.wait()

    def said(self) -> str:
        return "\n".join(f"{name}: {(self.root / f'{name}.log').read_text('utf-8')}" for name in OURS)


def test_the_cluster_of_the_compose_file_takes_a_file_to_its_answer(
    tmp_path: Path, postgresql: PostgreSQL, bucket: str
) -> None:
    with line(postgresql.database()) as (_, database):
        answered(tmp_path, database, bucket)


def answered(tmp_path: Path, database: str, bucket: str) -> None:
    sink, smtp = Sink(), free_port()
    made = yaml.safe_load((HOME / "deploy/compose.yaml").read_text("utf-8"))["services"]["worker-1"]["environment"]
    at = {"PISIS_DATABASE": database, "PISIS_STORAGE": bucket, "PISIS_MAIL": f"smtp://127.0.0.1:{smtp}?tls=none"}
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **made, **at}
    clustered = Containers(tmp_path, environment)
    (tmp_path / FILE).write_text("", "utf-8")
    keys = clustered.volume("keys") / "llaves"
    ports = wiring.ports(Settings.load(tmp_path, database=database, storage=bucket, keys=keys))
    for table, text in REGISTRY.items():
        load(ports, table, text)
    engine: sa.Engine = ports.registry.engine  # type: ignore[attr-defined]  # the database adapter has it
    controller = Controller(sink, hostname="127.0.0.1", port=smtp)
    controller.start()
    try:
        with clustered.running() as started:
            folder = clustered.volume("inbox") / "CC10000001"
            folder.mkdir()
            (folder / f".{NAME}").write_bytes(file_of(GOOD.split("\n", 1)[0]))
            (folder / f".{NAME}").rename(folder / NAME)
            try:
                until(lambda: len(sink.recipients) == 4 or any(p.poll() is not None for p in started.values()), 90)
                assert len(sink.recipients) == 4
            except AssertionError:
                ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
                pytest.fail(clustered.said())
            healthy = subprocess.run(
                clustered.command("watcher", *clustered.told["watcher"]["healthcheck"]["test"][2:]),
                env=environment, check=False, capture_output=True,
            )  # fmt: skip
            assert healthy.returncode == 0, healthy.stderr
            for process in started.values():
                process.send_signal(signal.SIGTERM)
    finally:
        controller.stop()
    with engine.connect() as connection:
        (guid,) = connection.scalars(sa.text("SELECT guid FROM receipt WHERE state = 'terminado'"))
        assert connection.scalar(sa.text("SELECT count(*) FROM procrastinate_workers")) == 6  # two queues and chores
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
    ack = obstore.get(object_store.store(bucket), f"salida/CC10000001/{guid}/ack.json").bytes()
    assert json.loads(bytes(ack))["verdict"] == "cargado"
    assert sorted(set(sink.recipients)) == ["contacto@ese.gov.co", "luisa.perez@correo.example"]
