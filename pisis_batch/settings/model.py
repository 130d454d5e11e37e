"""Every setting, and where each is said."""

import os
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pisis_batch.model import NIT_ATTRIBUTES
from pisis_batch.settings import BOGOTA, FILE, SettingsError, workspace

_SQLITE = "sqlite:///"


class Settings(BaseModel):
    """Every setting. Paths are absolute once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: Path = Path()
    database: SecretStr = SecretStr("sqlite:///var/registry.db")
    storage: SecretStr = SecretStr("folder")
    storage_ca: Path | None = None
    mail: SecretStr = SecretStr("folder")
    mail_from: str = "PISIS <no-responder@pisis.example>"
    inbox: Path = Path("inbox")
    outbox: Path = Path("outbox")
    archive: Path = Path("var/archive")
    claims: Path = Path("var/claims")
    keys: Path = Path("var/llaves")
    layouts: Path | None = None
    now: datetime | None = None
    settle_seconds: float = 2.0
    rescan_seconds: float = 10.0
    max_file_bytes: int = 512 * 1024 * 1024
    max_line_bytes: int = 64 * 1024
    isolation: bool = True
    judge_seconds: float = 30.0
    judge_memory_bytes: int = 4 * 1024**3
    brake_users: int = Field(20, ge=0)
    brake_percent: int = Field(50, ge=0, le=100)
    large_file_bytes: int = 8 * 1024 * 1024
    lease_seconds: float = Field(20.0, ge=1.0)
    signature: Literal["off", "warn", "require"] = "off"
    signatures: Path = Path("firmas")
    signature_wait_seconds: float = Field(60.0, ge=0)
    signature_nit: tuple[str, ...] = NIT_ATTRIBUTES
    remind_days: int = Field(3, ge=0)
    keep_days: int = Field(0, ge=0)
    keep_originals_days: int = Field(0, ge=0)
    keep_documents_days: int = Field(365, ge=0)
    keep_letters_days: int = Field(365, ge=0)
    keep_values_days: int = Field(365, ge=0)
    keep_history_days: int = Field(0, ge=0)
    keep_audit_days: int = Field(0, ge=0)

    @field_validator("now")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=BOGOTA) if value.tzinfo is None else value.astimezone(BOGOTA)

    @classmethod
    def load(cls, root: Path | None = None, **options: Any) -> "Settings":
        """The settings of a workspace: the given folder, or the nearest one upward that holds `pisis.toml`."""
        folder = workspace(root)
        said = _read(folder / FILE) if folder else {}
        base = folder or Path.cwd()
        by_file = {name: _at(base, name, value) for name, value in {**_defaults(), **said}.items()}
        by_env = {
            name: _at(Path.cwd(), name, os.environ[f"PISIS_{name.upper()}"])
            for name in cls.model_fields
            if f"PISIS_{name.upper()}" in os.environ and name != "root"
        }
        try:
            return cls(root=base, **{**by_file, **by_env, **options})
        except ValidationError as error:
            names = ", ".join(str(part["loc"][0]) for part in error.errors())
            raise SettingsError(f"ajuste desconocido o mal escrito: {names}") from None


def _defaults() -> dict[str, Any]:
    return {
        name: Settings.model_fields[name].default
        for name in ("database", "inbox", "outbox", "archive", "claims", "keys", "signatures")
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE} está mal escrito: {error}") from None


def _at(base: Path, name: str, value: Any) -> Any:
    """Relative paths count from where they were written: the workspace, or the current folder."""
    if name in {"inbox", "outbox", "archive", "claims", "keys", "signatures", "layouts", "storage_ca"}:
        return base / Path(str(value)).expanduser()
    if name == "database":
        url = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        path = url.removeprefix(_SQLITE)
        if url.startswith(_SQLITE) and path not in {"", ":memory:"} and not path.startswith("/"):
            return SecretStr(f"{_SQLITE}{base / path}")
        return SecretStr(url)
    return value
