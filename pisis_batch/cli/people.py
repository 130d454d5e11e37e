"""Commands about the registry: load its tables, look a person or an entity up."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pisis_batch import wiring
from pisis_batch.adapters import registry_csv
from pisis_batch.cli import REJECTED
from pisis_batch.cli.actor import ACTOR
from pisis_batch.cli.output import as_json
from pisis_batch.cli.reasons import registry_why
from pisis_batch.model import Id
from pisis_batch.settings import Settings

_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado."
)


@click.group()
def registry() -> None:
    """El registro de entidades, personas, usuarios, perfiles y períodos."""


@registry.command("load")
@click.argument("table", type=click.Choice(list(registry_csv.TABLES)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@ACTOR
@click.pass_obj
def registry_load(workspace: Path | None, table: str, file: Path, actor: str) -> None:
    """Carga FILE (CSV en UTF-8, con comas y encabezado) en TABLE: agrega y actualiza; con un error no carga nada."""
    rows, problems = registry_csv.read(table, file.read_bytes())
    ports = wiring.ports(Settings.load(workspace))
    many = 0
    if not problems:
        try:
            many = ports.registry.load(table, rows, ports.clock(), actor)
        except registry_csv.LoadError as error:
            problems = error.problems
    if problems:
        for problem in problems:
            click.echo(f"{file.name}: {problem}", err=True)
        click.echo("No se cargó nada.", err=True)
        sys.exit(REJECTED)
    click.echo(f"{many} filas cargadas en {table}.")


@registry.group("show")
def registry_show() -> None:
    """Lo que el registro sabe de una persona o de una entidad."""


_AS_OF = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Como estaba al final de este día.")


def _id(text: str) -> Id:
    try:
        return Id.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@registry_show.command("user")
@click.argument("number")
@_AS_OF
@_FORM
@click.pass_obj
def show_user(workspace: Path | None, number: str, as_of: datetime | None, form: str) -> None:
    """Una persona (CC:10000001): sus vínculos y perfiles, presentes y pasados."""
    ports = wiring.ports(Settings.load(workspace))
    found = ports.registry.user(_id(number), as_of.date() if as_of else None)
    if form == "json":
        as_json(found)
    elif found:
        click.echo(f"{found['id']}  {found['nombre']}")
        for link in found["links"]:
            click.echo(f"  {link['entity']} {link['razon_social']}: {link['cargo']}, {_span(link)}")
        for grant in found["grants"]:
            name = f" {grant['nombre']}" if grant["nombre"] else ""
            click.echo(f"  {grant['entity']}: perfil {grant['aplicacion']}/{grant['perfil']}{name}, {_span(grant)}")
    if found is None:
        click.echo("El registro no conoce a esa persona.", err=True)
        sys.exit(REJECTED)


def _span(row: dict[str, Any]) -> str:
    cause = row["from_guid"][:8] + (f" línea {row['from_line']}" if row["from_line"] else "")
    until = f" hasta {row['valid_to'][:10]} (por {row['to_guid'][:8]})" if row["valid_to"] else ""
    if row["to_guid"] == "vencimiento":
        until = f" hasta {row['valid_to'][:10]} (vencido)"
    return f"desde {row['valid_from'][:10]} (por {cause}){until}"


@registry_show.command("entity")
@click.argument("number")
@_AS_OF
@_FORM
@click.pass_obj
def show_entity(workspace: Path | None, number: str, as_of: datetime | None, form: str) -> None:
    """Una entidad (NI:900123456) y sus usuarios con sus perfiles."""
    ports = wiring.ports(Settings.load(workspace))
    found = ports.registry.entity(_id(number), as_of.date() if as_of else None)
    if found is None:
        if form == "json":
            as_json(None)
        click.echo("El registro no conoce a esa entidad.", err=True)
        sys.exit(REJECTED)
    known, users = found
    if form == "json":
        names = ("razon_social", "tipo_entidad", "municipio", "correo_institucional", "correo_confirmado", "activa")
        people = {"representante": str(known.representante or ""), "contacto": str(known.contacto or "")}
        as_json({"id": str(known.id), **{name: getattr(known, name) for name in names}, **people, "users": users})
        return
    state = "activa" if known.activa else "inactiva"
    mail = "confirmado" if known.correo_confirmado else "sin confirmar"
    click.echo(f"{known.id}  {known.razon_social} ({known.tipo_entidad}, {state}); correo {mail}")
    for user in users:
        name = f"{user['primer_nombre']} {user['primer_apellido']}"
        profiles = ", ".join(user["perfiles"]) or "sin perfiles"
        click.echo(f"  {user['tipo_id']} {user['num_id']}  {name}, {user['cargo']}: {profiles}")


registry.add_command(registry_why)
