"""People: a number that is one slip away from somebody of the entity. What the registry says is always masked."""

from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from pisis_batch.frames import picked, pl
from pisis_batch.model import PERSONS, Row
from pisis_batch.suggestions.asked import Answer, Asked, Faulty, Suggester
from pisis_batch.validators.escritura import fold
from pisis_batch.validators.sentences import masked

_MOST = 500  # distinct people looked at
_KIND = ("tipo_id", "tipo_id_representante", "tipo_id_contacto")


def _slip(given: str, other: str) -> str | None:
    """How two numbers differ, if by a slip of the keyboard."""
    if OSA.distance(given, other, score_cutoff=1) != 1:
        return None
    if len(given) == len(other):
        return "dos cifras cambiadas de lugar" if sorted(given) == sorted(other) else "una cifra distinta"
    return "una cifra de más" if len(given) > len(other) else "una cifra de menos"


def _near(rows: Sequence[Faulty], asked: Asked, known: Iterable[Row], where: str, *, own: bool) -> Iterator[Answer]:
    """Numbers that are one slip, or only another type, away from a known person. `own`: the sender's own data."""
    rows = rows[:_MOST]
    names = _given_names(asked, rows)
    people = list(dict.fromkeys(tuple(map(str, row)) for row in known))
    numbers = [number for _, number, *_ in people]
    for row in rows:
        said, name = row.detail(*_KIND), names.get(row.line or 0)
        for kind, number, first, last in _best(row.value, people, numbers, name):
            shown = number if own else masked(number)
            same_name = name == (fold(first), fold(last)) and first != ""
            who = f"{where} está {kind} {shown}" + (", con el mismo nombre" if same_name else "")
            if number == row.value and kind != said:
                yield row.n, "" if not own else kind, f"{who}: revise el tipo de identificación"
            elif slip := _slip(row.value, number):
                yield row.n, shown, f"{who}: el número escrito tiene {slip}"
            else:
                continue
            break


def _best(
    value: str, people: list[tuple[str, ...]], numbers: list[str], name: tuple[str, str] | None
) -> list[tuple[str, ...]]:
    """People whose number is the same or one slip away, whoever has the same name first."""
    near = [
        people[place] for *_, place in process.extract(value, numbers, scorer=OSA.distance, score_cutoff=1, limit=9)
    ]
    return sorted(near, key=lambda one: ((fold(one[2]), fold(one[3])) != name, one[1] != value))


def _given_names(asked: Asked, rows: Sequence[Faulty]) -> dict[int, tuple[str, str]]:
    """The names that user lines give, by line."""
    cells = asked.cells("usuario", ("primer_nombre", "primer_apellido"), rows)
    return {line: (fold(first), fold(last)) for line, (first, last) in cells.items()}


def of_the_entity(rows: Sequence[Faulty], asked: Asked) -> Iterable[Answer]:
    """Among the people linked to the entity now."""
    if asked.facts is None:
        return ()
    roster = picked(asked.facts, "roster", PERSONS.names())
    return _near(rows, asked, roster, "Entre los usuarios vinculados", own=False)


def of_the_file(rows: Sequence[Faulty], asked: Asked) -> Iterable[Answer]:
    """Among the people that the file links, then among those linked to the entity."""
    if asked.batch is None or asked.facts is None:
        return ()
    if asked.batch.plain is not None:
        users = [cells[:-1] for cells in asked.batch.picked("usuario", _USER) if cells[-1] == "V"]
    else:
        users = asked.batch["usuario"].filter(pl.col("accion") == "V").select(PERSONS.names()).rows()
    here = list(_near(rows, asked, users, "En este archivo", own=True))
    found = {n for n, *_ in here}
    return [*here, *of_the_entity([row for row in rows if row.n not in found], asked)]


_USER = (*PERSONS.names(), "accion")


def head(who: str, words: str) -> Suggester:
    """The representative or contact that the entity has registered."""

    def suggester(rows: Sequence[Faulty], asked: Asked) -> Iterator[Answer]:
        entity = asked.facts.entity if asked.facts else None
        known = getattr(entity, who, None)
        if known is None:
            return
        near = list(_near(rows, asked, [(*known, "", "")], f"Como {words} de la entidad", own=False))
        found = {n for n, *_ in near}
        yield from near
        form = f"La entidad tiene registrado como {words} a {known.type} {{}}"
        yield from ((row.n, masked(known.number), form) for row in rows if row.n not in found)

    return suggester


def swapped(rows: Sequence[Faulty], asked: Asked) -> Iterator[Answer]:
    """First name and surname in each other's place; or a spelling that is nearly the registered one."""
    if asked.facts is None or asked.batch is None:
        return
    people = asked.cells("usuario", PERSONS.names(), rows)
    known = {
        (kind, number): (fold(first), fold(last))
        for of in ("linked", "persons")  # what is known of persons in general goes first
        for kind, number, first, last in picked(asked.facts, of, PERSONS.names())
    }
    for row in rows[:_MOST]:
        if row.line not in people or (registered := known.get(people[row.line][:2])) is None:
            continue
        given = tuple(map(fold, people[row.line][2:]))
        other = registered[row.field == "primer_apellido"]
        if given == registered[::-1]:
            yield row.n, "", "El nombre y el apellido están cambiados de lugar: intercámbielos"
        elif OSA.distance(fold(row.value), other, score_cutoff=2) <= 2:  # noqa: PLR2004 a slip or two
            yield row.n, "", "Difiere del registrado en una o dos letras: revise cómo se escribe"


PEOPLE: dict[str, Suggester] = {
    "USR020": of_the_entity,
    "USR040": of_the_entity,
    "PRF010": of_the_file,
    "USR022": swapped,
    "USR023": swapped,
    "CTL010": head("representante", "representante legal"),
    "CTL016": head("representante", "representante legal"),
    "CTL011": head("contacto", "contacto"),
    "CTL017": head("contacto", "contacto"),
}
