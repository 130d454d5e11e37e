"""Commands about the audit: `audit verify`, `audit head`, `audit show`, `audit rotate`."""

import re
import sys
from pathlib import Path

import click

from pisis_batch.cli import FAULT
from pisis_batch.cli.output import as_json
from pisis_batch.ports import Audited, AuditHead
from pisis_batch.settings import Settings

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado."
)


@click.group()
def audit() -> None:
    """La auditoría: qué se hizo, firmado en cadena para que no se pueda cambiar sin que se note."""


def _known(text: str) -> AuditHead:
    path = Path(text)
    said = path.read_text("utf-8", "replace") if path.is_file() else text
    found = _HEAD.findall(said)
    if not found:
        raise click.BadParameter("debe ser lo que escribe «pisis audit head», o un archivo que lo tenga")
    seq, hash_ = found[-1]
    return AuditHead(int(seq), hash_)


@audit.command("verify")
@click.option("--head", "known", help="Un final exportado antes (NÚMERO:HUELLA), o el archivo que lo guarda.")
@_FORM
@click.pass_obj
def verify(workspace: Path | None, known: str | None, form: str) -> None:
    """Revisa cada eslabón y cada entrada, y dice qué está roto y dónde. Sale con 3 si algo lo está.

    Sin --head no se nota si alguien cortó el final, o rehízo la cadena teniendo la llave.
    """
    from pisis_batch import wiring

    ports = wiring.ports(Settings.load(workspace))
    found = ports.registry.audit_verify(_known(known) if known else None)
    if form == "json":
        told = [{"guid": offender.guid, "what": offender.what} for offender in found.offenders]
        counts = {"links": found.links, "entries": found.entries, "before": found.before, "thinned": found.thinned}
        strangers = [{"key": key, "links": many} for key, many in found.strangers]
        sound = not (told or strangers)
        as_json({"sound": sound, **counts, "head": str(found.head), "strangers": strangers, "offenders": told})
    else:
        _tell(found, compared=known is not None)
    if found.offenders or found.strangers:
        sys.exit(FAULT)


def _tell(found: Audited, *, compared: bool) -> None:
    for offender in found.offenders:
        click.echo(f"✗ {offender.guid}: {offender.what}")
    for key, many in found.strangers:
        click.echo(f"✗ llave {key}: firmó {many} eslabones y no está en este archivo de llaves; traiga el que la tiene")
    if found.before:
        click.echo(f"  {found.before} entradas son anteriores a la cadena y nadie las firmó")
    if found.thinned:
        click.echo(f"  hasta el eslabón {found.thinned} las entradas se depuraron por retención; sus eslabones están")
    if found.offenders or found.strangers:
        many = len(found.offenders) + len(found.strangers)
        click.echo(
            f"No se puede decir que la auditoría sea la que se firmó: {many} problemas en {found.links} eslabones."
        )
        return
    click.echo(f"✓ auditoría: {found.links} eslabones y {found.entries} entradas son los que se firmaron")
    if not compared:
        click.echo("  No se comparó con un final exportado (--head): un final cortado no se nota sin él.")


@audit.command("head")
@click.pass_obj
def head(workspace: Path | None) -> None:
    """El final de la cadena: guárdelo donde quien maneja la base de datos no pueda cambiarlo."""
    from pisis_batch import wiring

    click.echo(str(wiring.ports(Settings.load(workspace)).registry.audit_head()))


@audit.command("show")
@click.argument("guid")
@_FORM
@click.pass_obj
def show(workspace: Path | None, guid: str, form: str) -> None:
    """Lo que pasó con un archivo, y quién lo decidió. GUID puede ser su comienzo, o «registro» o «retencion»."""
    from pisis_batch import wiring

    ports = wiring.ports(Settings.load(workspace))
    receipt = ports.registry.receipt(guid)
    rows = ports.registry.audit_entries(receipt.guid if receipt else guid)
    told = [{"at": row.at, "action": row.action, "who": row.who or row.who_key} for row in rows]
    if form == "json":
        as_json(told)
        return
    for one in told:
        click.echo(f"{one['at'][:19]}  {one['action']}" + (f", {one['who']}" if one["who"] else ""))
    if not told:
        click.echo("La auditoría no dice nada de eso.")


@audit.command("rotate")
@click.pass_obj
def rotate(workspace: Path | None) -> None:
    """Pone una llave nueva. Las anteriores quedan en el archivo para comprobar lo que firmaron."""
    from pisis_batch.adapters import keyring

    settings = Settings.load(workspace)
    older = keyring.load(settings.keys) if settings.keys.exists() else None
    made = keyring.make(settings.keys, older)
    click.echo(f"Llave nueva {made.current.id} en {settings.keys}; quedan {len(made.keys) - 1} anteriores.")
    click.echo("Reinicie el servicio y los trabajadores, y copie el archivo a las demás máquinas y a un lugar seguro.")
