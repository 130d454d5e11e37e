"""Whoever only asks gets from SQLite's driver what the whole registry would say, and is sent to it for anything else."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from conftest import GOOD
from test_service import drop
from worlds import NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters import sqlite_asking
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.model import Facts, Id, Questions
from pisis_batch.ports import Ports, Registry
from pisis_batch.settings import Settings

_PEOPLE = [("CC", "1090000001"), ("CC", "1090000003"), ("CC", "1"), ("CC", "10000001")]
_ASKED = Questions(
    annex="SEG500USIN",
    entity=Id("NI", "900123456"),
    sender="CC10000001",
    sha256="",
    people=_PEOPLE,
    received_at=NOW,
    guid="g",
)


def url(workspace: Path) -> str:
    return f"sqlite:///{workspace / 'var/registry.db'}"


def never() -> Registry:
    raise AssertionError("the whole registry is not needed")


def plain(facts: Facts) -> dict[str, Any]:
    """Facts as values that can be compared."""

    def of(value: Any) -> Any:
        if isinstance(value, pl.DataFrame):
            return sorted(map(tuple, value.rows()))
        return value.tolist() if isinstance(value, np.ndarray) else value

    told = {one.name: of(getattr(facts, one.name)) for one in dataclasses.fields(facts) if one.name != "index"}
    index = facts.index
    return told | ({one.name: of(getattr(index, one.name)) for one in dataclasses.fields(index)} if index else {})


@pytest.fixture
def used(workspace: Path, ports: Ports) -> SqlRegistry:
    """A registry with a loaded file in it."""
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    assert outcome.verdict == "cargado"
    assert isinstance(ports.registry, SqlRegistry)
    return ports.registry


def test_the_driver_alone_says_what_the_registry_says(workspace: Path, used: SqlRegistry) -> None:
    asked = sqlite_asking.opened(url(workspace), never)
    assert asked is not None
    sha = hashlib.sha256(file_of(GOOD)).hexdigest()
    assert asked.ask(dataclasses.replace(_ASKED, sha256=sha)).earlier
    for change in (
        {},
        {"sha256": sha},
        {"sender": None},
        {"sender": "quien sabe"},
        {"sender": "CC1090000001"},
        {"entity": Id("NI", "900999999")},
        {"entity": None},
        {"people": pl.DataFrame(_PEOPLE, schema=["tipo_id", "num_id"], orient="row"), "only_people": True},
    ):
        questions = dataclasses.replace(_ASKED, **change)
        assert repr(plain(asked.ask(questions))) == repr(plain(used.ask(questions))), change  # a truth is no number


def test_kept_numbers_are_found_by_the_driver_and_others_gathered_by_the_whole(
    workspace: Path, used: SqlRegistry
) -> None:
    questions = dataclasses.replace(_ASKED, index=True)
    made: list[Registry] = []

    def whole() -> Registry:
        made.append(used)
        return used

    def opened(make: Callable[[], Registry]) -> Registry:
        found = sqlite_asking.opened(url(workspace), make)
        assert found is not None
        return found

    told = plain(opened(whole).ask(questions))
    assert made == [used]
    assert plain(opened(never).ask(questions)) == told
    assert len(told["linked"]) == 2
    with used.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE revision SET number = number + 1")
    with pytest.raises(AssertionError, match="not needed"):
        opened(never).ask(questions)


def test_what_is_stored_is_asked_of_the_whole(workspace: Path, used: SqlRegistry) -> None:
    asked = sqlite_asking.opened(url(workspace), lambda: used)
    assert asked is not None
    questions = dataclasses.replace(_ASKED, annex="DIS123DVEN", period="2026-07")
    assert plain(asked.ask(questions)) == plain(used.ask(questions))
    assert asked.receipt("z") is None  # and so is anything that is no question


def garbled(database: Path) -> None:
    database.write_bytes(b"no es una base de datos" * 400)


def of_the_future(database: Path) -> None:
    registry = SqlRegistry(f"sqlite:///{database}")
    with registry.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("INSERT INTO schema_step (name, phase) VALUES ('9999', 'after')")
    registry.close()


def taken_for_a_folder(database: Path) -> None:
    database.unlink()
    database.mkdir()


@pytest.mark.parametrize("broken", [garbled, of_the_future, taken_for_a_folder])
def test_a_database_that_cannot_be_used_is_told_as_ever(
    workspace: Path, ports: Ports, broken: Callable[[Path], None]
) -> None:
    assert isinstance(ports.registry, SqlRegistry)
    ports.registry.close()
    broken(workspace / "var/registry.db")
    said = []
    for way in (wiring.ports, wiring.asking):
        with pytest.raises(Exception) as raised:  # noqa: PT011 whatever it is, it is the same
            way(Settings.load(workspace))
        said.append((type(raised.value), str(raised.value)))
    assert said[0] == said[1]


def test_a_database_that_is_not_there_yet_is_made(workspace: Path) -> None:
    made = wiring.asking(Settings.load(workspace))
    assert isinstance(made.registry, SqlRegistry)
    assert wiring.asking(Settings.load(workspace)).registry.ask(_ASKED).entity is None


def test_every_other_url_is_for_the_whole() -> None:
    for other in ("sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=ro", "postgresql://x/y"):
        assert sqlite_asking.opened(other, never) is None
