"""The database's time, so that every machine of a cluster reads the same clock, whatever its own says."""

import threading
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

_EVERY_SECONDS = 60.0
_BOGOTA = ZoneInfo("America/Bogota")


class DatabaseClock:
    """Fulfils `ports.Clock`: asks the server once a minute; meanwhile this machine's steady clock counts on."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._lock = engine, threading.Lock()
        self._told, self._heard = self._ask()

    def __call__(self) -> datetime:
        """Now in Bogotá. A server that does not answer just now is asked again later."""
        with self._lock:
            if time.monotonic() - self._heard >= _EVERY_SECONDS:
                try:
                    self._told, self._heard = self._ask()
                except sa.exc.DBAPIError:
                    self._told, self._heard = self._now(), time.monotonic()
            return self._now().astimezone(_BOGOTA)

    def skew(self) -> float:
        """Seconds by which this machine's own clock is ahead of the server's."""
        told, _ = self._ask()
        return (datetime.now(UTC) - told).total_seconds()

    def _now(self) -> datetime:
        return self._told + timedelta(seconds=time.monotonic() - self._heard)

    def _ask(self) -> tuple[datetime, float]:
        with self._engine.connect() as connection:
            before = time.monotonic()
            told: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
            after = time.monotonic()
        return told, (before + after) / 2
