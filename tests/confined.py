"""The locks of a systemd unit without systemd: no new rights, no capability, its system calls, no page both written and run.

`python tests/confined.py UNIT COMMAND…` reads them from the unit, puts them on, and becomes the command. Not put on are
the views of the file system and of other processes, name spaces, addresses and cgroups, which need root or systemd.
"""

import ctypes
import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVS, _SET_MDWE = 38, 65


def service(unit: Path) -> list[tuple[str, str]]:
    """The lines of a unit's [Service], in order: a key may come twice."""
    lines = unit.read_text("utf-8").partition("[Service]")[2].partition("\n[")[0].splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return [(key, value) for key, _, value in pairs]


def calls(unit: Path) -> set[str]:
    """The names of the system calls that a unit lets through."""
    allowed: set[str] = set()
    for key, value in service(unit):
        if key == "SystemCallFilter":
            named = _resolved(value.removeprefix("~").split())
            allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


def _resolved(names: list[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        if not name.startswith("@"):
            found.add(name)
            continue
        told = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
        inside = [line.strip() for line in told.stdout.splitlines()[1:]]
        found |= _resolved([one for one in inside if one and not one.startswith("#")])
    return found | _resolved(["@default"]) if "@system-service" in names else found


def lock(unit: Path) -> None:
    """Put the locks on this process and whatever it becomes."""
    told = dict(service(unit))
    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(int(told["UMask"], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(told["LimitNOFILE"]),) * 2)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if told["MemoryDenyWriteExecute"] == "yes" and libc.prctl(_SET_MDWE, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "mdwe")
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(_ERRNO | errno.EPERM))
    for name in calls(unit):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            seccomp.seccomp_rule_add(rules, _ALLOW, number, 0)
    if seccomp.seccomp_load(rules):
        raise OSError("seccomp")


if __name__ == "__main__":
    lock(Path(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 that is the purpose
