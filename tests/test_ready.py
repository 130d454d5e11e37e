"""Statements that go straight to the driver answer as SQLAlchemy does."""

import contextlib
import importlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import sqlalchemy as sa

from pisis_batch import adapters
from pisis_batch.adapters import sql_dialects, sql_lanes, sql_ready, sql_runs, sqlite_driver
from pisis_batch.adapters.sql_engine import Transactions, engine, reader, take_back, writer
from pisis_batch.adapters.sql_ready import execute, gather, inserted, together
from pisis_batch.adapters.sql_text import select

_TABLE = sa.Table(
    "said",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("right", sa.Boolean),
    sa.Column("figures", sa.JSON),
    sa.Column("content", sa.LargeBinary),
)
_COUNTED = sa.select(sa.func.count()).select_from(_TABLE)
_ADD, _ALL = _TABLE.insert(), sa.select(_TABLE).order_by(_TABLE.c.id)
_SOME = sa.select(_TABLE.c.id, sa.func.count().over().label("many")).where(
    _TABLE.c.name.in_(("a", sa.bindparam("other"))), _TABLE.c.right
)
_MORE = _TABLE.update().where(_TABLE.c.name == sa.bindparam("it")).values(id=_TABLE.c.id + 10, content=None)
_ROWS = [
    {"name": "a", "right": True, "figures": {"n": [1]}, "content": b"\x00"},
    {"name": "b", "right": False, "figures": {}, "content": None},
    {"name": "c", "right": None, "figures": {"ñ": "é"}, "content": b""},
]
_KEYED = _ADD.returning(_TABLE.c.id)


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    """A transaction with the table in it."""
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgresql").database()
    made = engine(url)
    with made.begin() as connection:
        _TABLE.create(connection)
        yield connection
        connection.rollback()
    made.dispose()


def test_the_same_rows_come_back_either_way(connection: sa.Connection) -> None:
    """Values and rows are turned as their types say, whoever runs the statement."""
    execute(connection, _ADD, _ROWS[:2])
    assert execute(connection, _KEYED, _ROWS[2]).scalar_one() == 3
    ours, theirs = execute(connection, _ALL).all(), connection.execute(_ALL).all()
    assert [tuple(row) for row in ours] == [tuple(row) for row in theirs]
    parts = [list(map(tuple, part)) for part in execute(connection, _ALL).plain(2)]
    assert parts == [[tuple(row) for row in ours[:2]], [tuple(ours[2])]]
    assert [{**row._asdict(), "id": None} for row in ours] == [{**row, "id": None} for row in _ROWS]
    assert [tuple(row) for row in execute(connection, _SOME, {"other": "b"})] == [(1, 1)]
    assert execute(connection, _MORE, {"it": "a"}).rowcount == 1
    assert execute(connection, _SOME, {"other": "c"}).one().id == 11
    assert list(execute(connection, _ALL).scalars()) == [2, 3, 11]


def test_what_is_missing_is_said(connection: sa.Connection) -> None:
    """No row, many rows, a value that was not given: each is an error of the program."""
    assert execute(connection, _ALL).one_or_none() is None
    assert execute(connection, _ALL).scalar() is None
    with pytest.raises(sa.exc.NoResultFound):
        execute(connection, _ALL).one()
    execute(connection, _ADD, _ROWS)
    with pytest.raises(sa.exc.MultipleResultsFound):
        execute(connection, _ALL).one_or_none()
    with pytest.raises(KeyError):
        execute(connection, _SOME, {"another": "b"})


def test_rows_that_come_as_one_text_are_the_same(connection: sa.Connection) -> None:
    """Whatever a text has in it; some at a time, in their order, and none when there are none."""
    odd = ["", "'", '"', "\\", "\t\x01\x1f", "\x7f\x80\u2028", "ñÑ€", "\U0001f600", "null", "[1]", " 1 ", "é"]
    execute(connection, _ADD, [{**_ROWS[1], "name": name} for name in odd])
    text = select(("id", "name", "content"), "FROM said WHERE id > CAST(:least AS INTEGER) ORDER BY id DESC")
    for least in (0, 7, len(odd)):
        asked = {"least": least}
        gathered = [list(map(tuple, part)) for part in gather(connection, text, asked).plain(5)]
        assert gathered == [list(map(tuple, part)) for part in execute(connection, text, asked).plain(5)]
    assert [row[1] for part in gather(connection, text, {"least": 0}).plain(99) for row in part] == odd[::-1]


