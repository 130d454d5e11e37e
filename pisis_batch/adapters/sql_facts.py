"""The registry's answer about one file: a statement for each kind of fact, the people asked for staged and joined."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import Join

from pisis_batch.adapters import sql_bulk, sql_revision, sql_rows, sql_stored
from pisis_batch.adapters.sql_ready import Answer, at_most, execute, together
from pisis_batch.adapters.sql_tables import entity, grant, link, period, person, profile, receipt, run
from pisis_batch.frames import Columns, Few, Row, few, height
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
    sa.Column("tipo_id", sa.Text, nullable=False),
    sa.Column("num_id", sa.Text, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)


_ROSTER = 5_000
_STEP = 20_000  # rows that exist as Python objects at once
_FEW = 1_000  # rows that are handed over as they are


#: Statements are made once, with places for what changes: to put one together takes ten times as long as to run it.
_ENTITY = sa.select(entity).where(entity.c.tipo_id == sa.bindparam("kind"), entity.c.num_id == sa.bindparam("number"))
_LINKED_NOW = (link.c.entity_id == sa.bindparam("key"), link.c.valid_to.is_(None))
_ROSTER_NOW = (
    sa.select(*(link.c[name] for name in PERSONS))
    .where(*_LINKED_NOW)
    .order_by(link.c.tipo_id, link.c.num_id)
    .limit(at_most(_ROSTER))
)
#: A few people, as PostgreSQL reads them out of one value; more, or on SQLite, are staged.
_FEW_ASKED = (
    sa.func.json_to_recordset(sa.cast(sa.bindparam("people", type_=sa.Text), postgresql.JSON))
    .table_valued(sa.column("tipo_id", sa.Text), sa.column("num_id", sa.Text), name="few")
    .render_derived(with_types=True)
)
_USERS = sa.select(sa.func.count()).select_from(link).where(*_LINKED_NOW)


class _Through(Join):
    """The rows of the left, for each of them those of the right; in this order, whatever the database thinks of it.

    SQLite knows no sizes, and would go through everybody who is registered, or linked to a large entity, instead.
    """

    inherit_cache = True


@compiles(_Through, "sqlite")
def _crossed(element: _Through, compiler: Any, **how: Any) -> str:
    """SQLite keeps the order of a CROSS JOIN, which takes a condition as any other."""
    return str(compiler.visit_join(element, **how)).replace(" JOIN ", " CROSS JOIN ", 1)


def _persons(asked: sa.FromClause) -> sa.Select[Any]:
    same = (person.c.tipo_id == asked.c.tipo_id) & (person.c.num_id == asked.c.num_id)
    return sa.select(*(person.c[name] for name in PERSONS)).select_from(_Through(asked, person, same))


def _open(table: sa.Table, schema: Iterable[str], asked: sa.FromClause) -> sa.Select[Any]:
    same = (table.c.tipo_id == asked.c.tipo_id) & (table.c.num_id == asked.c.num_id)
    of_entity = (table.c.entity_id == sa.bindparam("key"), table.c.valid_to.is_(None))
    return sa.select(*(table.c[name] for name in schema)).select_from(_Through(asked, table, same)).where(*of_entity)


#: What is known of the people asked for, few or staged: as persons, their links and their profiles.
_WAYS: tuple[sa.FromClause, ...] = (_ASKED, _FEW_ASKED)
_PERSONS = {asked: _persons(asked) for asked in _WAYS}
_LINKS = {asked: _open(link, LINKED, asked) for asked in _WAYS}
_GRANTS = {asked: _open(grant, GRANTS, asked) for asked in _WAYS}
_PROFILES = sa.select(*(profile.c[name] for name in PROFILES))
_PERIODS = sa.select(*(period.c[name] for name in PERIODS)).where(period.c.anexo == sa.bindparam("annex"))
_EARLIER = (
    sa.select(receipt.c.guid, receipt.c.received_at)
    .select_from(_Through(receipt, run, (run.c.guid == receipt.c.guid) & run.c.latest))  # few have the same bytes
    .where(
        receipt.c.sha256 == sa.bindparam("sha256"),
        receipt.c.guid != sa.bindparam("guid"),
        run.c.verdict == "cargado",
        run.c.entity_type == sa.bindparam("kind"),
        run.c.entity_number == sa.bindparam("number"),
    )
    .order_by(receipt.c.seq)
    .limit(at_most(1))
)
_WHO: dict[str, sa.BindParameter[str]] = {"kind": sa.bindparam("kind"), "number": sa.bindparam("number")}
_TYPE: sa.BindParameter[str] = sa.bindparam("login_type")
_NUMBER: sa.BindParameter[str] = sa.bindparam("login_number")
_ENTITLED = sa.select(entity.c.id).where(
    entity.c.tipo_id == _WHO["kind"],
    entity.c.num_id == _WHO["number"],
    sa.or_(
        sa.and_(entity.c.rep_tipo_id == _TYPE, entity.c.rep_num_id == _NUMBER),
        sa.and_(entity.c.contacto_tipo_id == _TYPE, entity.c.contacto_num_id == _NUMBER),
        sa.exists().where(
            link.c.entity_id == entity.c.id,
            link.c.tipo_id == _TYPE,
            link.c.num_id == _NUMBER,
            link.c.valid_to.is_(None),
        ),
    ),
)
_LINKS_OF = sa.select(link.c.entity_id, link.c.correo, link.c.correo_confirmado).where(
    link.c.tipo_id == _WHO["kind"], link.c.num_id == _WHO["number"], link.c.valid_to.is_(None)
)
_HEADS = (
    sa.select(entity.c.id)
    .where(
        sa.or_(
            sa.and_(entity.c.rep_tipo_id == _WHO["kind"], entity.c.rep_num_id == _WHO["number"]),
            sa.and_(entity.c.contacto_tipo_id == _WHO["kind"], entity.c.contacto_num_id == _WHO["number"]),
        )
    )
    .limit(at_most(1))
)
_ADDRESS = sa.select(person.c.correo_personal).where(
    person.c.tipo_id == _WHO["kind"], person.c.num_id == _WHO["number"]
)


def frame(
    connection: sa.Connection,
    query: sa.Select[Any],
    schema: Mapping[str, pl.DataType],
    values: dict[str, Any] | None = None,
) -> pl.DataFrame:
    """The rows of a query as a frame."""
    found = execute(connection, query, values or {})
    parts = [pl.DataFrame(rows, schema=schema, orient="row") for rows in found.plain(_STEP)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def shaped(found: Answer, schema: Columns) -> Any:
    """Rows as a field of `Facts` takes them: few as they are, more as a frame."""
    parts = found.plain(_STEP)
    rows = next(parts, [])
    if len(rows) < _FEW:
        return list(map(tuple, rows))
    frames = [pl.DataFrame(some, schema=schema, orient="row") for some in (rows, *parts)]
    return frames[0] if len(frames) == 1 else pl.concat(frames)


def registered_entity(connection: sa.Connection, id_: Id) -> tuple[int, RegisteredEntity] | None:
    """An entity's row key and what is known of it."""
    found = execute(connection, _ENTITY, {"kind": id_.type, "number": id_.number}).one_or_none()
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


