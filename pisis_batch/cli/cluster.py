"""Commands of a service that runs day and night: worker, expire, upgrade."""

import sys
import threading
import time
from pathlib import Path

import click

from pisis_batch.cli import FAULT, serving
from pisis_batch.cli.actor import ACTOR
from pisis_batch.model import Outcome
from pisis_batch.ports import Judge, Work
from pisis_batch.settings import Settings

_DRAIN_SECONDS = 60.0  # half of what the unit gives


@click.command()
@click.option("--concurrency", type=click.IntRange(1), default=2, show_default=True, help="Archivos a la vez.")
@click.option(
    "--large", type=click.IntRange(0), default=1, show_default=True, help="Archivos grandes a la vez, aparte."
)
@click.option("--no-chores", is_flag=True, help="Solo archivos: el correo y lo que pide el calendario los hacen otros.")
@click.option("--metrics", type=click.IntRange(1, 65535), help="Puerto de /metrics (Prometheus), /health y /ready.")
@click.option("--metrics-address", default="127.0.0.1", show_default=True, help="Dónde se ofrece ese puerto.")
@click.option("--allow-fixed-clock", is_flag=True, help="Permitir PISIS_NOW (solo para pruebas).")
@click.pass_obj
def worker(
    workspace: Path | None,
    concurrency: int,
    large: int,
    metrics: int | None,
    metrics_address: str,
    *,
    no_chores: bool,
    allow_fixed_clock: bool,
) -> None:
    """Un trabajador: procesa lo que otros reciben con «pisis watch --enqueue», hasta recibir SIGTERM o Ctrl-C.

    Puede haber cualquier número de ellos, en cualquier número de máquinas, sobre la misma base PostgreSQL.
    """
    from pisis_batch import service, wiring
    from pisis_batch.adapters import systemd

    settings = serving.by_the_clock(Settings.load(workspace), fixed_allowed=allow_fixed_clock)
    ports, queue = wiring.worker(settings)
    stop, beats = serving.stopped(), service.Beats()
    click.echo(f"Trabajando: {concurrency} archivos a la vez y {large} grandes", err=True)
    measured = wiring.metrics(ports) if metrics else None

    def ended(outcome: Outcome) -> None:
        click.echo(f"{outcome.received.guid} {outcome.verdict}", err=True)
        if measured:
            measured.ended(outcome)

    work: Work = service.FileWork(ports, ended)
    if metrics and measured:
        serving.asked_on(metrics, settings, ports, beats, measured, address=metrics_address, intake=False)
        work = measured.around(work)
    systemd.watchdog(beats.silent, stop)
    ports.judge.warm()
    threading.Thread(target=_hurry, args=(stop, ports.judge), name="hurry", daemon=True).start()
    queue.serve(
        work,
        wiring.slots(concurrency, large, chores=not no_chores),
        stop,
        beat=lambda: beats.beat("cola"),
        on_ready=lambda: serving.ready(f"trabajando, {concurrency} archivos a la vez y {large} grandes"),
    )
    ports.judge.close()


def _hurry(stop: threading.Event, judge: Judge) -> None:
    """After the stop: what is not judged in a minute goes back in line, and not as an attempt."""
    stop.wait()
    time.sleep(_DRAIN_SECONDS)
    judge.close()


@click.command()
@click.option("--dry-run", is_flag=True, help="Solo decir a cuántos les toca.")
@ACTOR
@click.pass_obj
def expire(workspace: Path | None, actor: str, *, dry_run: bool) -> None:
    """Desvincula a quienes su contrato ya terminó y avisa a cada entidad. El servicio lo hace solo cada hora."""
    from pisis_batch import service, wiring

    ports = wiring.ports(Settings.load(workspace))
    found = ports.registry.ended_contracts(ports.clock().date()) if dry_run else service.expire(ports, actor)
    for ended in found:
        click.echo(f"{ended.entity.id}  {ended.users.height} usuarios")
    verb = "Terminaron" if dry_run else "Desvinculados:"
    click.echo(f"{verb} {sum(ended.users.height for ended in found)} contratos de {len(found)} entidades.")


@click.command()
@click.option("--finish", is_flag=True, help="Quitar también lo que solo usaban versiones anteriores.")
@click.pass_obj
def upgrade(workspace: Path | None, *, finish: bool) -> None:
    """Pone al día las tablas. Con --finish, cuando ya ninguna máquina usa la versión anterior, termina el cambio."""
    from pisis_batch.adapters.sql_registry import SqlRegistry

    registry = SqlRegistry(Settings.load(workspace).database.get_secret_value())
    waiting = registry.migrate(finish=finish)
    registry.close()
    if not waiting:
        click.echo("Las tablas están al día.")
        return
    click.echo(f"Las tablas sirven a esta versión y a la anterior. Esperan {len(waiting)} pasos: {', '.join(waiting)}.")
    click.echo("Cuando todas las máquinas tengan la versión nueva: pisis upgrade --finish")
    if finish:
        sys.exit(FAULT)
