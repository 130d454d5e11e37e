"""The command about messages: `deliver`, which sends what waits or tells of the queue."""

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from pisis_batch import service, wiring
from pisis_batch.cli import FAULT
from pisis_batch.cli.output import as_json
from pisis_batch.ports import Letters, Refusal
from pisis_batch.settings import Settings

_LATE = timedelta(hours=1)


@click.command()
@click.option("--status", is_flag=True, help="No enviar: decir qué espera, desde cuándo, por qué, y qué fue rechazado.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado.")
@click.pass_obj
def deliver(workspace: Path | None, form: str, *, status: bool) -> None:
    """Envía los correos que esperan.

    Con --status termina en 3 si el más antiguo espera hace más de una hora; lo que nunca caduca se sigue intentando.
    """
    ports = wiring.ports(Settings.load(workspace))
    if status:
        letters = ports.registry.letters()
        waits = ports.clock() - letters.oldest if letters.oldest else timedelta()
        if form == "json":
            as_json(
                asdict(letters) | {"refusals": [asdict(one) | {"recipient": _masked(one)} for one in letters.refusals]}
            )
        else:
            _tell(letters, waits)
        if waits > _LATE:
            sys.exit(FAULT)
        return
    sent, failed = service.deliver(ports)
    click.echo(f"Enviados {sent}; por reintentar {failed}.")
    if failed:
        sys.exit(FAULT)


def _tell(letters: Letters, waits: timedelta) -> None:
    for state in ("en cola", "reintento", "enviado", "en resumen", "rechazado"):
        click.echo(f"{state}: {letters.states.get(state, 0)}")
    if letters.oldest:
        due = letters.soonest.isoformat(timespec="minutes") if letters.soonest else "-"
        click.echo(f"El más antiguo espera hace {waits.total_seconds() / 60:.0f} minutos; el próximo intento es {due}.")
    for reason, many in letters.reasons.items():
        click.echo(f"  por reintentar {many}: {service.readable(reason)}")
    for one in letters.refusals:
        click.echo(f"  {one.guid[:8]} {one.kind} a {_masked(one)}: {service.readable(one.reason)}")
    if letters.refusals:
        click.echo("Lo rechazado no se vuelve a intentar: corrija la dirección en el registro y reprocese el archivo.")


def _masked(one: Refusal) -> str:
    """An address as operations need it: its server and no more of its owner than a letter."""
    name, _, server = one.recipient.rpartition("@")
    return service.readable(f"{name[:1]}***@{server}")
