"""Settings: `pisis.toml` of the workspace, then `PISIS_*` of the environment, then what the command line says.

Where there is no workspace nothing is set, and the library that reads settings is not loaded.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pisis_batch.settings.model import Settings

__all__ = ["BOGOTA", "FILE", "TEMPLATE", "Settings", "SettingsError", "load", "workspace"]

BOGOTA = ZoneInfo("America/Bogota")
FILE = "pisis.toml"


class SettingsError(ValueError):
    """The settings cannot be used; the message is a plain Spanish sentence."""


def __getattr__(name: str) -> Any:
    """The model, loaded when it is first asked for."""
    if name != "Settings":
        raise AttributeError(name)
    from pisis_batch.settings import model  # noqa: PLC0415 see above

    return model.Settings


def load(root: Path | None = None, **options: Any) -> "Settings":
    """As `Settings.load`. Raises SettingsError where there is no workspace, without loading more."""
    found = workspace(root)
    from pisis_batch.settings.model import Settings  # noqa: PLC0415 see above

    return Settings.load(found, **options)


def workspace(root: Path | None) -> Path | None:
    """The given folder, or the nearest one upward that holds `pisis.toml`; None when the environment says it all."""
    if root is not None:
        if not (root / FILE).is_file():
            raise SettingsError(f"la carpeta {root} no tiene {FILE}: créelo con «pisis init»")
        return root.resolve()
    here = Path.cwd()
    found = next((folder for folder in (here, *here.parents) if (folder / FILE).is_file()), None)
    if found is None and "PISIS_DATABASE" not in os.environ:
        raise SettingsError("aquí no hay un espacio de trabajo: cree uno con «pisis init» o indique la carpeta con -w")
    return found


TEMPLATE = """\
# Ajustes de este espacio de trabajo. Las rutas son relativas a esta carpeta.
# Cada uno se puede dar también en el entorno: PISIS_DATABASE, PISIS_MAIL…

# database = "sqlite:///var/registry.db"   # o postgresql+psycopg://usuario:clave@servidor/base
# storage = "folder"                       # o s3://cubeta/prefijo?endpoint=https://servidor&region=…
# storage_ca = "almacen-ca.pem"            # autoridades propias que responden por ese servidor, además de las de todos
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
