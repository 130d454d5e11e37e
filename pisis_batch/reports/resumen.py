"""The letter that goes out instead of many: which files were not loaded, each with its GUID and verdict."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from pisis_batch.model import Attachment, Letter
from pisis_batch.reports import look
from pisis_batch.reports.detalle import harmless
from pisis_batch.reports.page import Page, many, moment

_COLUMNS = ("GUID", "archivo", "recibido", "veredicto")


def digest(recipient: str, told: Sequence[tuple[str, ...]], at: datetime) -> Letter:
    """One message about many: `told` holds GUID, file name, moment of reception and verdict of each message."""
    files = pl.DataFrame(list(told), schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")
    files = files.unique("GUID", keep="last", maintain_order=True)
    how_many = many(files.height, "archivo", "archivos")
    page = Page(
        title="Resumen de archivos no cargados",
        tone="mal",
        headline=f"{how_many} sin cargar en poco tiempo",
        lead="La lista completa está en el archivo adjunto archivos.csv.",
        guid="",
        md5="",
        sha256="",
        ruleset="",
        at=moment(at),
        paragraphs=(
            (
                "Para no llenar su buzón, el resultado de estos archivos va en un solo mensaje. Los documentos de cada "
                "uno, con todos sus hallazgos, están en la carpeta de salida de quien lo envió, bajo su GUID."
            ),
            (
                "Si un programa envía los archivos, deténgalo, corrija uno con los hallazgos que encontrará en su "
                "carpeta, y envíe ese primero."
            ),
        ),
    )
    shown = files.select(harmless(pl.col(name)).alias(name) for name in _COLUMNS)
    text = shown.write_csv(separator=";", quote_style="always", line_terminator="\r\n")
    return Letter(
        kind="resumen",
        to=(recipient,),
        subject=f"{page.title}: {how_many}",
        html=look.html("aviso", page),
        text=look.text(page),
        attachments=(Attachment("archivos.csv", "text/csv", b"\xef\xbb\xbf" + text.encode()),),
    )
