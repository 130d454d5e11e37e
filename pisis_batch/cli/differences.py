"""`pisis runs diff`: two attempts of a report, error by error."""

from pathlib import Path

import click
from rich.table import Table

from pisis_batch import service, wiring
from pisis_batch.cli.decisions import receipt_of
from pisis_batch.cli.output import as_json, console
from pisis_batch.layouts import Layout
from pisis_batch.model import Progress
from pisis_batch.reports import intentos
from pisis_batch.reports.page import number
from pisis_batch.settings import Settings

SHOWN = 100


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Forma del resultado.")
@click.pass_obj
def runs_diff(workspace: Path | None, before: str, after: str, form: str) -> None:
    """Compara los errores de dos envíos por la llave de cada registro, no por su línea: BEFORE y AFTER son sus GUID."""
    ports = wiring.ports(Settings.load(workspace))
    first, second = receipt_of(ports, before), receipt_of(ports, after)
    progress = service.difference(first, second, ports)
    layout = ports.shelf.find(second.file_name)
    if form == "json":
        rows = intentos.described(progress, layout).to_dicts()
        as_json({"before": first.guid, "after": second.guid, "counts": progress.counts(), "findings": rows})
    else:
        _text(progress, layout)


def _text(progress: Progress, layout: Layout | None) -> None:
    out = console()
    out.print(intentos.sentence(progress))
    rows = intentos.described(progress, layout)
    if rows.is_empty():
        return
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for title in ("estado", "antes", "ahora", "campo", "código", "error"):
        table.add_column(title)
    for row in rows.head(SHOWN).iter_rows(named=True):
        lines = ["-" if row[name] is None else str(row[name]) for name in ("line_before", "line_after")]
        table.add_row(row["told"], *lines, row["label"], row["code"], row["title"])
    out.print(table)
    if rows.height > SHOWN:
        out.print(f"… y {number(rows.height - SHOWN)} más: véalos todos con --format json")
