"""Commands about files: check, process, watch."""

import os
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pisis_batch import service, settings
from pisis_batch.cli import REJECTED, serving
from pisis_batch.cli.actor import ACTOR
from pisis_batch.cli.output import FORMAT, outcomes
from pisis_batch.cli.shelves import LAYOUTS, known
from pisis_batch.frames import loading
from pisis_batch.model import Content, Id, Limits, Outcome, Received, Verdict
from pisis_batch.settings import BOGOTA, SettingsError

if TYPE_CHECKING:
    from pisis_batch.ports import Ports
    from pisis_batch.settings import Settings

_FILES = click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))


def _end(found: list[Outcome]) -> None:
    if any(outcome.verdict is Verdict.RECHAZADO for outcome in found):
        sys.exit(REJECTED)


def _wired(chosen: "Settings", *, workers: bool = False, asks: bool = False) -> "Ports":
    """The ports, whose adapters are loaded only here: a file is checked without a database as well.

    `asks`: for nothing but questions to the registry.
    """
    with loading():
        from pisis_batch import wiring

        if asks:
            return wiring.asking(chosen)
        return wiring.ports(chosen, workers=workers)


def _content(path: Path) -> Content:
    """The bytes of a file, those of a large one not in memory."""
    from pisis_batch.adapters.mapped import MappedFile
    from pisis_batch.pipeline import LARGE

    return MappedFile(path) if path.stat().st_size >= LARGE else path.read_bytes()


