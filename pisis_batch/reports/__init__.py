"""What is told of an outcome: Acta, Resultado, every finding as CSV, `ack.json`, and the letters that carry them."""

from pisis_batch.reports.ack import ack
from pisis_batch.reports.letters import documents, letters
from pisis_batch.reports.mime import render

__all__ = ["ack", "documents", "letters", "render"]
