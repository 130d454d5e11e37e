"""What is let go of receipts whose time is over: chosen and taken by set, never while anything of them is in flight.

A receipt is settled when it has its end, its documents are out, its messages too, and nobody holds its lane. The rows
go first, in one transaction that also writes down what is gone; what lies outside the registry follows and is then
marked as done, so that an interrupted run is taken up where it stopped.
"""

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from pisis_batch.adapters import sql_floods, sql_lanes
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_accounts import gone
from pisis_batch.adapters.sql_tables import (
    audit,
    chain,
    document,
    erasure,
    finding,
    grant,
    link,
    mail,
    receipt,
    run,
    stored,
)
from pisis_batch.ports import Erasing

_AT_ONCE = 200  # receipts of one transaction
_SETTLED = ("terminado", "cuarentena")
_ended = sa.func.coalesce(run.c.at, receipt.c.received_at)
_has_mail = sa.exists().where(mail.c.guid == receipt.c.guid, sa.func.length(mail.c.body) > 0)
_has_value = sa.exists().where(
    finding.c.run_id == run.c.id, finding.c.value.is_not(None) | finding.c.details.is_not(None)
)
#: What a receipt must have for there to be anything to let go of.
_HAS = {
    "originales": receipt.c.unread == "",
    "documentos": run.c.published,
    "cartas": _has_mail,
    "valores": _has_value,
}


def _due(kind: str, before: str, guids: Collection[str] | None = None) -> sa.Select[tuple[str, str, str, str]]:
    """(guid, lane, sha256, end) of settled receipts that have something of a kind and ended before a day."""
    latest = (run.c.guid == receipt.c.guid) & run.c.latest
    told, digest = mail.alias(), mail.alias()
    in_digest = (told.c.guid == receipt.c.guid) & told.c.sent_at.is_(None) & (digest.c.message_id == told.c.digest)
    query = (
        sa.select(receipt.c.guid, receipt.c.lane, receipt.c.sha256, _ended.label("ended"))
        .join(run, latest)
        .where(
            receipt.c.state.in_(_SETTLED),
            run.c.published,
            _HAS[kind],
            _ended < before,
            ~gone(receipt.c.guid, kind),
            ~sa.exists().where(mail.c.guid == receipt.c.guid, sql_floods.waiting()),
            ~sa.exists().where(in_digest, digest.c.sent_at.is_(None), ~digest.c.refused),
        )
    )
    return query if guids is None else query.where(receipt.c.guid.in_(guids))


def count(connection: sa.Connection, kind: str, before: str) -> tuple[int, str]:
    """How many receipts (with notices about none), rows or entries of a class are due, and the oldest's day."""
    if kind == "historia":
        found = [
            connection.execute(
                sa.select(sa.func.count(), sa.func.min(table.c.valid_to)).where(table.c.valid_to < before)
            )
            for table in (link, grant, stored)
        ]
        rows = [one.one() for one in found]
        return sum(int(row[0]) for row in rows), min((row[1][:10] for row in rows if row[1]), default="")
    if kind == "auditoria":
        query = sa.select(
            sa.func.coalesce(sa.func.sum(sa.func.coalesce(audit.c.many, 1)), 0), sa.func.min(audit.c.at)
        ).where(audit.c.at < before)
    else:
        due = _due(kind, before).subquery()
        query = sa.select(sa.func.count(), sa.func.min(due.c.ended))
    many, oldest = connection.execute(query).one()
    if kind == "cartas":
        notices = sa.select(sa.func.count(), sa.func.min(mail.c.sent_at)).where(old_notices(before))
        others, first = connection.execute(notices).one()
        many, oldest = many + others, min(filter(None, (oldest, first)), default="")
    return int(many), str(oldest or "")[:10]


def take(
    connection: sa.Connection, keys: Keyring, kind: str, before: str, at: str, *, guids: Collection[str] | None
) -> list[str]:
    """Let go of a class for some receipts, within the caller's transaction; their guids."""
    few = connection.execute(_due(kind, before, guids).order_by(receipt.c.seq).limit(_AT_ONCE)).all()
    free = sql_lanes.lock(connection, {row.lane for row in few}) | {""}
    # asked again under the locks: what was settled may have been taken up meanwhile
    rows = connection.execute(_due(kind, before, [row.guid for row in few if row.lane in free])).all()
    chosen = [row.guid for row in rows]
    if kind == "originales":
        chosen = _of_whole_originals(connection, {row.guid: row.sha256 for row in rows}, before)
    if not chosen:
        return []
    runs = sa.select(run.c.id).where(run.c.guid.in_(chosen))
    if kind == "documentos":
        connection.execute(document.delete().where(document.c.run_id.in_(runs)))
    elif kind == "valores":
        connection.execute(finding.update().where(finding.c.run_id.in_(runs)).values(value=None, details=None))
    elif kind == "cartas":
        empty_mails(connection, keys, mail.c.guid.in_(chosen))
    outside = kind in {"originales", "documentos", "cartas"}
    told = [{"guid": guid, "kind": kind, "at": at, "done": not outside} for guid in chosen]
    connection.execute(erasure.insert(), told)
    return chosen


