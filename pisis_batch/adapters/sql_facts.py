"""The registry's answer about one file: a statement for each kind of fact, the people asked for staged and joined."""

from datetime import date, datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_bulk, sql_revision, sql_stored
from pisis_batch.adapters.sql_tables import entity, grant, link, period, person, profile, receipt, run
from pisis_batch.model import (
    GRANTS,
    LINKED,
    PERIODS,
    PERSONS,
    PROFILES,
    Earlier,
    Facts,
    Id,
    Questions,
    RegisteredEntity,
    Sender,
)

_ASKED = sa.Table(
    "asked",
    sa.MetaData(),
    sa.Column("tipo_id", sa.Text, primary_key=True),
    sa.Column("num_id", sa.Text, primary_key=True),
    prefixes=["TEMPORARY"],
)


_ROSTER = 5_000


def frame(connection: sa.Connection, query: sa.Select[Any], schema: pl.Schema) -> pl.DataFrame:
    """The rows of a query as a frame."""
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def registered_entity(connection: sa.Connection, id_: Id) -> tuple[int, RegisteredEntity] | None:
    """An entity's row key and what is known of it."""
    found = connection.execute(
        sa.select(entity).where(entity.c.tipo_id == id_.type, entity.c.num_id == id_.number)
    ).one_or_none()
    if found is None:
        return None
    known = RegisteredEntity(
        id=Id(found.tipo_id, found.num_id),
        razon_social=found.razon_social,
        tipo_entidad=found.tipo_entidad,
        municipio=found.municipio,
        correo_institucional=found.correo_institucional,
        correo_confirmado=found.correo_confirmado,
        representante=Id(found.rep_tipo_id, found.rep_num_id) if found.rep_num_id else None,
        contacto=Id(found.contacto_tipo_id, found.contacto_num_id) if found.contacto_num_id else None,
        activa=found.activa,
    )
    return found.id, known


def facts(connection: sa.Connection, questions: Questions) -> Facts:
    """Everything a file needs, within the caller's transaction."""
    found = registered_entity(connection, questions.entity) if questions.entity else None
    key, known = found or (None, None)
    _ASKED.create(connection, checkfirst=False)
    sql_bulk.insert(connection, _ASKED, questions.people)
    answer = Facts(
        today=questions.received_at.date(),
        entity=known,
        sender=_sender(connection, questions.sender, key),
        earlier=earlier(connection, questions.entity, questions.sha256, questions.guid),
        persons=_persons(connection),
        linked=_open_rows(connection, link, LINKED, key),
        roster=_roster(connection, key if questions.people.height else None),
        grants=_open_rows(connection, grant, GRANTS, key),
        profiles=frame(connection, sa.select(*(profile.c[name] for name in PROFILES)), PROFILES),
        periods=_periods(connection, questions.annex),
        kept=sql_stored.kept(connection, questions),
        stored=sql_stored.known_keys(connection, questions),
        users=_users(connection, key),
        revision=sql_revision.current(connection, questions.entity),
    )
    _ASKED.drop(connection, checkfirst=False)
    return answer


def _roster(connection: sa.Connection, key: int | None) -> pl.DataFrame:
    """The people linked to the entity now, as far as they can be looked through."""
    if key is None:
        return pl.DataFrame(schema=PERSONS)
    here = sa.select(*(link.c[name] for name in PERSONS)).where(link.c.entity_id == key, link.c.valid_to.is_(None))
    return frame(connection, here.order_by(link.c.tipo_id, link.c.num_id).limit(_ROSTER), PERSONS)


def _users(connection: sa.Connection, key: int | None) -> int:
    """How many users the entity has now."""
    here = sa.select(sa.func.count()).select_from(link).where(link.c.entity_id == key, link.c.valid_to.is_(None))
    return connection.execute(here).scalar_one()


def _persons(connection: sa.Connection) -> pl.DataFrame:
    same = (person.c.tipo_id == _ASKED.c.tipo_id) & (person.c.num_id == _ASKED.c.num_id)
    return frame(connection, sa.select(*(person.c[name] for name in PERSONS)).join(_ASKED, same), PERSONS)


def _open_rows(connection: sa.Connection, table: sa.Table, schema: pl.Schema, key: int | None) -> pl.DataFrame:
    same = (table.c.tipo_id == _ASKED.c.tipo_id) & (table.c.num_id == _ASKED.c.num_id)
    query = sa.select(*(table.c[name] for name in schema)).join(_ASKED, same)
    return frame(connection, query.where(table.c.entity_id == key, table.c.valid_to.is_(None)), schema)


def _periods(connection: sa.Connection, annex: str) -> pl.DataFrame:
    rows = connection.execute(sa.select(*(period.c[name] for name in PERIODS)).where(period.c.anexo == annex))
    days = [[date.fromisoformat(day) for day in row] for row in rows]
    return pl.DataFrame(days, schema=PERIODS, orient="row")


def earlier(connection: sa.Connection, who: Id | None, sha256: str, guid: str) -> Earlier | None:
    """Another receipt of the same bytes for the same entity that is loaded."""
    if who is None:
        return None
    query = (
        sa.select(receipt.c.guid, receipt.c.received_at)
        .join(run, (run.c.guid == receipt.c.guid) & run.c.latest)
        .where(
            receipt.c.sha256 == sha256,
            receipt.c.guid != guid,
            run.c.verdict == "cargado",
            run.c.entity_type == who.type,
            run.c.entity_number == who.number,
        )
        .order_by(receipt.c.seq)
        .limit(1)
    )
    found = connection.execute(query).one_or_none()
    return Earlier(found.guid, datetime.fromisoformat(found.received_at)) if found else None


def entitled(connection: sa.Connection, login: str, who: Id) -> bool:
    """Whether a login is linked to an entity now, or is its representative or contact."""
    key = connection.scalar(sa.select(entity.c.id).where(entity.c.tipo_id == who.type, entity.c.num_id == who.number))
    found = _sender(connection, login, key) if key is not None else None
    return found is not None and found.entitled


def _sender(connection: sa.Connection, login: str | None, key: int | None) -> Sender | None:
    if login is None:
        return None
    try:
        who = Id.parse(login)
    except ValueError:
        return Sender(login, registered=False, entitled=False)
    links = connection.execute(
        sa.select(link.c.entity_id, link.c.correo, link.c.correo_confirmado).where(
            link.c.tipo_id == who.type, link.c.num_id == who.number, link.c.valid_to.is_(None)
        )
    ).all()
    heads = sa.select(entity.c.id).where(
        ((entity.c.rep_tipo_id == who.type) & (entity.c.rep_num_id == who.number))
        | ((entity.c.contacto_tipo_id == who.type) & (entity.c.contacto_num_id == who.number))
    )
    represents = set(connection.scalars(heads))
    here = [row for row in links if row.entity_id == key]
    address = next((row.correo for row in here if row.correo and row.correo_confirmado), None)
    if address is None:
        own = sa.select(person.c.correo_personal).where(person.c.tipo_id == who.type, person.c.num_id == who.number)
        address = connection.scalar(own)
    return Sender(
        login,
        registered=bool(links or represents),
        entitled=key is not None and (bool(here) or key in represents),
        email=address or None,
    )
