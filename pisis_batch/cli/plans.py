"""The plan of a file in the terminal: whom it links, updates, unlinks and leaves, with the hash that is approved."""

from typing import TYPE_CHECKING, Any

import polars as pl

from pisis_batch import effects, validators
from pisis_batch.model import KINDS, Brake, Outcome, Verdict
from pisis_batch.reports.page import many, number

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 50
TITLES = {
    "unlinked": "Se desvinculan",
    "linked": "Se vinculan",
    "updated": "Se actualizan",
    "assigned": "Se asignan perfiles",
    "withdrawn": "Se retiran perfiles",
    "unchanged": "Quedan como están",
}


def as_dict(outcome: Outcome, brake: Brake) -> dict[str, Any]:
    """A plan for programs: hash, entity's users, whether it would be held, and every row.

    Of a very large file that was only counted there is no hash, `listed` is false and no row is told.
    """
    plan = effects.plan(outcome, brake)
    rows = {name: getattr(plan.changes, name).to_dicts() for name in KINDS}
    return {
        "hash": plan.hash or None,
        "listed": bool(plan.hash),
        "users": plan.users,
        "held": plan.held,
        "counts": {**plan.changes.counts(), "unchanged": plan.unchanged.height},
        **rows,
        "unchanged": plan.unchanged.to_dicts(),
    }


def show(out: "Console", outcome: Outcome, brake: Brake, *, mask: bool) -> None:
    """A plan for people: who, by line, identification numbers masked on request."""
    if outcome.verdict in {Verdict.RECHAZADO, Verdict.SIN_CAMBIOS}:
        out.print("Plan: el archivo no cambia nada del registro.")
        return
    plan = effects.plan(outcome, brake)
    out.print(f"Plan {plan.hash}" if plan.hash else "Plan (por su tamaño, solo las cantidades)", soft_wrap=True)
    out.print(f"La entidad tiene hoy {many(plan.users, 'usuario', 'usuarios')}.")
    for kind, title in TITLES.items():
        rows = plan.unchanged if kind == "unchanged" else getattr(plan.changes, kind)
        _kind(out, title, rows, plan.changes.passed.get(kind, 0), mask=mask)
    if plan.held:
        held_note(out, plan)


def held_note(out: "Console", plan: effects.Plan) -> None:
    """Why the file would wait."""
    leaving = number(plan.changes.counts()["unlinked"])
    out.print(
        f"[yellow]En espera[/]: desvincula a {leaving} de {many(plan.users, 'usuario', 'usuarios')}; se aplica "
        "cuando dos personas lo aprueben."
    )


def _kind(out: "Console", title: str, rows: pl.DataFrame, passed: int, *, mask: bool) -> None:
    if rows.height + passed == 0:
        return
    out.print(f"[bold]{title}[/]: {number(rows.height + passed)}")
    shown = rows.head(SHOWN)
    if mask:
        shown = shown.with_columns(num_id=validators.masked(pl.col("num_id")))
    for row in shown.iter_rows(named=True):
        name = " ".join(filter(None, (row.get("primer_nombre"), row.get("primer_apellido"))))
        what = (
            f"{row['aplicacion']}/{row['perfil']}"
            if "perfil" in row
            else ", ".join(filter(None, (name, row.get("cargo"))))
        )
        out.print(f"  línea {row['line']}  {row['tipo_id']} {row['num_id']}  {what}", markup=False, soft_wrap=True)
    if rows.height > SHOWN:
        out.print(f"  … y {number(rows.height - SHOWN)} más: véalos todos con --format json")
