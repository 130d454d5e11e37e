"""Commands against the loss of a machine: `backup` and `restore`."""

import sys
from pathlib import Path

import click

from pisis_batch.cli import FAULT
from pisis_batch.cli.actor import ACTOR
from pisis_batch.settings import FILE, Settings, SettingsError

_POSTGRESQL = "la base PostgreSQL se respalda antes con «pg_dump --format=custom»; vea docs/guarda-y-respaldo.md"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def backup(workspace: Path | None, folder: Path) -> None:
    """Copia en FOLDER la base, los originales, las llaves y los ajustes, aunque el servicio esté trabajando.

    La carpeta se puede usar otra vez: solo se copian los originales nuevos. Guárdela cifrada y en otra máquina.
    """
    from pisis_batch import wiring
    from pisis_batch.adapters.folder_backup import KEYS, SETTINGS, Backup, BackupError
    from pisis_batch.adapters.sql_registry import SqlRegistry

    settings = Settings.load(workspace)
    ports = wiring.ports(settings)
    registry = ports.registry
    if not isinstance(registry, SqlRegistry):
        raise SettingsError("solo se respalda un registro en una base de datos")
    files = [(KEYS, settings.keys), (SETTINGS, settings.root / FILE)]
    local = settings.storage.get_secret_value() == "folder"
    try:
        said = Backup(folder).make(
            registry,
            ports.archive if local else None,
            [(name, path) for name, path in files if path.is_file()],
            ports.clock().isoformat(),
        )
    except BackupError as error:
        raise SettingsError(str(error)) from None
    click.echo(
        f"Respaldo en {folder}: {said['originals']} originales, auditoría hasta {said['head'].partition(':')[0]}."
    )
    if said["database"] is None:
        click.echo(f"Sin la base de datos: {_POSTGRESQL}.")
    if not local:
        click.echo("Sin los originales: están en el almacén de objetos, que tiene su propio respaldo.")
    click.echo("Tiene datos personales y las llaves: cífrelo y guárdelo en otra máquina.")
    for sha256 in said["lost"]:
        click.echo(f"✗ el original {sha256} no está, o ya no es el que se recibió", err=True)
    if said["lost"]:
        sys.exit(FAULT)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@ACTOR
def restore(folder: Path, target: Path, actor: str) -> None:
    """Hace de la copia FOLDER un espacio de trabajo en TARGET, y lo revisa. Nunca escribe sobre una base que exista.

    Con PostgreSQL, restaure antes la base con «pg_restore» y diga cuál es en PISIS_DATABASE.
    """
    from pisis_batch.adapters.folder_backup import BackupError

    try:
        _restore(folder, target, actor)
    except BackupError as error:
        raise SettingsError(str(error)) from None


def _restore(folder: Path, target: Path, actor: str) -> None:
    from pisis_batch import service, wiring
    from pisis_batch.adapters import durable
    from pisis_batch.adapters.folder_archive import FolderArchive
    from pisis_batch.adapters.folder_backup import KEYS, SETTINGS, Backup
    from pisis_batch.adapters.sql_engine import database_file
    from pisis_batch.adapters.sql_registry import SqlRegistry

    kept = Backup(folder)
    said = kept.said()
    target.mkdir(parents=True, exist_ok=True)
    if not (target / FILE).exists():
        source = folder / SETTINGS
        durable.write(target / FILE, source.read_bytes() if source.is_file() else b"")
    settings = Settings.load(target)
    place = database_file(settings.database.get_secret_value())
    if place is not None and said["database"]:
        kept.restore_database(place)
    if settings.storage.get_secret_value() == "folder":
        kept.restore_originals(FolderArchive(settings.archive))
    if (folder / KEYS).is_file() and not settings.keys.exists():
        settings.keys.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.write(settings.keys, (folder / KEYS).read_bytes(), 0o600)
    ports = wiring.ports(settings)
    again = ports.registry.unpublish(ports.clock(), actor)
    service.publish(ports)
    accounts = service.fsck(ports)
    if isinstance(ports.registry, SqlRegistry):
        ports.registry.close()
    click.echo(
        f"Restaurado en {target.resolve()} como estaba el {said['at'][:19]}: {again} archivos publicados otra vez."
    )
    waiting = accounts.totals.get("correos pendientes", 0)
    if waiting:
        click.echo(
            f"{waiting} correos figuran sin enviar. Los que salieron después del respaldo saldrán otra vez, idénticos:"
            " quien los lea verá el mismo número de envío dos veces."
        )
    click.echo(
        "Lo recibido después del respaldo no está: pida a las entidades que lo envíen de nuevo (no se duplica nada)."
    )
    for offender in accounts.offenders:
        click.echo(f"✗ {offender.guid}: {offender.what}")
    if accounts.offenders:
        sys.exit(FAULT)
    click.echo("✓ cuentas y auditoría: todo cuadra")
