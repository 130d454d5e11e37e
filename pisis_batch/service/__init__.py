"""The imperative shell: take files in, process them, publish and deliver. Every step may be run twice.

Order of durable steps: claim by rename, original to the archive, receipt recorded (accepted from here on), claim
forgotten, attempt counted, one transaction with changes, run, findings, documents and mails, documents published, mails
sent and marked.
"""

from pisis_batch.service.delivery import deliver, publish
from pisis_batch.service.intake import lane, submit, take_in
from pisis_batch.service.processing import BusyError, check, once, process, reprocess
from pisis_batch.service.watching import watch

__all__ = [
    "BusyError",
    "check",
    "deliver",
    "lane",
    "once",
    "process",
    "publish",
    "reprocess",
    "submit",
    "take_in",
    "watch",
]
