"""The same files give the same bytes on SQLite and on PostgreSQL: documents, messages, history."""

import dataclasses
import email
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import GOOD, filled
from postgresql import PostgreSQL
from test_held import LEAVING, crowd
from test_service import drop
from worlds import CONTROL, NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import folder_inbox
from pisis_batch.model import Id
from pisis_batch.ports import Ports
from pisis_batch.service import chores
from pisis_batch.settings import FILE, Settings
from pisis_batch.writing import sample

FILES = {
    NAME: file_of(GOOD),
    NAME.replace("0715", "0714"): file_of(GOOD.replace("20260715", "20260714")),
    NAME.replace("0715", "0713"): b"",
    NAME.replace("0715", "0712"): file_of(GOOD.replace("MARIA", "ÑANDÚ").replace("3160000000", "31600000x0")),
    NAME.replace("0715", "0711"): file_of("\n".join(f"2|{n}|CC|109000{n:04}|=1+1|X|Z|0||Ü|9||" for n in range(1, 200))),
    NAME.replace("900123456", "900654321"): file_of(CONTROL.format(total=0)),
    NAME.replace("0715", "0710"): file_of(GOOD).replace(b"JUAN", b"JU\x00AN"),
    "LEAME.TXT": b"\xff\xfe\x00",
}


def answered(folder: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    folder.mkdir()
    (folder / FILE).write_text(f'database = "{database}"\n', "utf-8")
    ports = filled(wiring.ports(Settings.load(folder, now=NOW, settle_seconds=0, brake_users=10)))
    numbers = iter(range(1, 1000))
    monkeypatch.setattr(folder_inbox.uuid, "uuid4", lambda: f"{next(numbers):08}-0000-4000-8000-000000000000")
    for name, content in FILES.items():
        drop(folder, content, name=name)
        service.once(ports)
    beyond_files(folder, ports)
    history = [ports.registry.user(Id("CC", f"109000000{digit}")) for digit in (1, 2, 3)]
    runs = ports.registry.runs(limit=None)
    with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]  # the database adapter has it
        told = connection.execute(sa.text("SELECT kind, count(*) FROM mail GROUP BY kind ORDER BY kind"))
        kinds = repr([tuple(row) for row in told])
    said = {str(path.relative_to(folder / "outbox")): path.read_bytes() for path in folder.glob("outbox/*/*/*")}
    said |= {email.message_from_bytes(path.read_bytes())["Message-ID"]: path.read_bytes() for path in folder.glob("outbox/correo/*")}  # fmt: skip
    ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
    return {**said, "history": repr(history).encode(), "runs": repr(runs).encode(), "kinds": kinds.encode()}


def beyond_files(folder: Path, ports: Ports) -> None:
    """A file of every layout, a held one that two people approve, one taken back, contracts that end."""
    for layout in {layout.annex: layout for layout in ports.shelf.layouts}.values():
        name, content = sample(layout, 3, cut=date(2026, 7, 15))
        drop(folder, content, name=name)
    service.once(ports)
    crowd(ports)
    drop(folder, file_of(LEAVING))
    (held,) = service.once(ports)
    assert [service.approve(held.received.guid, login, ports).kind for login in ("CC1", "CC2")] == [
        "waiting",
        "applied",
    ]
    made = service.undo(held.received.guid, ports, force=True)
    assert made
    drop(folder, made.content, name=made.name)
    later = dataclasses.replace(ports, clock=lambda: NOW + timedelta(days=200))
    service.once(later)
    assert service.expire(later)
    chores.remind(later)
    service.publish(later)
    service.deliver(later)


def test_both_databases_give_the_same_bytes(
    tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite = answered(tmp_path / "one", "sqlite:///var/registry.db", monkeypatch)
    other = answered(tmp_path / "two", postgresql.database(), monkeypatch)
    assert sorted(sqlite) == sorted(other)
    assert [name for name in sqlite if sqlite[name] != other[name]] == []
    assert len(sqlite) > 100
    kinds = sqlite["kinds"].decode()
    assert all(f"'{kind}'" in kinds for kind in ("acta", "resultado", "espera", "vencimiento")), kinds
