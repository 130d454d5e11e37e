"""Whom the content rules about persons have nothing to say of, told at a glance: sound, not complete.

Users and profiles are judged person by person: a rule of reach `person` joins lines by type and number of
identification and by nothing else. So whoever has only lines that are trusted here can be left out, and the rules find
the same in what is left (`tests/test_trust.py` holds them to it). A line is trusted when it repeats the registry: the
registered name to the letter, a link or a grant where there must be one, a profile that is enabled for the entity.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import date

from pisis_batch.frames import picked, pl
from pisis_batch.model import Batch, Facts, Row, Rows
from pisis_batch.validators.identidad import WELL_FORMED
from pisis_batch.validators.perfiles import permitted

WHO = ["tipo_id", "num_id"]
NAMED = [*WHO, "primer_nombre", "primer_apellido"]
HELD = [*WHO, "aplicacion"]
GRANT = [*HELD, "perfil"]
_WELL_FORMED = re.compile(WELL_FORMED)


def doubtful(batch: Batch, facts: Facts) -> Batch:
    """The same file with nobody in it but the persons that the rules must look at."""
    if batch.layout.effect.kind != "usuarios" or facts.entity is None:
        return batch
    if batch.plain is not None:
        return _few_doubtful(batch, facts)
    users, profiles = batch["usuario"], batch["perfil"]
    linked, held = _keys(facts.linked, WHO), _keys(facts.grants, HELD)
    if len(set(held)) < len(held):
        return batch
    wrong = [_who(users.filter(~_user(_keys(facts.persons, NAMED), linked, facts.today)))]
    if not profiles.is_empty():
        by_action = users.select("accion", key(WHO)).rows()
        leaving = [who for action, who in by_action if action == "O"]
        holders = [*linked, *(who for action, who in by_action if action == "V")]
        fine = _profile(holders, leaving, held, _keys(facts.grants, GRANT), enabled(facts))
        wrong.append(_who(profiles.filter(~fine)))
    whom = {who for listed in wrong for who in listed}
    records = {
        name: _only(frame, whom) if name in {"usuario", "perfil"} else frame for name, frame in batch.records.items()
    }
    return dataclasses.replace(batch, records=records)


def _few_doubtful(batch: Batch, facts: Facts) -> Batch:
    """The same for a small file, one line after another."""
    today = facts.today.isoformat()
    persons, linked = set(picked(facts, "persons", NAMED)), set(picked(facts, "linked", WHO))
    held = picked(facts, "grants", HELD)
    if len(set(held)) < len(held):
        return batch
    acting: dict[str, set[Row]] = {"V": set(), "O": set()}
    whom: set[Row] = set()
    users = batch.picked("usuario", [*NAMED, "accion", "fecha_fin"])
    for *named, action, end in users:
        who = named[0], named[1]
        acting.setdefault(action, set()).add(who)
        right = (action == "V" and (not end or end > today)) or (action == "O" and who in linked)
        if not (right and tuple(named) in persons and _well_formed(who)):
            whom.add(who)
    profiles = batch.picked("perfil", [*GRANT, "accion"])
    if profiles:
        whom |= _doubtful_holders(profiles, facts, (linked | acting["V"]) - acting["O"])
    own = {"usuario": users, "perfil": profiles}
    left = {
        name: [row for row, cells in zip(rows, own[name], strict=True) if cells[:2] in whom] if name in own else rows
        for name, rows in (batch.plain or {}).items()
    }
    return dataclasses.replace(batch, records=Rows(left, batch.layout))


def _doubtful_holders(rows: list[Row], facts: Facts, staying: set[Row]) -> set[Row]:
    """Whose profile lines (a grant and an action each) ask for what may not be granted or is not held."""
    held, granted = set(picked(facts, "grants", HELD)), set(picked(facts, "grants", GRANT))
    fine = _grantable(facts, {row[2:4] for row in rows})
    doubted = set()
    for row in rows:
        who, holding, action = row[:2], row[:3] in held, row[4]
        new = row[2:4] in fine and (not holding or row[:4] in granted)
        right = (action == "A" and new) or (action == "R" and holding)
        if not (right and who in staying and _well_formed(who)):
            doubted.add(who)
    return doubted


def _grantable(facts: Facts, asked: set[Row]) -> set[Row]:
    """Of some pairs of application and profile those of `enabled`."""
    kind = facts.entity.tipo_entidad.upper() if facts.entity else ""
    fine: set[Row] = set()
    refused: set[Row] = set()
    columns = ("cod_aplicacion", "codigo", "habilitado", "tipos_entidad")
    for application, profile, enabled_, kinds in picked(facts, "profiles", columns):
        if (application, profile) in asked:
            listed = kinds is not None and kind in kinds.upper().replace(" ", "").replace(";", ",").split(",")
            (fine if enabled_ and (kinds == "" or listed) else refused).add((application, profile))
    return fine - refused


def _well_formed(who: Row) -> bool:
    return _WELL_FORMED.fullmatch("|".join(who)) is not None


def key(names: list[str]) -> pl.Expr:
    """Several cells as one text; cells hold no pipe."""
    return pl.concat_str(names, separator="|")


def _keys(frame: pl.DataFrame, names: list[str]) -> list[str]:
    return frame.select(key(names)).to_series().to_list() if frame.height else []


def _who(frame: pl.DataFrame) -> list[str]:
    return _keys(frame, WHO)


def _only(frame: pl.DataFrame, whom: set[str]) -> pl.DataFrame:
    return frame.filter(key(WHO).is_in(list(whom))) if whom else frame.clear()


def _user(named: list[str], linked: list[str], today: date) -> pl.Expr:
    """Whether a user's line repeats the registry."""
    over = (pl.col("fecha_fin") != "") & (pl.col("fecha_fin") <= today.isoformat())
    joins = (pl.col("accion") == "V") & ~over
    leaves = (pl.col("accion") == "O") & key(WHO).is_in(linked)
    return key(WHO).str.contains(WELL_FORMED) & key(NAMED).is_in(named) & (joins | leaves)


def _profile(
    holders: list[str], leaving: list[str], held: list[str], granted: list[str], enabled: list[str]
) -> pl.Expr:
    """Whether a profile's line asks for what may be granted or is held."""
    who, has = key(WHO), key(HELD).is_in(held)
    stays = who.str.contains(WELL_FORMED) & who.is_in(holders) & ~who.is_in(leaving)
    new = key(["aplicacion", "perfil"]).is_in(enabled) & (~has | key(GRANT).is_in(granted))
    return stays & (((pl.col("accion") == "A") & new) | ((pl.col("accion") == "R") & has))


def enabled(facts: Facts) -> list[str]:
    """Pairs of application and profile that this entity's users may hold."""
    kind = facts.entity.tipo_entidad if facts.entity else ""
    pairs = facts.profiles.select(
        pair=key(["cod_aplicacion", "codigo"]), fine=pl.col("habilitado") & permitted(kind)
    ).rows()
    refused = {pair for pair, fine in pairs if not fine}
    return [pair for pair, fine in pairs if fine and pair not in refused]
