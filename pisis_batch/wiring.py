"""Settings to ports: the only place that chooses adapters. Nothing here has a silent stand-in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from pisis_batch.adapters import keyring
from pisis_batch.adapters.folder_archive import FolderArchive
from pisis_batch.adapters.folder_inbox import FolderInbox
from pisis_batch.adapters.folder_layouts import shelf_with
from pisis_batch.adapters.folder_outbox import FolderOutbox
from pisis_batch.adapters.folder_signatures import Pairing
from pisis_batch.adapters.inline_queue import InlineQueue
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.scratch import FolderScratch
from pisis_batch.layouts import Shelf
from pisis_batch.model import Brake, Limits, Trust
from pisis_batch.ports import Archive, Calendar, Clock, Judge, Mailer, Outbox, Ports, Registry, Retention
from pisis_batch.settings import BOGOTA, Settings, SettingsError

if TYPE_CHECKING:
    from pisis_batch.adapters.procrastinate_queue import ProcrastinateQueue, Slots
    from pisis_batch.adapters.prometheus import Metrics
    from pisis_batch.adapters.sql_registry import SqlRegistry
    from pisis_batch.adapters.vitals import Loops, Vitals


def ports(settings: Settings, *, workers: bool = False) -> Ports:
    """Everything the service needs, with the database brought to this version. `workers`: they do it, not we."""
    made = registry(settings)
    if not workers:
        return _around(made, settings, clock(settings, made))
    engine = worker_queue(settings, made)
    made.enlist = engine.enlist
    return dataclasses.replace(_around(made, settings, clock(settings, made)), queue=engine)


def asking(settings: Settings) -> Ports:
    """The same for whoever only asks what the registry holds: of a database as it should be no more is loaded."""
    from pisis_batch.adapters import sqlite_asking

    found = sqlite_asking.opened(settings.database.get_secret_value(), partial(registry, settings))
    return ports(settings) if found is None else _around(found, settings, clock(settings))


def registry(settings: Settings) -> SqlRegistry:
    """The registry, with the database brought to this version."""
    from pisis_batch.adapters.sql_registry import SqlRegistry

    made = SqlRegistry(settings.database.get_secret_value())
    made.migrate()
    made.keys = keys(settings)
    made.lease_seconds = settings.lease_seconds
    return made


def _around(registry: Registry, settings: Settings, clock: Clock) -> Ports:
    known = shelf_with(settings.layouts)
    archive, outbox = storage(settings)
    return Ports(
        shelf=known,
        inbox=inbox(settings),
        trust=trust(settings),
        archive=archive,
        outbox=outbox,
        registry=registry,
        mailer=mailer(settings),
        judge=judge(settings, known),
        queue=InlineQueue(registry),
        clock=clock,
        limits=Limits(settings.max_file_bytes, settings.max_line_bytes),
        mail_from=settings.mail_from,
        calendar=Calendar(settings.remind_days, settings.keep_days),
        retention=Retention(
            originales=settings.keep_originals_days,
            documentos=settings.keep_documents_days,
            cartas=settings.keep_letters_days,
            valores=settings.keep_values_days,
            historia=settings.keep_history_days,
            auditoria=settings.keep_audit_days,
        ),
        beat_seconds=settings.lease_seconds / 4,
        brake=Brake(settings.brake_users, settings.brake_percent),
        scratch=FolderScratch(settings.claims.with_name("spool")),
    )


def keys(settings: Settings) -> Keyring:
    """The keys of the settings' file, made when it is not there: whatever others signed then shows as a stranger's."""
    try:
        return keyring.load(settings.keys) if settings.keys.exists() else keyring.make(settings.keys)
    except keyring.KeyringError as error:
        raise SettingsError(str(error)) from None


def inbox(settings: Settings) -> FolderInbox:
    """The drop folder, which pairs files with their signatures where those are asked for."""
    pairing = Pairing(settings.signature_wait_seconds) if settings.signature != "off" else None
    return FolderInbox(settings.inbox, settings.claims, settings.settle_seconds, settings.max_file_bytes, pairing)


def trust(settings: Settings) -> Callable[[datetime], Trust | None]:
    """What signatures are judged by, as the setting `signature` says. Raises SettingsError."""
    if settings.signature == "off":
        return lambda _: None
    try:
        from pisis_batch.adapters.trust_folder import TrustFolder
    except ModuleNotFoundError:
        raise SettingsError("falta la firma digital: instale pisis-batch[signature]") from None
    required = settings.signature == "require"
    made = TrustFolder(settings.signatures, required=required, nit_attributes=settings.signature_nit)
    try:
        made.troubles(datetime.now(BOGOTA))
    except (OSError, ValueError) as error:
        raise SettingsError(f"firmas: {error}") from None
    return made


def judge(settings: Settings, shelf: Shelf) -> Judge:
    """Children, or this process, as the setting `isolation` says."""
    if not settings.isolation:
        from pisis_batch.adapters.direct_judge import DirectJudge

        return DirectJudge(shelf, settings.claims.with_name("spool"))
    from pisis_batch.adapters.isolation import Bounds, ChildJudge

    bounds = Bounds(seconds=settings.judge_seconds, memory=settings.judge_memory_bytes)
    return ChildJudge(shelf, bounds, settings.layouts, settings.claims.with_name("spool"))


def storage(settings: Settings) -> tuple[Archive, Outbox]:
    """Where originals and documents lie: folders, or an object store, as the setting `storage` says."""
    target = settings.storage.get_secret_value()
    if target == "folder":
        return FolderArchive(settings.archive), FolderOutbox(settings.outbox)
    try:
        from pisis_batch.adapters import object_store
    except ModuleNotFoundError:
        raise SettingsError("falta el almacén de objetos: instale pisis-batch[s3]") from None
    try:
        objects = object_store.store(target, settings.storage_ca)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return object_store.ObjectArchive(objects, settings.claims.with_name("spool")), object_store.ObjectOutbox(objects)


def worker(settings: Settings) -> tuple[Ports, ProcrastinateQueue]:
    """The ports of a worker, and the engine it serves."""
    made = ports(settings, workers=True)
    return made, made.queue  # type: ignore[return-value]  # it is the workers' queue, asked for on the line above


def metrics(ports: Ports) -> Metrics:
    """Metrics of this process and of the service. Raises SettingsError when their library is not there."""
    try:
        from pisis_batch.adapters.prometheus import Metrics
    except ModuleNotFoundError:
        raise SettingsError("faltan las métricas: instale pisis-batch[metrics]") from None
    from pisis_batch.adapters.sql_registry import SqlRegistry

    if not isinstance(ports.registry, SqlRegistry):
        raise SettingsError("las métricas necesitan el registro en una base de datos")
    return Metrics(ports.registry.engine, ports.registry.lease_seconds)


def vitals(settings: Settings, ports: Ports, loops: Loops, *, intake: bool = True) -> Vitals:
    """What the service says of itself (a worker has no inbox). Raises SettingsError: its registry is in no database."""
    from pisis_batch.adapters.sql_registry import SqlRegistry
    from pisis_batch.adapters.vitals import Vitals

    if not isinstance(ports.registry, SqlRegistry):
        raise SettingsError("la salud del servicio necesita el registro en una base de datos")
    folders = [settings.inbox, settings.claims] if intake else []
    if settings.storage.get_secret_value() == "folder":
        folders += [settings.archive, settings.outbox]
    return Vitals(loops, ports.registry.engine, tuple(folders), ports.registry.lease_seconds)


def slots(files: int, large: int, *, chores: bool) -> Slots:
    """How many files a worker has in hand at once."""
    from pisis_batch.adapters.procrastinate_queue import Slots

    return Slots(files, large, chores)


def worker_queue(settings: Settings, registry: SqlRegistry) -> ProcrastinateQueue:
    """The workers' engine. Raises SettingsError where there is none: it lives on PostgreSQL."""
    if registry.engine.dialect.name != "postgresql":
        raise SettingsError("los trabajadores necesitan PostgreSQL: ponga en «database» postgresql+psycopg://…")
    try:
        from pisis_batch.adapters.procrastinate_queue import ProcrastinateQueue
    except ModuleNotFoundError:
        raise SettingsError("faltan los trabajadores: instale pisis-batch[postgresql]") from None
    return ProcrastinateQueue(registry.engine, settings.large_file_bytes, registry.lease_seconds)


def clock(settings: Settings, registry: SqlRegistry | None = None) -> Clock:
    """The time in Bogotá: the fixed moment of `PISIS_NOW`, the database server's, or this machine's."""
    fixed = settings.now
    if fixed is not None:
        return lambda: fixed
    if registry is not None and registry.engine.dialect.name == "postgresql":
        from pisis_batch.adapters.sql_clock import DatabaseClock

        return DatabaseClock(registry.engine)
    return lambda: datetime.now(BOGOTA)


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
