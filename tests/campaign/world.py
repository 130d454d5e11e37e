"""A workspace with a few files of two senders, and the accounting of what became of them, from the outside."""

import dataclasses
import email
import random
import shutil
import sqlite3
from pathlib import Path

from conftest import GOOD, filled
from worlds import NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.ports import Judge, Ports
from pisis_batch.service.processing import INTERRUPTIONS
from pisis_batch.settings import FILE, TEMPLATE, Settings

LOGINS = ("CC10000001", "CC10000002")


def ports(workspace: Path, judge: Judge | None = None, *, isolation: bool = False) -> Ports:
    """The real thing, judged by whom the caller says, or else in this process or an isolated one."""
    made = wiring.ports(Settings.load(workspace, now=NOW, settle_seconds=0, isolation=isolation))
    return dataclasses.replace(made, judge=judge) if judge else made


def template(folder: Path) -> Path:
    """A workspace with the fictitious registry, to be copied for each trial."""
    folder.mkdir(parents=True)
    (folder / FILE).write_text(TEMPLATE, "utf-8")
    made = filled(ports(folder))
    made.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
    return folder


def drawn(seed: int) -> dict[str, bytes]:
    """Files by `LOGIN/NAME`, by lot: good ones, the same again, rejected ones, nonsense."""
    chance = random.Random(seed)
    one = GOOD.split("\n", maxsplit=1)[0]
    files = {}
    for number in range(chance.randint(2, 4)):
        kinds = {
            "good": file_of(one.replace("3150000000", f"31500000{number:02}")),
            "whole": file_of(GOOD),
            "rejected": file_of(one.replace("|V|", "|Z|")),
            "nonsense": random.Random(number).randbytes(200),
        }
        # names of their own senders: one entity, one lane
        content = kinds[chance.choice(list(kinds))]
        day = 15 - number
        name = NAME.replace("20260715", f"202607{day:02}") if chance.random() < 0.2 else NAME
        files[f"{chance.choice(LOGINS)}/{name}"] = content
    return files


def drop(workspace: Path, files: dict[str, bytes]) -> None:
    """Put the files into their folders."""
    for place, content in files.items():
        path = workspace / "inbox" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def copied(source: Path, target: Path) -> Path:
    """A fresh workspace."""
    shutil.copytree(source, target)
    return target


def broken(workspace: Path, files: dict[str, bytes], made: Ports, killed: int = 0) -> list[str]:
    """What does not add up once everything is said to be done; who was `killed` too often may be in quarantine."""
    try:
        found = [f"{offender.guid[:8]} {offender.what}" for offender in service.fsck(made).offenders]
        runs = made.registry.runs(limit=None)
    finally:
        made.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
    if len(runs) != len(files):
        found.append(f"{len(files)} files were dropped and {len(runs)} received")
    if any((workspace / "inbox" / place).exists() for place in files):
        found.append("a file is still in the inbox")
    if any((workspace / "var/claims").glob("*/*/*")):
        found.append("a claim was left")
    ends = {"terminado", "cuarentena"} if killed >= INTERRUPTIONS else {"terminado"}
    found += [f"{run['guid'][:8]} is {run['state']}" for run in runs if run["state"] not in ends]
    found += [f"{run['guid'][:8]} was not answered" for run in runs if set(run["mails"]) - {"enviado", "en resumen"}]
    return found + _mails(workspace) + _database(workspace)


def _mails(workspace: Path) -> list[str]:
    """Two messages of one Message-ID must be the same bytes."""
    seen: dict[str, bytes] = {}
    found = []
    for path in (workspace / "outbox/correo").glob("*.eml"):
        content = path.read_bytes()
        key = str(email.message_from_bytes(content)["Message-ID"])
        if seen.setdefault(key, content) != content:
            found.append(f"two messages are called {key}")
    return found


def _database(workspace: Path) -> list[str]:
    """Effects are counted by hand: no open row twice, none opened by a file that was not loaded."""
    connection = sqlite3.connect(f"file:{workspace / 'var/registry.db'}?mode=ro", uri=True)
    try:
        loaded = "SELECT guid FROM run WHERE latest AND verdict = 'cargado'"
        stray = f"SELECT count(*) FROM link WHERE from_guid <> 'registro' AND from_guid NOT IN ({loaded})"  # noqa: S608
        double = (
            "SELECT count(*) FROM (SELECT 1 FROM audit WHERE line IS NOT NULL "
            "GROUP BY guid, line, action HAVING count(*) > 1)"
        )
        checks = {"an effect of a file that was not loaded": stray, "an effect written twice": double}
        return [what for what, query in checks.items() if connection.execute(query).fetchone()[0]]
    finally:
        connection.close()
