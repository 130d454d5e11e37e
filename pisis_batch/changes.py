"""An accepted batch to the changes it causes, compared with what the registry already holds.

Only differences are changes: the same file judged again plans nothing. Frames in, frames out (see `model.Changes`);
of a small file, rows.
"""

from __future__ import annotations

from typing import Any

from pisis_batch.frames import picked, pl
from pisis_batch.layouts import DefaultProfile
from pisis_batch.model import LINKED, Batch, Changes, Facts

WHO = ["tipo_id", "num_id"]
HELD = [*WHO, "aplicacion"]
GRANT = ["line", *HELD, "perfil"]


def plan(batch: Batch, facts: Facts) -> Changes:
    """What the file does to the registry, by the layout's effect."""
    effect = batch.layout.effect
    if effect.kind == "registros":
        return Changes(stored=_stored(batch))
    if effect.kind != "usuarios" or effect.default_profile is None:
        return Changes()
    if batch.plain is not None:
        return _few(batch, facts, effect.default_profile)
    users, profiles = batch["usuario"], batch["perfil"]
    reported = users.filter(pl.col("accion") == "V").select("line", *LINKED)
    linked = _without(reported, facts.linked, WHO)
    held = reported if linked.is_empty() else reported.join(linked.select(WHO), on=WHO, how="anti")
    updated = _without(held, facts.linked, list(LINKED))
    unlinked = users.filter(pl.col("accion") == "O").select("line", *WHO, "primer_nombre", "primer_apellido")
    return Changes(
        linked=linked,
        updated=updated,
        unlinked=unlinked,
        assigned=_assigned(profiles, linked, facts, effect.default_profile),
        withdrawn=_withdrawn(profiles, unlinked, facts),
    )


def _few(batch: Batch, facts: Facts, default: DefaultProfile) -> Changes:
    """The same of a small file, one line after another."""
    users = batch.picked("usuario", ["line", *LINKED, "accion"])
    asked = batch.picked("perfil", [*GRANT, "accion"])
    known, same = set(picked(facts, "linked", WHO)), set(picked(facts, "linked", LINKED.names()))
    reported = [row[:-1] for row in users if row[-1] == "V"]
    linked = [row for row in reported if row[1:3] not in known]
    unlinked = [row[:5] for row in users if row[-1] == "O"]
    grants = picked(facts, "grants", [*HELD, "perfil"])
    granted = set(grants)
    assigned = [row[:5] for row in asked if row[-1] == "A" and row[1:5] not in granted]
    given = {row[1:3] for row in assigned if row[3] == default.application}
    assigned += [(*row[:3], default.application, default.profile) for row in linked if row[1:3] not in given]
    dropped = [(row[0], *one) for row in asked if row[-1] == "R" for one in grants if one[:3] == row[1:4]]
    dropped += [(row[0], *one) for row in unlinked for one in grants if one[:2] == row[1:3]]
    updated = [row for row in reported if row[1:3] in known and row[1:] not in same]
    planned: dict[str, Any] = {"linked": linked, "updated": updated, "unlinked": unlinked}  # rows stand for frames
    planned |= {"assigned": assigned, "withdrawn": dropped}
    return Changes(**planned)


def _assigned(profiles: pl.DataFrame, linked: pl.DataFrame, facts: Facts, default: DefaultProfile) -> pl.DataFrame:
    """Asked assignments that are not held already, and the default profile of every new user (ficha 1.6)."""
    asked = _without(profiles.filter(pl.col("accion") == "A").select(GRANT), facts.grants, [*HELD, "perfil"])
    given = linked.select("line", *WHO, aplicacion=pl.lit(default.application), perfil=pl.lit(default.profile))
    return pl.concat([asked, _without(given, asked.filter(pl.col("aplicacion") == default.application), HELD)])


def _without(rows: pl.DataFrame, others: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The rows whose key is not among the others'."""
    if rows.is_empty() or others.is_empty():
        return rows
    return rows.join(others, on=keys, how="anti", nulls_equal=True)


def _withdrawn(profiles: pl.DataFrame, unlinked: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Asked withdrawals of profiles that are held, and everything held by whoever is unlinked (Q8)."""
    if facts.grants.is_empty():
        return Changes().withdrawn
    asked = profiles.filter(pl.col("accion") == "R").select("line", *HELD).join(facts.grants, on=HELD)
    dropped = unlinked.select("line", *WHO).join(facts.grants, on=WHO)
    return pl.concat([asked.select(GRANT), dropped.select(GRANT)])


def _stored(batch: Batch) -> pl.DataFrame:
    """The detail lines that are kept, and what each does to an earlier record of its key."""
    found = [Changes().stored]
    for record in batch.layout.details:
        acts = record.action.values if record.action else {}
        act = (
            pl.col(record.action.field).replace_strict(acts, default="insertar")
            if record.action
            else pl.lit("insertar")
        )
        rows = batch[record.name].select("line", record=pl.lit(record.name), accion=act.cast(pl.String))
        found.append(rows.filter(pl.col("accion") != "ninguna"))
    return pl.concat(found)
