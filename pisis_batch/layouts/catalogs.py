"""Reference tables: `catalogos.toml` becomes `CATALOGS`, code to meaning, enabled and disabled apart."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict


class Catalog(BaseModel):
    """A reference table. With `registry` its rows live in the registry; with `loadable`, in a file of codes.

    A loadable table that nobody has loaded is not judged: a code cannot be wrong in a table that is not there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    codes: dict[str, str] = {}
    disabled: dict[str, str] = {}
    registry: bool = False
    loadable: bool = False

    @property
    def elsewhere(self) -> bool:
        """Whether the codes are not written here."""
        return self.registry or self.loadable


def _load() -> dict[str, Catalog]:
    text = resources.files(__package__).joinpath("catalogos.toml").read_text("utf-8")
    return {name: Catalog.model_validate(table) for name, table in tomllib.loads(text).items()}


CATALOGS = _load()
_OWN = frozenset(CATALOGS)


def add(tables: Mapping[str, Any]) -> None:
    """Put the operator's tables beside the built-in ones, instead of those added before.

    Raises ValueError when a name is taken, and pydantic's ValidationError when a table is written wrongly.
    """
    taken = sorted(_OWN & set(tables))
    if taken:
        raise ValueError(f"la tabla {', '.join(taken)} ya viene incluida: use otro nombre")
    made = {name: Catalog.model_validate(table) for name, table in tables.items()}
    for name in set(CATALOGS) - _OWN:
        del CATALOGS[name]
    CATALOGS.update(made)
