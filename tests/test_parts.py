"""A very large file is planned and applied in parts: registry, history, audit and documents are those of one part."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from conftest import BOTH, GOOD, filled, load
from postgresql import PostgreSQL
from test_undo import drop, later, state
from worlds import NAME, NOW, file_of

from pisis_batch import chunks, effects, parting, pipeline, service, wiring
from pisis_batch.adapters import sql_bulk, sql_changes
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.spool import FullError, Spool
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import audit, entity, grant, link
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.model import Brake, Changes, Id, Outcome, Received, outcome
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, TEMPLATE, Settings

NEW = [1090000011 + (7 * place) % 11 for place in range(11)]  # in no order
PERSONS = "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n" + "".join(
    f"CC,{number},JUAN,,PEREZ,,\n" for number in NEW
)
#: After GOOD: somebody changes, somebody leaves, a profile is replaced and one withdrawn, and many come.
USERS = [
    "CC|1090000001|JUAN|PEREZ|V|3150000001|MEDICO JEFE|1||JUAN.PEREZ@ESE.GOV.CO",
    *(f"CC|{number}|JUAN|PEREZ|V|3150000000|ENFERMERO|1||J{number}@ESE.GOV.CO" for number in NEW),
    "CC|1090000002|MARIA|GOMEZ|O|||||",
]
PROFILES = ["CC|1090000001|186|R|", *(f"CC|{number}|186|A|{1274 if number % 2 else 1300}" for number in NEW[::3])]
LINES = [f"2|{at}|{line}" for at, line in enumerate(USERS, 1)]
LINES += [f"3|{at}|{line}" for at, line in enumerate(PROFILES, len(LINES) + 1)]
SECOND = "\n".join(LINES)


@contextmanager
def made(workspace: Path, request: pytest.FixtureRequest) -> Iterator[Ports]:
    """A workspace with a database of its own, of the kind that the test is about."""
    workspace.mkdir()
    kind = request.node.callspec.params["database"]
    server = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    (workspace / FILE).write_text(f'{TEMPLATE}database = "{server.database()}"\n' if server else TEMPLATE, "utf-8")
    settings = Settings.load(workspace, now=NOW, settle_seconds=0, brake_users=0, brake_percent=0)
    ports = filled(wiring.ports(settings))
    load(ports, "persons", PERSONS)
    drop(workspace, later(ports, 1), file_of(GOOD))
    yield ports
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def sifted(patch: pytest.MonkeyPatch, size: int) -> None:
    """From now on every file counts as very large, and so many lines are a part."""
    patch.setattr(pipeline, "MIDDLING", 0)
    patch.setattr(pipeline, "LARGE", 0)
    patch.setattr(chunks, "CHUNK", 300)
    patch.setattr(parting.parts, "__defaults__", (size, None))
    patch.setattr(Spool.__init__, "__defaults__", (None, 2**20, 2, 4))
    patch.setattr(sql_bulk, "_MANY", 2)


def done(workspace: Path, ports: Ports) -> tuple[Outcome, list[object]]:
    """The outcome of the second file, and everything that is left of it, without its guid."""
    outcome = drop(workspace, later(ports, 2), file_of(SECOND))
    guid = outcome.received.guid
    left: list[object] = []
    with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]  # the database adapter
        for table in (link, grant, audit):
            names = [column for column in table.c if column.name not in {"id", "batch", "from_guid", "to_guid", "guid"}]
            left.append([tuple(row) for row in connection.execute(sa.select(*names).order_by(*names))])
    documents = sorted(workspace.glob(f"outbox/CC10000001/{guid}/*"))
    texts = [path for path in documents if path.suffix != ".xlsx"]
    left += [(path.name, path.read_text("utf-8").replace(guid, "")) for path in texts]
    return outcome, left


@BOTH
def test_parts_end_as_one(
    database: str | None, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del database  # each workspace has its own
    with made(tmp_path / "whole", request) as ports:
        once, whole = done(tmp_path / "whole", ports)
    with made(tmp_path / "parts", request) as ports:
        sifted(monkeypatch, 3)
        kept = []
        keep = Spool.keep
        monkeypatch.setattr(Spool, "keep", lambda spool, part: (kept.append(part.counts()), keep(spool, part))[1])
        parts, left = done(tmp_path / "parts", ports)
        assert len(kept) > 3
        assert parts.changes.linked.is_empty()
        assert parts.changes.counts() == once.changes.counts()
        assert left == whole
        made_again = service.undo(parts.received.guid, later(ports, 3), force=False)
        assert made_again is not None
        drop(tmp_path / "parts", later(ports, 4), made_again.content, made_again.name)
        assert {"1090000001", "1090000002"} <= state(ports).keys()
        assert not {str(number) for number in NEW} & state(ports).keys()


@BOTH
def test_a_fault_between_parts_leaves_nothing(
    database: str | None, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del database
    with made(tmp_path / "one", request) as ports:
        _broken_between(tmp_path / "one", ports, monkeypatch)


def _broken_between(workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(ports)
    sifted(monkeypatch, 3)
    ordered = Spool.ordered

    def broken(spool: Spool, kind: str) -> Iterator[pl.DataFrame]:
        for place, rows in enumerate(ordered(spool, kind)):
            if kind == "linked" and place:
                raise OSError("no more to read")
            yield rows

    folder = workspace / "inbox/CC10000001"
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "ordered", broken)
        (folder / "SEG500USIN20260715NI000900123456.TXT").write_bytes(file_of(SECOND))
        service.take_in(later(ports, 2))
        (receipt,) = ports.registry.pending()
        assert service.process(receipt.guid, later(ports, 2)) is None
        assert state(ports) == before
        with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]  # the database adapter
            told = connection.scalars(sa.select(audit.c.action).where(audit.c.guid == receipt.guid)).all()
        assert told == ["recibido"]
    outcome = service.process(receipt.guid, later(ports, 3))
    assert outcome is not None
    assert outcome.verdict == "cargado"
    assert len(state(ports)) == len(before) - 1 + len(NEW)


def test_parts_come_back_in_the_order_of_their_keys() -> None:
    spool = Spool(block=3, read=6)
    numbers = [f"{(place * 37) % 101:03d}" for place in range(101)]
    rows = pl.DataFrame(
        {"line": range(101), "tipo_id": "CC", "num_id": numbers},
        {"line": pl.UInt32} | dict.fromkeys(("tipo_id", "num_id"), pl.String),
    )
    rows = rows.with_columns(primer_nombre=pl.lit("A"), primer_apellido=pl.lit("B"))
    for part in rows.iter_slices(17):
        spool.keep(Changes(unlinked=part))
    back = list(spool.ordered("unlinked"))
    assert len(back) > 10
    assert pl.concat(back).equals(rows.sort("num_id"))
    assert list(spool.ordered("linked")) == []
    spool.close()
    small = Spool(most=100)
    with pytest.raises(FullError):
        small.keep(Changes(unlinked=rows))
    small.close()


def test_what_is_spooled_has_no_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    spool.close()


_READ = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'one_open_link'"


def test_a_part_reads_no_more_of_the_index_than_its_people(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has told the server how many rows there are: left alone it looks through all of them for each part."""
    monkeypatch.setattr(sql_bulk, "_MANY", 500)
    monkeypatch.setattr(outcome, "_MANY", 500)
    monkeypatch.setattr(outcome, "_STRETCH", 500)
    registry = SqlRegistry(postgresql.database())
    columns = Changes().linked.columns
    numbers = [str(1_090_000_000 + place) for place in range(3_000)]
    rows = pl.DataFrame({"num_id": numbers}).with_row_index("line").with_columns(tipo_id=pl.lit("CC"))
    rows = rows.with_columns(pl.lit("A").alias(name) for name in columns if name not in rows.columns).select(columns)
    other = rows.with_columns(cargo=pl.lit("JEFE"))
    with registry.engine.begin() as connection:
        mine = {"tipo_id": "NI", "num_id": "900123456", "correo_confirmado": True, "activa": True}
        connection.execute(entity.insert().values(**mine))
        connection.exec_driver_sql("ALTER TABLE link SET (autovacuum_enabled = off)")
    read = []
    for changes in (Changes(linked=rows), Changes(updated=other)):
        with registry.engine.begin() as connection:
            trail = Trail(connection, Keyring(), "g", NOW.isoformat())
            sql_changes.apply(connection, changes, Id("NI", "900123456"), trail)
            connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
        with registry.engine.connect() as connection:
            read.append(connection.exec_driver_sql(_READ).scalar_one())
            told = connection.exec_driver_sql("SELECT cargo, valid_to IS NULL, count(*) FROM link GROUP BY 1, 2").all()
    registry.close()
    assert sorted(map(tuple, told)) == [("A", False, 3_000), ("JEFE", True, 3_000)]
    assert read[1] - read[0] < 4 * 3_000


def test_a_check_of_a_very_large_file_counts_what_its_plan_would_list(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(ports, "persons", PERSONS)
    drop(workspace, later(ports, 1), file_of(GOOD))
    sifted(monkeypatch, 4)
    received = Received("-", NAME, file_of(SECOND), NOW, "CC10000001")
    listed, counted = (
        service.check(received, ports, shelf=ports.shelf, limits=ports.limits, counted=counted)
        for counted in (False, True)
    )
    assert counted.verdict == listed.verdict == "cargado"
    assert counted.changes.counts() == listed.changes.counts()
    assert counted.changes.counts()["unlinked"]
    assert sum(counted.changes.passed.values()) == sum(listed.changes.counts().values())
    assert effects.holds(counted, Brake(users=0, percent=10, at_least=1)) is True
