"""Upgrades: from the very first tables with work in flight, beside a running older version, and back and forth."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from conftest import GOOD, REGISTRY, load
from postgresql import PostgreSQL
from test_service import linked, mails
from worlds import NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import sql_migrate
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.sql_engine import engine
from pisis_batch.adapters.sql_migrate import AFTER, BEFORE
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import schema_step
from pisis_batch.settings import FILE, Settings

WAITING, TRIED, ANSWERED = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")


def to(made: sa.Engine, revision: str) -> None:
    """Bring the tables to one revision, as the version that had it did."""
    with made.begin() as connection:
        config, _ = sql_migrate._script(connection)
        command.upgrade(config, revision)


def at_first_tables(url: str, archive: Path) -> None:
    """A registry of the first version: two files received, one of them tried once, and a message not sent yet."""
    made = engine(url)
    to(made, "0001")
    first = sa.MetaData()
    first.reflect(made)
    original = archive.parent / NAME
    original.write_bytes(file_of(GOOD))
    sha256, md5, size = FolderArchive(archive).keep(original)
    row = {"file_name": NAME, "sha256": sha256, "md5": md5, "size": size, "sender": "CC10000001"}
    row |= {"received_at": NOW.isoformat()}
    with made.begin() as connection:
        for guid, state, attempts in ((ANSWERED, "terminado", 1), (TRIED, "recibido", 1), (WAITING, "recibido", 0)):
            connection.execute(
                first.tables["receipt"].insert(), {**row, "guid": guid, "state": state, "attempts": attempts}
            )
        connection.execute(
            first.tables["mail"].insert(),
            {"guid": ANSWERED, "kind": "acta", "recipient": "contacto@ese.gov.co", "subject": "Acta", "attempts": 2,
             "message_id": "<1@x.example>", "body": b"Subject: Acta\r\n\r\nHola\r\n", "next_try": NOW.isoformat()},
        )  # fmt: skip
    made.dispose()


@pytest.fixture
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.empty(f"bare_{tmp_path.name.replace('-', '_')}".lower()[:60])


EITHER = pytest.mark.parametrize("bare", ["sqlite", "postgresql"], indirect=True)


@EITHER
def test_an_upgrade_with_work_in_flight_keeps_everything(bare: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f'database = "{bare}"\n', "utf-8")
    settings = Settings.load(tmp_path, now=NOW, settle_seconds=0)
    settings.archive.parent.mkdir()
    at_first_tables(bare, settings.archive)
    ports = wiring.ports(settings)
    for table, text in REGISTRY.items():
        load(ports, table, text)
    outcomes = service.once(ports)
    assert [(one.received.guid, one.verdict) for one in outcomes] == [(TRIED, "cargado"), (WAITING, "sin cambios")]
    assert linked(ports) == ["1090000001 186/1274 PISIS/NEO", "1090000002 PISIS/NEO"]
    assert ports.registry.pending() == []
    assert [message["Subject"] for message in mails(tmp_path) if message["Subject"] == "Acta"] == ["Acta"]
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def columns(made: sa.Engine) -> dict[tuple[str, str], tuple[str, bool]]:
    """(table, column) to (type, whether a row may leave it out)."""
    seen = sa.inspect(made)
    return {
        (table, column["name"]): (str(column["type"]), column["nullable"] or column["default"] is not None)
        for table in seen.get_table_names()
        for column in seen.get_columns(table)
    }


def test_a_step_before_only_adds_what_an_older_version_may_leave_out(tmp_path: Path) -> None:
    made = engine(f"sqlite:///{tmp_path / 'registry.db'}")
    with made.begin() as connection:
        _, script = sql_migrate._script(connection)
        steps = list(reversed(list(script.walk_revisions())))
    had: dict[tuple[str, str], tuple[str, bool]] = {}
    for step in steps:
        to(made, step.revision)
        has = columns(made)
        if sql_migrate.phase(step) == BEFORE:
            assert had.items() <= has.items(), f"{step.revision} takes away or changes what an older version uses"
            old_tables = {table for table, _ in had}
            demanded = [key for key, (_, free) in has.items() if key not in had and key[0] in old_tables and not free]
            assert demanded == [], f"{step.revision} demands what an older version does not give"
        had = has
    made.dispose()


def test_an_older_version_goes_on_recording_files_after_the_upgrade(postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.empty("beside_an_older")
    (tmp_path / "archive").mkdir()
    made = engine(url)
    to(made, "0001")
    old = sa.MetaData()
    old.reflect(made)
    registry = SqlRegistry(url)
    registry.migrate()
    row = {"file_name": NAME, "sha256": "a", "md5": "b", "size": 1, "received_at": NOW.isoformat(), "attempts": 0}
    with made.begin() as connection:
        for guid in (WAITING, TRIED):
            connection.execute(old.tables["receipt"].insert(), {**row, "guid": guid, "state": "recibido"})
    assert [receipt.guid for receipt in registry.pending()] == [WAITING, TRIED]
    assert registry.attempt(WAITING)
    assert registry.attempt(TRIED) is None  # an older version tells no lane: one at a time
    registry.close()
    made.dispose()


def test_a_step_that_only_adds_does_not_wait_for_one_that_takes_away(postgresql: PostgreSQL) -> None:
    url = postgresql.empty("out_of_turn")
    made = engine(url)
    to(made, "0015")
    registry = SqlRegistry(url)
    for _ in range(2):  # a second start changes nothing
        assert registry.migrate() == ["0016"]
        assert ("receipt", "interruptions") in columns(made)
    assert registry.migrate(finish=True) == []
    done = [name for name, _ in sql_migrate.steps(made) if name.isdigit()]
    assert [name for name in done if name > "0015"] == ["0017", "0018", "0019", "0016"]
    assert registry.migrate() == []
    registry.close()
    made.dispose()


@EITHER
def test_an_older_version_starts_beside_newer_tables_unless_something_was_taken_away(bare: str) -> None:
    registry = SqlRegistry(bare)
    registry.migrate()
    with registry.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9998'"))
        connection.execute(sa.text("INSERT INTO schema_step (name, phase) VALUES ('9998', 'before')"))
    assert registry.migrate() == []
    with registry.engine.begin() as connection:
        connection.execute(schema_step.insert().values(name="9999", phase=AFTER))
    with pytest.raises(sql_migrate.SchemaError, match="9999"):
        registry.migrate()
    registry.close()


def test_every_step_is_written_down_and_many_processes_may_start_at_once(postgresql: PostgreSQL) -> None:
    url = postgresql.empty("all_at_once")
    registries = [SqlRegistry(url) for _ in range(4)]
    threads = [threading.Thread(target=registry.migrate) for registry in registries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [name for name, _ in sql_migrate.steps(registries[0].engine)]
    with registries[0].engine.begin() as connection:
        _, script = sql_migrate._script(connection)
    assert set(done) >= {step.revision for step in script.walk_revisions()}
    assert len(done) == len(set(done))
    assert any("procrastinate" not in name and name.endswith(".sql") for name in done)
    for registry in registries:
        registry.close()
