"""Lanes: the files of one entity are one queue, worked in order by whoever holds the lane's lease and its latest fence.

A lease ends by itself, or at once when its owner is a dead process of this host. Each lease takes the next number of
the lane; a commit that carries an older number writes nothing, so that a worker who slept past its lease harms nobody.
"""

import itertools
import os
import secrets
import socket
import time
import zlib
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pisis_batch.adapters.sql_ready import at_most, driven, execute
from pisis_batch.adapters.sql_tables import lane, receipt
from pisis_batch.ports import OPEN

#: How long a worker may be silent before another takes its file over.
LEASE_SECONDS = 20.0
#: Leases that a file rests at most, and twice that, after one death of the service more that found it in hand.
_LONGEST_REST = 3.0
_FEW = 8


#: Statements are made once, with places for what changes: to put one together takes ten times as long as to run it.
_IT = sa.select(receipt).where(receipt.c.guid == sa.bindparam("it"))
_OF_IT = _IT.with_only_columns(receipt.c.lane).scalar_subquery()
_PLACE = _IT.with_only_columns(receipt.c.lane, receipt.c.lane_place, receipt.c.seq).subquery()
_UP_TO = (
    sa.select(receipt.c.guid)
    .join(_PLACE, sa.and_(receipt.c.lane == _PLACE.c.lane, receipt.c.lane_place <= _PLACE.c.lane_place))
    .where(receipt.c.state.in_(OPEN), receipt.c.seq <= _PLACE.c.seq)
    .order_by(receipt.c.lane_place, receipt.c.seq)
)
_LOCKED = sa.select(lane).where(lane.c.name == _OF_IT).with_for_update()
_OLDER = (
    sa.select(receipt.c.seq)
    .where(
        receipt.c.lane == sa.bindparam("of"), receipt.c.lane_place < sa.bindparam("place"), receipt.c.state.in_(OPEN)
    )
    .limit(at_most(1))
)
_TAKEN = (
    lane.update()
    .where(lane.c.name == sa.bindparam("of"))
    .values(fence=sa.bindparam("now_fence"), owner=sa.bindparam("who"), lease_until=sa.bindparam("until"))
)
_NUMBERED = receipt.update().where(receipt.c.guid == sa.bindparam("it")).values(fence=sa.bindparam("now_fence"))
_COUNTED = _NUMBERED.values(attempts=receipt.c.attempts + 1).returning(*receipt.c)
_BEGUN = _COUNTED.values(state="procesando")
# the attempt that was counted found no end: whoever worked on it is gone, and it is counted as that instead
_TAKEN_OVER = _NUMBERED.values(interruptions=receipt.c.interruptions + 1).returning(*receipt.c)
_MINE = sa.and_(
    lane.c.name
    == sa.select(receipt.c.lane)
    .where(receipt.c.guid == sa.bindparam("it"), receipt.c.fence == sa.bindparam("mine"))
    .scalar_subquery(),
    lane.c.fence == sa.bindparam("mine"),
)
_LET_GO = lane.update().where(_MINE).values(lease_until=None, owner=None)
# one that was let go is not taken up again
_RENEWED = lane.update().where(_MINE, lane.c.owner.is_not(None)).values(lease_until=sa.bindparam("until"))


def owner() -> str:
    """A name for a worker that tells whether its process still lives: host, boot, process, start, and a mark."""
    return f"{_host()} {os.getpid()} {_started(os.getpid())} {secrets.token_hex(4)}"


def _host() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        boot = "-"
    return f"{socket.gethostname()}/{boot}"


