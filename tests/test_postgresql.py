"""What is said of PostgreSQL alone: the limits each session sets for itself."""

import pytest
import sqlalchemy as sa
from postgresql import PostgreSQL

from pisis_batch.adapters.sql_engine import SESSION, engine
from pisis_batch.adapters.sql_registry import SqlRegistry


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
