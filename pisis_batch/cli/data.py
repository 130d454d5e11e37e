"""The command about what the annexes that only store have stored: `data`."""

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import polars as pl

from pisis_batch import wiring
from pisis_batch.cli import REJECTED
from pisis_batch.model import Id
from pisis_batch.ports import Ports
from pisis_batch.settings import Settings

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("annex")
@click.option("--record", help="Tipo de registro, por su nombre en la definición; hace falta si el anexo tiene varios.")
@click.option("--entity", help="Solo los de una entidad (NI:900123456).")
@click.option("--period", type=_DAY, help="Solo los de una fecha de corte.")
@click.option("--as-of", type=_DAY, help="Como estaban al final de este día.")
@click.option("--history", is_flag=True, help="También los reemplazados y anulados, cada uno con hasta cuándo valió.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet", "json"]), default="csv", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Archivo de destino.")
@click.pass_obj
def data(
    workspace: Path | None,
    annex: str,
    record: str | None,
    entity: str | None,
    period: datetime | None,
    as_of: datetime | None,
    form: str,
    output: Path | None,
    *,
    history: bool,
) -> None:
    """Los registros aceptados de ANNEX, exactos y como texto, con su origen.

    Delante de los campos van la entidad, el período, el GUID y la línea del archivo que los trajo, y desde cuándo
    valen.
    """
    if form == "parquet" and output is None:
        raise click.UsageError("Parquet no se puede mostrar en la pantalla: diga el archivo con --output")
    try:
        who = Id.parse(entity) if entity else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--entity") from None
    ports = wiring.ports(Settings.load(workspace))
    chosen = _record(ports, annex.upper(), record)
    frames = ports.registry.data(
        annex.upper(),
        chosen,
        entity=who,
        period=period.date() if period else None,
        as_of=as_of.date() if as_of else None,
        history=history,
    )
    many = _written(frames, form, output)
    if output is not None:
        click.echo(f"{many} registros en {output}")


def _record(ports: Ports, annex: str, asked: str | None) -> str:
    """The record that was asked for, or the only one there is beside the control."""
    known = ports.registry.stored(annex)
    if not known:
        click.echo(f"No hay registros almacenados del anexo {annex}.", err=True)
        sys.exit(REJECTED)
    if asked is not None:
        if asked not in known:
            raise click.BadParameter(f"no hay registros «{asked}»; hay {', '.join(known)}", param_hint="--record")
        return asked
    details = [name for name, control in known.items() if not control]
    if len(details) > 1:
        raise click.UsageError(f"el anexo tiene varios tipos de registro: elija con --record uno de {', '.join(known)}")
    return details[0] if details else next(iter(known))


def _written(frames: Iterator[pl.DataFrame], form: str, output: Path | None) -> int:
    """Write the frames as they come; the number of rows."""
    if form == "parquet" and output is not None:
        return _parquet(frames, output)
    many = 0
    with click.open_file(str(output) if output else "-", "w", encoding="utf-8") as sink:
        for place, frame in enumerate(frames):
            if form == "csv":
                sink.write(frame.write_csv(include_header=place == 0, quote_style="necessary"))
            else:
                for row in frame.iter_rows(named=True):
                    sink.write(("[\n" if many == 0 else ",\n") + json.dumps(row, ensure_ascii=False))
                    many += 1
                continue
            many += frame.height
        if form == "json":
            sink.write("\n]\n" if many else "[]\n")
    return many


def _parquet(frames: Iterator[pl.DataFrame], output: Path) -> int:
    """One table from many, without holding them all."""
    many = 0
    with tempfile.TemporaryDirectory(dir=output.absolute().parent) as folder:
        for place, frame in enumerate(frames):
            frame.write_parquet(Path(folder) / f"{place:08}.parquet")
            many += frame.height
        pl.scan_parquet(Path(folder) / "*.parquet").sink_parquet(output, compression="zstd")
    return many
