"""Metrics for Prometheus: what this process did, and the figures of the whole service at the moment of asking."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pisis_batch.adapters.sql_figures import Figures, figures
from pisis_batch.model import Outcome
from pisis_batch.ports import Chore, Work

_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """The metrics of one process. Labels are states, verdicts, queues, kinds; never an entity, a person or a file."""

    def __init__(self, engine: sa.Engine, lease_seconds: float) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.files = Counter("pisis_files", "Archivos terminados por este proceso", ["verdict"], registry=own)
        self.records = Counter("pisis_records", "Registros leídos por este proceso", registry=own)
        self.seconds = Histogram(
            "pisis_job_seconds", "Segundos por trabajo", ["outcome"], buckets=_SECONDS, registry=own
        )
        self.up = Gauge("pisis_up", "1 si la base de datos respondió", registry=own)
        self.registry.register(_Service(engine, lease_seconds, self.up))

    def ended(self, outcome: Outcome) -> None:
        """Count a file."""
        self.files.labels(str(outcome.verdict)).inc()
        self.records.inc(outcome.counts.read)

    def around(self, work: Work) -> "Measured":
        """The same work, timed."""
        return Measured(work, self)

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)


class Measured:
    """Fulfils `ports.Work` around another: each job is timed."""

    def __init__(self, work: Work, metrics: Metrics) -> None:
        self._work, self._metrics = work, metrics

    @property
    def chores(self) -> Sequence[Chore]:
        """The same chores."""
        return self._work.chores

    def file(self, guid: str) -> timedelta | None:
        """The same work, with a clock beside it."""
        begun, outcome = time.monotonic(), "fault"
        try:
            pause = self._work.file(guid)
            outcome = "done" if pause is None else "later"
        finally:
            self._metrics.seconds.labels(outcome).observe(time.monotonic() - begun)
        return pause


class _Service(Collector):
    def __init__(self, engine: sa.Engine, lease_seconds: float, up: Gauge) -> None:
        self._engine, self._lease, self._up = engine, lease_seconds, up

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing before it is asked for: the database may not be there yet."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with self._engine.connect() as connection:
                now = figures(connection, self._lease)
        except sa.exc.SQLAlchemyError:
            self._up.set(0)
            return
        self._up.set(1)
        yield from _families(now)


def _families(now: Figures) -> Iterator[GaugeMetricFamily]:
    yield _by("pisis_receipts", "Archivos recibidos por estado", "state", now.receipts)
    yield _by("pisis_verdicts", "Último veredicto de cada archivo", "verdict", now.verdicts)
    jobs = GaugeMetricFamily("pisis_jobs", "Trabajos por cola y estado", labels=["queue", "status"])
    for (queue, status), many in now.jobs.items():
        jobs.add_metric([queue, status], many)
    yield jobs
    for name, what, value in (
        ("pisis_mails_waiting", "Correos por enviar", now.mails_waiting),
        ("pisis_unpublished", "Veredictos cuyos documentos faltan en la salida", now.unpublished),
        ("pisis_leases", "Entidades con un archivo en proceso", now.leases),
        ("pisis_oldest_seconds", "Edad del archivo más antiguo sin veredicto", now.oldest),
        ("pisis_interrupted", "Archivos en mano en más de una muerte del servicio", now.interrupted),
        ("pisis_workers", "Trabajadores que dan señales", now.workers),
        ("pisis_workers_silent", "Trabajadores que dejaron de darlas", now.silent),
    ):
        yield GaugeMetricFamily(name, what, value=value)


def _by(name: str, what: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=[label])
    for key, many in values.items():
        family.add_metric([key], many)
    return family
