"""Receipts, runs, findings, documents and mails: what happened to each file, and what is still to be told."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch import effects
from pisis_batch.adapters import sql_bulk, sql_floods, sql_lanes, sql_rows
from pisis_batch.adapters.sql_letters import STATE
from pisis_batch.adapters.sql_ready import at_most, execute
from pisis_batch.adapters.sql_tables import UNPUBLISHED, document, erasure, finding, mail, receipt, run
from pisis_batch.frames import Few, few
from pisis_batch.model import FINDINGS, Attachment, Id, Outcome, Rendered, Verdict
from pisis_batch.ports import Mail, Receipt

_FIELDS = (
    "signed",
    "signature",
    "guid",
    "file_name",
    "sha256",
    "md5",
    "size",
    "sender",
    "received_at",
    "state",
    "attempts",
    "interruptions",
    "lane",
    "fence",
    "unread",
)


#: What a new run makes anew, so that it is no longer gone.
RENEWED = ("documentos", "copia", "cartas", "valores")
#: Statements are made once, with places for what changes: to put one together takes ten times as long as to run it.
_RECEIPT, _DOCUMENT, _MAIL = receipt.insert(), document.insert(), mail.insert()
_RUN = run.insert().returning(run.c.id)
_COMMITTED = sa.select(run.c.id).where(run.c.guid == sa.bindparam("it"), run.c.fence == sa.bindparam("mine"))
_NO_MORE_LATEST = run.update().where(run.c.guid == sa.bindparam("it")).values(latest=False)
_NOT_GONE = erasure.delete().where(erasure.c.guid == sa.bindparam("it"), erasure.c.kind.in_(RENEWED))
_SAID = sa.select(mail.c.message_id).where(mail.c.guid == sa.bindparam("it"))
_DOCUMENTS = sa.select(document).where(document.c.run_id == sa.bindparam("of")).order_by(document.c.name)
# the order of ids must not be what is gone through, nor messages sorted with their bodies
_DUE = sa.select(mail.c.id).where(sql_floods.waiting(), mail.c.next_try <= sa.bindparam("now"))
_DUE = _DUE.order_by(sa.func.coalesce(mail.c.id, sa.literal_column("0")))

_FINDINGS = 100_000  # findings made ready for the database at a time
_HEAVY = 1024 * 1024  # bytes of a stored document that is unpacked while it is written
_AT_ONCE = 50  # runs whose documents are held in memory


_UNPUBLISHED = (
    sa.select(run.c.id, run.c.guid, receipt.c.sender)
    .join(receipt, receipt.c.guid == run.c.guid)
    .where(UNPUBLISHED)
    .order_by(run.c.id)
    .limit(at_most(_AT_ONCE))
)


def to_receipt(row: Any) -> Receipt:
    """A row of `receipt` as a value."""
    values = {name: getattr(row, name) for name in _FIELDS}
    values |= {"received_at": datetime.fromisoformat(row.received_at), "signature": bytes(row.signature or b"")}
    return Receipt(**values)


def insert_receipts(connection: sa.Connection, new: Sequence[Receipt]) -> list[Receipt]:
    """Record receipts, each at the end of its lane; those that were not there already."""
    asked = {f"it{place}": one.guid for place, one in enumerate(new)}
    known = set(execute(connection, _known(len(new)), asked).scalars())
    fresh = [one for one in new if one.guid not in known]
    places = sql_lanes.enter(connection, [one.lane for one in fresh])
    rows = [
        {name: getattr(one, name) for name in _FIELDS}
        | {"received_at": one.received_at.isoformat(), "lane_place": place}
        for one, place in zip(fresh, places, strict=True)
    ]
    if rows:
        execute(connection, _RECEIPT, rows)
    return fresh


@cache
def _known(many: int) -> sa.Select[tuple[str]]:
    """Those of so many receipts that are there; batches are small."""
    return sa.select(receipt.c.guid).where(receipt.c.guid.in_([sa.bindparam(f"it{place}") for place in range(many)]))


def committed(connection: sa.Connection, guid: str, fence: int) -> bool:
    """Whether the attempt with this fence already ended in a run: its COMMIT succeeded, only the answer was lost."""
    return execute(connection, _COMMITTED, {"it": guid, "mine": fence}).scalar() is not None


def insert_run(connection: sa.Connection, outcome: Outcome, fence: int, at: str, *, again: bool) -> int:
    """Record a run as its receipt's latest; its key. Only one that is judged `again` has an older one."""
    guid = outcome.received.guid
    if again:
        execute(connection, _NO_MORE_LATEST, {"it": guid})
        execute(connection, _NOT_GONE, {"it": guid})
    who, layout = outcome.examined.entity, outcome.examined.layout
    counts = {name: getattr(outcome.counts, name) for name in outcome.counts.__slots__}
    values = {
        "guid": guid,
        "latest": True,
        "verdict": str(outcome.verdict),
        "entity_type": who.type if who else None,
        "entity_number": who.number if who else None,
        "annex": layout.annex if layout else None,
        "version": layout.version if layout else None,
        "ruleset": outcome.ruleset,
        "counts": counts,
        "changes": outcome.changes.counts(),
        "errors": outcome.findings.many("error"),
        "published": False,
        "fence": fence,
        "at": at,
        "cut_date": outcome.examined.cut_date,
        "plan": effects.digest(outcome) if outcome.verdict is Verdict.RETENIDO else None,
    }
    key = int(execute(connection, _RUN, values).scalar_one())
    told = few(outcome.findings, "frame")
    if isinstance(told, Few):
        numbered = [(seq, *row) for seq, row in enumerate(sql_rows.without_nul(told).rows())]
        sql_bulk.insert(connection, finding, Few(["seq", *told.columns], numbered), run_id=key)
        return key
    for first in range(0, told.height, _FINDINGS):
        rows = sql_rows.without_nul(told.slice(first, _FINDINGS)).with_row_index("seq", offset=first)
        sql_bulk.insert(connection, finding, rows.with_columns(run_id=pl.lit(key)))
    return key


