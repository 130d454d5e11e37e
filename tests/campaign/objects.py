"""Hostile names and objects in the drop folder, each with what must become of it, and nothing must hang or leak.

`taken`: received, judged and answered. `refused`: answered without a byte of it being read. `left`: not touched.
"""

import contextlib
import io
import os
import random
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from conftest import GOOD
from worlds import NAME, file_of

from campaign import judged, world
from campaign.lives import memory
from pisis_batch import service
from pisis_batch.adapters import folder_stillness
from pisis_batch.judging import Judged
from pisis_batch.model import Attachment

_SECRET = b"ESTO-ES-UN-SECRETO-DEL-SERVIDOR"
_SECONDS = 30
_LOGIN = "CC10000001"
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\u200c\u200d\ufeff\u00ad\u2028\u2029\u0085\u009b"
_STRANGE = [
    b"-rf", b"--help", b"~root", b"%s%n", b"{0}{x}", b"$(id)", b"`id`", b"a;b", b"a|b", b"a&b", b"a>b", b"'", b'"', b"\\", b"*", b"?",
    b"[a]", b"<script>alert(1)</script>".replace(b"/", b"\\"), b"<img src=x onerror=alert(1)>", b"CON", b"NUL", b"AUX.TXT", b"COM1.TXT",
    b"..x", b"...", b"a..", b"a.", b" a", b"a ", b"  ", b"a\xa0", b"=cmd()", b"@a", b"+1", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80",
    b"\xf0\x90\x28", b"\x80abc", b"caf\xc3\xa9.TXT", b"cafe\xcc\x81.TXT", b"\xd0\x90.TXT", b"\xef\xbc\x91.TXT", b"\xc4\xb0.txt",
    b"desktop.ini", b"Thumbs.db", b"nul\\x00", b"a\\..\\b", b"C:\\x", b"http:x", b"x" * 255, b"\xff" * 255, b"\n" * 255, b"\xe2\x80\xae" * 85,
]  # fmt: skip
_UNFINISHED = [b".part", b".tmp", b".filepart", b".PART", b".Tmp", b"~"]


@dataclass(frozen=True, slots=True)
class Case:
    """What is put into a sender's folder, and what must become of it."""

    kind: str
    name: bytes
    make: Callable[[bytes], None]
    end: str
    folder: bytes = _LOGIN.encode()


def trials(seeds: Iterator[int]) -> Iterator[tuple[int, int, list[str]]]:
    """Every case once, in an order and with contents by the first seed."""
    chance = random.Random(next(seeds))
    folder_stillness.LINK_GRACE = 0.0  # ten seconds a case otherwise
    with tempfile.TemporaryDirectory(prefix="pisis-objects-", dir=memory()) as name:
        base = Path(name)
        world.template(base / "template").joinpath("inbox").mkdir(exist_ok=True)
        (base / "secret").write_bytes(_SECRET)
        cases = _cases(base, chance)
        chance.shuffle(cases)
        for number, case in enumerate(cases):
            workspace = world.copied(base / "template", base / "w")
            wrong = _tried(workspace, case)
            if (base / "secret").read_bytes() != _SECRET:
                wrong.append("what a link leads to was changed")
            yield number, 1, [f"{case.kind} {case.name!r}: {what}" for what in wrong]
            shutil.rmtree(workspace)


def _cases(base: Path, chance: random.Random) -> list[Case]:
    names = [b"%02x-%b-x.TXT" % (n, bytes([n])) for n in range(1, 32)] + [b"x\x7f.TXT"]
    names += [f"SEG{sign}500.TXT".encode() for sign in _BIDI] + list(_STRANGE)
    names += [NAME.encode(), NAME.lower().encode(), NAME.encode() + b" ", NAME.encode()[:-4] + b"\n.TXT"]
    content = [file_of(GOOD), b"", b"\x00" * 50, chance.randbytes(300)]
    cases = [
        Case("name", name, _file(chance.choice(content)), "left" if name.startswith(b".") else "taken")
        for name in names
    ]
    cases += [Case("unfinished", name[:240] + end, _file(b"x"), "left") for name in names[::4] for end in _UNFINISHED]
    cases += [Case("dot", b"." + name[:250], _file(b"x"), "left") for name in names[::2]]
    some = [NAME.encode(), *chance.sample(names, 14)]
    for kind, make, end in _makers(base):
        cases += [Case(kind, name, make, end) for name in some if name]
    for folder in (
        b"CC1\n0",
        b"CC\xff",
        b"<b>",
        b"-rf",
        b" ",
        b"x" * 200,
        "CC\u202e1".encode(),
        b"$(id)",
        b"=1+1",
    ):
        cases += [Case("sender", name, _file(content[0]), "taken", folder) for name in (NAME.encode(), names[5])]
    cases += [
        Case("no sender", NAME.encode(), _file(content[0]), end, folder)
        for folder, end in ((b"_x", "left"), (b"..x", "left"))
    ]
    return cases


