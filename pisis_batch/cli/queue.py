"""Commands about what was received: `runs list`, `runs show`, and the decisions on held files."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pisis_batch import wiring
from pisis_batch.cli.decisions import receipt_of, runs_approve, runs_plan, runs_reject
from pisis_batch.cli.differences import runs_diff
from pisis_batch.cli.output import FORMAT, as_json, console, csv
from pisis_batch.cli.undo import runs_undo
from pisis_batch.model import FINDINGS, Findings, Id, Verdict
from pisis_batch.ports import Ports
from pisis_batch.settings import Settings


@click.group()
def runs() -> None:
    """Los archivos recibidos, su estado y sus hallazgos."""


@runs.command("list")
@click.option("--verdict", type=click.Choice([str(verdict) for verdict in Verdict]))
@click.option("--entity", help="NI:900123456")
@click.option("--code", help="Código de un hallazgo.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--limit", type=int, default=50, show_default=True)
@FORMAT
@click.pass_obj
def runs_list(
    workspace: Path | None,
    verdict: str | None,
    entity: str | None,
    code: str | None,
    since: datetime | None,
    limit: int,
    form: str,
) -> None:
    """Los últimos archivos recibidos."""
    ports = wiring.ports(Settings.load(workspace))
    who = Id.parse(entity) if entity else None
    found = ports.registry.runs(
        verdict=verdict, entity=who, code=code, since=since.date() if since else None, limit=limit
    )
    if form == "json":
        as_json(found)
        return
    if form == "csv":
        click.echo("guid,received_at,state,verdict,errors,file_name")
        for run in found:
            cells = (
                run["guid"],
                run["received_at"],
                run["state"],
                run["verdict"] or "",
                run["errors"],
                run["file_name"],
            )
            click.echo(",".join(map(str, cells)))
        return
    for run in found:
        mails = ", ".join(f"{state} {many}" for state, many in run["mails"].items()) or "sin correos"
        click.echo(
            f"{run['guid'][:8]}  {run['received_at'][:19]}  {run['verdict'] or run['state']}  {run['file_name']}"
        )
        click.echo(f"          {run['errors']} errores; correos: {mails}")


@runs.command("show")
@click.argument("guid")
@FORMAT
@click.pass_obj
def runs_show(workspace: Path | None, guid: str, form: str) -> None:
    """Un archivo con todos sus hallazgos. GUID puede ser su comienzo."""
    ports = wiring.ports(Settings.load(workspace))
    receipt = receipt_of(ports, guid)
    run = next(one for one in ports.registry.runs(limit=None) if one["guid"] == receipt.guid)
    findings = Findings(ports.registry.findings(receipt.guid))
    if form == "json":
        as_json(
            {
                **run,
                "findings": [
                    {name: getattr(f, name) for name in (*FINDINGS.names()[:-1], "details")} for f in findings
                ],
            }
        )
        return
    if form == "csv":
        click.echo(csv(findings.frame), nl=False)
        return
    _shown(run, findings, ports)
    if held := ports.registry.held(receipt.guid):
        who = " y ".join(login for login, _ in held.approvals) or "nadie todavía"
        click.echo(f"Espera a que dos personas lo aprueben; aprobado por {who}. Plan {held.plan}")
        click.echo(f"Vea a quiénes afecta con «pisis runs plan {receipt.guid[:8]}»")


_LABELS = {
    "guid": "GUID",
    "file_name": "Archivo",
    "sender": "Remitente",
    "received_at": "Recibido",
    "state": "Estado",
    "verdict": "Veredicto",
    "entity": "Entidad",
    "ruleset": "Reglas",
}


def _shown(run: dict[str, Any], findings: Findings, ports: Ports) -> None:
    from pisis_batch import validators

    out = console()
    for key, label in _LABELS.items():
        out.print(f"{label}: {run[key]}", markup=False)
    told = validators.described(findings, ports.shelf.find(run["file_name"]), mask=True)
    for row in told.iter_rows(named=True):
        out.print(f"{row['line'] or '-'}  {row['code']}  {row['message']}", markup=False)


for _command in (runs_diff, runs_plan, runs_approve, runs_reject, runs_undo):
    runs.add_command(_command)