class Reference:
    """Profiles and periods as `shaped`: they stay for as long as the reference tables have the same number."""

    def __init__(self) -> None:
        self._known: tuple[str, dict[str, tuple[Any, Any]]] = ("", {})

    def of(self, connection: sa.Connection, annex: str, revision: str) -> tuple[Any, Any]:
        """Profiles, and the periods of an annex, as they are in the state that the caller's transaction sees."""
        number = revision.partition(".")[0]
        known, found = self._known
        if known != number:
            found = {}
        if annex not in found:
            with together(connection):
                profiles, periods = execute(connection, _PROFILES), execute(connection, _PERIODS, {"annex": annex})
            found = {**found, annex: (shaped(profiles, PROFILES), _periods(periods))}
            self._known = number, found  # replaced, never changed: threads share it
        profiles, periods = found[annex]
        # rows are shared, a frame is each thread's own: see `wire`
        return profiles.clone() if isinstance(profiles, pl.DataFrame) else profiles, periods


def facts(connection: sa.Connection, questions: Questions, reference: Reference) -> Facts:
    """Everything a file needs, within the caller's transaction."""
    found = registered_entity(connection, questions.entity) if questions.entity else None
    key, known = found or (None, None)
    today = questions.received_at.date()
    if questions.only_people:
        return Facts(today, **_of_people(connection, questions, key))
    revision = sql_revision.current(connection, questions.entity)
    profiles, periods = reference.of(connection, questions.annex, revision)
    with together(connection):  # whatever is asked in any case is asked at once
        sender = _asked_of_sender(connection, questions.sender)
        roster = execute(connection, _ROSTER_NOW, {"key": key if height(questions, "people") else None})
        users = execute(connection, _USERS, {"key": key})
    return Facts(
        today,
        **_of_people(connection, questions, key),
        entity=known,
        sender=_sender(questions.sender, found, sender),
        earlier=earlier(connection, questions.entity, questions.sha256, questions.guid),
        roster=shaped(roster, PERSONS),
        profiles=profiles,
        periods=periods,
        kept=sql_stored.kept(connection, questions),
        stored=sql_stored.known_keys(connection, questions),
        users=users.scalar_one(),
        revision=revision,
    )


