"""Settings: `pisis.toml` of the workspace, then `PISIS_*` of the environment, then what the command line says."""

import os
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pisis_batch.model import NIT_ATTRIBUTES

BOGOTA = ZoneInfo("America/Bogota")
FILE = "pisis.toml"
_SQLITE = "sqlite:///"


class SettingsError(ValueError):
    """The settings cannot be used; the message is a plain Spanish sentence."""


class Settings(BaseModel):
    """Every setting. Paths are absolute once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: Path = Path()
    database: SecretStr = SecretStr("sqlite:///var/registry.db")
    storage: SecretStr = SecretStr("folder")
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
        folder = _workspace(root)
        said: dict[str, Any] = {}
        if folder is not None:
            said = _read(folder / FILE)
        elif "PISIS_DATABASE" not in os.environ:
            raise SettingsError(
                "aquí no hay un espacio de trabajo: cree uno con «pisis init» o indique la carpeta con -w"
            )
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


def _workspace(root: Path | None) -> Path | None:
    if root is not None:
        if not (root / FILE).is_file():
            raise SettingsError(f"la carpeta {root} no tiene {FILE}: créelo con «pisis init»")
        return root.resolve()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / FILE).is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE} está mal escrito: {error}") from None


def _at(base: Path, name: str, value: Any) -> Any:
    """Relative paths count from where they were written: the workspace, or the current folder."""
    if name in {"inbox", "outbox", "archive", "claims", "keys", "signatures", "layouts"}:
        return base / Path(str(value)).expanduser()
    if name == "database":
        url = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        path = url.removeprefix(_SQLITE)
        if url.startswith(_SQLITE) and path not in {"", ":memory:"} and not path.startswith("/"):
            return SecretStr(f"{_SQLITE}{base / path}")
        return SecretStr(url)
    return value


TEMPLATE = """\
# Ajustes de este espacio de trabajo. Las rutas son relativas a esta carpeta.
# Cada uno se puede dar también en el entorno: PISIS_DATABASE, PISIS_MAIL…

# database = "sqlite:///var/registry.db"   # o postgresql+psycopg://usuario:clave@servidor/base
# storage = "folder"                       # o s3://cubeta/prefijo?endpoint=https://servidor&region=…
# mail = "folder"                          # o smtp://usuario:clave@servidor:587?tls=starttls
# mail_from = "PISIS <no-responder@pisis.example>"
# inbox = "inbox"
# outbox = "outbox"
# archive = "var/archive"
# keys = "var/llaves"                      # llaves de las huellas y de la cadena de auditoría; solo para el servicio
# layouts = "anexos"                       # carpeta con más definiciones de anexos (TOML) y catalogos.toml
# settle_seconds = 2.0                     # cuánto debe estar quieto un archivo antes de tomarlo
# rescan_seconds = 10.0                    # cada cuánto se mira el buzón aunque nada avise
# max_file_bytes = 536870912
# max_line_bytes = 65536
# isolation = true                         # juzgar en un proceso hijo: sin red ni base de datos, con límites
# judge_seconds = 30.0                     # cuánto puede tardar un archivo (más un segundo por MiB)
# judge_memory_bytes = 4294967296          # espacio de direcciones del hijo (más 24 veces el archivo)
# brake_users = 20                         # si desvincula a más, el archivo espera a que dos personas lo aprueben
# brake_percent = 50                       # lo mismo con este porcentaje de los usuarios (desde 5); 0 lo apaga
# signature = "off"                        # firma digital: off, warn (avisa) o require (rechaza sin firma válida)
# signatures = "firmas"                    # carpeta con raices/, intermedias/ y listas/ (certificados y revocaciones)
# signature_wait_seconds = 60.0            # cuánto espera un archivo por su firma (.p7s)
# remind_days = 3                          # cuántos días antes del cierre se recuerda a quien no ha reportado; 0: nunca
# keep_days = 0                            # tras cuántos días la base suelta su copia de lo ya entregado; 0: nunca
# keep_originals_days = 0                  # retención por clase («pisis retention»), en días; 0: para siempre
# keep_documents_days = 365                # documentos de cada archivo, también los de la carpeta de salida
# keep_letters_days = 365                  # texto y dirección de los correos ya enviados
# keep_values_days = 365                   # valores de las celdas que muestran los hallazgos
# keep_history_days = 0                    # vínculos, perfiles y registros almacenados que ya terminaron
# keep_audit_days = 0                      # entradas de la auditoría (sus eslabones quedan)
# lease_seconds = 20.0                     # tras cuánto silencio otro trabajador toma el archivo
# large_file_bytes = 8388608               # desde aquí un archivo va por la cola de los grandes (con trabajadores)
"""