def _of_whole_originals(connection: sa.Connection, chosen: dict[str, str], before: str) -> list[str]:
    """Receipts whose bytes no other receipt still needs."""
    hashes = set(chosen.values())
    due = _due("originales", before).where(receipt.c.sha256.in_(hashes)).subquery()
    other = sa.select(receipt.c.sha256).where(
        receipt.c.sha256.in_(hashes),
        receipt.c.unread == "",
        receipt.c.guid.not_in(sa.select(due.c.guid)),
        ~gone(receipt.c.guid, "originales"),
    )
    needed = set(connection.scalars(other))
    return [guid for guid, sha256 in chosen.items() if sha256 not in needed]


def empty_mails(connection: sa.Connection, keys: Keyring, which: sa.ColumnElement[bool]) -> int:
    """Take body, subject and address out of messages that are over; that and when they went out stays."""
    over = sa.and_(which, ~sql_floods.waiting())
    many = 0
    for address in list(connection.scalars(sa.select(mail.c.recipient).where(over).distinct())):
        stands = address if "@" not in address else keys.pseudonym(address.lower())
        same = mail.update().where(over, mail.c.recipient == address)
        many += connection.execute(same.values(body=b"", subject="", recipient=stands)).rowcount
    return many


def old_notices(before: str) -> sa.ColumnElement[bool]:
    """Messages about no file (reminders, digests, contracts) that went out before a day."""
    about_none = mail.c.guid.not_in(sa.select(receipt.c.guid))
    return sa.and_(about_none, mail.c.sent_at < before, sa.func.length(mail.c.body) > 0)


def history(connection: sa.Connection, before: str) -> int:
    """Drop links, grants and stored sets that ended before a day."""
    return sum(
        connection.execute(table.delete().where(table.c.valid_to < before)).rowcount for table in (link, grant, stored)
    )


def thin(connection: sa.Connection, before: str, thinned: int) -> int | None:
    """Drop the entries of the oldest links, up to the first that is not older than a day; that link's number."""
    young = sa.select(sa.func.min(chain.c.seq)).where(chain.c.at >= before, chain.c.seq > thinned)
    first = connection.scalar(young)
    last = connection.scalar(sa.select(sa.func.max(chain.c.seq)))
    until = (int(first) if first is not None else int(last or 0) + 1) - 1
    if until <= thinned:
        return None
    batches = sa.select(chain.c.batch).where(chain.c.seq <= until)
    connection.execute(audit.delete().where(audit.c.batch.in_(batches)))
    return until


def unfinished(connection: sa.Connection) -> Iterator[Erasing]:
    """What is gone from the registry and may still lie outside it."""
    query = (
        sa.select(erasure.c.guid, erasure.c.kind, receipt.c.sender, receipt.c.sha256)
        .join(receipt, receipt.c.guid == erasure.c.guid)
        .where(~erasure.c.done)
        .order_by(receipt.c.seq)
    )
    for row in connection.execute(query):
        mails = sa.select(mail.c.kind, mail.c.id).where(mail.c.guid == row.guid, sa.func.length(mail.c.body) == 0)
        letters = tuple((one.kind, one.id) for one in connection.execute(mails)) if row.kind == "cartas" else ()
        yield Erasing(row.guid, row.kind, row.sender, row.sha256, letters)


def still(connection: sa.Connection, erasing: Erasing) -> bool:
    """Whether it is still to be finished, with its lane locked, so that nothing new can come up meanwhile."""
    name = connection.scalar(sa.select(receipt.c.lane).where(receipt.c.guid == erasing.guid))
    if name and not sql_lanes.lock(connection, [name]):
        return False
    mine = (erasure.c.guid == erasing.guid) & (erasure.c.kind == erasing.kind)
    return connection.scalar(sa.select(erasure.c.guid).where(mine, ~erasure.c.done)) is not None


def done(connection: sa.Connection, erasing: Erasing) -> None:
    """Nothing of it is left."""
    mine = (erasure.c.guid == erasing.guid) & (erasure.c.kind == erasing.kind)
    connection.execute(erasure.update().where(mine).values(done=True))


def wanted(connection: sa.Connection, sha256: str) -> bool:
    """Whether any receipt still needs an original."""
    needs = sa.select(receipt.c.guid).where(
        receipt.c.sha256 == sha256, receipt.c.unread == "", ~gone(receipt.c.guid, "originales")
    )
    return connection.execute(needs.limit(1)).first() is not None
