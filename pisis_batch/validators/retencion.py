"""CTL, files held because they unlink many users at once: what is said of one that was not approved."""

from __future__ import annotations

from pisis_batch.frames import texts
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, Found, rule

#: The facts of the rule's sentence.
COLUMNS = texts("motivo", "salen", "total")


@rule(
    "CTL040",
    general=True,
    title="Desvinculación masiva no aprobada",
    es="El archivo desvincula a {salen} de los {total} usuarios de la entidad y no se aprobó: {motivo}",
    en="The file unlinks {salen} of the {total} users of the entity and was not approved: {motivo}",
    cause="Un cambio tan grande espera a que dos personas lo aprueben, y al revisarlo no se aprobó.",
    remedy="Revise a quiénes desvincula el archivo. Si era lo que quería, explíquelo a la Mesa de Ayuda con el GUID.",
    since="0.2.0",
)
def not_approved(batch: Batch, facts: Facts) -> Found:
    """Raised when people do not approve a held file, never by the file alone: there is no rejected example.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return NOTHING
