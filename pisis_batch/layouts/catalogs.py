"""Reference tables: `catalogos.toml` becomes `CATALOGS`, code to meaning, enabled and disabled apart."""

import tomllib
from importlib import resources

from pydantic import BaseModel, ConfigDict


class Catalog(BaseModel):
    """A reference table. With `registry` its rows live in the registry, not here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    codes: dict[str, str] = {}
    disabled: dict[str, str] = {}
    registry: bool = False


def _load() -> dict[str, Catalog]:
    text = resources.files(__package__).joinpath("catalogos.toml").read_text("utf-8")
    return {name: Catalog.model_validate(table) for name, table in tomllib.loads(text).items()}


CATALOGS = _load()
