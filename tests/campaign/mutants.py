"""Planted defects: each is one change of the program that a named test must find, or the tests prove nothing.

A defect is planted in a copy of the package that comes first in the path; the tree itself is never touched.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is replaced in which file of the package, and the test (`file::expression`) that must fail."""

    name: str
    file: str
    old: str
    new: str
    test: str


def _all() -> Iterator[Mutant]:  # noqa: PLR0915  # a list
    lanes, inbox, scan = "adapters/sql_lanes.py", "adapters/folder_inbox.py", "adapters/folder_scan.py"
    claims, moves, stillness = "adapters/folder_claims.py", "adapters/folder_moves.py", "adapters/folder_stillness.py"
    registry, smtp = "adapters/sql_registry.py", "adapters/smtp_mailer.py"
    accounts, speech, child = "adapters/sql_accounts.py", "adapters/conversation.py", "adapters/child.py"
    slept, intake = "test_lanes.py::slept", "test_intake.py::"
    yield Mutant(
        "a stale fence commits",
        lanes,
        '    .where(receipt.c.guid == sa.bindparam("it"), receipt.c.fence == sa.bindparam("mine"))\n'
        '    .scalar_subquery(),\n    lane.c.fence == sa.bindparam("mine"),\n',
        '    .where(receipt.c.guid == sa.bindparam("it"), sa.bindparam("mine").is_not(None))\n    .scalar_subquery(),\n',
        slept,
    )
    yield Mutant("attempts are not counted", lanes, "receipt.c.attempts + 1", "receipt.c.attempts + 0", slept)
    yield Mutant(
        "the lane's order is ignored", lanes, "_older_waits(connection, found)", "False", "test_lanes.py::in_order"
    )
    yield Mutant(
        "a live lease is taken", lanes, "held.lease_until > now", "held.lease_until < 0", "test_lanes.py::in_order"
    )
    yield Mutant(
        "the dead keep their lease", lanes, "return host == _host() and", "return False and", "test_lanes.py::dead"
    )
    yield Mutant(
        "a reused process number is trusted",
        lanes,
        "_started(int(pid)) != started",
        "not _started(int(pid))",
        "test_lanes.py::owners",
    )
    yield Mutant(
        "places of a lane repeat",
        lanes,
        "lane.c.last_place + many",
        "lane.c.last_place + 0",
        "test_lanes.py::in_order",
    )
    yield Mutant(
        "facts that changed are committed",
        registry,
        "outcome.facts.revision !=",
        "outcome.facts.revision == ''  and '' ==",
        "test_accounts.py::judged_again",
    )
    yield Mutant(
        "a loaded table leaves no revision",
        registry,
        "            sql_revision.grow(connection)\n",
        "",
        "test_accounts.py::between_verdict",
    )
    yield Mutant(
        "an effect leaves no revision",
        registry,
        "sql_revision.grow(connection, who)",
        "pass",
        "test_accounts.py::in_between",
    )
    yield Mutant(
        "a lost lease writes all the same",
        registry,
        "            if not mine or execute(",
        "            if execute(",
        slept,
    )
    yield Mutant(
        "a claim is forgotten before its receipt",
        "service/intake.py",
        '        crashpoint("archived")',
        '        ports.inbox.release(claimed)\n        crashpoint("archived")',
        "test_service.py::archived",
    )
    batches = "test_batches.py::"
    yield Mutant(
        "a receipt whose original's name may not last",
        "adapters/folder_archive.py",
        "*(self._root / folder for folder in sorted(folders)), ",
        "",
        batches + "before_its_bytes",
    )
    yield Mutant(
        "a receipt whose original's bytes may not last",
        "adapters/folder_copies.py",
        "        durable.sync_files([copy.handle for copy in waiting])\n",
        "",
        batches + "before_its_bytes",
    )
    yield Mutant(
        "a receipt whose file may lie in the inbox again",
        inbox,
        "            _settle({path.parent for path in taken}, folders.values())\n",
        "",
        batches + "moved_out_of_the_inbox",
    )
    yield Mutant(
        "what was written while its batch waited is lost",
        "adapters/folder_copies.py",
        "if _state(os.lstat(copy.source)) != copy.state:",
        "if False:",
        batches + "copied_anew",
    )
    yield Mutant(
        "what was copied in vain is left",
        "adapters/folder_copies.py",
        "    if not copy.placed:\n",
        "    if False:\n",
        batches + "nothing_is_left",
    )
    yield Mutant(
        "one bad file keeps its batch from being accepted",
        "service/intake.py",
        "for claimed in batch if failed else ():",
        "for claimed in ():",
        batches + "one_bad_file",
    )
    yield Mutant(
        "a file overtakes an older one that was left",
        "service/intake.py",
        "            if claimed.sender in behind:\n",
        "            if False:\n",
        batches + "one_bad_file",
    )
    yield Mutant(
        "a second name is no matter",
        claims,
        "seen.links > 1:\n            unread",
        "seen.links > 9:\n            unread",
        intake + "second_name",
    )
    yield Mutant(
        "a second name is not waited for",
        stillness,
        "seen.links > 1 and held",
        "seen.links > 9 and held",
        intake + "second_name",
    )
    yield Mutant(
        "a third user's file is taken",
        scan,
        "return owner not in",
        "return False and owner not in",
        intake + "third_user",
    )
    yield Mutant(
        "an open writer is not seen", scan, "return error.errno == errno.EAGAIN", "return False", intake + "held_open"
    )
    yield Mutant(
        "folders are files", scan, "if not stat.S_ISDIR(seen.mode):", "if True:", intake + "folders_in_folders"
    )
    yield Mutant(
        "a claim has another guid after a crash",
        claims,
        "uuid.UUID(bytes=said[:16], version=4)",
        "uuid.uuid4()",
        intake + "comes_back",
    )
    yield Mutant(
        "a share's rename is not believed", moves, "return found == [False, True]", "return False", intake + "believed"
    )
    yield Mutant("no copy between file systems", moves, "errno.EXDEV", "errno.EDOM", intake + "another_file_system")
    yield Mutant(
        "half a copy is a claim",
        claims,
        'if not path.name.startswith(".pisis-copy-")',
        "if True",
        intake + "another_file_system",
    )
    yield Mutant("an enormous file is read", claims, "seen.size > self._largest", "False", intake + "never_opened")
    yield Mutant(
        "a link is a file", scan, '    stat.S_IFLNK: "un enlace a otro archivo",\n', "", intake + "never_opened"
    )
    yield Mutant(
        "what may not be renamed is tried for ever",
        stillness,
        "return key in self._stuck",
        "return False",
        intake + "may_not_be_renamed",
    )
    yield Mutant(
        "the first sender first",
        inbox,
        "list(itertools.islice(files, _TURN))",
        "list(files)",
        intake + "flood_of_one",
    )
    yield Mutant("a slow writer is cut off", stillness, "held < self._settle:", "held < -1:", intake + "slow_writer")
    yield Mutant("unfinished names are files", scan, '".filepart")', '".nunca")', "test_ports.py::half_written")
    yield Mutant(
        "names are shown as they are",
        "service/naming.py",
        "sign if sign.isprintable() else _escape(sign)",
        "sign",
        intake + "every_kind",
    )
    yield Mutant(
        "an original is not held against its hash",
        "adapters/mapped.py",
        "if found != sha256:",
        "if False:",
        "test_accounts.py::original_that_changed",
    )
    yield Mutant(
        "bytes of two moments are kept",
        "adapters/folder_copies.py",
        "copy.state == _state(after) and size == after.st_size",
        "True",
        intake + "held_still",
    )
    yield Mutant(
        "a file is tried for ever",
        "service/processing.py",
        "ATTEMPTS = 3\n",
        "ATTEMPTS = 300\n",
        "test_service.py::quarantined",
    )
    stops = "test_interruptions.py::"
    yield Mutant(
        "a death of the service is the file's fault",
        lanes,
        "begun = _TAKEN_OVER if left else _BEGUN",
        "begun = _BEGUN",
        stops + "three_deaths and not postgresql",
    )
    yield Mutant(
        "deaths of the service are not counted",
        lanes,
        "receipt.c.interruptions + 1",
        "receipt.c.interruptions + 0",
        stops + "kills_the_service and not postgresql",
    )
    yield Mutant(
        "what kills the service is tried for ever",
        "service/processing.py",
        "receipt.interruptions >= INTERRUPTIONS",
        "receipt.interruptions < 0",
        stops + "kills_the_service and not postgresql",
    )
    yield Mutant(
        "what was in hand in a death does not rest",
        "service/work.py",
        "self._publishing.publish, rested=True)",
        "self._publishing.publish)",
        stops + "three_deaths and not postgresql",
    )
    yield Mutant(
        "a file is in hand while the service starts",
        "service/processing.py",
        "ports.judge.warm(wait=True)",
        "ports.judge.warm()",
        stops + "in_nobodys_hand",
    )
    yield Mutant(
        "quarantine tells nobody",
        "service/processing.py",
        "mails, documents = judging.told(outcome, at, ports.mail_from)",
        "mails, documents = (), judging.told(outcome, at, ports.mail_from)[1]",
        "test_service.py::quarantined",
    )
    yield Mutant(
        "a child may say anything",
        "adapters/wire.py",
        'raise WireError(f"a message asked',
        'return super().find_class(module_name, global_name)\n        raise WireError(f"a message asked',
        "test_wire.py::value_of_the_core",
    )
    yield Mutant(
        "a child inherits our settings",
        "adapters/nursery.py",
        "{name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}",
        "dict(os.environ)",
        "test_isolation.py::holds_nothing",
    )
    yield Mutant("a child may leave a core", child, "confinement.limits()", "pass", "test_isolation.py::holds_nothing")
    yield Mutant(
        "a child tells what went wrong", child, "type(error).__name__", "str(error)", "test_isolation.py::by_kind_alone"
    )
    yield Mutant("a lost lease goes on", speech, "if not alive():", "if False:", "test_isolation.py::lease_is_lost")
    yield Mutant(
        "header text becomes headers",
        "reports/mime.py",
        'if names != _HEADERS or b"\\r" in headers.replace(b"\\r\\n", b"") or b"\\n" in headers.replace(b"\\r\\n", b""):',
        "if False:",
        "test_floods.py::becomes_a_header",
    )
    yield Mutant(
        "mail in the clear when TLS is not offered",
        smtp,
        'start_tls=self._tls == "starttls"',
        "start_tls=None",
        "test_smtp_faults.py::offered",
    )
    yield Mutant(
        "any certificate will do", smtp, "validate_certs=True", "validate_certs=False", "test_smtp_faults.py::unknown"
    )
    yield Mutant(
        "a refused sender is for good",
        smtp,
        "if asked and code in _FOR_GOOD",
        "if code in _FOR_GOOD",
        "test_smtp_faults.py::told_apart and MAIL",
    )
    yield Mutant(
        "nothing is for good",
        smtp,
        "_FOR_GOOD = range(500, 600)",
        "_FOR_GOOD = range(0)",
        "test_smtp_faults.py::told_apart and RCPT",
    )
    yield Mutant(
        "a refusal for good is repeated",
        "service/delivery.py",
        "reason.startswith(REFUSED)",
        "False",
        "test_floods.py::refusal_for_good",
    )
    yield Mutant(
        "a flood is mailed one by one",
        "service/delivery.py",
        "MOST_AN_HOUR = 10\n",
        "MOST_AN_HOUR = 10**9\n",
        "test_floods.py::ten_thousand",
    )
    yield Mutant(
        "digests without pause",
        "service/delivery.py",
        "if flood.told_lately:",
        "if False:",
        "test_floods.py::second_flood",
    )
    yield Mutant(
        "what a digest tells is sent too",
        "adapters/sql_tables.py",
        "~mail.c.refused, mail.c.digest.is_(None))",
        "~mail.c.refused,)",
        "test_floods.py::ten_thousand",
    )
    yield Mutant(
        "a dead server is never left in peace",
        "service/delivery.py",
        "return PAUSES[min(attempts, len(PAUSES) - 1)]",
        "return PAUSES[0]",
        "test_floods.py::five_days",
    )
    yield Mutant(
        "twice applied is not found",
        accounts,
        'its.c.verdict == "cargado"',
        'its.c.verdict == "nunca"',
        "test_accounts.py::applied_twice",
    )
    yield Mutant(
        "out of order is not found",
        accounts,
        "placed.c.at < placed.c.before",
        "placed.c.at < 0",
        "test_accounts.py::out_of_order",
    )
    yield Mutant(
        "an end without verdict is not found",
        accounts,
        "latest.c.many.is_(None)",
        "latest.c.many < 0",
        "test_accounts.py::whatever_is_taken",
    )
    yield Mutant(
        "the same bytes are applied again",
        "adapters/sql_facts.py",
        "    if who is None:\n        return None\n",
        "    return None\n",
        "test_service.py::same_bytes",
    )
    yield Mutant(
        "documents are not escaped",
        "reports/look.py",
        "autoescape=escaped",
        "autoescape=False",
        intake + "hostile_name_is_answered",
    )
    yield from _power()


