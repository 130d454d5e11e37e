"""What is told of an outcome: Acta, Resultado, the findings in every form, and the letters that carry them."""

from pisis_batch.reports.ack import ack_schema
from pisis_batch.reports.answer import Answer, answer
from pisis_batch.reports.avisos import recordatorio, vencimiento
from pisis_batch.reports.listas import ack
from pisis_batch.reports.mime import render
from pisis_batch.reports.resumen import digest

__all__ = ["Answer", "ack", "ack_schema", "answer", "digest", "recordatorio", "render", "vencimiento"]
