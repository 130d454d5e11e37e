"""The power is cut anywhere in a run: what was told to be safe is there, and the rest comes right by itself.

A golden run is recorded call by call, with a mark whenever a step that is promised to last is over. For each moment
between two calls, what the disk may hold is drawn (`disk`). Every such state is looked at: the database is sound, every
receipt has its original, no original has its name before its bytes, nothing that was marked or told outside is missing,
no dropped file is gone. Those that differ in what the database says or in the files beside it are recovered by two runs
more, and accounted for.
"""

import hashlib
import os
import random
import re
import shutil
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from campaign import disk, shim, world
from campaign.disk import _Bytes as Bytes
from campaign.lives import Nursery
from pisis_batch.adapters import durable
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sqlite_driver import sqlite

_DATABASE = "var/registry.db"
_ORIGINAL = re.compile("var/archive/[0-9a-f]{2}/[0-9a-f]{64}")
_EACH = int(os.environ.get("PISIS_STATES", "24"))  # states of each moment
_RECOVERED = 5 * _EACH  # of each golden run


def trials(seeds: Iterator[int], nursery: Nursery) -> Iterator[tuple[int, int, list[str], dict[str, int]]]:
    """For each seed a golden run; the seed, how many states were looked at, and what was broken."""
    orders = shim.Shim()
    for seed in seeds:
        files = world.drawn(seed)
        durable._TOGETHER = 2 if seed % 2 == 0 else 12  # documents synced all at once, or one by one
        chance = random.Random(seed)
        nursery.fresh(files)
        before = disk.Disk(nursery.workspace)
        log = nursery.base / "calls"
        with shim.recording(orders, nursery.workspace, log):
            code = nursery.life(before=lambda: _marked(orders))
        if code:
            yield seed, 0, [f"the golden run ended with {code}"], {}
            continue
        calls = shim.recorded(log, nursery.workspace)
        cuts = _Cuts(nursery, files, chance)
        yield seed, *cuts.tried(before, calls), {"distinct": cuts.distinct, "recovered": cuts.recovered}


class _Cuts:
    """The states of one golden run."""

    def __init__(self, nursery: Nursery, files: dict[str, bytes], chance: random.Random) -> None:
        self._nursery, self._files, self._chance = nursery, files, chance
        self._dropped = Counter(hashlib.sha256(content).hexdigest() for content in files.values())
        self._looked: dict[tuple[str, ...], _Seen] = {}
        self._recovered: set[object] = set()
        self.recovered = self.distinct = 0

    def tried(self, before: disk.Disk, calls: list[shim.Call]) -> tuple[int, list[str]]:
        """Cut the power at each call."""
        marks: list[str] = []
        broken: list[str] = []
        built, waiting = 0, []
        known: set[object] = set()
        for at, call in enumerate([None, *calls]):
            if call is not None:
                before.take(call)
            if call is not None and call.what == shim.MARK:
                marks.append(call.path)
                continue
            for key, found in disk.states(before, self._chance, _EACH):
                built += 1
                told = (key, len(marks))
                if told in known:
                    continue
                known.add(told)
                seen, wrong = self._look(found, marks)
                broken += [f"call {at}: {what}" for what in wrong]
                pair = (seen.digest, _tree(found))
                if pair not in self._recovered:
                    self._recovered.add(pair)
                    waiting.append((at, {path: (None if one.folder else one.content) for path, one in found.items()}))
        self.distinct += len(known)
        for at, state in self._chance.sample(waiting, min(_RECOVERED, len(waiting))):
            self._put(state)
            self.recovered += 1
            broken += [f"call {at}, recovered: {what}" for what in self._nursery.ended(self._files)]
        return built, [f"{what} ({many} times)" for what, many in Counter(broken).items()][:20]

    def _put(self, state: Mapping[str, bytes | None]) -> None:
        root = self._nursery.workspace
        shutil.rmtree(root)
        root.mkdir()
        for path in sorted(state):
            content = state[path]
            if content is None:
                (root / path).mkdir(mode=0o700)
            elif not path.endswith("-shm"):  # rebuilt by whoever opens the database first
                (root / path).write_bytes(content)
                (root / path).chmod(0o600)  # modes are not what is tried here

    def _look(self, found: Mapping[str, Bytes], marks: list[str]) -> "tuple[_Seen, list[str]]":
        parts = {end: found[_DATABASE + end] for end in ("", "-wal", "-journal") if _DATABASE + end in found}
        key = tuple(f"{end} {one.digest}" for end, one in parts.items())
        if key not in self._looked:
            self._looked[key] = _seen({end: one.content for end, one in parts.items()}, self._nursery.base / "probe")
        seen = self._looked[key]
        wrong = list(seen.wrong)
        wrong += [f"«{mark}» was promised" for mark in marks if mark not in seen.kept]
        for sha256, many in seen.receipts.items():
            kept = found.get(f"var/archive/{sha256[:2]}/{sha256}")
            if many and (kept is None or kept.digest != sha256):
                wrong.append("a receipt has no original")
        wrong += [
            "a name in the archive is not that of its bytes"
            for path, one in found.items()
            if _ORIGINAL.fullmatch(path) and not path.endswith(f"/{one.digest}")
        ]
        there = Counter(one.digest for path, one in found.items() if path.startswith(("inbox/", "var/claims/")))
        wrong += [
            "a dropped file is gone" for sha, many in self._dropped.items() if there[sha] + seen.receipts[sha] < many
        ]
        for guid, names in seen.documents.items():
            for name, sha256 in names.items():
                paths = [path for path in found if path.endswith(f"/{guid}/{name}")]
                if not paths or found[paths[0]].digest != sha256:
                    wrong.append(f"{name} of a published run is not as it was published")
        mails = {one.digest for path, one in found.items() if path.startswith("outbox/correo/")}
        wrong += ["a sent message is not there" for sha in seen.sent if sha not in mails]
        wrong += [f"{told} was told outside and is not there" for told in _told(found) - seen.there]
        return seen, sorted(set(wrong))


