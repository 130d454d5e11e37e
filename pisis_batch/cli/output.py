"""Results in the terminal: tables that fit 60 columns, JSON and CSV for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pisis_batch import validators
from pisis_batch.frames import pl
from pisis_batch.model import Brake, Outcome, Verdict

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 50
_COLOURS = {
    Verdict.CARGADO: "green",
    Verdict.RECHAZADO: "red",
    Verdict.SIN_CAMBIOS: "blue",
    Verdict.RETENIDO: "yellow",
}
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="Forma del resultado.",
)


def csv(frame: pl.DataFrame) -> str:
    """A frame as CSV that a terminal may show: what is no sign, or turns the text round, becomes a mark."""
    return frame.with_columns(pl.col(pl.String).str.replace_all(r"[\p{Cc}\p{Cf}]", "\ufffd")).write_csv()


def console(*, stderr: bool = False) -> Console:
    """A console that respects NO_COLOR and, without a terminal, COLUMNS."""
    from rich.console import Console

    width = None if (sys.stderr if stderr else sys.stdout).isatty() else int(os.environ.get("COLUMNS", "100"))
    return Console(stderr=stderr, width=width, highlight=False)


def as_json(value: Any) -> None:
    """Print JSON for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def outcomes(
    found: Sequence[Outcome],
    form: str,
    *,
    unmasked: bool = False,
    language: str = "es",
    brake: Brake | None = None,
    plan: bool = False,
) -> None:
    """Print verdicts: one object or a list as JSON, all findings as CSV, or a reading text.

    With a brake, what the service would hold is said; with `plan`, every effect by name.
    """
    if form == "json":
        acks = [_machine(outcome, brake, plan=plan) for outcome in found]
        as_json(acks[0] if len(acks) == 1 else acks)
    elif form == "csv":
        frames = [_flat(outcome, language) for outcome in found]
        click.echo(csv(pl.concat(frames)) if frames else "", nl=False)
    else:
        for outcome in found:
            _text(outcome, mask=not unmasked, language=language)
            if brake or outcome.verdict is Verdict.RETENIDO:
                _planned(outcome, brake, plan=plan, mask=not unmasked)


def _planned(outcome: Outcome, brake: Brake | None, *, plan: bool, mask: bool) -> None:
    """What a file would do, and whether it would wait."""
    from pisis_batch import effects
    from pisis_batch.cli import plans

    if plan and brake:
        plans.show(console(), outcome, brake, mask=mask)
    elif outcome.verdict is Verdict.RETENIDO or (brake and effects.holds(outcome, brake)):
        plans.held_note(console(), effects.plan(outcome, Brake()))


def _machine(outcome: Outcome, brake: Brake | None, *, plan: bool) -> dict[str, Any]:
    """The ack; a held file has none yet and says its state. A check adds its plan when asked."""
    from pisis_batch import reports

    said = reports.ack(outcome)
    if outcome.verdict is Verdict.RETENIDO:
        said = {**said, "verdict": None, "state": "retenido"}
    if not (plan and brake):
        return said
    from pisis_batch.cli import plans

    return {**said, "plan": plans.as_dict(outcome, brake)}


def _flat(outcome: Outcome, language: str) -> pl.DataFrame:
    lang: Any = language
    told = validators.described(outcome.findings, outcome.examined.layout, language=lang)
    columns = ("code", "severity", "stage", "line", "record", "field_no", "field", "value", "message")
    return told.select(pl.lit(outcome.received.name).alias("file_name"), *columns)


def _text(outcome: Outcome, *, mask: bool, language: str) -> None:
    said = outcome.verdict.upper()
    if outcome.facts is None and outcome.verdict is Verdict.CARGADO:
        said = "ESTRUCTURA CORRECTA"  # nobody asked the registry: more cannot be said
    plain = False if os.environ.get("NO_COLOR") else None
    click.echo(f"{click.style(said, fg=_COLOURS[outcome.verdict], bold=True)}  {outcome.received.name}", color=plain)
    counts = outcome.counts
    click.echo(
        f"leídos {_number(counts.read)} = correctos {_number(counts.correct)} + con error "
        f"{_number(counts.with_errors)}; advertencias {_number(counts.warnings)}",
    )
    for kind, times in outcome.changes.counts().items():
        if times:
            click.echo(f"  {_CHANGES[kind]}: {_number(times)}")
    if len(outcome.findings):
        _findings(outcome, mask=mask, language=language)


def _number(value: int) -> str:
    """`reports.page.number`, without loading the reports for a file that has nothing to be told."""
    return f"{value:,}".replace(",", ".")


def _findings(outcome: Outcome, *, mask: bool, language: str) -> None:
    """The causes, then the findings one by one."""
    from pisis_batch.causes import diagnose
    from pisis_batch.reports.page import causes

    out = console()
    out.print()
    if headline := diagnose(outcome).headline:
        out.print(f"{headline}:", style="bold")
    for cause in causes(outcome):
        style = "red" if cause.severity == "error" else "yellow"
        out.print(f"[{style}]{cause.kind}[/] [bold]{cause.title}[/] ({cause.code}): {cause.many}, {cause.where}")
        if cause.key not in validators.RULES:  # a root cause has its own story; a code's is in its findings
            out.print(f"  {cause.why}", markup=False)
        out.print(f"  Qué hacer: {cause.remedy}", style="dim")
    out.print()
    _table(outcome, out, mask=mask, language=language)


_CHANGES = {
    "linked": "vinculados",
    "updated": "actualizados",
    "unlinked": "desvinculados",
    "assigned": "perfiles asignados",
    "withdrawn": "perfiles retirados",
    "stored": "registros almacenados",
}


def _table(outcome: Outcome, out: Console, *, mask: bool, language: str) -> None:
    lang: Any = language
    first = type(outcome.findings)(outcome.findings.frame.head(SHOWN))
    told = validators.described(first, outcome.examined.layout, language=lang, mask=mask)
    from rich.table import Table

    from pisis_batch.reports.page import many
    from pisis_batch.suggestions import suggested

    told = suggested(told, outcome, mask=mask)

    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for title, options in (("línea", {"justify": "right"}), ("código", {"no_wrap": True}), ("hallazgo", {})):
        table.add_column(title, **options)
    for row in told.iter_rows(named=True):
        place = str(row["line"]) if row["line"] is not None else "-"
        # suggestions are in Spanish only
        hint = f"[dim] {_escaped(row['suggestion'])}[/]" if row["suggestion"] and lang == "es" else ""
        table.add_row(place, row["code"], _escaped(row["message"]) + ("." if hint else "") + hint)
    out.print(table)
    hidden = len(outcome.findings) - SHOWN
    if hidden > 0:
        out.print(f"… y {many(hidden, 'hallazgo más', 'hallazgos más')}: véalos todos con --format csv")


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
