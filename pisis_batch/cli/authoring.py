"""Commands for whoever writes a layout: a draft from a table, a new version in words, whose verdict it would change."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pisis_batch.cli.output import as_json
from pisis_batch.cli.shelves import known

if TYPE_CHECKING:
    from pisis_batch.layouts import Layout

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("new")
@click.argument("code")
@click.option("--from", "table", type=_FILE, required=True, help="La tabla del anexo en CSV: una fila por campo.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Archivo TOML; si no, la pantalla."
)
def new(code: str, table: Path, output: Path | None) -> None:
    """Hace el borrador de la definición del anexo CODE a partir de su tabla.

    Los encabezados pueden llamarse como en el anexo: registro, n.º, nombre del campo, tipo, longitud, obligatorio,
    valores permitidos, observaciones. Lo que la tabla no dice queda marcado con FALTA, y
    «pisis layouts lint» lo nombra.
    """
    import json

    from pisis_batch.layouts import json_schema
    from pisis_batch.layouts.draft import draft
    from pisis_batch.layouts.table import TableError, read

    try:
        rows = read(table.read_bytes())
    except TableError as error:
        raise click.BadParameter(f"{table.name}: {error}", param_hint="--from") from None
    text = draft(code, rows, valid_from=date(2010, 1, 1))
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise click.BadParameter(f"{output} ya existe: bórrelo o dé otro nombre", param_hint="--output")
    output.write_text(text, "utf-8")
    schema = output.with_name("layout.schema.json")
    schema.write_text(json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n", "utf-8")
    missing = text.count("# FALTA")
    click.echo(f"{output}: {len(rows)} campos; {missing} cosas por completar (pisis layouts lint {output})")


def _named(what: str, workspace: Path | None) -> "Layout":
    """A layout by file, or by ANNEX@version."""
    from pisis_batch.cli.shelves import one
    from pisis_batch.layouts import LayoutError, parse

    path = Path(what)
    if not path.is_file():
        return one(what, workspace)
    known(workspace)  # makes the operator's tables known
    try:
        return parse(path.read_text("utf-8"), path.name)
    except LayoutError as error:
        raise click.BadParameter(str(error), param_hint=what) from None


def _pair(first: str, second: str, workspace: Path | None) -> "tuple[Layout, Layout]":
    old, new_ = _named(first, workspace), _named(second, workspace)
    if old.annex != new_.annex:
        raise click.UsageError(f"son de anexos distintos: {old.annex} y {new_.annex}")
    return old, new_


@click.command("diff")
@click.argument("old")
@click.argument("new_", metavar="NEW")
@click.pass_obj
def diff(workspace: Path | None, old: str, new_: str) -> None:
    """Explica a las entidades qué cambia de la versión OLD a la NEW (archivos, o ANEXO@versión)."""
    from rich.markdown import Markdown

    from pisis_batch.cli.output import console
    from pisis_batch.layouts.difference import difference

    lines = difference(*_pair(old, new_, workspace))
    text = "\n".join(lines) if lines else "Nada cambia para quien reporta."
    out = console()
    if out.is_terminal:
        out.print(Markdown(text))
    else:
        click.echo(text)


@click.command("impact")
@click.argument("old")
@click.argument("new_", metavar="NEW")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Solo los recibidos desde este día.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado.")
@click.pass_obj
def impact(workspace: Path | None, old: str, new_: str, since: datetime | None, form: str) -> None:
    """Juzga con las dos versiones los originales archivados del anexo, y dice qué veredictos cambiarían.

    No cambia nada: ni el registro, ni los archivos, ni los correos. La fecha de vigencia no cuenta: cada original se
    juzga con las dos.
    """
    from pisis_batch import service, wiring
    from pisis_batch.layouts import Shelf
    from pisis_batch.service import originals
    from pisis_batch.settings import Settings

    pair = [layout.but(valid_from=date.min) for layout in _pair(old, new_, workspace)]
    ports = wiring.ports(Settings.load(workspace))
    prefix = pair[0].file_name.prefix.upper()
    runs = ports.registry.runs(since=since.date() if since else None, limit=None)
    chosen = [run for run in runs if run["file_name"].upper().startswith(prefix)]
    told = []
    with click.progressbar(chosen, file=sys.stderr, hidden=not sys.stderr.isatty()) as listed:
        for run in listed:
            receipt = ports.registry.receipt(run["guid"])
            if receipt is None:
                continue
            received = originals.received(receipt, ports)
            ends = [service.check(received, ports, shelf=Shelf((one,)), limits=ports.limits) for one in pair]
            before, after = ({finding[0] for finding in end.findings.by_code()} for end in ends)
            told.append(
                {
                    "guid": run["guid"],
                    "file_name": run["file_name"],
                    "entity": run["entity"],
                    "before": str(ends[0].verdict),
                    "after": str(ends[1].verdict),
                    "new_codes": sorted(after - before),
                    "gone_codes": sorted(before - after),
                }
            )
    changed = [row for row in told if row["before"] != row["after"]]
    if form == "json":
        as_json({"replayed": len(told), "changed": changed})
        return
    for row in changed:
        codes = ", ".join(row["new_codes"] or row["gone_codes"])
        click.echo(f"{row['guid'][:8]}  {row['before']} → {row['after']}  {row['file_name']}  {codes}")
    click.echo(f"{len(told)} originales; cambiaría el veredicto de {len(changed)}.")
