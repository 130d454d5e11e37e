"""What the engine logs, without the texts of its exceptions, which may carry what a file says."""

import asyncio
import logging
from typing import Any

import structlog

_log = structlog.get_logger()


def kind_only(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody caught, by its kind: its text may say anything."""
    del loop
    _log.warning("worker_engine", action="uncaught", error=type(context.get("exception")).__name__)


def quiet() -> None:
    """The engine's own log carries texts of exceptions: of it only what happened is passed on, never what it said."""
    for name in ("procrastinate", "psycopg.pool"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(_ActionOnly(logging.WARNING if name == "psycopg.pool" else logging.ERROR))
            logger.propagate = False


class _ActionOnly(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        action = getattr(record, "action", "connection")
        if action not in {"job_error", "job_error_retry"}:
            _log.warning("worker_engine", action=action)
