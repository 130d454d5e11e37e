"""Commands that go by Excel: the template of an annex, and the flat file of a filled one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pisis_batch.cli import REJECTED
from pisis_batch.cli.output import as_json
from pisis_batch.cli.shelves import LAYOUTS, known, one

if TYPE_CHECKING:
    from pisis_batch.layouts import Layout
    from pisis_batch.workbook import Built

_SHOWN = 200


@click.command("template")
@click.argument("annex")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Libro de destino.")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Un archivo plano del anexo, para abrirlo lleno en Excel.",
)
@click.pass_obj
def template(workspace: Path | None, annex: str, output: Path | None, source: Path | None) -> None:
    """Escribe un libro de Excel para llenar ANNEX: una hoja por registro, con listas y ayuda."""
    from pisis_batch import workbook

    layout = one(annex, workspace)
    target = output or Path(f"{layout.annex}.xlsx")
    if source is None:
        target.write_bytes(workbook.template(layout))
    else:
        target.write_bytes(_filled(layout, source))
    click.echo(str(target))


def _filled(layout: "Layout", source: Path) -> bytes:
    from pisis_batch import reading, workbook
    from pisis_batch.layouts import NameFault
    from pisis_batch.model import Limits

    batch = reading.read(source.read_bytes(), layout, source.name, Limits())
    if batch.control is None:
        raise click.BadParameter(
            f"{source.name} no tiene un registro de control de {layout.annex}", param_hint="--from"
        )
    stated = layout.file_name.read(source.name)
    return workbook.template(layout, batch.records, {} if isinstance(stated, NameFault) else stated)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Carpeta de destino."
)
@click.option("--annex", help="El anexo (o ANEXO@versión), si el libro no lo dice.")
@click.option("--offline", is_flag=True, help="Solo la estructura, sin consultar el registro.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado.")
@LAYOUTS
@click.pass_obj
def build(workspace: Path | None, file: Path, output: Path, annex: str | None, form: str, *, offline: bool) -> None:
    """Hace el archivo plano de FILE, un libro hecho con «pisis layouts template» y lleno.

    El nombre, el texto, los consecutivos y los totales quedan como deben. Si algo está mal no escribe el archivo: dice
    qué corregir, con la hoja y la celda.
    """
    from pisis_batch import workbook
    from pisis_batch.workbook.build import WorkbookError

    content = file.read_bytes()
    try:
        layout = one(annex, workspace) if annex else _stated(workbook.annex_of(content), workspace)
        built = workbook.build(content, layout)
    except WorkbookError as error:
        raise click.BadParameter(f"{file.name}: {error}", param_hint="FILE") from None
    found = [{"where": p.partition(": ")[0], "code": "", "message": p.partition(": ")[2]} for p in built.problems]
    rejected = bool(found)
    if not rejected:
        found, rejected = _judged(built, workspace, offline=offline)
    if not rejected:
        output.mkdir(parents=True, exist_ok=True)
        (output / built.name).write_bytes(built.content)
    if form == "json":
        as_json({"file": None if rejected else str(output / built.name), "findings": found})
    else:
        _said(found, None if rejected else output / built.name)
    if rejected:
        sys.exit(REJECTED)


def _stated(stated: tuple[str, str], workspace: Path | None) -> "Layout":
    annex, version = stated
    shelf = known(workspace)
    exact = next((layout for layout in shelf if (layout.annex, layout.version) == stated), None)
    return exact or one(f"{annex}@{version}" if version else annex, workspace)


def _judged(built: "Built", workspace: Path | None, *, offline: bool) -> tuple[list[dict[str, str]], bool]:
    """The findings of the file, by sheet and cell, and whether any is an error."""
    from datetime import datetime

    from pisis_batch import service, validators
    from pisis_batch.cli.files import ports_if_any
    from pisis_batch.model import Limits, Received
    from pisis_batch.settings import BOGOTA

    ports = None if offline else ports_if_any(workspace)
    now = ports.clock() if ports else datetime.now(BOGOTA)
    shelf = ports.shelf if ports else known(workspace)
    received = Received("-", built.name, built.content, now, None)
    outcome = service.check(received, ports, shelf=shelf, limits=ports.limits if ports else Limits())
    told = validators.described(outcome.findings, outcome.examined.layout)
    found = [
        {"where": built.where(row["line"], row["field"]), "code": row["code"], "message": row["message"]}
        for row in told.iter_rows(named=True)
    ]
    return found, outcome.findings.blocks


def _said(found: list[dict[str, str]], target: Path | None) -> None:
    for row in found[:_SHOWN]:
        code = f" ({row['code']})" if row["code"] else ""
        click.echo(f"{row['where']}: {row['message']}{code}" if row["message"] else row["where"])
    if len(found) > _SHOWN:
        click.echo(f"… y {len(found) - _SHOWN} más: véalos todos con --format json")
    click.echo(str(target) if target else "No se hizo el archivo: corrija el libro y ejecute la orden otra vez.")
