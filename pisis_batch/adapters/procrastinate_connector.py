"""The connections on which the engine tells the database what became of its jobs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import procrastinate
import psycopg
import psycopg_pool
import sqlalchemy as sa
from procrastinate.exceptions import ConnectorException

from pisis_batch.adapters.sql_again import PAUSES
from pisis_batch.adapters.sql_engine import session, speaks


class _PatientConnector(procrastinate.PsycopgConnector):
    """The engine's connections; what it tells the database is told again when the line broke."""

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """One statement without an answer: a job ended or put off, a sign of life."""
        for pause in PAUSES:
            try:
                await super().execute_query_async(query, **arguments)
            except ConnectorException as error:
                if not isinstance(error.__cause__, psycopg.OperationalError | psycopg_pool.PoolTimeout):
                    raise
            else:
                return
            await asyncio.sleep(pause)
        await super().execute_query_async(query, **arguments)


@asynccontextmanager
async def opened(engine: sa.Engine) -> AsyncIterator[procrastinate.PsycopgConnector]:
    """The engine's own connections, with the same limits on every wait as the registry's."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    kwargs = {**arguments, **session(), "prepare_threshold": 0}
    connector = _PatientConnector(
        pool_factory=_pool, configure=_alone, min_size=1, max_size=6, timeout=20, kwargs=kwargs
    )
    await connector.open_async()
    try:
        yield connector
    finally:
        await connector.close_async()


def _pool(**said: Any) -> psycopg_pool.AsyncConnectionPool:
    return psycopg_pool.AsyncConnectionPool(**{**said, "check": _still_there})


async def _alone(connection: psycopg.AsyncConnection[Any]) -> None:
    """Each of the engine's statements is a transaction of its own: none needs a begin and an end told apart."""
    await connection.set_autocommit(True)


async def _still_there(connection: psycopg.AsyncConnection[Any]) -> None:
    """Ask the server only when it said something that nobody asked for: its farewell, most likely."""
    if speaks(connection.fileno()):
        await psycopg_pool.AsyncConnectionPool.check_connection(connection)
