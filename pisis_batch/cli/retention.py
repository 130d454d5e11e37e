"""Commands about what is no longer kept: `retention`, `erase class`, `erase person`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pisis_batch.cli import REJECTED
from pisis_batch.cli.output import as_json
from pisis_batch.model import Id
from pisis_batch.ports import KINDS, Ports, UnavailableError
from pisis_batch.settings import Settings

_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado."
)
_APPLY = click.option("--apply", "applied", is_flag=True, help="Borrar de verdad. Sin ella solo se dice cuánto.")
_BY = click.option("--by", required=True, help="Usuario de quien decide (CC10000001).")
_ENDS = {
    "originales": "archivos",
    "documentos": "archivos",
    "cartas": "archivos",
    "valores": "archivos",
    "historia": "filas",
    "auditoria": "entradas",
}


def _ports(workspace: Path | None) -> Ports:
    from pisis_batch import wiring

    return wiring.ports(Settings.load(workspace))


@click.command()
@click.option("--dry-run", is_flag=True, help="Solo decir cuánto se borraría (es lo que hace sin --apply).")
@_APPLY
@_FORM
@click.pass_obj
def retention(workspace: Path | None, form: str, *, dry_run: bool, applied: bool) -> None:
    """Lo que ya no hay que guardar, por clase, según los ajustes keep_…_days. El servicio lo borra solo cada día."""
    from pisis_batch import service
    from pisis_batch.service import keeping

    if dry_run and applied:
        raise click.UsageError("--dry-run y --apply dicen lo contrario")
    ports = _ports(workspace)
    told: list[dict[str, Any]] = []
    for kind in KINDS:
        before = keeping.limit(ports, kind)
        many, oldest = ports.registry.due(kind, before) if before else (0, "")
        told.append(
            {
                "kind": kind,
                "days": ports.retention.days(kind),
                "before": str(before or ""),
                "due": many,
                "oldest": oldest,
            }
        )
    done = service.retain(ports) if applied else {}
    if applied:
        _compact(ports)
    if form == "json":
        as_json([{**row, "erased": done.get(row["kind"], 0)} for row in told])
        return
    for row in told:
        kind, many = row["kind"], row["due"]
        if not row["days"]:
            click.echo(f"{kind:<11} se guardan siempre")
            continue
        since = f", desde {row['oldest']}" if many else ""
        click.echo(f"{kind:<11} {row['days']:>5} días: {many} {_ENDS[kind]} anteriores a {row['before']}{since}")
    if applied:
        click.echo("Borrado." if done else "No había nada que borrar.")
    elif any(row["due"] for row in told):
        click.echo("Nada se borró: repita la orden con --apply para hacerlo.")


@click.group()
def erase() -> None:
    """Borra una clase de datos, o a una persona. Nunca lo que espera, se procesa o falta por responder."""


@erase.command("class")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--before", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Lo anterior a este día.")
@_BY
@_APPLY
@click.pass_obj
def erase_class(workspace: Path | None, kind: str, before: datetime, by: str, *, applied: bool) -> None:
    """Borra lo de una clase anterior a un día, diga lo que diga su retención."""
    from pisis_batch import service

    ports, login = _ports(workspace), _login(by)
    many, _ = ports.registry.due(kind, before.date())
    if not applied:
        click.echo(f"Se borrarían {many} {_ENDS[kind]} de la clase {kind}. Repita la orden con --apply para hacerlo.")
        return
    service.erase_class(ports, kind, before.date(), by=login)
    _compact(ports)
    click.echo(f"Borrado: {many} {_ENDS[kind]} de la clase {kind}.")


@erase.command("person")
@click.argument("number")
@click.option("--originals", is_flag=True, help="Borrar también los archivos originales que la nombran.")
@_BY
@_APPLY
@click.pass_obj
def erase_person(workspace: Path | None, number: str, by: str, *, originals: bool, applied: bool) -> None:
    """Suprime a una persona (CC:10000001) de lo que no hay deber de conservar.

    Quien es usuario, representante o contacto de una entidad se queda: su entidad lo reporta por deber legal, y sale
    cuando ella lo desvincula. Los originales son evidencia de lo que la entidad reportó: se quedan, salvo con
    --originals.
    """
    from pisis_batch import service

    ports, login = _ports(workspace), _login(by)
    try:
        id_ = Id.parse(number)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    traced = ports.registry.trace(id_)
    if traced.obstacles:
        click.echo("No se puede suprimir todavía: " + "; ".join(traced.obstacles) + ".", err=True)
        sys.exit(REJECTED)
    if not applied:
        inside = service.mentions(ports, id_)
        files = len({*traced.guids, *inside})
        click.echo(f"La nombran {traced.rows} filas del registro y {files} archivos; {len(inside)} en su original.")
        click.echo("Nada se borró: repita la orden con --apply para hacerlo.")
        return
    done = service.erase_person(ports, id_, login, originals=originals)
    _compact(ports)
    click.echo(
        f"Suprimida de {done.rows} filas y de los documentos, correos y valores de {len(done.receipts)} archivos."
    )
    for guid in done.originals:
        click.echo(f"  {guid}: su original la nombra y se conserva como evidencia (--originals lo borra)")
    for guid in done.waiting:
        click.echo(f"  {guid}: está en curso o falta responderlo; repita la orden cuando termine")
    if done.waiting or done.obstacles:
        sys.exit(REJECTED)


def _compact(ports: Ports) -> None:
    try:
        ports.registry.compact()
    except UnavailableError:
        click.echo(
            "Se borró, pero la base no se pudo reescribir porque la están usando: sus bytes se irán ocupando."
            " Repita la orden cuando haya poco trabajo.",
            err=True,
        )


def _login(text: str) -> str:
    from pisis_batch import service

    try:
        return service.clean_login(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--by") from None