def test_an_error_of_the_driver_tells_no_value(connection: sa.Connection) -> None:
    """It is the kind that SQLAlchemy raises, and what was to be written is not in it."""
    with pytest.raises(sa.exc.IntegrityError) as caught:
        execute(connection, _ADD, [{"id": 7, "name": "1090000001"}, {"id": 7, "name": "1090000002"}])
    assert "10900000" not in str(caught.value)


def test_some_rows_are_a_few_statements_of_sqlite_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Around each one the driver lets other threads go on; what is heavy goes row by row, so that no copy of it stays."""
    made = engine(f"sqlite:///{tmp_path / 'said.db'}")
    said = list[str]()
    with made.begin() as connection:
        _TABLE.create(connection)
        driver: Any = connection.connection.dbapi_connection
        driver.set_trace_callback(said.append)
        for many, texts in ((1, 1), (35, 3), (64, 2), (63, 6)):
            said.clear()
            execute(connection, _TABLE.delete())
            execute(connection, _ADD, [{**_ROWS[place % 3], "id": None, "name": str(place)} for place in range(many)])
            assert len(said) == 1 + texts
            rows = execute(connection, _ALL).all()
            assert [(row.id, row.name, row.figures) for row in rows] == [
                (place + 1, str(place), _ROWS[place % 3]["figures"]) for place in range(many)
            ]
        monkeypatch.setattr(sql_ready, "_HEAVY", 3)
        said.clear()
        execute(connection, _ADD, [{"name": "a", "content": b"ab"}, {"name": "b", "content": b"cd"}])
        assert len(said) == 2
        with pytest.raises(sa.exc.IntegrityError):
            execute(connection, _ADD, [{"id": 70, "name": "a"}, {"id": 71, "name": None}])
        assert inserted(connection, "INSERT INTO said (name)", []) is None
        assert execute(connection, _COUNTED).scalar_one() == 66  # the row before the one that failed is there, as ever


def test_statements_that_go_out_together_answer_each_its_own(connection: sa.Connection) -> None:
    """An answer can be looked at within the block, or after it."""
    with together(connection):
        execute(connection, _ADD, _ROWS[:2])
        key = execute(connection, _KEYED, _ROWS[2]).scalar_one()
        first, second = execute(connection, _SOME, {"other": "b"}), execute(connection, _ALL)
    assert key == 3
    assert [row.id for row in second] == [1, 2, 3]
    assert first.one() == (1, 1)


def test_what_fails_among_others_is_told_by_its_kind(connection: sa.Connection) -> None:
    """As SQLAlchemy tells it, though the answer comes only when the block ends."""
    with pytest.raises(sa.exc.IntegrityError):
        _twice(connection)


def _twice(connection: sa.Connection) -> None:
    with together(connection):
        execute(connection, _ADD, [{"id": 7, "name": "a"}])
        execute(connection, _ADD, [{"id": 7, "name": "b"}])


def test_threads_take_turns_to_write_and_an_exception_leaves_nothing(tmp_path: Path) -> None:
    made = engine(f"sqlite:///{tmp_path / 'said.db'}")
    turns = writer(made)
    with turns.begin() as connection:
        _TABLE.create(connection)

    def add(number: int) -> None:
        with contextlib.suppress(ZeroDivisionError), turns.begin() as connection:
            many = execute(connection, _COUNTED).scalar_one()
            time.sleep(0.001)
            execute(connection, _ADD, {"id": many + 1, "name": "a", "right": True, "figures": {}, "content": None})
            if number % 5 == 0:
                raise ZeroDivisionError

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    with reader(made).begin() as connection:
        assert (
            execute(connection, _COUNTED).scalar_one() == 32
        )  # each counted those before it: no two had a turn at once


def test_a_process_that_waits_to_write_asks_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite would sleep longer each time: of two services over one folder one would write and the other sleep."""
    one, other = (writer(engine(f"sqlite:///{tmp_path / 'said.db'}")) for _ in range(2))
    with one.begin() as connection:
        _TABLE.create(connection)
    pauses, asked = list[float](), threading.Event()

    def paused(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        pauses.append(seconds)
        if len(pauses) == 20:
            asked.set()
        sleep(seconds)

    def add() -> None:
        with other.begin() as connection:
            execute(connection, _ADD, {**_ROWS[0], "id": 2})

    with ThreadPoolExecutor(1) as pool:
        with one.begin() as connection:
            execute(connection, _ADD, {**_ROWS[0], "id": 1})
            monkeypatch.setattr(time, "sleep", paused)
            waits = pool.submit(add)
            assert asked.wait(30)
            assert not waits.done()
        waits.result(30)
    assert max(pauses) <= 0.001
    with one.begin() as connection:
        assert execute(connection, _COUNTED).scalar_one() == 2


def test_who_writes_for_ever_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_driver, "PATIENCE_SECONDS", 0.05)
    one, other = (writer(engine(f"sqlite:///{tmp_path / 'said.db'}")) for _ in range(2))
    with one.begin(), pytest.raises(sa.exc.OperationalError, match="locked"), other.begin():
        raise AssertionError
    with other.begin() as connection:  # and its turn is free again
        _TABLE.create(connection)


