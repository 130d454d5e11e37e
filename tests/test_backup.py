"""The drill: a copy made while the service works, the machine lost, the copy restored, and everything adds up again."""

import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from conftest import GOOD
from postgresql import PostgreSQL
from test_service import drop, linked
from worlds import NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters.folder_backup import Backup
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import lane, metadata
from pisis_batch.adapters.watchdog_hints import WatchdogHints
from pisis_batch.cli import root
from pisis_batch.ports import AuditHead, Ports
from pisis_batch.settings import FILE, Settings, SettingsError

LATER = file_of("2|1|CC|1090000002|MARIA|GOMEZ|O|||||")


def said(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(root, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def everything(registry: object, *, but: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    assert isinstance(registry, SqlRegistry)
    with registry.engine.connect() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(sa.select(*(c for c in table.c if c.name not in but)))),
                key=repr,
            )
            for table in metadata.sorted_tables
        }


def over(registry: object) -> None:
    """As some seconds later: what was in the hand of whoever is lost may be taken."""
    assert isinstance(registry, SqlRegistry)
    with registry.engine.begin() as connection:
        connection.execute(lane.update().values(lease_until=0.0))


def copied(registry: object) -> dict[str, list[tuple[Any, ...]]]:
    """Every row but those that say who restored the copy."""
    now = everything(registry)
    (restored,) = [row for row in now["audit"] if "restauracion" in row]
    assert any(str(cell).startswith("sistema:") for cell in restored)
    return {name: [row for row in rows if "restauracion" not in row] for name, rows in now.items()}


def opened(folder: Path) -> Ports:
    return wiring.ports(Settings.load(folder, now=NOW, settle_seconds=0))


