"""Settings to ports: the only place that chooses adapters. Nothing here has a silent stand-in."""

from datetime import datetime

from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.folder_inbox import FolderInbox
from pisis_batch.adapters.folder_outbox import FolderOutbox
from pisis_batch.adapters.sql_registry import SqlRegistry
from pisis_batch.layouts import Shelf, shelf
from pisis_batch.model import Brake, Limits
from pisis_batch.ports import Clock, Judge, Mailer, Ports
from pisis_batch.settings import BOGOTA, Settings, SettingsError


def ports(settings: Settings) -> Ports:
    """Everything the service needs, with the database brought to this version."""
    registry = SqlRegistry(settings.database.get_secret_value())
    registry.migrate()
    known = shelf()
    return Ports(
        shelf=known,
        inbox=FolderInbox(settings.inbox, settings.claims, settings.settle_seconds, settings.max_file_bytes),
        archive=FolderArchive(settings.archive),
        outbox=FolderOutbox(settings.outbox),
        registry=registry,
        mailer=mailer(settings),
        judge=judge(settings, known),
        clock=clock(settings),
        limits=Limits(settings.max_file_bytes, settings.max_line_bytes),
        mail_from=settings.mail_from,
        brake=Brake(settings.brake_users, settings.brake_percent),
    )


def judge(settings: Settings, shelf: Shelf) -> Judge:
    """Children, or this process, as the setting `isolation` says."""
    if not settings.isolation:
        from pisis_batch.adapters.direct_judge import DirectJudge

        return DirectJudge(shelf)
    from pisis_batch.adapters.isolation import Bounds, ChildJudge

    return ChildJudge(shelf, Bounds(seconds=settings.judge_seconds, memory=settings.judge_memory_bytes))


def clock(settings: Settings) -> Clock:
    """The time in Bogotá, or the fixed moment of `PISIS_NOW`."""
    fixed = settings.now
    return (lambda: fixed) if fixed is not None else (lambda: datetime.now(BOGOTA))


def mailer(settings: Settings) -> Mailer:
    """Files or a submission server, as the setting `mail` says."""
    target = settings.mail.get_secret_value()
    if target == "folder":
        from pisis_batch.adapters.folder_mailer import FolderMailer

        return FolderMailer(settings.outbox / "correo")
    from pisis_batch.adapters.smtp_mailer import SmtpMailer

    try:
        return SmtpMailer(target)
    except ValueError as error:
        raise SettingsError(str(error)) from None
