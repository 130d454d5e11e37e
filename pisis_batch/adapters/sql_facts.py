"""The registry's answer about one file: a statement for each kind of fact, the people asked for staged and joined."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pisis_batch.adapters import sql_asked, sql_revision
from pisis_batch.adapters.sql_ready import Answer, execute, gather, together
from pisis_batch.adapters.sql_text import Plain, Session, Text, TooPlainError, of, select
from pisis_batch.frames import Columns, Few, Row, few, height, pl
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

if TYPE_CHECKING:
    import sqlalchemy as sa

_ROSTER = 5_000
_STEP = 20_000  # rows that exist as Python objects at once
_FEW = 1_000  # rows that are handed over as they are


_OF_ENTITY = (
    *("id", "tipo_id", "num_id", "razon_social", "tipo_entidad", "municipio", "correo_institucional"),
    *("correo_confirmado", "rep_tipo_id", "rep_num_id", "contacto_tipo_id", "contacto_num_id", "activa"),
)
_ENTITY = select(_OF_ENTITY, "FROM entity WHERE tipo_id = :kind AND num_id = :number", ("correo_confirmado", "activa"))
_KEY = "entity_id = CAST(:key AS INTEGER) AND valid_to IS NULL"
_ROSTER_NOW = select(PERSONS.names(), f"FROM link WHERE {_KEY} ORDER BY tipo_id, num_id LIMIT {_ROSTER}")
_USERS = select(["count(*)"], f"FROM link WHERE {_KEY}")


#: The rows of the left, for each of them those of the right: SQLite keeps the order of a CROSS JOIN. It knows no sizes,
#: and would go through everybody who is registered, or linked to a large entity, instead.
_THROUGH = "CROSS JOIN"


def _persons(asked: str) -> Text:
    same = "person.tipo_id = asked.tipo_id AND person.num_id = asked.num_id"
    return select(of("person", PERSONS.names()), f"FROM {asked} {_THROUGH} person WHERE {same}")


def _open(table: str, schema: Columns, asked: str) -> Text:
    same = f"{table}.tipo_id = asked.tipo_id AND {table}.num_id = asked.num_id"
    return select(of(table, schema.names()), f"FROM {asked} {_THROUGH} {table} WHERE {same} AND {_KEY}")


#: What is known of the people asked for, few or staged: as persons, their links and their profiles.
_PERSONS = {asked: _persons(asked) for asked in sql_asked.WAYS}
_LINKS = {asked: _open("link", LINKED, asked) for asked in sql_asked.WAYS}
_GRANTS = {asked: _open("profile_grant", GRANTS, asked) for asked in sql_asked.WAYS}
_PROFILES = select(PROFILES.names(), "FROM profile", ("habilitado",))
_PERIODS = select(PERIODS.names(), "FROM period WHERE anexo = :annex")
_EARLIER = select(  # few have the same bytes
    ("receipt.guid", "receipt.received_at"),
    f"FROM receipt {_THROUGH} run WHERE run.guid = receipt.guid AND run.latest AND receipt.sha256 = :sha256"
    " AND receipt.guid <> :guid AND run.verdict = 'cargado' AND run.entity_type = :kind"
    " AND run.entity_number = :number ORDER BY receipt.seq LIMIT 1",
)
_HEADED = (
    "(rep_tipo_id = :login_type AND rep_num_id = :login_number"
    " OR contacto_tipo_id = :login_type AND contacto_num_id = :login_number)"
)
_LINKED_HERE = (
    "EXISTS (SELECT 1 FROM link WHERE link.entity_id = entity.id AND link.tipo_id = :login_type"
    " AND link.num_id = :login_number AND link.valid_to IS NULL)"
)
_ENTITLED = select(["id"], f"FROM entity WHERE tipo_id = :kind AND num_id = :number AND ({_HEADED} OR {_LINKED_HERE})")
_LINKS_OF = select(
    ("entity_id", "correo", "correo_confirmado"),
    "FROM link WHERE tipo_id = :login_type AND num_id = :login_number AND valid_to IS NULL",
    ("correo_confirmado",),
)
_HEADS = select(["id"], f"FROM entity WHERE {_HEADED} LIMIT 1")
_ADDRESS = select(["correo_personal"], "FROM person WHERE tipo_id = :login_type AND num_id = :login_number")


def frame(
    connection: Session,
    query: sa.Select[Any] | Text,
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


def registered_entity(connection: Session, id_: Id) -> tuple[int, RegisteredEntity] | None:
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

    def of(self, connection: Session, annex: str, revision: str) -> tuple[Any, Any]:
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
        return profiles if isinstance(profiles, list) else profiles.clone(), periods


def facts(connection: Session, questions: Questions, reference: Reference) -> Facts:
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
        roster = gather(connection, _ROSTER_NOW, {"key": key if height(questions, "people") else None})
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
        **_stored(connection, questions),
        users=users.scalar_one(),
        revision=revision,
    )


def _stored(connection: Session, questions: Questions) -> dict[str, Any]:
    """What is stored for the place of a file, or under the keys it names; few annexes have either."""
    if not (questions.period or questions.keys):
        return {}
    if isinstance(connection, Plain):
        raise TooPlainError
    from pisis_batch.adapters import sql_stored  # noqa: PLC0415 see above

    whole: Any = connection
    return {"kept": sql_stored.kept(whole, questions), "stored": sql_stored.known_keys(whole, questions)}


def _of_people(connection: Session, questions: Questions, key: int | None) -> dict[str, Any]:
    """Links and profiles of the asked people at the entity and, unless only these are asked for, who they are."""
    wanted = {"linked": (_LINKS, LINKED), "grants": (_GRANTS, GRANTS), "persons": (_PERSONS, PERSONS)}
    if questions.only_people:
        del wanted["persons"]
    asking = questions.people.sort("tipo_id", "num_id") if questions.only_people else few(questions, "people")
    with sql_asked.asking(connection, asking) as (asked, people):
        values = {"key": key, **people}
        if not people:
            answer = gather if isinstance(asking, Few) else execute
            return {
                name: shaped(answer(connection, query[asked], values), schema)
                for name, (query, schema) in wanted.items()
            }
        with together(connection):  # few: all at once
            answers = {name: execute(connection, query[asked], values) for name, (query, _) in wanted.items()}
    return {name: shaped(answers[name], schema) for name, (_, schema) in wanted.items()}


def _periods(rows: Answer) -> list[Row]:
    return [tuple(date.fromisoformat(day) for day in row) for row in rows]


def earlier(connection: Session, who: Id | None, sha256: str, guid: str) -> Earlier | None:
    """Another receipt of the same bytes for the same entity that is loaded."""
    if who is None:
        return None
    asked = {"sha256": sha256, "guid": guid, "kind": who.type, "number": who.number}
    found = execute(connection, _EARLIER, asked).one_or_none()
    return Earlier(found.guid, datetime.fromisoformat(found.received_at)) if found else None


def entitled(connection: Session, pairs: Collection[tuple[str, Id]]) -> set[tuple[str, Id]]:
    """Of logins and entities those of whom the one is linked to the other now, or is its representative or contact."""
    return {pair for pair in pairs if _is_entitled(connection, *pair)}


def _is_entitled(connection: Session, login: str, who: Id) -> bool:
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


def _asked_of_sender(connection: Session, login: str | None) -> list[Answer]:
    """A sender's links, whether they head an entity, and their own address."""
    if (who := _person(login)) is None:
        return []
    asked = {"login_type": who.type, "login_number": who.number}
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