def _power() -> Iterator[Mutant]:
    """What only a power cut shows; found by the campaign itself, at this seed."""
    engine, archive, durable = "adapters/sql_engine.py", "adapters/folder_archive.py", "adapters/durable.py"
    copies, log = "adapters/folder_copies.py", "adapters/sqlite_log.py"
    cut = "power::1"
    yield Mutant("the database never syncs", engine, "synchronous=NORMAL", "synchronous=OFF", cut)
    yield Mutant("the log is not waited for", log, "            os.fdatasync(handle)\n", "            pass\n", cut)
    originals = "        durable.sync_files([copy.handle for copy in waiting])\n"
    yield Mutant("an original is not synced", copies, originals, "", cut)
    yield Mutant("originals are not synced all at once", copies, originals, "", "power::2")
    yield Mutant("the folder of an original may not last", archive, ", *([self._root] if made else [])", "", cut)
    yield Mutant("a document is not synced", durable, "        sync_files(written)\n", "        pass\n", cut)
    yield Mutant(
        "the name of a document is not synced",
        durable,
        "    sync_folders([folder for folder, _ in folders])\n\n\ndef _w",
        "\n\ndef _w",
        cut,
    )
    yield Mutant(
        "a disk is not waited for", durable, "ctypes.CDLL(None, use_errno=True).syncfs(handle) == 0", "True", "power::2"
    )
    yield Mutant(
        "a claim is moved into a folder that may not last",
        "adapters/folder_inbox.py",
        "for made in (batch, self._claims.folder):",
        "for made in ():",
        cut,
    )
    yield Mutant(
        "the first message's folder may not last",
        "adapters/folder_mailer.py",
        "durable.sync_folder(self._root.parent)",
        "pass",
        cut,
    )
    yield Mutant(
        "documents are told as published before they are",
        "service/publishing.py",
        "            self._ports.outbox.publish(received.sender, received.guid, judged.documents)\n",
        "            self._ports.registry.each_published([(received.guid, fence)])\n"
        "            self._ports.outbox.publish(received.sender, received.guid, judged.documents)\n",
        cut,
    )