def _makers(base: Path) -> list[tuple[str, Callable[[bytes], None], str]]:
    def linked(target: bytes) -> Callable[[bytes], None]:
        return lambda place: os.symlink(target, place)  # noqa: PTH211  # names that are no text

    secret = os.fsencode(base / "secret")
    found: list[tuple[str, Callable[[bytes], None], str]] = [
        ("pipe", os.mkfifo, "refused"),
        ("socket", _socket, "refused"),
        ("link to a secret", linked(secret), "refused"),
        ("link to nothing", linked(b"/no/hay/nada"), "refused"),
        ("link to itself", linked(b"."), "refused"),
        ("link to a device", linked(b"/dev/zero"), "refused"),
        ("link upward", linked(b"../../pisis.toml"), "refused"),
        ("link to the registry", linked(b"../../var/registry.db"), "refused"),
        ("second name", lambda place: os.link(secret, place), "refused"),
        ("sparse", _sparse, "refused"),
        ("folder", _folder, "left"),
        ("closed", _closed, "taken"),
    ]
    if os.geteuid() == 0:
        found += [
            ("character device", lambda place: os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 5)), "refused"),
            ("block device", lambda place: os.mknod(place, stat.S_IFBLK | 0o666, os.makedev(7, 250)), "refused"),
            ("a third user's", _foreign, "refused"),
        ]
    return found


def _file(content: bytes) -> Callable[[bytes], None]:
    def make(place: bytes) -> None:
        with open(place, "wb") as file:  # noqa: PTH123  # a name that is no text
            file.write(content)

    return make


def _socket(place: bytes) -> None:
    before = os.getcwd()  # noqa: PTH109  # the name of a socket may be a hundred bytes long, folders and all
    os.chdir(os.path.dirname(place))  # noqa: PTH120
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(b"s")
        os.rename(b"s", place)  # noqa: PTH104
    finally:
        os.chdir(before)


def _sparse(place: bytes) -> None:
    with open(place, "wb") as file:  # noqa: PTH123
        file.truncate(1 << 40)


def _folder(place: bytes) -> None:
    os.mkdir(place)  # noqa: PTH102
    _file(file_of(GOOD))(place + b"/" + NAME.encode())


def _closed(place: bytes) -> None:
    _file(file_of(GOOD))(place)
    os.chmod(place, 0)  # noqa: PTH101


def _foreign(place: bytes) -> None:
    _file(_SECRET)(place)
    os.chown(os.path.dirname(place), 4001, 4001)  # noqa: PTH120
    os.chown(place, 4002, 4002)


def _tried(workspace: Path, case: Case) -> list[str]:
    folder = os.fsencode(workspace / "inbox") + b"/" + case.folder
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    place = folder + b"/" + case.name
    try:
        case.make(place)
    except OSError as error:
        return [f"it could not be made: {error.strerror}"]
    said = io.StringIO()
    made = world.ports(workspace)
    try:
        signal.alarm(_SECONDS)  # the process itself dies of a hang
        with contextlib.redirect_stdout(said):
            service.once(made)
        signal.alarm(0)
        wrong = [f"{offender.what}" for offender in service.fsck(made).offenders]
        runs = made.registry.runs(limit=None)
    except Exception as error:  # noqa: BLE001  # exactly what must never happen
        return [f"it raised {type(error).__name__}"]
    finally:
        made.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
    there = os.path.lexists(place)
    if case.end == "left":
        return wrong + ([] if there and not runs else ["it was not left alone"])
    if there or len(runs) != 1 or runs[0]["state"] != "terminado":
        wrong.append(f"still there: {there}, receipts: {[run['state'] for run in runs]}")
    if case.end == "refused" and any(run["verdict"] != "rechazado" for run in runs):
        wrong.append("it was not refused")
    return wrong + _shown(workspace, runs, said.getvalue())


def _shown(workspace: Path, runs: list[dict[str, object]], log: str) -> list[str]:
    paths = [path for path in (workspace / "outbox").glob("*/*/*") if path.suffix in {".html", ".csv"}]
    documents = tuple(Attachment(path.name, "", path.read_bytes()) for path in paths)
    found = judged.harmful(Judged(None, (), documents))  # type: ignore[arg-type]  # of the documents alone
    if len(runs) == 1 and not paths:
        found.append("it was not answered")
    if any(not str(run["file_name"]).isprintable() for run in runs):
        found.append("a name is kept as it came")
    if any(not line.isprintable() for line in log.split("\n")):
        found.append("the log shows signs that are not plain")
    for path in workspace.rglob("*"):
        plain = path.is_file() and not path.is_symlink() and "apartados" not in path.parts
        if plain and path.stat().st_size < 1 << 30 and _SECRET in path.read_bytes():
            found.append(f"the secret is in {path.relative_to(workspace)}")
    return found