class _Seen:
    """What a database says when it is opened after the cut."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.kept: set[str] = set()
        self.receipts: Counter[str] = Counter()
        self.documents: dict[str, dict[str, str]] = {}
        self.sent: list[str] = []
        self.there: set[str] = set()
        self.digest = ""


def _seen(parts: Mapping[str, bytes], folder: Path) -> _Seen:
    seen = _Seen()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for end, content in parts.items():
        (folder / f"registry.db{end}").write_bytes(content)
    connection = sqlite.connect(folder / "registry.db", isolation_level=None)
    try:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            seen.wrong.append("the database is not sound")
            return seen
        _read(seen, connection.execute)
        whole = hashlib.sha256()
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (name,) in tables:
            whole.update(repr((name, connection.execute(f'SELECT * FROM "{name}"').fetchall())).encode())  # noqa: S608
        seen.digest = whole.hexdigest()
    except sqlite.Error as error:
        seen.wrong.append(f"the database does not open: {type(error).__name__}")
    finally:
        connection.close()
    return seen


def _read(seen: _Seen, execute: Callable[..., object]) -> None:
    rows = {
        name: execute(query).fetchall()  # type: ignore[attr-defined]  # a cursor
        for name, query in {
            "receipt": "SELECT guid, sha256 FROM receipt",
            "run": "SELECT guid, published FROM run WHERE latest",
            "mail": "SELECT id, body FROM mail WHERE sent_at IS NOT NULL AND digest IS NULL",
            "message": "SELECT id FROM mail",
            "document": "SELECT r.guid, d.name, d.content FROM document d JOIN run r ON r.id = d.run_id "
            "WHERE r.latest AND r.published",
        }.items()
    }
    seen.receipts = Counter(sha256 for _, sha256 in rows["receipt"])
    seen.kept |= {f"accepted {guid}" for guid, _ in rows["receipt"]}
    seen.kept |= {f"committed {guid}" for guid, _ in rows["run"]}
    seen.kept |= {f"published {guid}" for guid, published in rows["run"] if published}
    seen.kept |= {f"sent {number}" for number, _ in rows["mail"]}
    seen.sent = [_sha(body) for _, body in rows["mail"]]
    seen.there = {f"message {number}" for (number,) in rows["message"]} | {f"verdict {guid}" for guid, _ in rows["run"]}
    for guid, name, content in rows["document"]:
        seen.documents.setdefault(guid, {})[name] = _sha(zlib.decompress(content))


def _told(found: Mapping[str, Bytes]) -> set[str]:
    """Messages and verdicts that somebody outside may have seen."""
    whole = [PurePosixPath(path) for path in found if path.startswith("outbox/")]
    sent = {f"message {path.stem.rpartition('-')[2]}" for path in whole if path.suffix == ".eml"}
    return sent | {f"verdict {path.parent.name}" for path in whole if path.name == "ack.json"}


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _tree(found: Mapping[str, Bytes]) -> tuple[tuple[str, str], ...]:
    return tuple((path, one.digest) for path, one in sorted(found.items()) if not path.startswith(_DATABASE))


def _marked(orders: shim.Shim) -> None:
    """Have the steps that promise something say so, in this fork."""

    def told(
        name: str, word: str, of: Callable[..., object], each: Callable[..., Any] = lambda *given: [given]
    ) -> None:
        step = getattr(SqlRegistry, name)

        def marked(self: SqlRegistry, *given: object, **named: object) -> object:
            found = step(self, *given, **named)
            for one in each(*given) if found is not False else ():
                orders.mark(f"{word} {of(*one)}")
            return found

        setattr(SqlRegistry, name, marked)

    told("accept", "accepted", lambda receipt: receipt.guid, each=lambda *receipts: [(one,) for one in receipts])
    told("commit", "committed", lambda outcome, *rest: outcome.received.guid)
    told("published", "published", lambda guid: guid)
    told("mail_sent", "sent", lambda mail: mail.id, each=lambda mails, *rest: [(mail,) for mail in mails])
