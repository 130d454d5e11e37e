"""Jobs of workers that are gone go back in line, and receipts that wait without a job are given another."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import structlog

_log = structlog.get_logger()

#: A job in hand whose worker is silent; or that a worker took, or ended, without having heard so, for the answer was
#: lost: then nobody holds the lease of its lane, or, being a chore, it has been in hand for much too long. One that has
#: a twin in line is struck off.
_RESCUE = sa.text(
    """
    WITH stalled AS MATERIALIZED (
        SELECT job.id FROM procrastinate_jobs job
        LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
        LEFT JOIN lane ON lane.name = job.lock AND lane.lease_until > extract(epoch FROM now())
        CROSS JOIN LATERAL (
            SELECT max(at) AS since FROM procrastinate_events WHERE job_id = job.id AND type = 'started'
        ) begun
        WHERE job.status = 'doing' AND (
            worker.id IS NULL
            OR worker.last_heartbeat < now() - make_interval(secs => :silence)
            OR (job.task_name = :task AND lane.name IS NULL AND begun.since < now() - make_interval(secs => :silence))
            OR begun.since < now() - make_interval(secs => :chore) AND job.queue_name = :chores
        )
        FOR UPDATE OF job SKIP LOCKED
    )
    SELECT count(CASE
        WHEN EXISTS (
            SELECT FROM procrastinate_jobs twin WHERE twin.status = 'todo' AND twin.queueing_lock = job.queueing_lock
        )
        THEN procrastinate_finish_job_v1(job.id, 'failed', true)::text
        ELSE procrastinate_retry_job_v2(job.id, now(), NULL, NULL, NULL)::text END)
    FROM stalled JOIN procrastinate_jobs job ON job.id = stalled.id
    """
)
_FORGOTTEN = sa.text(
    """
    SELECT cardinality(procrastinate_defer_jobs_v1(array_agg(
        ROW(CASE WHEN size > :large THEN :large_queue ELSE :queue END, :task, 0, lane, guid,
            jsonb_build_object('guid', guid), NULL)::procrastinate_job_to_defer_v1 ORDER BY seq)))
    FROM (
        SELECT * FROM receipt
        WHERE state = ANY(:open)
          AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = receipt.guid AND status = 'todo')
          AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = receipt.guid AND status = 'doing')
        ORDER BY seq LIMIT 1000
    ) forgotten
    """
)
_ALONE = sa.text("SELECT pg_try_advisory_xact_lock(706974)")


def tend(engine: sa.Engine, waits: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[int, int]:
    """(jobs taken from silent workers, receipts that had no job and have one now); one worker of all at a time."""
    with engine.begin() as connection:
        if not connection.scalar(_ALONE):
            return 0, 0
        rescued = connection.scalar(_RESCUE, waits) or 0
        found = connection.scalar(_FORGOTTEN, said) or 0
    if rescued or found:
        _log.warning("tended", rescued=rescued, without_job=found)
    return rescued, found
