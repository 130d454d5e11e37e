"""What the registry is asked for a file, and what it answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pisis_batch.frames import Columns, height, no_rows, picked, pl, texts
from pisis_batch.model.received import Id

#: What tells a person apart.
PERSON = texts("tipo_id", "num_id")


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What the registry must tell before a file can be judged. `people`: columns of PERSON (distinct).

    `period` and `within` as in Batch, for a file that replaces what is stored of its period; else empty.
    `keys`: per record whose lines act on stored ones, the columns of its key (distinct). `index`: whether the answer
    is to have an index of everybody. `only_people`: nothing is wanted but what the registry holds of `people`.
    """

    annex: str
    entity: Id | None
    sender: str | None
    sha256: str
    people: pl.DataFrame = no_rows(PERSON)
    received_at: datetime
    guid: str
    period: str = ""
    within: str = ""
    keys: Mapping[str, pl.DataFrame] = dataclasses.field(default_factory=dict)
    index: bool = False
    only_people: bool = False


@dataclass(frozen=True, slots=True)
class RegisteredEntity:
    """An entity as the registry knows it."""

    id: Id
    razon_social: str
    tipo_entidad: str
    municipio: str
    correo_institucional: str
    correo_confirmado: bool
    representante: Id | None
    contacto: Id | None
    activa: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """Who dropped the file; the login is empty when nobody did.

    `registered`: a user of some entity, or a representative or contact (A3.7). `entitled`: linked to the entity of the
    file, or its representative or contact. `email`: a confirmed address, or None.
    """

    login: str
    registered: bool
    entitled: bool
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier receipt of the same bytes that was loaded."""

    guid: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored now of the same annex, entity and period: by which receipt, and how many detail records."""

    guid: str
    received_at: datetime
    rows: int
    later: bool = False  # received after the file that is judged


_FEW = 1_000  # persons among whom polars takes longer to find one than a look at each


#: Rows of `Facts`; every column is text unless said otherwise.
PERSONS = PERSON | texts("primer_nombre", "primer_apellido")


LINKED = PERSONS | texts("telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo")


GRANTS = texts("tipo_id", "num_id", "aplicacion", "perfil")


_SPAN = texts("valid_from", "valid_to", "from_guid", "to_guid")


#: Rows of `Traces`: what held from when to when, and the receipts that began and ended it.
LINK_HISTORY = LINKED | _SPAN


GRANT_HISTORY = GRANTS | _SPAN


PROFILES = texts("codigo", "nombre", "cod_aplicacion", "nombre_aplicacion", "tipos_entidad") | Columns(
    habilitado="Boolean"
)


PERIODS = Columns(inicio="Date", corte="Date", reporte_desde="Date", reporte_hasta="Date")


@dataclass(frozen=True, slots=True)
class Index:
    """Everybody in the registry in 64-bit numbers (`fingerprints`): numpy arrays of uint64, each sorted.

    persons: well-formed numbers with their names, in Mi Seguridad Social. The rest are of one entity, now: linked
    persons, person and application of each grant (held), and the grant itself (granted).
    """

    persons: Any
    linked: Any = None
    held: Any = None
    granted: Any = None


@dataclass(frozen=True)
class Facts:
    """The registry's answer: `today` is the day of reception in Bogotá; frames hold only what the questions asked.

    persons: the asked people found in Mi Seguridad Social. linked: the asked people linked now to the entity.
    roster: everybody linked to it, up to some thousands, to tell a slip in a number from a stranger; no rule asks it.
    grants: profiles they hold there now. profiles: the whole catalogue. periods: the annex's calendar.
    kept: what a file that replaces its period would replace. stored: per record, the asked keys that are stored now.
    users: how many are linked to the entity now, named by the file or not. revision: of all this. index: of everybody,
    when asked for.
    `sender` None means the sender is not judged (a check without one).
    """

    today: date
    entity: RegisteredEntity | None = None
    sender: Sender | None = None
    earlier: Earlier | None = None
    persons: pl.DataFrame = no_rows(PERSONS)
    linked: pl.DataFrame = no_rows(LINKED)
    roster: pl.DataFrame = no_rows(PERSONS)
    grants: pl.DataFrame = no_rows(GRANTS)
    profiles: pl.DataFrame = no_rows(PROFILES)
    periods: pl.DataFrame = no_rows(PERIODS)
    kept: Kept | None = None
    stored: Mapping[str, pl.DataFrame] = dataclasses.field(default_factory=dict)
    users: int = 0
    revision: str = ""
    index: Index | None = None
    _people: dict[Id, dict[str, Any] | None] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def person(self, id_: Id) -> dict[str, Any] | None:
        """A person among `persons`, as a row."""
        if id_ not in self._people:
            names = PERSONS.names()
            if height(self, "persons") > _FEW:
                same = (pl.col("tipo_id") == id_.type) & (pl.col("num_id") == id_.number)
                found = self.persons.filter(same).select(names).rows()
            else:
                found = picked(self, "persons", names)
            own = (dict(zip(names, row, strict=True)) for row in found if row[:2] == id_)
            self._people[id_] = next(own, None)
        return self._people[id_]


@dataclass(frozen=True, slots=True)
class Traces:
    """What the receipt `guid` did at its entity: the whole history there of everybody whom it touched."""

    guid: str
    entity: Id
    links: pl.DataFrame
    grants: pl.DataFrame