def _of_people(connection: sa.Connection, questions: Questions, key: int | None) -> dict[str, Any]:
    """Links and profiles of the asked people at the entity and, unless only these are asked for, who they are."""
    wanted = {"linked": (_LINKS, LINKED), "grants": (_GRANTS, GRANTS), "persons": (_PERSONS, PERSONS)}
    if questions.only_people:
        del wanted["persons"]
    asking = questions.people.sort("tipo_id", "num_id") if questions.only_people else few(questions, "people")
    with _asking(connection, asking) as (asked, people):
        values = {"key": key, **people}
        if not people:
            return {
                name: shaped(execute(connection, query[asked], values), schema)
                for name, (query, schema) in wanted.items()
            }
        with together(connection):  # few: all at once
            answers = {name: execute(connection, query[asked], values) for name, (query, _) in wanted.items()}
    return {name: shaped(answers[name], schema) for name, (_, schema) in wanted.items()}


@contextmanager
def _asking(connection: sa.Connection, people: Few | pl.DataFrame) -> Iterator[tuple[sa.FromClause, dict[str, str]]]:
    """What stands for these people in a statement, and the value it needs."""
    if connection.dialect.name == "postgresql" and people.height <= sql_bulk.SOME:
        yield _FEW_ASKED, {"people": sql_rows.told(people)}
        return
    with sql_bulk.staging(connection, _ASKED):
        sql_bulk.insert(connection, _ASKED, people)
        yield _ASKED, {}


def _periods(rows: Answer) -> list[Row]:
    return [tuple(date.fromisoformat(day) for day in row) for row in rows]


def earlier(connection: sa.Connection, who: Id | None, sha256: str, guid: str) -> Earlier | None:
    """Another receipt of the same bytes for the same entity that is loaded."""
    if who is None:
        return None
    asked = {"sha256": sha256, "guid": guid, "kind": who.type, "number": who.number}
    found = execute(connection, _EARLIER, asked).one_or_none()
    return Earlier(found.guid, datetime.fromisoformat(found.received_at)) if found else None


def entitled(connection: sa.Connection, pairs: Collection[tuple[str, Id]]) -> set[tuple[str, Id]]:
    """Of logins and entities those of whom the one is linked to the other now, or is its representative or contact."""
    return {pair for pair in pairs if _is_entitled(connection, *pair)}


def _is_entitled(connection: sa.Connection, login: str, who: Id) -> bool:
    try:
        person = Id.parse(login)
    except ValueError:
        return False
    asked = {"login_type": person.type, "login_number": person.number, "kind": who.type, "number": who.number}
    return execute(connection, _ENTITLED, asked).first() is not None


def _person(login: str | None) -> Id | None:
    try:
        return Id.parse(login) if login is not None else None
    except ValueError:
        return None


def _asked_of_sender(connection: sa.Connection, login: str | None) -> list[Answer]:
    """A sender's links, whether they head an entity, and their own address."""
    if (who := _person(login)) is None:
        return []
    asked = {"kind": who.type, "number": who.number}
    return [execute(connection, query, asked) for query in (_LINKS_OF, _HEADS, _ADDRESS)]


def _sender(login: str | None, for_: tuple[int, RegisteredEntity] | None, said: Sequence[Answer]) -> Sender | None:
    who = _person(login)
    if login is None:
        return None
    if who is None:
        return Sender(login, registered=False, entitled=False)
    links, headed, own = said[0].all(), said[1].first() is not None, said[2].scalar()
    here = [row for row in links if for_ and row.entity_id == for_[0]]
    heads = for_ is not None and who in {for_[1].representante, for_[1].contacto}
    address = next((row.correo for row in here if row.correo and row.correo_confirmado), None)
    if address is None:
        address = own
    return Sender(
        login,
        registered=bool(links) or heads or headed,
        entitled=bool(here) or heads,
        email=address or None,
    )