def insert_documents(connection: sa.Connection, run_id: int, documents: Sequence[Attachment]) -> None:
    """Keep the documents of a run, as they were `packed`, until they are published."""
    rows = [{"run_id": run_id, "name": d.name, "media_type": d.media_type, "content": d.held} for d in documents]
    if rows:
        execute(connection, _DOCUMENT, rows)


def packed(documents: Sequence[Attachment]) -> list[Attachment]:
    """Documents as they are stored: packed before anybody has the database, for that is a fourth of a small verdict."""
    return [one if one.packed else _packed(one) for one in documents]


def _packed(one: Attachment) -> Attachment:
    """The same packed, or only wrapped when its content is so already."""
    held = zlib.compress(one.held, 0 if one.name.endswith(".xlsx") else 1)
    return Attachment(one.name, one.media_type, held, packed=True)


def _unpacked(name: str, media_type: str, stored: bytes) -> Attachment:
    packed = Attachment(name, media_type, stored, packed=True)
    return packed if len(stored) > _HEAVY else Attachment(name, media_type, packed.content)


def insert_mails(
    connection: sa.Connection, guid: str, mails: Sequence[Rendered], now: str, *, again: bool = True
) -> None:
    """Put messages in line; one that says the same as before is not said `again`."""
    known = set(execute(connection, _SAID, {"it": guid}).scalars()) if again else set()
    rows = [
        {
            "guid": guid,
            "kind": m.kind,
            "recipient": m.recipient,
            "subject": m.subject,
            "message_id": m.message_id,
            "body": m.body,
            "next_try": now,
        }
        for m in mails
        if m.message_id not in known
    ]
    if rows:
        execute(connection, _MAIL, rows)


def unpublished(connection: sa.Connection) -> Iterator[tuple[str, str | None, list[Attachment]]]:
    """The first latest runs whose documents are not in the outbox yet, with them."""
    for row in execute(connection, _UNPUBLISHED).all():
        kept = execute(connection, _DOCUMENTS, {"of": row.id})
        yield row.guid, row.sender, [_unpacked(d.name, d.media_type, d.content) for d in kept]


@cache
def _due(most: int) -> sa.Select[Any]:
    return sa.select(mail).where(mail.c.id.in_(_DUE.limit(at_most(most)))).order_by(mail.c.id)


def mails_due(connection: sa.Connection, now: datetime, limit: int) -> list[Mail]:
    """Messages to try now, oldest first."""
    return [
        Mail(row.id, row.guid, row.kind, row.recipient, row.message_id, row.body, row.attempts)
        for row in execute(connection, _due(limit), {"now": now.isoformat()})
    ]


def listed(
    connection: sa.Connection,
    *,
    verdict: str | None,
    entity: Id | None,
    code: str | None,
    since: date | None,
    limit: int | None,
) -> list[dict[str, Any]]:
    """Latest run of each receipt, newest first; a receipt not yet judged has no verdict."""
    query = sa.select(receipt, run).join_from(receipt, run, (run.c.guid == receipt.c.guid) & run.c.latest, isouter=True)
    if verdict:
        query = query.where(run.c.verdict == verdict)
    if entity:
        query = query.where(run.c.entity_type == entity.type, run.c.entity_number == entity.number)
    if code:
        has = sa.select(finding.c.seq).where(finding.c.run_id == run.c.id, finding.c.code == code)
        query = query.where(sa.exists(has))
    if since:
        query = query.where(receipt.c.received_at >= since.isoformat())
    query = query.order_by(receipt.c.seq.desc()).limit(limit)
    rows = connection.execute(query).mappings().all()
    mails = _mail_states(connection, query)
    return [_listed_row(row, mails.get(row[receipt.c.guid], {})) for row in rows]


def _listed_row(row: Any, mails: dict[str, int]) -> dict[str, Any]:
    who = f"{row[run.c.entity_type]} {row[run.c.entity_number]}" if row[run.c.entity_type] else None
    return {
        "guid": row[receipt.c.guid],
        "file_name": row[receipt.c.file_name],
        "sender": row[receipt.c.sender],
        "received_at": row[receipt.c.received_at],
        "state": row[receipt.c.state],
        "verdict": row[run.c.verdict],
        "entity": who,
        "counts": row[run.c.counts] or {},
        "changes": row[run.c.changes] or {},
        "ruleset": row[run.c.ruleset],
        "errors": row[run.c.errors] or 0,
        "mails": mails,
    }


def _mail_states(connection: sa.Connection, listed_: sa.Select[Any]) -> dict[str, dict[str, int]]:
    guids = listed_.with_only_columns(receipt.c.guid, maintain_column_froms=True)  # never a variable per receipt
    query = sa.select(mail.c.guid, STATE, sa.func.count()).where(mail.c.guid.in_(guids)).group_by(mail.c.guid, STATE)
    found: dict[str, dict[str, int]] = {}
    for guid, name, many in connection.execute(query):
        found.setdefault(guid, {})[name] = many
    return found


def findings(connection: sa.Connection, guid: str) -> pl.DataFrame:
    """The findings of a receipt's latest run."""
    query = (
        sa.select(*(finding.c[name] for name in FINDINGS))
        .join(run, run.c.id == finding.c.run_id)
        .where(run.c.guid == guid, run.c.latest)
        .order_by(finding.c.seq)
    )
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=FINDINGS, orient="row")
