"""A real S3 server from Debian (`radosgw`, `ceph-mon`, `ceph-osd`): a cluster of one in memory, on this machine only.

Monitor and store know each other by keys (cephx): without them the gateway is refused its pools.
"""

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import obstore
from certificates import private
from obstore.store import S3Store

#: What must be installed: Debian's radosgw, ceph-mon and ceph-osd bring the rest along.
PROGRAMS = ("radosgw", "ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool", "radosgw-admin", "setpriv")
#: Whoever starts a process and is killed takes it along.
_WITH_US = ("setpriv", "--pdeathsig", "KILL")
KEY, SECRET = "prueba", "prueba"

# A store of one copy, in memory, whose monitor does not wait a second before each change. Without the gateway's cache
# nobody waits half a minute for a gateway that was killed to hear of a new bucket.
_CONF = """[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{mon}/0
public_addr = 127.0.0.1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = {folder}/keyring
run_dir = {folder}
log_to_stderr = false
log_file =
mon_cluster_log_file =
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_data = {folder}/mon
mon_allow_pool_size_one = true
mon_data_avail_crit = 0
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_class_load_list = *
osd_class_default_list = *
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_op_num_shards = 1
rgw_frontends = {frontend}
rgw_data = {folder}/rgw
rgw_thread_pool_size = 8
rgw_cache_enabled = false
rgw_rados_pool_pg_num_min = 1
"""
_CAPS = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
}


def create(url: str, bucket: str) -> None:
    """A new bucket at a server: the one call that the adapters have no use for."""
    store = S3Store(bucket, config={"region": "us-east-1", "endpoint": url}, client_options={"allow_http": True})
    signed = obstore.sign(store, "PUT", "", timedelta(minutes=1))
    with urllib.request.urlopen(urllib.request.Request(signed, method="PUT"), timeout=10) as answer:  # noqa: S310 ours
        assert answer.status == 200


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class Gateway:
    """A running server; `url` is its address, `KEY` and `SECRET` open it.

    `secure` is its address over TLS, by a certificate for 127.0.0.1 that the authority in the file `ca` vouches for.
    """

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self._folder, self._ends = folder, ends
        self._conf = folder / "ceph.conf"
        mon, port, tls = _free(3)
        self.url, fsid = f"http://127.0.0.1:{port}", str(uuid.uuid4())
        self.secure, self.ca = f"https://127.0.0.1:{tls}", folder / "ca.pem"
        frontend = f"beast endpoint=127.0.0.1:{port} ssl_endpoint=127.0.0.1:{tls}"
        frontend += f" ssl_certificate={folder}/tls.pem ssl_private_key={folder}/tls.key"
        self._conf.write_text(_CONF.format(folder=folder, fsid=fsid, mon=mon, frontend=frontend), "utf-8")
        self._certificate()
        for name in ("mon", "osd", "rgw"):
            (folder / name).mkdir()
        self._monitor(fsid, f"[v2:127.0.0.1:{mon}]")
        self._osd()
        self._run("radosgw-admin", "user", "create", "--uid=pisis", "--display-name=pisis", *_user())
        self._gateway = self._start("radosgw", "-n", "client.admin")
        _until(self._answers)

    def _certificate(self) -> None:
        root, own = private("127.0.0.1")
        self.ca.write_bytes(root.pem)
        (self._folder / "tls.pem").write_bytes(own.pem)
        (self._folder / "tls.key").write_bytes(own.secret)

    def kill(self) -> None:
        """The gateway dies on the spot."""
        self._gateway.kill()
        self._gateway.wait()

    def revive(self) -> None:
        """The gateway again, at the same address and with what it had."""
        self._gateway = self._start("radosgw", "-n", "client.admin")
        _until(self._answers)

    def _monitor(self, fsid: str, address: str) -> None:
        keyring, monitors = str(self._folder / "keyring"), str(self._folder / "monmap")
        self._run("ceph-authtool", "-C", keyring)
        for name, caps in _CAPS.items():
            given = [word for subsystem, cap in caps.items() for word in ("--cap", subsystem, cap)]
            self._run("ceph-authtool", keyring, "--gen-key", "-n", name, *given)
        self._run("monmaptool", "--create", "--addv", "a", address, "--fsid", fsid, monitors)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monitors, "--keyring", keyring)
        self._start("ceph-mon", "-i", "a")

    def _osd(self) -> None:
        own = str(uuid.uuid4())
        self._run("ceph", "osd", "new", own)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", own)
        self._start("ceph-osd", "-i", "0")

    def _run(self, program: str, *words: str) -> None:
        told = [] if program in {"ceph-authtool", "monmaptool"} else ["-c", str(self._conf)]
        done = subprocess.run([program, *told, *words], check=False, capture_output=True, timeout=60, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')[-500:]}")

    def _start(self, program: str, *words: str) -> "subprocess.Popen[bytes]":
        quiet = subprocess.DEVNULL
        line = [*_WITH_US, program, "-c", str(self._conf), *words, "-f"]
        process = subprocess.Popen(line, stdout=quiet, stderr=quiet, cwd=self._folder)
        self._ends.callback(_end, process)
        return process

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(self.url, timeout=2) as answer:  # noqa: S310 ours
            return bool(answer.status == 200)
        return False


def _user() -> list[str]:
    return [f"--access-key={KEY}", f"--secret-key={SECRET}"]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _free(many: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(many)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the gateway did not start")
        time.sleep(0.1)


@contextmanager
def running() -> Iterator[Gateway]:
    """A server in a folder of its own; its processes and the folder are gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="pisis-s3-") as name, ExitStack() as ends:
        yield Gateway(Path(name), ends)
