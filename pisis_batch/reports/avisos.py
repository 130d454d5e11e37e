"""Letters that no received file caused: contracts that ended, a period about to close."""

from datetime import datetime

import polars as pl

from pisis_batch.model import Attachment, EndedContracts, Letter, RegisteredEntity, Unreported
from pisis_batch.reports import look
from pisis_batch.reports.detalle import harmless
from pisis_batch.reports.page import Page, many, moment

_COLUMNS = {
    "tipo_id": "tipo de identificación",
    "num_id": "número de identificación",
    "primer_nombre": "primer nombre",
    "primer_apellido": "primer apellido",
    "cargo": "cargo",
    "fecha_fin": "fin del contrato",
}


def vencimiento(ended: EndedContracts, guid: str, at: datetime) -> Letter | None:
    """Tell an entity which users lost their link because their contract ended. None without a confirmed address."""
    users = many(ended.users.height, "usuario", "usuarios")
    verb = "quedó desvinculado" if ended.users.height == 1 else "quedaron desvinculados"
    page = _page(
        ended.entity,
        guid,
        at,
        title="Contratos terminados",
        headline=f"{users} {verb}: su contrato terminó",
        lead="La lista completa está en el archivo adjunto vencidos.csv.",
        paragraphs=(
            (
                "Según lo que su entidad reportó, la fecha de fin de estos contratos ya pasó. Desde hoy esas personas "
                "no pueden usar los perfiles que tenían con su entidad."
            ),
            (
                "Si alguna continúa, repórtela de nuevo con la acción V y la nueva fecha de fin del contrato, y "
                "asígnele otra vez sus perfiles. Si ninguna continúa, no tiene que hacer nada."
            ),
        ),
    )
    shown = ended.users.select(harmless(pl.col(name)).alias(label) for name, label in _COLUMNS.items())
    text = shown.write_csv(separator=";", quote_style="always", line_terminator="\r\n")
    listed = Attachment("vencidos.csv", "text/csv", b"\xef\xbb\xbf" + text.encode())
    return _letter("vencimiento", ended.entity, guid, page, (listed,))


def recordatorio(owing: Unreported, guid: str, at: datetime) -> Letter | None:
    """Remind an entity of a period that closes soon. None without a confirmed address."""
    left = (owing.until - at.date()).days
    when = "hoy" if left == 0 else f"en {many(left, 'día', 'días')}, el {owing.until.isoformat()}"
    page = _page(
        owing.entity,
        guid,
        at,
        title="Recordatorio de reporte",
        headline=f"El plazo para reportar {owing.annex} termina {when}",
        lead=f"Todavía no tenemos un archivo cargado de su entidad con fecha de corte {owing.cut_off.isoformat()}.",
        paragraphs=(
            (
                "Si ya envió el archivo y fue rechazado, corríjalo y envíelo de nuevo completo. Si lo envió hace poco, "
                "espere el Resultado de procesamiento y no haga nada más."
            ),
        ),
    )
    return _letter("recordatorio", owing.entity, guid, page)


def _page(
    entity: RegisteredEntity,
    guid: str,
    at: datetime,
    *,
    title: str,
    headline: str,
    lead: str,
    paragraphs: tuple[str, ...],
) -> Page:
    return Page(
        title=title,
        tone="igual",
        headline=headline,
        lead=lead,
        guid=guid,
        md5="",
        sha256="",
        ruleset="",
        at=moment(at),
        who=entity.razon_social,
        id_label={"NI": "NIT"}.get(entity.id.type, entity.id.type),
        id_number=entity.id.number,
        municipio=entity.municipio,
        paragraphs=paragraphs,
    )


def _letter(
    kind: str, entity: RegisteredEntity, guid: str, page: Page, files: tuple[Attachment, ...] = ()
) -> Letter | None:
    if not (entity.correo_confirmado and entity.correo_institucional):
        return None
    return Letter(
        kind=kind,  # type: ignore[arg-type]  # one of the two kinds, by its callers
        to=(entity.correo_institucional,),
        subject=f"{page.title}: {page.headline} ({guid[:8]})",
        html=look.html("aviso", page),
        text=look.text(page),
        attachments=files,
    )
