"""Files judged again with the registry of today."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pisis_batch import service, settings, wiring
from pisis_batch.cli import REJECTED
from pisis_batch.cli.actor import ACTOR
from pisis_batch.cli.output import as_json
from pisis_batch.cli.shelves import LAYOUTS
from pisis_batch.model import Id, Verdict
from pisis_batch.ports import Ports


@click.command()
@click.argument("guids", nargs=-1)
@click.option("--rejected", is_flag=True, help="Todos los rechazados.")
@click.option("--entity", help="Solo los de una entidad (NI:900123456).")
@click.option("--code", help="Solo los que tienen un hallazgo con este código.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Solo los recibidos desde este día.")
@click.option("--apply", "applied", is_flag=True, help="Hacerlo de verdad: aplicar, publicar y responder.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado.")
@ACTOR
@LAYOUTS
@click.pass_obj
def reprocess(
    workspace: Path | None,
    guids: tuple[str, ...],
    entity: str | None,
    code: str | None,
    since: datetime | None,
    form: str,
    actor: str,
    *,
    rejected: bool,
    applied: bool,
) -> None:
    """Juzga de nuevo originales archivados con el registro de hoy. Sin --apply solo dice qué veredictos cambiarían."""
    if not (guids or rejected or entity or code or since):
        raise click.UsageError("diga qué reprocesar: un GUID, --rejected, --entity, --code o --since")
    ports = wiring.ports(settings.load(workspace))
    chosen = _chosen(ports, guids, rejected=rejected, entity=entity, code=code, since=since)
    told: list[dict[str, Any]] = []
    lost: list[str] = []
    with click.progressbar(chosen, file=sys.stderr, hidden=not sys.stderr.isatty()) as listed:
        for run in listed:
            try:
                outcome = service.reprocess(run["guid"], ports, apply=applied, by=actor)
            except KeyError:
                lost.append(run["guid"])
                continue
            told.append(
                {
                    "guid": run["guid"],
                    "file_name": run["file_name"],
                    "before": run["verdict"],
                    "after": str(outcome.verdict),
                }
            )
    if applied:
        service.publish(ports)
        service.deliver(ports)
    if form == "json":
        as_json(told)
    else:
        _flips(told, applied=applied)
    for guid in lost:
        click.echo(f"{guid}: su original ya se borró, no se puede juzgar de nuevo", err=True)
    if lost or any(row["after"] == Verdict.RECHAZADO for row in told):
        sys.exit(REJECTED)


def _chosen(
    ports: Ports,
    guids: tuple[str, ...],
    *,
    rejected: bool,
    entity: str | None,
    code: str | None,
    since: datetime | None,
) -> list[dict[str, Any]]:
    try:
        who = Id.parse(entity) if entity else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--entity") from None
    verdict = str(Verdict.RECHAZADO) if rejected or not guids else None
    found = ports.registry.runs(
        verdict=verdict, entity=who, code=code, since=since.date() if since else None, limit=None
    )
    for guid in guids:
        if not any(run["guid"].startswith(guid.lower()) for run in found):
            raise click.BadParameter(f"no hay un archivo con el GUID {guid}", param_hint="GUID")
    wanted = [run for run in found if not guids or any(run["guid"].startswith(guid.lower()) for guid in guids)]
    return list(reversed(wanted))  # in order of arrival


def _flips(told: list[dict[str, Any]], *, applied: bool) -> None:
    flips = [row for row in told if row["before"] != row["after"]]
    for row in told:
        mark = "→" if row["before"] != row["after"] else "="
        click.echo(f"{row['guid'][:8]}  {row['before']} {mark} {row['after']}  {row['file_name']}")
    verb = "cambió" if applied else "cambiaría"
    click.echo(f"{len(told)} revisados; {verb} el veredicto de {len(flips)}.")
    if flips and not applied:
        click.echo("Nada se aplicó: repita la orden con --apply para hacerlo.")
