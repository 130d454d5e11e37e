"""Reference tables: `catalogos.toml` becomes `CATALOGS`, code to meaning, enabled and disabled apart."""

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import resources
from typing import Any

from pisis_batch.layouts.strict import Key, Strict, built, validated


class Catalog(Strict):
    """A reference table. With `registry` its rows live in the registry; with `loadable`, in a file of codes.

    A loadable table that nobody has loaded is not judged: a code cannot be wrong in a table that is not there.
    """

    title: str
    codes: dict[str, str] = Key(default={})
    disabled: dict[str, str] = Key(default={})
    registry: bool = False
    loadable: bool = False

    @property
    def elsewhere(self) -> bool:
        """Whether the codes are not written here."""
        return self.registry or self.loadable


def _load() -> dict[str, Catalog]:
    text = resources.files(__package__).joinpath("catalogos.toml").read_text("utf-8")
    return {name: built(Catalog, table) for name, table in tomllib.loads(text).items()}


CATALOGS = _load()
_OWN = frozenset(CATALOGS)


def add(tables: Mapping[str, Any]) -> None:
    """Put the operator's tables beside the built-in ones, instead of those added before.

    Raises ValueError when a name is taken, and pydantic's ValidationError when a table is written wrongly.
    """
    taken = sorted(_OWN & set(tables))
    if taken:
        raise ValueError(f"la tabla {', '.join(taken)} ya viene incluida: use otro nombre")
    made = {name: validated(Catalog, table) for name, table in tables.items()}
    for name in set(CATALOGS) - _OWN:
        del CATALOGS[name]
    CATALOGS.update(made)


#: Codes that were loaded from files, by table: rows of (code, name, first day, last day), an open end empty.
LOADED: dict[str, tuple[tuple[str, str, str, str], ...]] = {}


def load(files: Mapping[str, str]) -> None:
    """Put the codes of loadable tables in force, instead of those loaded before: table -> text of its CSV.

    The columns are codigo, nombre, desde and hasta, of which only the first is needed; commas or semicolons separate
    them. Raises ValueError, naming the table and the line, when a table is not known or a file is written wrongly.
    """
    made = {name: tuple(_rows(name, text)) for name, text in files.items()}
    LOADED.clear()
    LOADED.update(made)


def _rows(name: str, text: str) -> Iterator[tuple[str, str, str, str]]:
    if name not in CATALOGS or not CATALOGS[name].loadable:
        known = ", ".join(sorted(table for table, catalog in CATALOGS.items() if catalog.loadable))
        raise ValueError(f"{name}: no es una tabla cargable ({known})")
    first = text.removeprefix("\ufeff").split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";" if ";" in first else ",")
    if "codigo" not in (reader.fieldnames or ()):
        raise ValueError(f"{name}: falta la columna codigo")
    for row in reader:
        since, until = ((row.get(key) or "").strip() for key in ("desde", "hasta"))
        try:
            for day in filter(None, (since, until)):
                date.fromisoformat(day)
        except ValueError:
            raise ValueError(f"{name}: línea {reader.line_num}: la fecha se escribe AAAA-MM-DD") from None
        yield (row["codigo"] or "").strip(), (row.get("nombre") or "").strip(), since, until
