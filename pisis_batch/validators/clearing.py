"""Which rules about persons surely object to nothing in a small file, told in plain Python: sound, not complete.

Of the persons that nothing vouches for (`trust`) most rules have nothing to say: a look at their few lines costs less
than one query, and a file with one wrong name needs one rule. `tests/test_small.py` holds the two to the same findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pisis_batch.frames import picked
from pisis_batch.model import Batch, Facts, Row
from pisis_batch.validators import identidad
from pisis_batch.validators.trust import GRANT, HELD, NAMED, WHO


@dataclass(frozen=True)
class Sight:
    """The lines about persons of a small file and what the registry says of them, each looked at once.

    users: named (type, number, name, surname), action, end of contract. profiles: grant (type, number, application,
    profile), action.
    """

    batch: Batch
    facts: Facts

    @cached_property
    def users(self) -> list[tuple[Row, str, str]]:
        """The lines of users."""
        return [(row[:4], row[4], row[5]) for row in self.batch.picked("usuario", [*NAMED, "accion", "fecha_fin"])]

    @cached_property
    def profiles(self) -> list[tuple[Row, str]]:
        """The lines of profiles."""
        return [(row[:4], row[4]) for row in self.batch.picked("perfil", [*GRANT, "accion"])]

    @cached_property
    def linking(self) -> list[Row]:
        """Who is linked."""
        return [named for named, action, _ in self.users if action == "V"]

    @cached_property
    def leaving(self) -> list[Row]:
        """Who is unlinked."""
        return [named for named, action, _ in self.users if action == "O"]

    @cached_property
    def assigned(self) -> list[Row]:
        """The grants that are assigned."""
        return [grant for grant, action in self.profiles if action == "A"]

    @cached_property
    def persons(self) -> set[Row]:
        """Whom the registry names."""
        return set(picked(self.facts, "persons", NAMED))

    @cached_property
    def registered(self) -> set[Row]:
        """The numbers of those."""
        return {named[:2] for named in self.persons}

    @cached_property
    def linked(self) -> set[Row]:
        """The numbers of those who are linked to the entity now."""
        return set(picked(self.facts, "linked", WHO))

    @cached_property
    def catalogue(self) -> dict[Row, tuple[bool, bool]]:
        """Application and profile -> whether it is enabled, and for entities such as this one, wherever it is named."""
        kind = self.facts.entity.tipo_entidad.upper() if self.facts.entity else ""
        found: dict[Row, tuple[bool, bool]] = {}
        columns = ("cod_aplicacion", "codigo", "habilitado", "tipos_entidad")
        for application, profile, enabled, kinds in picked(self.facts, "profiles", columns):
            fits = kinds == "" or (kinds is not None and kind in _kinds(kinds))
            before = found.get((application, profile), (True, True))
            found[application, profile] = before[0] and enabled is True, before[1] and fits
        return found

    @cached_property
    def applications(self) -> set[str]:
        """Those of the catalogue."""
        return {application for application, _ in self.catalogue}

    @cached_property
    def codes(self) -> set[str]:
        """The profiles of the catalogue, of whatever application."""
        return {profile for _, profile in self.catalogue}


def _kinds(listed: str) -> list[str]:
    return re.sub(r"[ \t]", "", listed).upper().replace(";", ",").split(",")


def _shaped(rows: list[Row]) -> bool:
    return all(identidad.fit(kind, number) for kind, number, *_ in rows)


def _spelt_as_registered(named: list[Row], sight: Sight) -> bool:
    """Whether names are those registered, or of nobody whom the registry names."""
    return all(one in sight.persons or one[:2] not in sight.registered for one in named)


def _spelt(sight: Sight) -> bool:
    return _spelt_as_registered(sight.linking, sight) and _unlinked(sight)


def _unlinked(sight: Sight) -> bool:
    return _spelt_as_registered(sight.leaving, sight) and all(
        one in sight.persons or one[:2] not in sight.linked for one in sight.leaving
    )


def _held(sight: Sight) -> bool:
    """Whether nobody is given another profile than the one held."""
    held, granted = set(picked(sight.facts, "grants", HELD)), set(picked(sight.facts, "grants", GRANT))
    many = len(held) < len(granted)
    return not many and all(one in granted or one[:3] not in held for one in sight.assigned)


def _withdrawn(sight: Sight) -> bool:
    held = set(picked(sight.facts, "grants", HELD))
    return all(grant[:3] in held for grant, action in sight.profiles if action == "R")


def _foreign(sight: Sight, grant: Row) -> bool:
    """Whether a profile is known, and not of the application that it is asked for in."""
    application, profile = grant[2:4]
    known = application in sight.applications and profile in sight.codes
    return known and (application, profile) not in sight.catalogue


def _joined(sight: Sight) -> bool:
    joining = sight.linked | {named[:2] for named in sight.linking}
    return all(grant[:2] in joining for grant, _ in sight.profiles)


def _staying(sight: Sight) -> bool:
    return {grant[:2] for grant, _ in sight.profiles}.isdisjoint(named[:2] for named in sight.leaving)


def _running(sight: Sight) -> bool:
    today = sight.facts.today.isoformat()
    return all(not end or end > today for _, _, end in sight.users)


_OPEN = (True, True)  # a pair that is not in the catalogue is another rule's concern
#: Code -> whether nothing in sight is of its concern.
CLEAR: Mapping[str, Callable[[Sight], bool]] = {
    "USR010": lambda sight: _shaped([named for named, _, _ in sight.users]),
    "USR020": lambda sight: all(named[:2] in sight.registered for named in sight.linking),
    "USR021": _spelt,
    "USR022": lambda sight: _spelt_as_registered(sight.linking, sight),
    "USR023": _unlinked,
    "USR030": _running,
    "USR040": lambda sight: all(named[:2] in sight.linked for named in sight.leaving),
    "PRF012": lambda sight: _shaped([grant for grant, _ in sight.profiles]),
    "PRF011": _staying,
    "PRF010": _joined,
    "PRF020": lambda sight: all(one[2] in sight.applications for one in sight.assigned),
    "PRF021": lambda sight: all(one[2] not in sight.applications or one[3] in sight.codes for one in sight.assigned),
    "PRF022": lambda sight: not any(_foreign(sight, one) for one in sight.assigned),
    "PRF023": lambda sight: all(sight.catalogue.get(one[2:4], _OPEN)[0] for one in sight.assigned),
    "PRF024": lambda sight: all(sight.catalogue.get(one[2:4], _OPEN)[1] for one in sight.assigned),
    "PRF030": _withdrawn,
    "PRF031": _held,
}


def clear(batch: Batch, facts: Facts) -> frozenset[str]:
    """The codes of the rules that need not be asked about a small file; none of a large one."""
    if batch.plain is None or batch.layout.effect.kind != "usuarios" or facts.entity is None:
        return frozenset()
    if not batch.plain["usuario"] and not batch.plain["perfil"]:
        return frozenset()
    sight = Sight(batch, facts)
    return frozenset(code for code, told in CLEAR.items() if told(sight))
