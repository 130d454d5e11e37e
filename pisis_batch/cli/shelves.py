"""Which layouts a command knows: the built-in ones and those of the operator's folder (`--layouts`, `layouts = …`)."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pisis_batch.layouts import Layout, Shelf

_VARIABLE = "PISIS_LAYOUTS"


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    """The folder stands in the environment for as long as the command runs, so that its processes see it too."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def _callback(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.with_resource(_said(value))


LAYOUTS = click.option(
    "--layouts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    expose_value=False,
    is_eager=True,
    callback=_callback,
    help="Carpeta con más definiciones de anexos (TOML) y sus tablas (catalogos.toml).",
)


def known(workspace: Path | None, names: Collection[str] = ()) -> "Shelf":
    """Every layout, those of the workspace's or the command's folder included; with `names` what they may ask for."""
    from pisis_batch import settings
    from pisis_batch.adapters.folder_layouts import shelf_with

    try:
        folder = settings.load(workspace).layouts
    except settings.SettingsError:
        if workspace is not None:
            raise
        said = os.environ.get(_VARIABLE)
        folder = Path(said) if said else None
    return shelf_with(folder, names)


def one(annex: str, workspace: Path | None, cut: date | None = None) -> "Layout":
    """The layout of ANNEX, in force at a cut date if one is given, or of ANNEX@version; a usage error names them."""
    shelf = known(workspace)
    code, _, version = annex.partition("@")
    found = shelf.get(code, cut) or shelf.get(code)
    if version:
        found = next((x for x in shelf if x.annex == code.upper() and x.version == version), None)
    if found is None:
        have = [f"{x.annex}@{x.version}" for x in shelf] if version else shelf.annexes()
        raise click.BadParameter(f"no se recibe el anexo {annex}; hay {', '.join(have)}", param_hint="ANNEX")
    return found