ALL = tuple(_all())


def found(mutant: Mutant) -> bool | None:
    """Whether the mutant's test fails with it planted; None when the place to plant it is no longer there."""
    with tempfile.TemporaryDirectory(prefix="pisis-mutant-") as name:
        package = Path(name) / "pisis_batch"
        shutil.copytree(ROOT / "pisis_batch", package, ignore=shutil.ignore_patterns("__pycache__"))
        path = package / mutant.file
        text = path.read_text("utf-8")
        if text.count(mutant.old) < 1:
            return None
        path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
        file, _, expression = mutant.test.partition("::")
        if file == "power":
            return _cut(name, expression)
        run = subprocess.run(
            [
                sys.executable,
                "-P",
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                f"tests/{file}",
                "-k",
                expression,
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": name, "PYTHONSAFEPATH": "1"},
            capture_output=True,
            check=False,
            timeout=600,
        )
    return run.returncode == 1  # 0: not found; 5: no such test


def _cut(path: str, seed: str) -> bool:
    """Whether cutting the power, and that alone, finds it: the campaign ran to its end and tells what is broken."""
    command = [sys.executable, "-m", "campaign", "power", "--seed", seed, "--trials", "1", "--dry"]
    environment = {**os.environ, "PYTHONPATH": path, "PISIS_STATES": "8", "PISIS_ISOLATION": "false"}
    run = subprocess.run(command, cwd=ROOT / "tests", env=environment, capture_output=True, check=False, timeout=600)
    return run.returncode == 1 and bool(json.loads(run.stdout)["broken"])


if __name__ == "__main__":
    for one in ALL:
        print({True: "found", False: "SURVIVED", None: "GONE"}[found(one)], one.name, flush=True)  # noqa: T201
