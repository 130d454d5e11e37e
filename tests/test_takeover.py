"""A worker that dies with a large file in hand is relieved in half a minute, and the file takes effect once."""

import os
import sys

import pytest
from chaos import takeover
from postgresql import PostgreSQL

from pisis_batch.adapters import procrastinate_queue as queue
from pisis_batch.adapters import sql_lanes

RECORDS = int(os.environ.get("PISIS_RECORDS", "60000"))
LEASE = float(os.environ.get("PISIS_LEASE", "8"))
#: A small file is applied too soon for a worker to be killed meanwhile.
KILLED = ("judging", "applying") if "PISIS_RECORDS" in os.environ else ("judging",)


@pytest.mark.parametrize("while_", KILLED)
def test_a_worker_killed_in_the_middle_of_a_large_file_is_relieved(postgresql: PostgreSQL, while_: str) -> None:
    seconds, done = takeover.large(RECORDS, LEASE, postgresql, after=RECORDS / 5e5, applying=while_ == "applying")
    sys.stdout.write(f"{RECORDS} records, lease of {LEASE:.0f} s, killed while {while_}: relieved in {seconds:.1f} s\n")
    assert seconds < 30
    assert done == {"runs": 1, "links": RECORDS, "open_links": RECORDS, "mails": 4, "attempts": 1, "interruptions": 1}


def test_the_waits_of_a_takeover_add_up_to_less_than_half_a_minute() -> None:
    lease = sql_lanes.LEASE_SECONDS
    silent = lease * (queue.SILENCE + queue.HEARTBEAT)  # the last sign of life, and whoever looks next
    assert max(silent, lease) + 2 * queue._POLL_SECONDS + 2.0 == pytest.approx(26.0)  # a turn that came too early
    assert max(silent, lease) + 2 * queue._POLL_SECONDS + 2.0 < 30
