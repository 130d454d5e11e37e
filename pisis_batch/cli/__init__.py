"""The command line: `pisis`. Commands import what they need when they run, so that help is immediate."""

import importlib
import os
import sys
import threading
from pathlib import Path
from typing import Any

import click

from pisis_batch import __version__

REJECTED, FAULT = 1, 3
#: command -> (module, line in the list of commands)
_COMMANDS = {
    "init": ("workspace", "Crea un espacio de trabajo."),
    "demo": ("demo", "Muestra el trabajo completo con archivos ficticios."),
    "watch": ("files", "El servicio: vigila el buzón, procesa y responde."),
    "worker": ("cluster", "Un trabajador más, en esta máquina o en otra."),
    "process": ("files", "Procesa lo que hay en el buzón, y termina."),
    "check": ("files", "Dice el veredicto de un archivo sin ningún efecto."),
    "fix": ("fixing", "Hace una copia corregida de un archivo."),
    "reprocess": ("reprocessing", "Juzga de nuevo archivos ya recibidos."),
    "runs": ("queue", "Los archivos recibidos y sus hallazgos."),
    "deliver": ("mail", "Envía los correos que esperan."),
    "build": ("excel", "Hace el archivo plano de un libro de Excel lleno."),
    "explain": ("knowledge", "La página de un código de hallazgo."),
    "schema": ("knowledge", "El JSON Schema de ack.json."),
    "layouts": ("knowledge", "Los anexos técnicos que se reciben."),
    "data": ("data", "Los registros almacenados de un anexo."),
    "registry": ("people", "Carga y consulta el registro."),
    "audit": ("audit", "La auditoría firmada en cadena, y si sigue entera."),
    "retention": ("retention", "Lo que ya no hay que guardar, por clase."),
    "erase": ("retention", "Borra una clase de datos, o a una persona."),
    "backup": ("backup", "Copia la base, los originales y las llaves."),
    "restore": ("backup", "Hace de una copia un espacio de trabajo."),
    "expire": ("cluster", "Desvincula a quienes su contrato ya terminó."),
    "upgrade": ("cluster", "Pone al día las tablas de la base de datos."),
    "doctor": ("workspace", "Dice si el sistema puede trabajar aquí."),
}


class _Lazy(click.Group):
    """Finds each command in its module, imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        from pisis_batch.frames import loading

        with loading():
            module = importlib.import_module(f"pisis_batch.cli.{_COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-w",
    "--workspace",
    type=click.Path(file_okay=False, path_type=Path),
    help="Carpeta de trabajo (la que tiene pisis.toml). Sin ella se busca desde la carpeta actual hacia arriba.",
)
@click.version_option(__version__, prog_name="pisis")
@click.pass_context
def root(ctx: click.Context, workspace: Path | None) -> None:
    """Recibe los archivos planos que las entidades reportan al SISPRO: los valida, los aplica y responde.

    Códigos de salida: 0 todo bien, 1 hay archivos rechazados, 2 orden mal escrita, 3 falla nuestra.
    """
    ctx.obj = workspace


def main() -> None:
    """Run, and turn any fault of ours into one sentence; `PISIS_DEBUG=1` shows where it happened, never its text."""
    threading.excepthook = _elsewhere
    sys.unraisablehook = _elsewhere
    try:
        root(prog_name="pisis", standalone_mode=True)
    except Exception as error:  # noqa: BLE001  # the one place where a fault becomes a sentence
        if os.environ.get("PISIS_DEBUG"):
            click.echo(_where(error), err=True)
        click.echo(f"pisis: {_sentence(error)}", err=True)
        sys.exit(FAULT)


def _elsewhere(said: Any) -> None:
    """A fault in a thread, or while something was let go: by its kind, for its text may carry what a file says."""
    kind = said.exc_type.__name__
    if kind not in {"SystemExit", "ResourceWarning"}:
        click.echo(f"pisis: falla interna aparte ({kind})", err=True)


def _where(error: BaseException) -> str:
    """The lines of ours that a fault went through, and of the faults before it; of each its kind alone."""
    import traceback

    told = []
    seen: BaseException | None = error
    while seen is not None:
        told += [line.rstrip() for line in traceback.format_tb(seen.__traceback__)] + [type(seen).__name__]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(told)


def _sentence(error: Exception) -> str:
    name = type(error).__name__
    if name in {"SettingsError", "LayoutError", "SchemaError", "KeyringError"}:
        return str(error)
    if isinstance(error, PermissionError):
        return f"no hay permiso para usar {error.filename}"
    if isinstance(error, OSError):
        return f"el sistema de archivos o la red no respondieron ({name}): revise con «pisis doctor»"
    if name == "UnavailableError":
        return f"la base de datos o el almacén no respondió como debía ({name}): revise con «pisis doctor»"
    if "sqlalchemy" in type(error).__module__:
        return f"la base de datos no respondió como debía ({name}): revise con «pisis doctor»"
    return f"falla interna ({name}); con PISIS_DEBUG=1 se muestra dónde"
