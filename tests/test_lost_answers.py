"""A COMMIT whose answer is lost, or that never arrived: whichever it is, everything is done once, and nothing twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import GOOD, filled
from lost_answers import Line, line
from postgresql import PostgreSQL
from test_service import drop, linked, mails
from worlds import NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import sql_again
from pisis_batch.model import Id
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, Settings

_WORDS = {"recibido": 1, "veredicto: cargado": 1}


@pytest.fixture
def bad_line(
    tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Line, Ports, Path]]:
    monkeypatch.setattr(sql_again, "PAUSES", (0.01, 0.05, 0.1))
    with line(postgresql.database()) as (made, url):
        (tmp_path / FILE).write_text(f'database = "{url}"\nisolation = false\n', "utf-8")
        ports = filled(wiring.ports(Settings.load(tmp_path, now=NOW, settle_seconds=0), workers=True))
        yield made, ports, tmp_path
        ports.registry.close()  # type: ignore[attr-defined]  # the database adapter has it


def to_its_end(ports: Ports, folder: Path, place: int) -> str:
    """One file from the inbox to its messages, as watcher, worker and chores do it; its name."""
    day = f"2026-{1 + place // 28:02}-{1 + place % 28:02}"
    name = NAME.replace("20260715", day.replace("-", ""))
    user, *_, profile = GOOD.replace("MEDICO GENERAL", f"PUESTO {place}").split("\n")
    lines = f"{user}\n{profile.replace('3|4', '3|2')}"
    drop(folder, file_of(lines).replace(b"2026-07-15", day.encode()), name=name)
    taken = [service.take_in(ports) for _ in range(2)]  # a claim that was not forgotten comes back
    assert sum(map(len, taken)) >= 1
    work = service.FileWork(ports)
    for receipt in ports.registry.pending():
        assert work.file(receipt.guid) is None, "it must not wait for its own lease"
    service.publish(ports)
    service.deliver(ports)
    return name


def told(ports: Ports, name: str) -> dict[str, int]:
    """How often each thing was done for a file."""
    engine: sa.Engine = ports.registry.engine  # type: ignore[attr-defined]  # the database adapter has it
    with engine.connect() as connection:
        guids = list(connection.scalars(sa.text("SELECT guid FROM receipt WHERE file_name = :name"), {"name": name}))
        assert len(guids) == 1
        who = {"guid": guids[0]}
        jobs = sa.text("SELECT count(*) FROM procrastinate_jobs WHERE queueing_lock = :guid")
        runs = sa.text("SELECT count(*) FROM run WHERE guid = :guid AND published")
        sent = sa.text("SELECT count(*) FROM mail WHERE guid = :guid AND sent_at IS NOT NULL")
        audit = sa.text("SELECT action, count(*) FROM audit WHERE guid = :guid AND line IS NULL GROUP BY action")
        return {
            "jobs": connection.scalar(jobs, who) or 0,
            "runs": connection.scalar(runs, who) or 0,
            "sent": connection.scalar(sent, who) or 0,
            **{row[0]: row[1] for row in connection.execute(audit, who)},
        }


def test_every_commit_may_lose_its_way_or_its_answer(bad_line: tuple[Line, Ports, Path]) -> None:
    made, ports, folder = bad_line
    to_its_end(ports, folder, 0)
    made.count_anew()
    to_its_end(ports, folder, 1)
    commits = made.commits
    assert commits >= 8
    answer_lost, never_heard = ((which, True) for which in range(1, commits + 1)), ((2, False), (commits // 2, False))
    for place, fails in enumerate([*answer_lost, *never_heard], 2):
        made.count_anew(fails)
        done = told(ports, to_its_end(ports, folder, place))
        assert made.failed, fails
        assert done == {"jobs": 1, "runs": 1, "sent": 4, **_WORDS}, fails
    history = ports.registry.user(Id("CC", "1090000001"))
    assert history
    posts = [link["cargo"] for link in history["links"]]
    assert sorted(posts) == sorted({*posts})
    assert linked(ports) == ["1090000001 186/1274 PISIS/NEO", "1090000003 PISIS/NEO"]
    assert ports.registry.accounts().offenders == ()
    assert len({message["Message-ID"] for message in mails(folder)}) == 4 * (commits + 4)
