"""People: a number that is one slip away from somebody of the entity. What the registry says is always masked."""

import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from pisis_batch.model import PERSONS
from pisis_batch.suggestions.asked import Asked, Suggester, listed
from pisis_batch.validators.escritura import fold

_MOST = 500  # distinct people looked at
_KIND = ("tipo_id", "tipo_id_representante", "tipo_id_contacto")


def _masked(number: str) -> str:
    return "••••" + number[-4:] if len(number) > 4 else "••••"  # noqa: PLR2004 the last four


def _slip(given: str, other: str) -> str | None:
    """How two numbers differ, if by a slip of the keyboard."""
    if OSA.distance(given, other, score_cutoff=1) != 1:
        return None
    if len(given) == len(other):
        return "dos cifras cambiadas de lugar" if sorted(given) == sorted(other) else "una cifra distinta"
    return "una cifra de más" if len(given) > len(other) else "una cifra de menos"


def _near(rows: pl.DataFrame, asked: Asked, known: pl.DataFrame, where: str, *, own: bool) -> pl.DataFrame:
    """Numbers that are one slip, or only another type, away from a known person. `own`: the sender's own data."""
    names = _given_names(asked)
    people = [tuple(map(str, row)) for row in known.select(PERSONS.names()).unique(maintain_order=True).iter_rows()]
    numbers = [number for _, number, *_ in people]
    found = []
    for n, value, line, details in rows.head(_MOST).select("n", "value", "line", "details").iter_rows():
        kinds = pl.Series([details])
        said = next((k for name in _KIND if (k := kinds.str.json_path_match(f"$.{name}")[0])), "")
        for kind, number, first, last in _best(value, people, numbers, names.get(line)):
            shown = number if own else _masked(number)
            same_name = names.get(line) == (fold(first), fold(last)) and first != ""
            who = f"{where} está {kind} {shown}" + (", con el mismo nombre" if same_name else "")
            if number == value and kind != said:
                found.append((n, "" if not own else kind, f"{who}: revise el tipo de identificación"))
            elif slip := _slip(value, number):
                found.append((n, shown, f"{who}: el número escrito tiene {slip}"))
            else:
                continue
            break
    return listed(found)


def _best(
    value: str, people: list[tuple[str, ...]], numbers: list[str], name: tuple[str, str] | None
) -> list[tuple[str, ...]]:
    """People whose number is the same or one slip away, whoever has the same name first."""
    near = [
        people[place] for *_, place in process.extract(value, numbers, scorer=OSA.distance, score_cutoff=1, limit=9)
    ]
    return sorted(near, key=lambda one: ((fold(one[2]), fold(one[3])) != name, one[1] != value))


def _given_names(asked: Asked) -> dict[int, tuple[str, str]]:
    """The names that user lines give, by line."""
    if asked.batch is None or "usuario" not in asked.batch.records:
        return {}
    rows = asked.batch["usuario"].select("line", "primer_nombre", "primer_apellido").iter_rows()
    return {line: (fold(first), fold(last)) for line, first, last in rows}


def of_the_entity(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Among the people linked to the entity now."""
    if asked.facts is None:
        return listed([])
    return _near(rows, asked, asked.facts.roster, "Entre los usuarios vinculados", own=False)


def of_the_file(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Among the people that the file links, then among those linked to the entity."""
    if asked.batch is None or asked.facts is None:
        return listed([])
    users = asked.batch["usuario"].filter(pl.col("accion") == "V")
    here = _near(rows, asked, users, "En este archivo", own=True)
    rest = of_the_entity(rows.join(here, on="n", how="anti"), asked)
    return pl.concat([here, rest])


def head(who: str, words: str) -> Suggester:
    """The representative or contact that the entity has registered."""

    def suggester(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
        entity = asked.facts.entity if asked.facts else None
        known = getattr(entity, who, None)
        if known is None:
            return listed([])
        person = pl.DataFrame([(*known, "", "")], schema=PERSONS, orient="row")
        near = _near(rows, asked, person, f"Como {words} de la entidad", own=False)
        others = rows.join(near, on="n", how="anti")["n"]
        form = f"La entidad tiene registrado como {words} a {known.type} {{}}"
        return pl.concat([near, listed([(n, _masked(known.number), form) for n in others])])

    return suggester


def swapped(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """First name and surname in each other's place; or a spelling that is nearly the registered one."""
    if asked.facts is None or asked.batch is None or "usuario" not in asked.batch.records:
        return listed([])
    known = pl.concat([asked.facts.persons, asked.facts.linked.select(PERSONS.names())]).unique(
        ["tipo_id", "num_id"], keep="first", maintain_order=True
    )
    lines = rows.select("n", "line", "field", "value")
    people = asked.batch["usuario"].join(lines, on="line").join(known, on=["tipo_id", "num_id"], suffix="_registrado")
    found = []
    for row in people.head(_MOST).iter_rows(named=True):
        given = [fold(row[name]) for name in ("primer_nombre", "primer_apellido")]
        registered = [fold(row[f"{name}_registrado"]) for name in ("primer_nombre", "primer_apellido")]
        other = fold(row[f"{row['field']}_registrado"])
        if given == registered[::-1]:
            found.append((row["n"], "", "El nombre y el apellido están cambiados de lugar: intercámbielos"))
        elif OSA.distance(fold(row["value"]), other, score_cutoff=2) <= 2:  # noqa: PLR2004 a slip or two
            found.append((row["n"], "", "Difiere del registrado en una o dos letras: revise cómo se escribe"))
    return listed(found)


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
