"""The accounting invariant: every file received is in one state, every end has its run, its documents and its trail.

Each check is one statement over the whole registry and yields what breaks it; a sound registry yields nothing.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from pisis_batch.adapters.sql_chain import thinned_to
from pisis_batch.adapters.sql_tables import (
    audit,
    chain,
    document,
    entity,
    erasure,
    grant,
    lane,
    link,
    mail,
    receipt,
    run,
)
from pisis_batch.ports import OPEN, Offender, Outside

_ENDED = ("terminado", "retenido", "cuarentena")
_guid = receipt.c.guid
_NAMES_NOTHING = "una fila de {} nombra algo que no existe"


def totals(connection: sa.Connection) -> dict[str, int]:
    """Receipts by state, and messages by state; what is received is the sum of the states."""
    states = connection.execute(sa.select(receipt.c.state, sa.func.count()).group_by(receipt.c.state))
    found = {f"archivos {name}": int(many) for name, many in states}
    sent = sa.case((mail.c.sent_at.is_not(None), "enviados"), else_="pendientes")
    mails = connection.execute(sa.select(sent, sa.func.count()).group_by(sent))
    return found | {f"correos {name}": int(many) for name, many in mails}


def offenders(connection: sa.Connection) -> Iterator[Offender]:
    """Whatever does not add up, by receipt."""
    for what, query in _checks(thinned_to(connection)).items():
        for row in connection.execute(query):
            yield Offender(str(row[0]), what)
    for table in (link, grant) if connection.dialect.name != "sqlite" else ():
        owned = sa.exists().where(entity.c.id == table.c.entity_id)
        for guid in connection.scalars(sa.select(table.c.from_guid).where(~owned).distinct()):
            yield Offender(guid, _NAMES_NOTHING.format(table.name))
    if connection.dialect.name == "sqlite":
        for (said,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if said != "ok":
                yield Offender("-", "la base de datos está dañada")
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield Offender("-", _NAMES_NOTHING.format(row[0]))


def kept(connection: sa.Connection) -> Iterator[Outside]:
    """What must lie outside the registry: an original for each receipt that was read, documents once published."""
    query = sa.select(_guid, receipt.c.sha256, receipt.c.unread, receipt.c.sender, run.c.published)
    lost = gone(_guid, "originales").label("lost"), gone(_guid, "documentos").label("emptied")
    joined = query.add_columns(*lost).join(run, (run.c.guid == _guid) & run.c.latest, isouter=True)
    joined = joined.order_by(receipt.c.seq)
    for row in connection.execution_options(yield_per=1000).execute(joined):
        sha256 = "" if row.unread or row.lost else row.sha256
        yield Outside(row.guid, sha256, row.sender, bool(row.published) and not row.emptied)


def gone(guid: sa.ColumnElement[str], *kinds: str) -> sa.ColumnElement[bool]:
    """Whether something of a receipt was let go on purpose."""
    return sa.exists().where(erasure.c.guid == guid, erasure.c.kind.in_(kinds))


def _checks(thinned: int) -> dict[str, sa.Select[tuple[str]]]:
    latest = sa.select(run.c.guid, sa.func.count().label("many")).where(run.c.latest).group_by(run.c.guid).subquery()
    with_latest = sa.select(_guid).join(latest, latest.c.guid == _guid, isouter=True)
    thin = sa.exists().where(chain.c.guid == _guid, chain.c.seq <= thinned)
    thin_run = sa.exists().where(chain.c.guid == run.c.guid, chain.c.seq <= thinned)
    heard = sa.exists().where(audit.c.guid == _guid, audit.c.action == "recibido") | thin
    judged = sa.exists().where(audit.c.guid == run.c.guid, audit.c.action.startswith("veredicto")) | thin_run
    has_documents = sa.exists().where(document.c.run_id == run.c.id) | gone(run.c.guid, "documentos", "copia")
    first = sa.select(run.c.guid, sa.func.min(run.c.id).label("at")).group_by(run.c.guid).subquery()
    placed = (
        sa.select(
            _guid,
            first.c.at,
            sa.func.max(first.c.at)
            .over(partition_by=receipt.c.lane, order_by=receipt.c.lane_place, rows=(None, -1))
            .label("before"),
        )
        .join(first, first.c.guid == _guid)
        .where(receipt.c.lane_place > 0)
        .subquery()
    )
    twin, its = receipt.alias(), run.alias()
    return {
        "está en un estado que no existe": sa.select(_guid).where(receipt.c.state.not_in((*OPEN, *_ENDED))),
        "se interrumpió más veces de las que se empezó": sa.select(_guid).where(
            (receipt.c.attempts < 0) | (receipt.c.interruptions > receipt.c.fence)
        ),
        "terminó sin veredicto": with_latest.where(receipt.c.state.in_(_ENDED), latest.c.many.is_(None)),
        "tiene más de un veredicto vigente": with_latest.where(latest.c.many > 1),
        "espera y ya tiene veredicto": with_latest.where(receipt.c.state.in_(OPEN), latest.c.many > 0),
        "tiene un veredicto sin documentos": sa.select(run.c.guid).where(run.c.latest, ~has_documents),
        "su recepción no está en la auditoría": sa.select(_guid).where(~heard),
        "su veredicto no está en la auditoría": sa.select(run.c.guid).where(~judged),
        "se aplicó dos veces": sa.select(_guid)
        .join(run, (run.c.guid == _guid) & run.c.latest & (run.c.verdict == "cargado"))
        .join(twin, (twin.c.sha256 == receipt.c.sha256) & (twin.c.seq < receipt.c.seq))
        .join(its, (its.c.guid == twin.c.guid) & its.c.latest & (its.c.verdict == "cargado"))
        .where(its.c.entity_type == run.c.entity_type, its.c.entity_number == run.c.entity_number)
        .distinct(),
        "tuvo efecto fuera de su orden": sa.select(placed.c.guid).where(placed.c.at < placed.c.before),
        "está más allá del fin de su fila": sa.select(_guid)
        .join(lane, lane.c.name == receipt.c.lane, isouter=True)
        .where(receipt.c.lane_place > sa.func.coalesce(lane.c.last_place, 0)),
    }
