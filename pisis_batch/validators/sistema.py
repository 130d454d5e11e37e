"""SIS: faults of ours. They are never counted as the sender's."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import Found, rule


@rule(
    "SIS001",
    title="Falla nuestra al procesar",
    es="El archivo no se pudo procesar por una falla del sistema; no es un error del archivo",
    en="The file could not be processed because of a fault of the system; the file is not to blame",
    cause="El sistema receptor falló varias veces con este archivo.",
    remedy="No tiene que corregir ni reenviar nada: el archivo quedó guardado y la Mesa de Ayuda fue informada.",
    source="Q24",
)
def our_fault(batch: Batch, facts: Facts) -> Found:
    """Raised by the service, not by a file: there is no example line.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return pl.DataFrame(schema={"line": pl.UInt32})
