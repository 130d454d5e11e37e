"""What a process can give up for itself: network, files, new rights. Linux kernels that cannot are told apart.

Network: a namespace of its own without interfaces. Files (Landlock): reading the program and its libraries stays, the
registry, the originals, the inbox and everything else is closed.
"""

import ctypes
import os
import resource
import struct
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_NEWUSER, _NEWNET = 0x10000000, 0x40000000
_NO_NEW_PRIVS = 38
_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the system calls of Landlock, the same numbers on every architecture
_READ = 0b1101  # execute, read a file, read a folder
_EVERYTHING = (1 << 13) - 1  # the rights that the first version of Landlock knows
_BENEATH = 1


def first_to_go() -> None:
    """Where memory runs out, the kernel ends this process and its copies before any other."""
    with suppress(OSError), Path("/proc/self/oom_score_adj").open("w", encoding="ascii") as score:
        score.write("1000")


def no_network() -> bool:
    """Leave the network; must be called while the process has one thread. False when the kernel does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_NEWNET, _NEWUSER | _NEWNET))


def only_reading(folders: tuple[str, ...]) -> bool:
    """Close every file but those below `folders`, and those only for reading. False when the kernel cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    rights = struct.pack("=Q", _EVERYTHING)
    rules = libc.syscall(_CREATE, rights, ctypes.c_size_t(len(rights)), 0)
    if rules < 0:
        return False
    try:
        for folder in folders:
            handle = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            try:
                libc.syscall(_ADD, rules, _BENEATH, struct.pack("=Qi", _READ, handle), 0)
            finally:
                os.close(handle)
        return bool(libc.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def program_folders() -> tuple[str, ...]:
    """Where the interpreter, the libraries and this program are read from."""
    return tuple(dict.fromkeys(folder for folder in _places() if folder and Path(folder).is_dir()))


def _places() -> Iterator[str]:
    yield from (sys.prefix, sys.base_prefix, str(Path(__file__).parents[1]))
    yield from (sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from ("/usr", "/lib", "/lib64", "/proc", "/sys")


def limits(open_files: int = 64) -> None:
    """No core dump, no file grows, few descriptors."""
    for kind, amount in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, open_files)):
        _, hard = resource.getrlimit(kind)
        allowed = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (allowed, allowed))


def spend(seconds: float, memory: int) -> None:
    """So much more processor time from now on, then SIGXCPU ends the process; so many bytes of address space."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    for kind, amount in (
        (resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 1),
        (resource.RLIMIT_AS, memory),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))
