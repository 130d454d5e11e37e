"""What is said of PostgreSQL alone: the limits each session sets for itself."""

import polars as pl
import pytest
import sqlalchemy as sa
from postgresql import PostgreSQL

from pisis_batch.adapters import sql_bulk
from pisis_batch.adapters.sql_engine import SESSION, engine
from pisis_batch.adapters.sql_ready import execute
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.adapters.sql_tables import audit

_NUMBER = sa.select(sa.func.pg_backend_pid())
said = sa.Table("said", sa.MetaData(), sa.Column("said", sa.Text), prefixes=["TEMPORARY"])


def test_every_session_limits_how_long_it_waits(postgresql: PostgreSQL) -> None:
    made = engine(postgresql.database())
    with made.connect() as connection:
        said = {
            name: connection.scalar(sa.text("SELECT setting FROM pg_settings WHERE name = :name"), {"name": name})
            for name in SESSION
        }
    made.dispose()
    said.pop("tcp_user_timeout")  # means nothing on the socket of the tests
    assert said == {name: str(value) for name, value in SESSION.items() if name in said}


def test_a_url_without_a_driver_means_ours(postgresql: PostgreSQL) -> None:
    registry = SqlRegistry(postgresql.database().replace("postgresql+psycopg", "postgresql"))
    assert registry.pending() == []
    registry.close()


def test_a_message_of_the_database_never_holds_what_was_asked(postgresql: PostgreSQL) -> None:
    made = engine(postgresql.database())
    with pytest.raises(sa.exc.DBAPIError) as caught, made.connect() as connection:
        connection.execute(sa.text("SELECT CAST(:x AS integer), 1/0"), {"x": "1090000001"})
    made.dispose()
    assert "1090000001" not in str(caught.value)


@pytest.mark.parametrize("times", [1, 200])
def test_some_rows_and_many_arrive_as_they_are(postgresql: PostgreSQL, times: int) -> None:
    """By a statement or by COPY."""
    made = engine(postgresql.database())
    odd = ['a"b', "", "línea\nrota", "\\N", "a,b", "NULL", " ", "ñ", "\t", "nul\x00", "\\u0000", None, "\\."] * times
    rows = pl.DataFrame(
        {
            "at": pl.Series(["x"] * len(odd)),
            "guid": pl.Series(["g"] * len(odd)),
            "action": [text or "-" for text in odd],
        }
    ).with_columns(line=pl.int_range(pl.len(), dtype=pl.UInt32))
    with made.begin() as connection:
        sql_bulk.insert(connection, audit, rows)
        kept = list(connection.scalars(sa.select(audit.c.action).where(audit.c.guid == "g").order_by(audit.c.line)))
        said.create(connection)
        sql_bulk.insert(connection, said, pl.DataFrame({"said": odd}, schema={"said": pl.String}))
        again = list(connection.scalars(sa.select(said.c.said)))
    made.dispose()
    shown = [text and text.replace("\x00", "\N{SYMBOL FOR NULL}") for text in odd]
    assert kept == [text or "-" for text in shown]
    assert again == shown


def test_a_session_that_was_cut_while_it_rested_is_noticed_before_it_is_used(postgresql: PostgreSQL) -> None:
    """No question is asked each time: the server's last words are waiting in the socket."""
    made = engine(postgresql.database())
    with made.connect() as connection:
        number = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    postgresql.run(f"SELECT pg_terminate_backend({number}, 5000)")
    with made.connect() as connection:
        assert connection.scalar(sa.text("SELECT pg_backend_pid()")) != number
    made.dispose()


def test_a_session_that_is_cut_in_the_middle_is_given_up(postgresql: PostgreSQL) -> None:
    """A statement that went straight to the driver says so as SQLAlchemy does, and the next has another session."""
    made = engine(postgresql.database())
    with made.connect() as connection:
        number = execute(connection, _NUMBER).scalar()
        postgresql.run(f"SELECT pg_terminate_backend({number}, 5000)")
        with pytest.raises(sa.exc.OperationalError) as caught:
            execute(connection, _NUMBER)
    assert caught.value.connection_invalidated
    with made.begin() as connection:
        assert execute(connection, _NUMBER).scalar() != number
    made.dispose()