def test_the_drill(workspace: Path, ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    drop(workspace, file_of(GOOD))
    stop, enough = threading.Event(), threading.Event()
    seen: list[str] = []

    def answered(outcome: object) -> None:
        seen.append("x")
        if len(seen) >= 2:
            enough.set()

    watcher = threading.Thread(
        target=lambda: service.watch(
            ports, WatchdogHints(workspace / "inbox"), rescan_seconds=0.1, stop=stop, on_outcome=answered
        )
    )
    watcher.start()
    try:
        for number in range(6):
            drop(
                workspace, file_of(GOOD.replace("3160000000", f"31600000{number:02}")), sender=f"CC1000000{number + 1}"
            )
        assert enough.wait(30)
        told = said("-w", workspace, "backup", elsewhere / "respaldo")  # while it works
    finally:
        stop.set()
        watcher.join(30)
    assert "originales" in told
    service.once(ports)
    drop(workspace, LATER)
    service.once(ports)
    whole = sorted(linked(ports))
    received = len(ports.registry.runs(limit=None))
    with_doubles = {run["guid"] for run in ports.registry.runs(limit=None)}
    registry = ports.registry
    assert isinstance(registry, SqlRegistry)
    registry.close()
    shutil.rmtree(workspace)

    restored = elsewhere / "nuevo"
    told = said("restore", elsewhere / "respaldo", restored)
    assert "✓ cuentas y auditoría: todo cuadra" in told
    again = opened(restored)
    kept = json.loads((elsewhere / "respaldo/respaldo.json").read_text("utf-8"))
    seq, _, hash_ = kept["head"].partition(":")
    assert again.registry.audit_verify(AuditHead(int(seq), hash_)).offenders == ()
    over(again.registry)
    before = len(again.registry.runs(limit=None))
    assert before <= received
    service.once(again)
    assert service.fsck(again).offenders == ()
    # everybody sends again what they are not sure of, and the file that came after the copy
    drop(restored, file_of(GOOD))
    service.once(again)
    drop(restored, LATER)
    (outcome,) = service.once(again)
    assert outcome.verdict == "cargado"
    assert service.fsck(again).offenders == ()
    assert sorted(linked(again)) == whole
    assert {run["guid"] for run in again.registry.runs(limit=None)} & with_doubles
    assert sum(1 for run in again.registry.runs(limit=None) if run["verdict"] == "cargado") <= received + 1


def test_what_is_restored_is_what_was_copied(
    workspace: Path, ports: Ports, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for content in (file_of(GOOD), file_of(GOOD.replace("|V|", "|Z|", 1))):
        drop(workspace, content)
        service.once(ports)
    before = everything(ports.registry)
    documents = {p.relative_to(workspace): p.read_bytes() for p in (workspace / "outbox").glob("CC*/*/*")}
    said("-w", workspace, "backup", elsewhere / "r")
    assert (elsewhere / "r").stat().st_mode & 0o777 == 0o700
    registry = ports.registry
    assert isinstance(registry, SqlRegistry)
    registry.close()
    shutil.rmtree(workspace)
    said("restore", elsewhere / "r", elsewhere / "n")
    again = opened(elsewhere / "n")
    assert copied(again.registry) == before
    assert {
        p.relative_to(elsewhere / "n"): p.read_bytes() for p in (elsewhere / "n/outbox").glob("CC*/*/*")
    } == documents
    assert said("-w", elsewhere / "n", "audit", "verify").startswith("✓")


def test_a_second_copy_takes_what_is_new_and_drops_what_was_let_go(
    workspace: Path, ports: Ports, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("elsewhere") / "r"
    drop(workspace, file_of(GOOD))
    (first,) = service.once(ports)
    assert "1 originales" in said("-w", workspace, "backup", copy)
    service.erase_class(ports, "originales", NOW.date().replace(year=2030))
    drop(workspace, LATER)
    (second,) = service.once(ports)
    assert "1 originales" in said("-w", workspace, "backup", copy)
    assert [path.name for path in (copy / "originales").glob("??/*")] == [second.received.sha256]
    assert first.received.sha256 != second.received.sha256


def test_a_copy_that_is_not_whole_or_not_alone_is_refused(
    workspace: Path, ports: Ports, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    said("-w", workspace, "backup", elsewhere / "r")
    with pytest.raises(SettingsError, match="no se restaura encima"):
        said("restore", elsewhere / "r", workspace)
    (elsewhere / "mine").mkdir()
    (elsewhere / "mine/tesis.doc").write_bytes(b"x")
    with pytest.raises(SettingsError, match="no es un respaldo"):
        said("-w", workspace, "backup", elsewhere / "mine")
    with pytest.raises(SettingsError, match="no es un respaldo completo"):
        said("restore", elsewhere / "mine", elsewhere / "n")
    kept = elsewhere / "r/originales" / outcome.received.sha256[:2] / outcome.received.sha256
    kept.chmod(0o600)
    kept.write_bytes(b"otra cosa")
    assert "su original no está" in said("restore", elsewhere / "r", elsewhere / "n", code=3)
    with (elsewhere / "r/registry.db").open("r+b") as file:
        file.seek(5000)
        file.write(b"????")
    with pytest.raises(SettingsError, match="no es la que se copió"):
        said("restore", elsewhere / "r", elsewhere / "m")


def test_an_original_that_is_lost_is_told_by_the_copy(
    workspace: Path, ports: Ports, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    (workspace / "var/archive" / outcome.received.sha256[:2] / outcome.received.sha256).unlink()
    told = said("-w", workspace, "backup", tmp_path_factory.mktemp("r"), code=3)
    assert outcome.received.sha256 in told


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_drill_with_postgresql(
    workspace: Path,
    ports: Ports,
    postgresql: PostgreSQL,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `docs/guarda-y-respaldo.md` says: dump, copy; then restore, and the copy around it."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    drop(workspace, file_of(GOOD))
    service.once(ports)
    before = everything(ports.registry)
    registry = ports.registry
    assert isinstance(registry, SqlRegistry)
    plain = registry.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    tools = Path(postgresql.server.bin_path)
    dump = elsewhere / "base.dump"
    subprocess.run([tools / "pg_dump", "--format=custom", f"--file={dump}", plain], check=True)
    made = Backup(elsewhere / "r").make(registry, ports.archive, [("llaves", workspace / "var/llaves")], "2026-07-15")
    assert (made["database"], made["originals"], made["lost"]) == (None, 1, [])
    shutil.copy(workspace / FILE, elsewhere / "r/pisis.toml")
    registry.close()
    shutil.rmtree(workspace)
    empty = postgresql.empty("restored")
    target = sa.make_url(empty).set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([tools / "pg_restore", "--no-owner", f"--dbname={target}", dump], check=True)
    monkeypatch.setenv("PISIS_DATABASE", empty)
    assert "todo cuadra" in said("restore", elsewhere / "r", elsewhere / "n")
    again = opened(elsewhere / "n")
    assert copied(again.registry) == before
    drop(elsewhere / "n", file_of(GOOD), name=NAME)
    (outcome,) = service.once(again)
    assert outcome.verdict == "sin cambios"
    assert isinstance(again.registry, SqlRegistry)
    again.registry.close()
