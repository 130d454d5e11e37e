"""Transactions that PostgreSQL, or the network, ended for a passing reason are run again as a whole.

Only for functions that may run twice: each of the registry's writes asks first whether it was done already, so that
a COMMIT whose answer was lost is found out by reading, never by hoping.
"""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import sqlalchemy as sa

from pisis_batch.ports import UnavailableError

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds before each further try; up to half as much again is added by lot, so that many workers do not come at once.
PAUSES = (0.1, 0.5, 2.0, 5.0, 10.0)
_SERIALIZATION = {"40001", "40P01"}
_BUSY = {"55P03"}  # a lock was not to be had in time
_SERVER_GONE = {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
_LOST = ("08",)


def passing(error: sa.exc.DBAPIError) -> bool:
    """Whether the same transaction may well succeed in a while."""
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated:
        return True
    if state is None:  # no server was reached, or the connection broke in the middle
        return isinstance(error, sa.exc.OperationalError) and type(error.orig).__module__.startswith("psycopg")
    return state in _SERIALIZATION | _BUSY | _SERVER_GONE or state.startswith(_LOST)


def again(method: Callable[P, R]) -> Callable[P, R]:
    """Run a method that is one transaction, and run it again when the reason it failed passes.

    Raises UnavailableError when it does not pass in half a minute.
    """

    @functools.wraps(method)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        for pause in (*PAUSES, None):
            try:
                return method(*args, **kwargs)
            except sa.exc.DBAPIError as error:
                if not passing(error):
                    raise
                kind = type(error.orig).__name__
            if pause is None:
                raise UnavailableError(kind)
            import structlog  # noqa: PLC0415 it takes its time to load, and this hardly ever happens

            structlog.get_logger().warning("transaction_again", of=method.__name__, error=kind)
            time.sleep(pause * random.uniform(1.0, 1.5))  # noqa: S311 nothing secret depends on it
        raise AssertionError("unreachable")

    return tried