def test_a_session_that_does_not_wait_is_nobody_elses_later(tmp_path: Path) -> None:
    """Whoever gets one out of the engine waits for those who write, though a writer failed before."""
    made = engine(f"sqlite:///{tmp_path / 'said.db'}")
    turns = writer(made)
    with contextlib.suppress(ZeroDivisionError), turns.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 0
        raise ZeroDivisionError
    with made.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == sqlite_driver.PATIENCE_SECONDS * 1000


def test_statements_of_sqlalchemy_are_part_of_the_same_transaction(tmp_path: Path) -> None:
    """Whoever runs a statement first, all of them last, or none does."""
    made = engine(f"sqlite:///{tmp_path / 'said.db'}")
    turns = writer(made)
    with turns.begin() as connection:
        _TABLE.create(connection)
    with turns.begin() as connection:
        execute(connection, _ADD, _ROWS[0])
        connection.execute(_ADD, _ROWS[1])
    with turns.begin() as connection:
        connection.execute(_ADD, {**_ROWS[1], "id": 8})
        take_back(connection)
    with turns.begin() as connection:
        execute(connection, _ADD, {**_ROWS[1], "id": 9})
        take_back(connection)
    with pytest.raises(sa.exc.IntegrityError):
        _again(turns)
    with turns.begin() as connection:
        execute(connection, _ADD, {**_ROWS[2], "id": 4})
    with reader(made).begin() as connection:
        assert [row.id for row in execute(connection, _ALL)] == [1, 2, 4]
        assert len(connection.execute(_ALL).all()) == 3
        with pytest.raises(sa.exc.OperationalError):  # whoever only reads holds up nobody: its state is an older one
            _beside(turns, connection)


def _again(turns: Transactions) -> None:
    with turns.begin() as connection:
        connection.execute(_ADD, {**_ROWS[2], "id": 3})
        execute(connection, _ADD, {**_ROWS[2], "id": 3})


def _beside(turns: Transactions, connection: sa.Connection) -> None:
    with turns.begin() as other:
        execute(other, _ADD, {**_ROWS[2], "id": 5})
    execute(connection, _ADD, {**_ROWS[2], "id": 6})


def _statements(value: object) -> Iterator[sa.Select[Any]]:
    for one in value.values() if isinstance(value, dict) else [value]:
        if isinstance(one, sa.Select):
            yield one


def test_no_limit_of_a_kept_statement_is_a_value() -> None:
    """SQLite would plan such a statement anew each time it is run."""
    names = [name for _, name, _ in iter_modules(adapters.__path__) if name.startswith("sql_")]
    modules = [importlib.import_module(f"{adapters.__name__}.{name}") for name in names]
    kept = [one for module in modules for value in vars(module).values() for one in _statements(value)]
    kept += [sql_lanes.waiting(5), sql_runs._due(5)]
    texts = [str(one.compile(dialect=sql_dialects.dialect("sqlite"))) for one in kept]
    assert sum("LIMIT" in text for text in texts) >= 8
    assert [text for text in texts if re.search(r"LIMIT \?", text)] == []
