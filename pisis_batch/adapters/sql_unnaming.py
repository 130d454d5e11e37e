"""One person out of the registry: where it stands, why it must stay, and the pseudonym that takes its place.

Rows stay, so that counts and history still add up; what says who it was goes. A person who is a user, or answers for an
entity, stays: the entity reports it under a legal duty, and only a report takes it out.
"""

import sqlalchemy as sa

from pisis_batch.adapters import sql_floods, sql_revision
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_tables import (
    approval,
    audit,
    entity,
    finding,
    grant,
    lane,
    link,
    mail,
    person,
    receipt,
    run,
)
from pisis_batch.model import Id
from pisis_batch.ports import Traced

#: Stands where the type of a person's document would.
NOBODY = "--"
_NAMES = ("primer_nombre", "primer_apellido", "telefono", "cargo", "correo")


def trace(connection: sa.Connection, id_: Id) -> Traced:
    """Where a person stands, the contents of originals apart."""
    closed = sum(_many(connection, table, _is(table, id_)) for table in (person, link, grant))
    decided = _many(connection, approval, approval.c.login == id_.login) + _many(
        connection, audit, audit.c.who == id_.login
    )
    sent = list(connection.scalars(sa.select(receipt.c.guid).where(receipt.c.sender == id_.login)))
    return Traced(tuple(_obstacles(connection, id_)), closed + decided + len(sent), tuple(_guids(connection, id_)))


def _is(table: sa.Table, id_: Id) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.tipo_id == id_.type, table.c.num_id == id_.number)


def _many(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(which)).scalar_one())


def _obstacles(connection: sa.Connection, id_: Id) -> list[str]:
    of = sa.select(entity.c.tipo_id, entity.c.num_id)
    found = []
    for table, what in ((link, "sigue vinculada a"), (grant, "tiene un perfil en")):
        open_ = of.join(table, table.c.entity_id == entity.c.id).where(_is(table, id_), table.c.valid_to.is_(None))
        found += [f"{what} {row.tipo_id} {row.num_id}" for row in connection.execute(open_.distinct())]
    for role, what in (("rep", "representa a"), ("contacto", "es contacto de")):
        same = (entity.c[f"{role}_tipo_id"] == id_.type) & (entity.c[f"{role}_num_id"] == id_.number)
        found += [f"{what} {row.tipo_id} {row.num_id}" for row in connection.execute(of.where(same))]
    waits = sa.select(receipt.c.guid).where(
        receipt.c.sender == id_.login, receipt.c.state.not_in(("terminado", "cuarentena"))
    )
    found += [f"envió un archivo que espera ({guid})" for guid in connection.scalars(waits)]
    return found


def _guids(connection: sa.Connection, id_: Id) -> list[str]:
    """Receipts that touched the person, whose findings show its number, or that it sent."""
    touched = [
        sa.select(table.c[name].label("guid")).where(_is(table, id_))
        for table in (link, grant)
        for name in ("from_guid", "to_guid")
    ]
    shown = (
        sa.select(run.c.guid.label("guid"))
        .join(finding, finding.c.run_id == run.c.id)
        .where(finding.c.value.contains(id_.number) | finding.c.details.contains(id_.number))
    )
    sent = sa.select(receipt.c.guid.label("guid")).where(receipt.c.sender == id_.login)
    every = sa.union(*touched, shown, sent).subquery()
    known = sa.select(receipt.c.guid).where(receipt.c.guid.in_(sa.select(every.c.guid))).order_by(receipt.c.seq)
    return list(connection.scalars(known))


def unname(connection: sa.Connection, keys: Keyring, id_: Id) -> int:
    """Put a pseudonym in the place of a person, within the caller's transaction; how many rows."""
    if _obstacles(connection, id_):
        return 0
    stands, login = keys.pseudonym(str(id_)), id_.login
    addresses = set(connection.scalars(sa.select(link.c.correo).where(_is(link, id_))))
    addresses |= set(connection.scalars(sa.select(person.c.correo_personal).where(_is(person, id_))))
    many = 0
    many += connection.execute(
        link.update().where(_is(link, id_)).values(tipo_id=NOBODY, num_id=stands, **dict.fromkeys(_NAMES, ""))
    ).rowcount
    many += connection.execute(grant.update().where(_is(grant, id_)).values(tipo_id=NOBODY, num_id=stands)).rowcount
    many += connection.execute(person.delete().where(_is(person, id_))).rowcount
    sql_revision.grow(connection)
    many += connection.execute(audit.update().where(audit.c.who == login).values(who=None)).rowcount
    as_login = stands.replace("-", "")
    many += connection.execute(approval.update().where(approval.c.login == login).values(login=as_login)).rowcount
    many += connection.execute(receipt.update().where(receipt.c.sender == login).values(sender=as_login)).rowcount
    for table, column in ((receipt, receipt.c.lane), (lane, lane.c.name)):
        connection.execute(table.update().where(column == f"@{login}").values({column: f"@{as_login}"}))
    for address in filter(None, addresses):
        same = sa.func.lower(mail.c.recipient) == address.lower()
        over = mail.update().where(same, ~sql_floods.waiting())
        many += connection.execute(over.values(recipient=keys.pseudonym(address.lower()))).rowcount
    return many
