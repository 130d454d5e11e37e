"""Layouts and reference tables of the operator: a folder of TOML files beside those that travel with the program."""

import tomllib
from collections.abc import Collection
from pathlib import Path

from pisis_batch.layouts import LayoutError, Shelf, catalogs, parse, shelf, shelf_for
from pisis_batch.layouts.overlap import overlaps

TABLES = "catalogos.toml"
CODES = "catalogos"  # a folder with a CSV of codes for each loadable table


def shelf_with(folder: Path | None, names: Collection[str] = ()) -> Shelf:
    """The built-in layouts and those of the folder, whose tables (`catalogos.toml`) join the built-in ones.

    With `names` and no folder, only what files of these names may ask for.

    Raises LayoutError on a mistake in any of them, or when a file could not choose between two.
    """
    if folder is None and names:
        return shelf_for(names)
    own = shelf()
    if folder is None:
        return own
    if not folder.is_dir():
        raise LayoutError(str(folder), ["la carpeta de definiciones no existe"])
    _tables(folder)
    files = sorted(path for path in folder.glob("*.toml") if path.name != TABLES)
    every = Shelf((*own.layouts, *(parse(path.read_text("utf-8"), path.name) for path in files)))
    if found := overlaps(every.layouts):
        raise LayoutError(folder.name, found)
    return every


def _tables(folder: Path) -> None:
    path = folder / TABLES
    codes = sorted((folder / CODES).glob("*.csv"))
    try:
        catalogs.add(tomllib.loads(path.read_text("utf-8")) if path.is_file() else {})
    except ValueError as error:
        raise LayoutError(path.name, [str(error).replace("\n", " ")]) from None
    try:
        catalogs.load({one.stem: one.read_text("utf-8") for one in codes})
    except ValueError as error:
        raise LayoutError(CODES, [str(error)]) from None