def _login(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return Id.parse(text).login
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--sender") from None


@click.command()
@_FILES
@click.option("--offline", is_flag=True, help="Solo la estructura, sin consultar el registro.")
@click.option("--sender", help="Juzgar también si este usuario puede enviar el archivo (CC10000001).")
@click.option("--plan", is_flag=True, help="Además, a quiénes vincula, actualiza y desvincula, con su huella.")
@click.option(
    "--documents",
    type=click.Path(file_okay=False, path_type=Path),
    help="Carpeta donde dejar además el informe, la hoja de cálculo y la copia anotada, bajo el nombre del archivo.",
)
@click.option("--language", type=click.Choice(["es", "en"]), default="es", help="Idioma de los mensajes.")
@click.option("--unmasked", is_flag=True, help="Mostrar completos los números de identificación.")
@FORMAT
@LAYOUTS
@click.pass_obj
def check(
    workspace: Path | None,
    files: tuple[Path, ...],
    sender: str | None,
    documents: Path | None,
    language: str,
    form: str,
    *,
    offline: bool,
    unmasked: bool,
    plan: bool,
) -> None:
    """Dice el veredicto de cada FILE sin ningún efecto.

    Con un espacio de trabajo es el mismo veredicto que dará el servidor; sin él, o con --offline, solo la estructura.
    """
    if not files:
        raise click.UsageError("falta el archivo que se va a revisar")
    ports = None if offline else ports_if_any(workspace)
    limits = ports.limits if ports else Limits()
    shelf = ports.shelf if ports else known(workspace, [path.name for path in files])
    now = ports.clock() if ports else datetime.now(BOGOTA)
    found = []
    for path in files:
        login = _login(sender) or _owner(path, ports, workspace)
        name, signed, signature = service.named(path, ports) if ports else (service.readable(path.name), "", b"")
        received = Received("-", name, _content(path), now, login, signed=signed, signature=signature)
        counted = not (plan or documents)  # then nobody is told whose changes they are
        found.append(service.check(received, ports, shelf=shelf, limits=limits, signatures=True, counted=counted))
    if plan and ports is None:
        raise click.UsageError("el plan compara con el registro: use un espacio de trabajo, sin --offline")
    if documents:
        for outcome in found:
            _keep(outcome, now, documents / outcome.received.name)
    outcomes(found, form, unmasked=unmasked, language=language, brake=ports.brake if ports else None, plan=plan)
    _end(found)


def _keep(outcome: Outcome, now: datetime, folder: Path) -> None:
    """The documents of a check, the two official ones apart: nothing was received."""
    from pisis_batch import reports

    folder.mkdir(parents=True, exist_ok=True)
    for document in reports.answer(outcome, now).documents:
        if document.name not in {"acta.html", "resultado.html"}:
            with (folder / document.name).open("wb") as file:
                file.writelines(document.pieces())


def ports_if_any(workspace: Path | None) -> "Ports | None":
    """The ports of the workspace, to ask by; without one, None, and the terminal is told what that means."""
    try:
        return _wired(settings.load(workspace), asks=True)
    except SettingsError:
        if workspace is not None:
            raise
        click.echo("Sin espacio de trabajo: se revisa solo la estructura.", err=True)
        return None


def _owner(path: Path, ports: "Ports | None", workspace: Path | None) -> str | None:
    """The login whose folder of the inbox a file lies in."""
    if ports is None:
        return None
    inbox = settings.load(workspace).inbox.resolve()
    folder = path.resolve().parent
    return folder.name if folder.parent == inbox else None


@click.command()
@_FILES
@click.option("--once", is_flag=True, help="Lo que hay ahora en el buzón, y terminar (es lo que hace siempre).")
@click.option("--sender", help="Usuario que envía los FILE (CC10000001).")
@ACTOR
@FORMAT
@LAYOUTS
@click.pass_obj
def process(
    workspace: Path | None, files: tuple[Path, ...], sender: str | None, actor: str, form: str, *, once: bool
) -> None:
    """Procesa lo que hay en el buzón, o cada FILE como enviado por --sender, y termina.

    De cada FILE la auditoría nombra a quien lo entregó (--by).
    """
    del once  # there is no other way: the service that stays is `watch`
    if files and sender is None:
        raise click.UsageError("diga con --sender qué usuario envía el archivo, por ejemplo --sender CC10000001")
    ports = _wired(settings.load(workspace))
    login = _login(sender)
    if files:
        for path in files:
            service.submit(path, login, ports, actor)
        found = service.once(ports)
    else:
        found = []
        while True:
            found += service.once(ports)
            if not ports.inbox.waiting():
                break
            threading.Event().wait(0.2)  # a file is still settling
    if form == "text" and not found:
        click.echo("No había archivos por procesar.")
    else:
        outcomes(found, form)
    _end(found)


@click.command()
@click.option(
    "--metrics",
    type=click.IntRange(1, 65535),
    help="Puerto, solo en esta máquina, de /metrics (Prometheus), /health y /ready.",
)
@click.option("--enqueue", is_flag=True, help="Solo recibir: los procesan los trabajadores («pisis worker»).")
@click.option("--allow-fixed-clock", is_flag=True, help="Permitir PISIS_NOW (solo para pruebas).")
@LAYOUTS
@click.pass_obj
def watch(workspace: Path | None, metrics: int | None, *, enqueue: bool, allow_fixed_clock: bool) -> None:
    """El servicio: vigila el buzón, procesa y responde hasta recibir SIGTERM o Ctrl-C."""
    chosen = serving.by_the_clock(settings.load(workspace), fixed_allowed=allow_fixed_clock)
    from pisis_batch import wiring
    from pisis_batch.adapters import systemd
    from pisis_batch.adapters.watchdog_hints import WatchdogHints

    ports = _wired(chosen, workers=enqueue)
    stop, beats = serving.stopped(), service.Beats()
    if metrics:
        serving.asked_on(metrics, chosen, ports, beats, wiring.metrics(ports))
    systemd.watchdog(beats.silent, stop)
    click.echo(f"Vigilando {chosen.inbox}", err=True)
    done = service.watch(
        ports,
        WatchdogHints(chosen.inbox),
        rescan_seconds=chosen.rescan_seconds,
        stop=stop,
        on_outcome=lambda outcome: click.echo(f"{outcome.received.guid} {outcome.verdict}", err=True),
        on_ready=lambda: serving.ready(f"vigilando {chosen.inbox}"),
        beats=beats,
    )
    if not done:  # what is in hand dies with us, unwritten, and is done again: nobody waits for it
        sys.stderr.flush()
        os._exit(0)
