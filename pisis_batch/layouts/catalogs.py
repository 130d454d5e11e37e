"""Reference tables: `catalogos.toml` becomes `CATALOGS`, code to meaning, enabled and disabled apart."""

import tomllib
from importlib import resources

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
