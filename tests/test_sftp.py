"""The SFTP recipe of `deploy/` against a real OpenSSH server on loopback: a sender drops a file and sees no other folder."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import GOOD
from worlds import NAME, file_of

from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.folder_inbox import FolderInbox

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
LOGINS = ("CC10000901", "CC10000902")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="accounts and chroots are made by root"),
    pytest.mark.skipif(SSHD is None or shutil.which("sftp") is None, reason="no OpenSSH server on this machine"),
]


def run(*command: object, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True, check=False)


def exists(login: str) -> bool:
    try:
        pwd.getpwnam(login)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Path, int]]:
    """The folder of a server with two senders, and its port."""
    made = [login for login in LOGINS if not exists(login)]
    groups = [name for name in ("pisis", "pisis-remitentes") if name not in {group.gr_name for group in grp.getgrall()}]
    # every folder above a chroot must be root's and writable by nobody else: not so below the tests' own folder
    home = Path(tempfile.mkdtemp(prefix="pisis-sftp-", dir="/srv"))
    home.chmod(0o755)
    for login in LOGINS:
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / login)
        added = run("deploy/nuevo-remitente.sh", login, home / f"{login}.pub", home / "inbox", home / "keys")
        assert added.returncode == 0, added.stderr
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / "host")
    recipe = Path("deploy/sshd_pisis.conf").read_text("utf-8")
    recipe = recipe.replace("/srv/pisis/inbox", str(home / "inbox")).replace("/etc/ssh/pisis-keys", str(home / "keys"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\nUsePAM no\n"
    (home / "sshd_config").write_text(f"{options}Subsystem sftp internal-sftp\n{recipe}", "utf-8")
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(home / "sshd_config")], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield home, port
    process.terminate()
    process.wait(10)
    for login in made:
        run("userdel", login)
    for name in groups:
        run("groupdel", name)
    shutil.rmtree(home, ignore_errors=True)


def sftp(server: tuple[Path, int], login: str, orders: str) -> subprocess.CompletedProcess[str]:
    home, port = server
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes")
    flags = [part for option in options for part in ("-o", option)]
    return run("sftp", "-q", "-b", "-", *flags, "-i", home / login, "-P", port, f"{login}@127.0.0.1", text=orders)


def test_a_file_put_under_a_temporary_name_and_renamed_is_taken_as_its_senders(
    server: tuple[Path, int], tmp_path: Path
) -> None:
    home, _ = server
    content = file_of(GOOD)
    (tmp_path / NAME).write_bytes(content)
    put = sftp(server, LOGINS[0], f"put {tmp_path / NAME} {NAME}.filepart\nrename {NAME}.filepart {NAME}\n")
    assert put.returncode == 0, put.stderr
    dropped = (home / "inbox" / LOGINS[0] / NAME).stat()
    assert grp.getgrgid(dropped.st_gid).gr_name == "pisis"
    assert dropped.st_mode & 0o047 == 0o040  # the service reads it, nobody else does
    inbox = FolderInbox(home / "inbox", home / "claims", 0)
    (claimed,) = inbox.claims()
    assert (claimed.sender, claimed.name) == (LOGINS[0], NAME)
    archive = FolderArchive(tmp_path / "archive")
    assert archive.fetch(archive.keep(claimed.path)[0]) == content
    inbox.release(claimed)


@pytest.mark.parametrize(
    "order", [f"ls /{LOGINS[1]}\n", "ls /\n", f"put /etc/hostname /{LOGINS[1]}/x.TXT\n", "put /etc/hostname /x.TXT\n"]
)
def test_a_sender_reaches_nothing_but_its_own_folder(server: tuple[Path, int], order: str) -> None:
    assert sftp(server, LOGINS[0], "pwd\n").returncode == 0
    refused = sftp(server, LOGINS[0], order)
    assert refused.returncode != 0
    assert list((server[0] / "inbox" / LOGINS[1]).iterdir()) == []


def test_a_sender_has_no_shell(server: tuple[Path, int]) -> None:
    home, port = server
    flags = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
    tried = run("ssh", *flags, "-i", home / LOGINS[0], "-p", port, f"{LOGINS[0]}@127.0.0.1", "id")
    assert "uid=" not in tried.stdout
