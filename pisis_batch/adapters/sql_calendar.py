"""What the calendar does to the registry: contracts that ended, periods not reported, what need not be kept longer."""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_lanes, sql_revision
from pisis_batch.adapters.sql_facts import registered_entity
from pisis_batch.adapters.sql_tables import document, entity, erasure, grant, link, mail, period, receipt, run
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.model import LINKED, EndedContracts, Id, Unreported

ORIGIN = "vencimiento"  # stands where a receipt's guid would: the contract came to its end
_OPEN = link.c.valid_to.is_(None)


def _past(before: date) -> sa.ColumnElement[bool]:
    """Open links of a contract with an end that lies before a day."""
    return sa.and_(_OPEN, link.c.contrato_indefinido != "1", link.c.fecha_fin != "", link.c.fecha_fin < str(before))


def ended(connection: sa.Connection, before: date) -> Iterator[EndedContracts]:
    """Entities with such links, each with its users."""
    query = (
        sa.select(entity.c.tipo_id.label("e_type"), entity.c.num_id.label("e_number"), *(link.c[n] for n in LINKED))
        .join(entity, entity.c.id == link.c.entity_id)
        .where(_past(before))
        .order_by(link.c.entity_id, link.c.tipo_id, link.c.num_id)
    )
    rows = connection.execute(query).all()
    for (kind, number), users in itertools.groupby(rows, lambda row: (row.e_type, row.e_number)):
        found = registered_entity(connection, Id(kind, number))
        if found is not None:
            frame = pl.DataFrame([tuple(row)[2:] for row in users], schema=LINKED, orient="row")
            yield EndedContracts(found[1], before, frame)


def expire(connection: sa.Connection, those: EndedContracts, at: str, trail: Trail, by: str | None) -> bool:
    """End the links, under the entity's lane: a file being judged would else be judged by what is no longer true."""
    found = registered_entity(connection, those.entity.id)
    if found is None or not sql_lanes.interrupt(connection, str(those.entity.id)):
        return False
    key = found[0]
    sql_revision.grow(connection, those.entity.id)
    closing = {"valid_to": at, "to_guid": ORIGIN}
    closed = connection.execute(link.update().where(link.c.entity_id == key, _past(those.before)).values(**closing))
    if closed.rowcount != those.users.height:
        return False
    still = sa.exists().where(
        link.c.entity_id == key, _OPEN, link.c.tipo_id == grant.c.tipo_id, link.c.num_id == grant.c.num_id
    )
    connection.execute(
        grant.update().where(grant.c.entity_id == key, grant.c.valid_to.is_(None), ~still).values(**closing)
    )
    trail.tell(f"vencer: {closed.rowcount} vínculos de {those.entity.id}", by)
    return True


def unreported(connection: sa.Connection, today: date, days: int) -> Iterator[Unreported]:
    """Entities that loaded the annex in some earlier period and have not in the one that closes soon."""
    closing = connection.execute(
        sa.select(period).where(
            period.c.reporte_desde <= str(today),
            period.c.reporte_hasta >= str(today),
            period.c.reporte_hasta <= str(today + timedelta(days=days)),
        )
    ).all()
    for one in closing:
        loaded = sa.and_(
            run.c.latest,
            run.c.annex == one.anexo,
            run.c.verdict.in_(["cargado", "sin cambios"]),
            run.c.entity_type == entity.c.tipo_id,
            run.c.entity_number == entity.c.num_id,
        )
        ever = sa.exists(sa.select(run.c.id).where(loaded))
        now = sa.exists(
            sa.select(run.c.id)
            .join(receipt, receipt.c.guid == run.c.guid)
            .where(loaded, receipt.c.received_at >= one.reporte_desde)
        )
        owing = sa.select(entity.c.tipo_id, entity.c.num_id).where(
            entity.c.activa, entity.c.correo_confirmado, ever, ~now
        )
        for row in connection.execute(owing.order_by(entity.c.id)).all():
            found = registered_entity(connection, Id(row.tipo_id, row.num_id))
            if found is not None:
                cut_off, until = date.fromisoformat(one.corte), date.fromisoformat(one.reporte_hasta)
                yield Unreported(found[1], one.anexo, cut_off, until)


def forget(connection: sa.Connection, before: date) -> int:
    """Drop documents that are in the outbox, and bodies of mails that were sent."""
    old = receipt.c.received_at < str(before)
    runs = sa.select(run.c.id).join(receipt, receipt.c.guid == run.c.guid).where(run.c.published, old)
    guids = sa.select(run.c.guid).join(document, document.c.run_id == run.c.id).where(run.c.latest, run.c.id.in_(runs))
    known = sa.exists().where(erasure.c.guid == run.c.guid, erasure.c.kind == "copia")
    told = guids.where(~known).distinct().add_columns(sa.literal("copia"), sa.literal(str(before)), sa.true())
    connection.execute(erasure.insert().from_select(["guid", "kind", "at", "done"], told))
    gone = connection.execute(document.delete().where(document.c.run_id.in_(runs))).rowcount
    sent = mail.c.sent_at.is_not(None) & (mail.c.sent_at < str(before)) & (sa.func.length(mail.c.body) > 0)
    return gone + connection.execute(mail.update().where(sent).values(body=b"")).rowcount
