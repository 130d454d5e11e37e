"""`pisis runs undo`: writes the file that takes another one back, and shows its plan. It applies nothing."""

import sys
from pathlib import Path
from typing import Any

import click

from pisis_batch import reports, service, wiring
from pisis_batch.cli import REJECTED, plans
from pisis_batch.cli.decisions import receipt_of
from pisis_batch.cli.output import as_json, console, outcomes
from pisis_batch.model import Verdict
from pisis_batch.ports import Ports
from pisis_batch.service import Undoing
from pisis_batch.settings import Settings

SHOWN = 50
_COPIED = 4 * 1024 * 1024  # bytes at a time


@click.command("undo")
@click.argument("guid")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Carpeta donde se deja el archivo.")
@click.option("--force", is_flag=True, help="Incluir también a quienes otros archivos tocaron después.")
@click.option("--unmasked", is_flag=True, help="Mostrar completos los números de identificación.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado.")
@click.pass_obj
def runs_undo(
    workspace: Path | None, guid: str, output: Path | None, form: str, *, force: bool, unmasked: bool
) -> None:
    """Hace el archivo que compensa otro ya cargado, con fecha de corte de hoy, y muestra su plan. No aplica nada.

    El archivo se revisa y se envía como cualquiera. Quienes otros archivos tocaron después quedan por fuera.
    """
    ports = wiring.ports(Settings.load(workspace))
    receipt = receipt_of(ports, guid)
    made = service.undo(receipt.guid, ports, force=force)
    if made is None:
        click.echo("Ese archivo no cambió a ningún usuario: no hay nada que deshacer.", err=True)
        sys.exit(REJECTED)
    path = None
    if made.content:
        folder = output or Path(f"deshacer-{receipt.guid[:8]}")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / made.name
        with path.open("wb") as file:
            for start in range(0, len(made.content), _COPIED):
                file.write(made.content[start : start + _COPIED])
    if form == "json":
        as_json(_machine(made, path, ports, force=force))
    else:
        _text(made, path, ports, force=force, mask=not unmasked)
    if made.outcome is None or made.outcome.verdict is Verdict.RECHAZADO:
        sys.exit(REJECTED)


def _machine(made: Undoing, path: Path | None, ports: Ports, *, force: bool) -> dict[str, Any]:
    clashes = [
        {
            "id": f"{kind} {number}",
            "guid": cause,
            "file_name": made.later[cause].file_name if cause in made.later else None,
        }
        for kind, number, cause in made.conflicts.iter_rows()
    ]
    said: dict[str, Any] = {"path": str(path) if path else None, "conflicts": clashes, "left_out": not force}
    if made.outcome:
        said |= {"result": reports.ack(made.outcome), "plan": plans.as_dict(made.outcome, ports.brake)}
    return said


def _text(made: Undoing, path: Path | None, ports: Ports, *, force: bool, mask: bool) -> None:
    if made.conflicts.height:
        verb = "incluidas" if force else "por fuera (--force las incluye)"
        click.echo(f"Personas que otros archivos tocaron después, {verb}:")
        for kind, whole, cause in made.conflicts.head(SHOWN).iter_rows():
            later = made.later.get(cause)
            number = f"••••{whole[-4:]}" if mask else whole
            click.echo(f"  {kind} {number}  {f'{later.file_name} (GUID {cause[:8]})' if later else cause}")
        if made.conflicts.height > SHOWN:
            click.echo(f"  … y {made.conflicts.height - SHOWN} más: véalas todas con --format json")
    if made.outcome is None or path is None:
        click.echo("No queda nada que deshacer.")
        return
    outcomes([made.outcome], "text")
    plans.show(console(), made.outcome, ports.brake, mask=mask)
    click.echo(f"Archivo en {path}. Nada se aplicó: revíselo y envíelo como cualquier otro.")
