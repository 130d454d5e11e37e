"""`pisis fix`: a corrected copy of a file with every change told, or one of its halves for who corrects apart."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click
import polars as pl
from rich.table import Table

from pisis_batch import repairs, reports, service
from pisis_batch.cli import REJECTED
from pisis_batch.cli.files import ports_if_any
from pisis_batch.cli.output import FORMAT, as_json, console, outcomes
from pisis_batch.layouts import Layout, shelf
from pisis_batch.model import Corrected, Limits, Outcome, Received, Verdict
from pisis_batch.ports import Ports
from pisis_batch.reports.correcciones import told
from pisis_batch.reports.page import many, number
from pisis_batch.settings import BOGOTA

SHOWN = 50
Part = Literal["rejected", "correct"]
_FOLDERS: dict[Part | None, str] = {None: "corregido", "rejected": "rechazados", "correct": "correctos"}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Carpeta donde se deja la copia.")
@click.option("--propose", is_flag=True, help="Además, los arreglos dudosos: se proponen, no se hacen.")
@click.option(
    "--only-rejected", "part", flag_value="rejected", help="Solo los registros con error, para corregirlos aparte."
)
@click.option("--only-correct", "part", flag_value="correct", help="Solo los demás registros.")
@click.option("--annex", help="El anexo, cuando el nombre del archivo no lo dice (SEG500USIN).")
@click.option("--offline", is_flag=True, help="Solo la estructura, sin consultar el registro.")
@click.option("--unmasked", is_flag=True, help="Mostrar completos los números de identificación.")
@FORMAT
@click.pass_obj
def fix(
    workspace: Path | None,
    file: Path,
    output: Path | None,
    part: Part | None,
    annex: str | None,
    form: str,
    *,
    propose: bool,
    offline: bool,
    unmasked: bool,
) -> None:
    """Hace una copia corregida de FILE: arregla lo que solo puede significar una cosa y dice cada cambio.

    El original no se toca. Los datos de identidad no se corrigen: solo su codificación, espacios, mayúsculas y tildes.
    """
    ports = None if offline else ports_if_any(workspace)
    limits = ports.limits if ports else Limits()
    now = ports.clock() if ports else datetime.now(BOGOTA)
    received = Received("-", service.readable(file.name), file.read_bytes(), now, None)
    made = repairs.correct(received, shelf(), limits, _layout(annex))
    if made is None:
        click.echo(
            f"{file.name}: no se puede corregir; no es texto de un anexo conocido. Pruebe con --annex.", err=True
        )
        sys.exit(REJECTED)
    outcome = _judged(made, received, ports, limits)
    if part:
        made = _half(made, outcome, part, limits)
        outcome = _judged(made, received, ports, limits)
    path = _written(made, file, output or file.parent / _FOLDERS[part])
    _tell(made, outcome, path, form, part, propose=propose, mask=not unmasked)
    if outcome.verdict is Verdict.RECHAZADO:
        sys.exit(REJECTED)


def _layout(annex: str | None) -> Layout | None:
    if annex is None:
        return None
    found = shelf().get(annex)
    if found is None:
        raise click.BadParameter(
            f"no se conoce el anexo; los conocidos son {', '.join(shelf().annexes())}", param_hint="--annex"
        )
    return found


def _judged(made: Corrected, received: Received, ports: Ports | None, limits: Limits) -> Outcome:
    """What the service would say of the copy."""
    copy = Received("-", made.name, made.content, received.received_at, None)
    return service.check(copy, ports, shelf=shelf(), limits=limits)


def _half(made: Corrected, outcome: Outcome, part: Part, limits: Limits) -> Corrected:
    faulty = outcome.findings.where("error").frame["line"].drop_nulls().unique()
    half = repairs.part(made, faulty, limits, which=part)
    if half is None:
        said = "ningún registro tiene error" if part == "rejected" else "todos los registros tienen error"
        click.echo(f"No hay nada que separar: {said}.", err=True)
        sys.exit(0)
    return half


def _written(made: Corrected, file: Path, folder: Path) -> Path:
    path = folder / made.name
    if path.exists() and path.samefile(file):
        raise click.UsageError("la copia quedaría sobre el original: indique otra carpeta con --output")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.content)
    return path


def _tell(
    made: Corrected, outcome: Outcome, path: Path, form: str, part: Part | None, *, propose: bool, mask: bool
) -> None:
    rows = told(made, mask=mask and form == "text")
    shown = rows if propose else rows.filter("applied")
    if form == "json":
        listed = {"repairs": rows.filter("applied").to_dicts(), "proposals": rows.filter(~pl.col("applied")).to_dicts()}
        as_json({"path": str(path), "name": made.name, **listed, "result": reports.ack(outcome)})
    elif form == "csv":
        click.echo(shown.write_csv(), nl=False)
    else:
        _text(made, outcome, path, part, shown, propose=propose)


def _text(
    made: Corrected, outcome: Outcome, path: Path, part: Part | None, shown: pl.DataFrame, *, propose: bool
) -> None:
    out = console()
    if part is None:
        done = made.done.height
        said = f"{many(done, 'arreglo hecho', 'arreglos hechos')}." if done else "No hay nada que arreglar con certeza."
        hidden = made.proposals.height
        if hidden and not propose:
            verb = "propuesta" if hidden == 1 else "propuestas"
            said += f" Hay {number(hidden)} {verb} de arreglos dudosos: véalas con --propose."
        out.print(said)
        _table(shown)
    out.print(f"Copia en {path}", soft_wrap=True, markup=False)
    out.print()
    outcomes([outcome], "text")
    if advice := _advice(outcome, part):
        out.print()
        out.print(advice, markup=False)


def _table(rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    out = console()
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("línea", justify="right")
    for title in ("campo", "antes", "después", "por qué", "certeza"):
        table.add_column(title)
    for row in rows.head(SHOWN).iter_rows(named=True):
        line = "-" if row["line"] is None else str(row["line"])
        cells: list[Any] = [row["label"], row["before"], row["after"], row["why"], row["confidence"]]
        table.add_row(line, *(str(cell or "").replace("[", r"\[") for cell in cells))
    out.print(table)
    if rows.height > SHOWN:
        out.print(f"… y {number(rows.height - SHOWN)} más: véalos todos con --format csv")


def _advice(outcome: Outcome, part: Part | None) -> str:
    """Which file is the right one to send, and when."""
    layout = outcome.examined.layout
    if part is None or layout is None:
        return "" if outcome.verdict is Verdict.RECHAZADO else "Esta copia es la que se envía, con este mismo nombre."
    if layout.effect.kind != "usuarios":
        return (
            "Cada envío de este anexo trae su período completo: no envíe este archivo solo. Corrija en él y lleve lo "
            "corregido al archivo completo."
        )
    if part == "rejected":
        return (
            "Un error rechaza todo el archivo: de un envío rechazado no queda cargado nada. Lo más simple es "
            "corregir el archivo completo y enviarlo. Si los demás no pueden esperar, envíe primero los correctos "
            "(--only-correct) y después este, ya corregido."
        )
    return "Este archivo se puede enviar ya. Los registros con error no van en él: corríjalos y envíelos luego."
