"""Commands about files that wait for approval: `runs plan`, `runs approve`, `runs reject`."""

import sys
from pathlib import Path

import click

from pisis_batch import service, wiring
from pisis_batch.cli import REJECTED, plans
from pisis_batch.cli.output import as_json, console, outcomes
from pisis_batch.ports import Ports, Receipt
from pisis_batch.settings import Settings

_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado."
)
_BY = click.option("--by", required=True, help="Usuario de quien decide (CC10000001).")


def receipt_of(ports: Ports, guid: str) -> Receipt:
    """The one receipt a GUID, or its beginning, names."""
    receipt = ports.registry.receipt(guid)
    if receipt is None:
        raise click.BadParameter(f"no hay un solo archivo con el GUID {guid}", param_hint="GUID")
    return receipt


def _login(text: str) -> str:
    try:
        return service.clean_login(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from None


def _stop(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(REJECTED)


@click.command("plan")
@click.argument("guid")
@click.option("--unmasked", is_flag=True, help="Mostrar completos los números de identificación.")
@_FORM
@click.pass_obj
def runs_plan(workspace: Path | None, guid: str, form: str, *, unmasked: bool) -> None:
    """Lo que un archivo recibido haría con el registro de hoy, sin hacerlo, y quiénes lo han aprobado."""
    ports = wiring.ports(Settings.load(workspace))
    receipt = receipt_of(ports, guid)
    outcome = service.judge_again(receipt.guid, ports).outcome
    held = ports.registry.held(receipt.guid)
    if form == "json":
        approvals = [{"by": login, "at": at.isoformat()} for login, at in held.approvals] if held else []
        waits = {"held_hash": held.plan if held else None, "approvals": approvals}
        as_json({"guid": receipt.guid, "verdict": str(outcome.verdict), **waits, **plans.as_dict(outcome, ports.brake)})
        return
    plans.show(console(), outcome, ports.brake, mask=not unmasked)
    for login, at in held.approvals if held else ():
        click.echo(f"Aprobado por {login} el {at.isoformat()[:19]}")


@click.command("approve")
@click.argument("guid")
@_BY
@_FORM
@click.pass_obj
def runs_approve(workspace: Path | None, guid: str, by: str, form: str) -> None:
    """Aprueba el plan de un archivo retenido. Con la segunda persona se aplica ese plan, y ningún otro."""
    ports = wiring.ports(Settings.load(workspace))
    receipt, login = receipt_of(ports, guid), _login(by)
    try:
        decision = service.approve(receipt.guid, login, ports)
    except service.NotHeldError as error:
        return _stop(f"El archivo no está retenido (estado: {error}): no hay nada que aprobar.")
    except service.BusyError:
        return _stop("Otro proceso trabaja con los archivos de esta entidad; inténtelo de nuevo en unos segundos.")
    if decision.kind == "applied":
        service.publish(ports)
        service.deliver(ports)
    if form == "json":
        as_json({"guid": receipt.guid, "result": decision.kind, "plan": decision.plan, "by": decision.by})
    elif decision.kind == "applied":
        click.echo(f"Aprobado por {' y '.join(decision.by)}: el plan se aplicó.")
        outcomes([decision.outcome], "text")
    elif decision.kind == "waiting":
        click.echo(f"Aprobado por {login}. Falta otra persona para aplicarlo.")
        click.echo(f"Plan {decision.plan}")
    if decision.kind == "stale":
        if form == "text":
            plans.show(console(), decision.outcome, ports.brake, mask=True)
        _stop(
            "No se aprobó: el registro cambió desde que el archivo se retuvo y el plan ya no es el mismo. Para retener "
            f"el nuevo, o terminar el archivo, use: pisis reprocess {receipt.guid} --apply"
        )
    return None


@click.command("reject")
@click.argument("guid")
@_BY
@click.option("--reason", required=True, help="Por qué; la entidad lo lee en su resultado.")
@click.pass_obj
def runs_reject(workspace: Path | None, guid: str, by: str, reason: str) -> None:
    """Rechaza un archivo retenido y le dice a la entidad por qué."""
    ports = wiring.ports(Settings.load(workspace))
    receipt, login = receipt_of(ports, guid), _login(by)
    said = " ".join(reason.split())[:200]
    if not said:
        raise click.BadParameter("escriba el motivo", param_hint="--reason")
    try:
        service.refuse(receipt.guid, login, said, ports)
    except service.NotHeldError as error:
        return _stop(f"El archivo no está retenido (estado: {error}): no hay nada que rechazar.")
    except service.BusyError:
        return _stop("Otro proceso trabaja con los archivos de esta entidad; inténtelo de nuevo en unos segundos.")
    service.publish(ports)
    service.deliver(ports)
    click.echo(f"Rechazado por {login}: nada se aplicó y la entidad fue avisada.")
    return None
