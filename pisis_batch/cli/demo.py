"""`pisis demo`: the main job on fictitious files, from the drop folder to the mailbox, told step by step."""

import email
import email.policy
import io
import logging
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import structlog
from rich.console import Console
from rich.table import Table

from pisis_batch import service, wiring
from pisis_batch.adapters import registry_csv
from pisis_batch.adapters.watchdog_hints import WatchdogHints
from pisis_batch.cli import demo_data
from pisis_batch.cli.output import console
from pisis_batch.layouts import shelf
from pisis_batch.model import Outcome
from pisis_batch.ports import Ports
from pisis_batch.settings import BOGOTA, FILE, TEMPLATE, Settings

_PATIENCE = 30.0


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
def demo(folder: Path | None) -> None:
    """Muestra el trabajo completo con archivos ficticios: buzón, validación, registro y correos.

    Usa un espacio de trabajo propio en FOLDER, o en una carpeta temporal que se conserva.
    """
    structlog.configure(  # what the service notes for operations is not part of what is told here
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    home = folder or Path(tempfile.mkdtemp(prefix="pisis-demo-"))
    home = home / datetime.now(BOGOTA).strftime("%Y%m%d-%H%M%S-%f") if folder else home
    home.mkdir(parents=True, exist_ok=True)
    with _sink() as (port, received):
        _tell(home, port, received)


@contextmanager
def _sink() -> Iterator[tuple[int, list[bytes]]]:
    """A real SMTP server on this machine that keeps what it is sent."""
    try:
        from aiosmtpd.controller import Controller
    except ImportError:
        raise click.UsageError('la demostración necesita aiosmtpd: pip install "pisis-batch[demo]"') from None
    received: list[bytes] = []

    class Keep:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 the server's name for it
            received.append(envelope.content)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, received
    finally:
        controller.stop()


def _tell(home: Path, port: int, received: list[bytes]) -> None:
    out = console()
    (home / FILE).write_text(TEMPLATE, "utf-8")
    settings = Settings.load(home, mail=f"smtp://127.0.0.1:{port}?tls=none", settle_seconds=0.2, rescan_seconds=1.0)
    ports = wiring.ports(settings)
    _step(out, 1, f"Espacio de trabajo en {home}")
    for table, text in demo_data.registry().items():
        rows, problems = registry_csv.read(table, text.encode())
        _must(not problems, f"la tabla {table} se lee")
        out.print(f"   {ports.registry.load(table, rows, ports.clock())} filas en {table} (ficticias)")
    layout = shelf().get("SEG500USIN")
    _must(layout is not None, "hay un anexo SEG500USIN")
    wanted = list(demo_data.drops(layout, ports.clock().date())) if layout else []
    _step(out, 2, f"El servicio vigila el buzón; llegan {len(wanted)} archivos, uno tras otro")
    outcomes = _served(ports, settings, wanted, out, received)
    _step(out, 3, "Qué tenía el archivo con errores")
    _causes(out, outcomes[1])
    _step(out, 4, "Los correos que llegaron al servidor SMTP")
    _mails(out, received, home)
    _step(out, 5, "El registro se corrige: la EPS confirma su correo, y se reprocesa su archivo")
    _flip(wiring.ports(settings), outcomes[-1], out)  # the service took its children along when it stopped
    _step(out, 6, "Para mirar")
    for outcome in (outcomes[0], outcomes[1]):
        folder = settings.outbox / (outcome.received.sender or "") / outcome.received.guid
        page = folder / ("resultado.html" if outcome.examined.sound else "acta.html")
        out.print(f"   {outcome.verdict}: {page}", soft_wrap=True)
    out.print(f"   correos: {home / 'correo-recibido'}", soft_wrap=True)
    out.print(f"   y con: pisis -w {home} runs list", soft_wrap=True)


def _step(out: Console, place: int, text: str) -> None:
    out.print()
    out.print(f"[bold]{place}. {text}[/]", soft_wrap=True)


def _must(truth: bool, what: str) -> None:  # noqa: FBT001 the one thing it is asked
    if not truth:
        click.echo(f"La demostración no salió como debía: {what}", err=True)
        sys.exit(3)


def _served(
    ports: Ports, settings: Settings, wanted: list[demo_data.Drop], out: Console, received: list[bytes]
) -> list[Outcome]:
    """Drop each file, wait for its verdict, hold it against the expected one; then wait for the mails."""
    done: list[Outcome] = []
    stop = threading.Event()
    options: dict[str, Any] = {"rescan_seconds": settings.rescan_seconds, "stop": stop, "on_outcome": done.append}
    server = threading.Thread(target=service.watch, args=(ports, WatchdogHints(settings.inbox)), kwargs=options)
    server.start()
    table = Table(box=None, padding=(0, 1, 0, 0))
    for title in ("", "archivo", "veredicto", "leídos", "con error", "segundos"):
        table.add_column(title, justify="right" if title in {"leídos", "con error", "segundos"} else "left")
    try:
        for place, one in enumerate(wanted, start=1):
            began = time.monotonic()
            _drop(settings.inbox / one.sender, one)
            _wait(lambda place=place: len(done) >= place, "un archivo recibe su veredicto")
            outcome = done[-1]
            counts = outcome.counts
            row = (one.title, str(outcome.verdict), str(counts.read), str(counts.with_errors))
            table.add_row(str(place), *row, f"{time.monotonic() - began:.1f}")
            _must(str(outcome.verdict) == one.verdict, f"«{one.title}» queda {one.verdict}")
        expected = sum(sum(run["mails"].values()) for run in ports.registry.runs(limit=None))
        _wait(lambda: len(received) >= expected, "todos los correos llegan")
    finally:
        stop.set()
        server.join(timeout=15)
    out.print(table)
    return done


def _drop(folder: Path, one: demo_data.Drop) -> None:
    """As an SFTP client does: under a temporary name first, then renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{one.name}.filepart").write_bytes(one.content)
    (folder / f"{one.name}.filepart").rename(folder / one.name)


def _wait(ready: Any, what: str) -> None:
    limit = time.monotonic() + _PATIENCE
    while not ready() and time.monotonic() < limit:
        time.sleep(0.02)
    _must(ready(), what)


def _causes(out: Console, outcome: Outcome) -> None:
    from pisis_batch.reports.page import causes

    table = Table(box=None, padding=(0, 1, 0, 0))
    for title in ("código", "qué pasa", "dónde"):
        table.add_column(title, no_wrap=title == "código")
    for cause in causes(outcome):
        table.add_row(cause.code, cause.title, cause.where)
    out.print(table)


def _mails(out: Console, received: list[bytes], home: Path) -> None:
    folder = home / "correo-recibido"
    folder.mkdir(exist_ok=True)
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("para", no_wrap=False)
    table.add_column("asunto")
    for place, content in enumerate(received, start=1):
        message = email.message_from_binary_file(io.BytesIO(content), policy=email.policy.default)
        (folder / f"{place:02}.eml").write_bytes(content)
        table.add_row(str(message["To"]), str(message["Subject"]))
    out.print(table)


def _flip(ports: Ports, outcome: Outcome, out: Console) -> None:
    header = demo_data.registry()["entities"].split("\n")[0]
    rows, _ = registry_csv.read("entities", f"{header}\n{demo_data.eps_row(confirmed=True)}\n".encode())
    ports.registry.load("entities", rows, ports.clock())
    dry = service.reprocess(outcome.received.guid, ports, apply=False)
    out.print(f"   en seco: {outcome.verdict} → {dry.verdict}")
    after = service.reprocess(outcome.received.guid, ports, apply=True)
    service.publish(ports)
    sent, failed = service.deliver(ports)
    out.print(
        f"   aplicado: {after.verdict}; usuarios vinculados {after.changes.counts()['linked']}; correos enviados {sent}"
    )
    _must(str(after.verdict) == "cargado" and failed == 0, "el archivo rechazado queda cargado")
