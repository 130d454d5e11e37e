"""Commands about the place itself: make a workspace, see whether it can work."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from pisis_batch.cli import FAULT, health
from pisis_batch.cli.health import UnwellError
from pisis_batch.settings import FILE, TEMPLATE, Settings

_ROOM = 256 * 1024 * 1024


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init(folder: Path) -> None:
    """Crea un espacio de trabajo: pisis.toml, inbox/, outbox/ y var/ con el registro y los originales."""
    from pisis_batch import wiring

    folder.mkdir(parents=True, exist_ok=True)
    made = not (folder / FILE).exists()
    if made:
        (folder / FILE).write_text(TEMPLATE, "utf-8")
    wiring.ports(Settings.load(folder))
    (folder / "var").chmod(0o700)
    verb = "creado" if made else "ya existía; quedó al día"
    click.echo(f"Espacio de trabajo {verb}: {folder.resolve()}")


@click.command()
@click.option("--fsck", is_flag=True, help="Cuadrar además lo recibido con veredictos, originales y documentos.")
@click.option("--running", type=click.IntRange(1, 65535), help="Preguntar al servicio que ya corre en este puerto.")
@click.pass_obj
def doctor(workspace: Path | None, *, fsck: bool, running: int | None) -> None:
    """Dice si el sistema puede trabajar aquí: disco, base de datos, correo, carpetas y reloj.

    Termina en 0 si puede y en 3 si no. Con --running no mira nada por su cuenta: repite lo que dice /ready.
    """
    if running:
        if not _running(running):
            sys.exit(FAULT)
        return
    settings = Settings.load(workspace)
    well = not fsck or _adds_up(settings)
    for name, check in _checks(settings):
        try:
            said = check()
        except Exception as error:  # noqa: BLE001 every fault is told, none ends the visit
            well = False
            click.echo(f"✗ {name}: {error if isinstance(error, UnwellError) else type(error).__name__}")
        else:
            click.echo(f"✓ {name}: {said}")
    if not well:
        sys.exit(FAULT)


def _running(port: int) -> bool:
    """Tell what a running service says of itself; whether it is ready."""
    import http.client
    import json

    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", "/ready")
        told = json.loads(line.getresponse().read())
    except (OSError, ValueError) as error:
        click.echo(f"✗ servicio: no responde en el puerto {port} ({type(error).__name__})")
        return False
    finally:
        line.close()
    for name, sign in told["signs"].items():
        click.echo(f"{'✓' if sign['well'] else '✗'} {name}: {sign['note']}")
    return bool(told["well"])


def _adds_up(settings: Settings) -> bool:
    """Tell the totals, and every offender; whether there was none."""
    from pisis_batch import service, wiring

    accounts = service.fsck(wiring.ports(settings))
    for name, many in accounts.totals.items():
        click.echo(f"  {name}: {many}")
    for offender in accounts.offenders:
        click.echo(f"✗ {offender.guid}: {offender.what}")
    if not accounts.offenders:
        click.echo("✓ cuentas: cada archivo recibido tiene su lugar, y cada veredicto sus documentos y su rastro")
    return not accounts.offenders


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "reloj", lambda: _clock(settings)
    yield "disco", lambda: _disk(settings)
    yield "carpetas", lambda: _folders(settings)
    yield "base de datos", lambda: _database(settings)
    yield "correo", lambda: _mail(settings)
    if settings.signature != "off":
        yield "firmas", lambda: _signatures(settings)
    yield from health.checks(settings)


def _clock(settings: Settings) -> str:
    from pisis_batch import wiring

    ZoneInfo("America/Bogota")
    fixed = " (fijo por PISIS_NOW)" if settings.now else ""
    return f"{wiring.clock(settings)().isoformat(timespec='seconds')}{fixed}"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.root).free
    if free < _ROOM:
        raise UnwellError(f"quedan {free // 2**20} MiB; se necesitan al menos {_ROOM // 2**20}")
    return f"{free // 2**30} GiB libres"


def _folders(settings: Settings) -> str:
    for folder in (settings.inbox, settings.outbox, settings.archive, settings.claims):
        if not folder.is_dir():
            raise UnwellError(f"no existe {folder}")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UnwellError(f"no se puede escribir en {folder}")
    from pisis_batch import service
    from pisis_batch.adapters.folder_scan import strays

    for stray in strays(settings.inbox):
        click.echo(f"! buzón: {service.readable(stray)}")
    if settings.inbox.stat().st_dev != settings.claims.stat().st_dev:
        raise UnwellError("el buzón y var/claims están en discos distintos; póngalos en el mismo")
    return "existen, se puede escribir y el buzón está en el mismo disco"


def _database(settings: Settings) -> str:
    from sqlalchemy import text

    from pisis_batch.adapters.sql_engine import engine
    from pisis_batch.adapters.sqlite_driver import SQLITE_VERSION

    made = engine(settings.database.get_secret_value())
    with made.connect() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    made.dispose()
    kind = f"SQLite {SQLITE_VERSION}" if made.dialect.name == "sqlite" else made.dialect.name
    return f"{kind}, tablas en la versión {version}"


def _signatures(settings: Settings) -> str:
    from pisis_batch import wiring
    from pisis_batch.adapters.trust_folder import TrustFolder

    if troubles := TrustFolder(settings.signatures, required=False).troubles(wiring.clock(settings)()):
        raise UnwellError("; ".join(troubles))
    return f"{settings.signature}: raíces y listas de revocación al día"


def _mail(settings: Settings) -> str:
    from urllib.parse import urlsplit

    from pisis_batch import wiring

    wiring.mailer(settings)
    target = settings.mail.get_secret_value()
    if target == "folder":
        return f"se escribe en {settings.outbox / 'correo'}"
    import socket

    parts = urlsplit(target)
    with socket.create_connection((parts.hostname or "", parts.port or 25), timeout=10):
        return f"el servidor {parts.hostname} responde"