def _started(pid: int) -> str:
    """The process's start in clock ticks, so that a reused number is not taken for it; "" when it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in {b"Z", b"X"} else fields[19].decode("ascii")


def dead(name: str) -> bool:
    """Whether an owner was a process of this host that runs no more; of another host nothing is known."""
    host, _, rest = name.partition(" ")
    pid, started, *_ = [*rest.split(" "), "", ""]
    return host == _host() and pid.isdigit() and _started(int(pid)) != started


def _now(connection: sa.Connection) -> float:
    """Seconds since 1970 by the database's clock where it has one of its own."""
    if connection.dialect.name == "postgresql":
        return float(driven(connection, "SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()[0])
    return time.time()


def held(connection: sa.Connection) -> sa.ColumnElement[bool]:
    """Whether a lane is in somebody's hands just now."""
    return sa.and_(lane.c.lease_until.is_not(None), lane.c.lease_until > _now(connection))


def lock(connection: sa.Connection, names: Collection[str]) -> set[str]:
    """Those of these lanes that nobody holds, locked until the transaction ends; a lane that is locked is left out."""
    free = sa.select(lane.c.name).where(lane.c.name.in_(names), ~held(connection)).order_by(lane.c.name)
    return set(connection.scalars(free.with_for_update(skip_locked=True)))


@cache
def waiting(limit: int | None) -> sa.Select[Any]:
    """Open receipts as they came; with a limit the first few of each lane, so that no lane waits for another."""
    open_ = sa.select(receipt).where(receipt.c.state.in_(OPEN))
    if limit is None:
        return open_.order_by(receipt.c.seq)
    turn = sa.func.row_number().over(partition_by=receipt.c.lane, order_by=receipt.c.lane_place)
    # only numbers are ranked: a hundred thousand receipts may wait, and a few of them are wanted
    ranked = sa.select(receipt.c.seq, turn.label("turn")).where(receipt.c.state.in_(OPEN)).subquery()
    few = sa.select(receipt).join(ranked, ranked.c.seq == receipt.c.seq).where(ranked.c.turn <= _FEW)
    return few.order_by(ranked.c.turn, receipt.c.seq).limit(at_most(limit))


def enter(connection: sa.Connection, names: Sequence[str]) -> list[int]:
    """For each of these, in order, the next place in the lane of that name, which is made when it is new.

    Later callers wait until this transaction ends; all take lanes in the same order, so that none waits for ever.
    """
    many = Counter(names)
    statement = _placed(connection.dialect.name)
    last = {
        name: int(execute(connection, statement, {"name": name, "many": many[name], "fence": 0}).scalar_one())
        for name in sorted(many)
    }
    places = {name: itertools.count(last[name] - many[name] + 1) for name in many}
    return [next(places[name]) for name in names]


@cache
def _placed(dialect: str) -> sa.Executable:
    many = sa.bindparam("many", type_=sa.BigInteger)
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(lane).values(last_place=many)
    again = insert.on_conflict_do_update(index_elements=["name"], set_={"last_place": lane.c.last_place + many})
    return again.returning(lane.c.last_place)


def ahead(connection: sa.Connection, guid: str) -> list[str]:
    """The open receipts of a receipt's lane, up to it and with it, in order."""
    return list(execute(connection, _UP_TO, {"it": guid}).scalars())


def rest(guid: str, deaths: int, seconds: float) -> float:
    """Seconds that a file rests which so many deaths of the service found in hand, of a lease of so many `seconds`.

    None after the first: it was most likely none of its doing. Each has its own, so that those which were in hand
    together are not so again.
    """
    if deaths < 2:  # noqa: PLR2004 the first
        return 0.0
    spread = zlib.crc32(f"{guid} {deaths}".encode()) / 2**32
    return seconds * min(0.1 * 2.0 ** (deaths - 2), _LONGEST_REST) * (1.0 + spread)


def lease(connection: sa.Connection, guid: str, who: str, seconds: float, *, again: bool, rested: bool = False) -> Any:
    """Take a receipt's lane and count the attempt, or the death of whoever was at it; the row with its new fence.

    None when the lane is in other hands, when an older receipt of the lane still waits, when the receipt has its
    verdict (unless `again`, for judging it once more), or when it must rest first (if only what is `rested` is wanted).
    `who` names one attempt: asked a second time, because the answer to the first COMMIT was lost, it has what it took.
    """
    held = execute(connection, _LOCKED, {"it": guid}).one_or_none()
    if held is None:
        made = _made(connection, guid)
        return lease(connection, guid, who, seconds, again=again, rested=rested) if made else None
    # what is read from here on was true when the lane was locked: another attempt may just have ended
    found = execute(connection, _IT, {"it": guid}).one()
    if held.owner == who:
        return found
    if not again and (found.state not in OPEN or _older_waits(connection, found)):
        return None
    now = _now(connection)
    if held.lease_until is not None and held.lease_until > now and not dead(held.owner or ""):
        return None
    left = found.state == "procesando"
    if left and rested and now < (held.lease_until or 0.0) - seconds + rest(guid, found.interruptions + 1, seconds):
        return None
    fence = int(held.fence) + 1
    execute(connection, _TAKEN, {"of": held.name, "now_fence": fence, "who": who, "until": now + seconds})
    begun = _TAKEN_OVER if left else _BEGUN
    return execute(connection, _COUNTED if again else begun, {"it": guid, "now_fence": fence}).one()


def _made(connection: sa.Connection, guid: str) -> bool:
    """Make the lane of a receipt that an older version recorded; False when there is no such receipt."""
    name = connection.scalar(sa.select(receipt.c.lane).where(receipt.c.guid == guid))
    if name is not None:
        enter(connection, [name])
    return name is not None


def _older_waits(connection: sa.Connection, found: Any) -> bool:
    return execute(connection, _OLDER, {"of": found.lane, "place": found.lane_place}).first() is not None


def interrupt(connection: sa.Connection, name: str) -> bool:
    """Take the next number of a lane that nobody holds, so that whatever was read of its entity before is old.

    False when it is in somebody's hands. The lane stays locked until the transaction ends.
    """
    held = connection.execute(sa.select(lane).where(lane.c.name == name).with_for_update()).one_or_none()
    if held is None:
        return True  # no file of the entity was ever received
    if held.lease_until is not None and held.lease_until > _now(connection) and not dead(held.owner or ""):
        return False
    values = {"fence": lane.c.fence + 1, "lease_until": None, "owner": None}
    connection.execute(lane.update().where(lane.c.name == name).values(**values))
    return True


def renew(connection: sa.Connection, guid: str, fence: int, seconds: float) -> bool:
    """Keep the lease for longer; False when it was lost."""
    until = _now(connection) + seconds
    return execute(connection, _RENEWED, {"it": guid, "mine": fence, "until": until}).rowcount == 1


def let_go(connection: sa.Connection, guid: str, fence: int) -> bool:
    """End the lease; False when it was lost, and then nothing of the caller's may be written."""
    return execute(connection, _LET_GO, {"it": guid, "mine": fence}).rowcount == 1
