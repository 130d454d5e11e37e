"""From the inbox to a recorded receipt."""

import dataclasses
import errno
import os
import secrets
import stat
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pisis_batch.model import DETACHED, ENVELOPED, ORPHAN, UNREADABLE, Id, Received
from pisis_batch.ports import Claimed, Ports, Receipt, UnavailableError
from pisis_batch.service.crash import crashpoint
from pisis_batch.service.naming import readable

if TYPE_CHECKING:
    import structlog

#: SHA-256, MD5 and size of bytes that are in the archive.
Kept = tuple[str, str, int]
#: Before the login in the queue of a sender who, on reception, might not send for the entity.
OUTSIDE = " @"
_LARGEST_SIGNATURE = 256 * 1024  # bytes; one with its certificates has some thousands


def take_in(
    ports: Ports, *, stop: Callable[[], bool] = lambda: False, accepted_some: Callable[[], None] = lambda: None
) -> list[str]:
    """Accept every settled file, a batch at a time, until `stop`; the guids accepted.

    A file that cannot be read stays claimed and is tried again, and so do the later ones of its sender. Raises what
    kept every single file from being accepted, when it is no matter of files.
    """
    accepted: list[str] = []
    behind: dict[str | None, Exception] = {}
    for batch in ports.inbox.batches():
        if stop():
            break
        try:
            done = _accepted([claimed for claimed in batch if claimed.sender not in behind], behind, ports)
        except UnavailableError:
            break
        if done:
            accepted += done
            accepted_some()
    for error in behind.values() if not accepted else ():
        if not isinstance(error, OSError | UnavailableError):
            raise error
    return accepted


def _accepted(batch: Sequence[Claimed], behind: dict[str | None, Exception], ports: Ports) -> list[str]:
    """Accept a batch, or, when that fails, one file after the other, so that one holds up its own sender alone.

    The guids accepted; whoever has a file that was not, is `behind` because of an error. Raises UnavailableError when
    what every file needs was not to be had twice.
    """
    done: list[str] = []
    failed: Exception | None = None
    try:
        _accept(batch, behind, ports, done)
    except Exception as error:  # noqa: BLE001 whatever it is, it may be one file's
        _log().warning("batch_failed", files=len(batch), error=type(error).__name__)
        failed = error
    for claimed in batch if failed else ():
        if claimed.guid in done or claimed.sender in behind:
            continue
        try:
            _accept([claimed], behind, ports, done)
        except Exception as error:
            _left(claimed, error, behind)
            if isinstance(error, UnavailableError) and isinstance(failed, UnavailableError):
                raise
            failed = error
    return done


def _left(claimed: Claimed, error: Exception, behind: dict[str | None, Exception]) -> None:
    """Leave a file claimed, and those that came after it behind it."""
    _log().error("intake_failed", guid=claimed.guid, error=type(error).__name__)
    behind[claimed.sender] = error


def _accept(batch: Sequence[Claimed], behind: dict[str | None, Exception], ports: Ports, done: list[str]) -> None:
    """The steps of every file, in their order, each taken by the whole batch before the next.

    Bytes and names are durable before any receipt; all receipts are one transaction; then the claims are forgotten.
    """
    kept = _kept(batch, behind, ports)
    receipts = _receipts(kept, ports)
    ports.registry.accept(*receipts)
    for (claimed, _), receipt in zip(kept, receipts, strict=True):
        crashpoint("accepted")
        if not claimed.unread and not ports.archive.has(receipt.sha256):  # erased meanwhile, as that of an older one
            ports.archive.keep(claimed.path)
        ports.inbox.release(claimed)
        done.append(claimed.guid)
        crashpoint("released")


def _kept(batch: Sequence[Claimed], behind: dict[str | None, Exception], ports: Ports) -> list[tuple[Claimed, Kept]]:
    """Copy the bytes of a batch; one whose bytes cannot be had is left, with those of its sender that came after it."""
    nothing = Received("", "", b"", ports.clock(), None)
    kept = []
    with ports.archive.keeping() as keep:
        for claimed in batch:
            crashpoint("claimed")
            if claimed.sender in behind:
                continue  # it does not overtake the older file that could not be accepted
            if claimed.unread:  # a link, a pipe, something enormous: answered without a byte of it being read
                _log().warning("not_read", guid=claimed.guid, what=claimed.unread)
                kept.append((claimed, (nothing.sha256, nothing.md5, claimed.size)))
                continue
            try:
                kept.append((claimed, keep(claimed.path)))
            except OSError as error:
                _left(claimed, error, behind)
    return kept


def _receipts(kept: Sequence[tuple[Claimed, Kept]], ports: Ports) -> list[Receipt]:
    """The receipts of files whose bytes are kept, each with the queue it will stand in."""
    names = [readable(one.name[:-4] if one.signed == ENVELOPED else one.name) for one, _ in kept]
    senders = [one.sender if one.sender is None else readable(one.sender) for one, _ in kept]
    queues = lanes(list(zip(names, senders, strict=True)), ports)
    now = ports.clock()
    found = []
    for (claimed, (sha256, md5, size)), name, sender, queue in zip(kept, names, senders, queues, strict=True):
        crashpoint("archived")
        signed, signature = _signature(claimed.signed, claimed.signature)
        receipt = Receipt(claimed.guid, name, sha256, md5, size, sender, now, lane=queue, unread=claimed.unread)
        found.append(dataclasses.replace(receipt, signed=signed, signature=signature) if signed else receipt)
    return found


def _signature(signed: str, beside: Path | None) -> tuple[str, bytes]:
    """How a file is signed, with the bytes of the signature beside it: read once, and no more than a signature has."""
    if beside is None:
        return signed, b""
    try:
        handle = os.open(beside, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return UNREADABLE, b""
        raise
    with os.fdopen(handle, "rb") as file:
        content = file.read(_LARGEST_SIGNATURE + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    return (DETACHED, content) if 0 < len(content) <= _LARGEST_SIGNATURE else (UNREADABLE, b"")


def lanes(files: Sequence[tuple[str, str | None]], ports: Ports) -> list[str]:
    """The queue of each file, by its name and sender: its entity's, else its sender's.

    Files of one queue take effect in order. Whoever may not send for the entity stands in a queue of their own: naming
    a file after it delays nobody there.
    """
    entities = [_entity(name, ports) for name, _ in files]
    asked = {(sender, entity) for (_, sender), entity in zip(files, entities, strict=True) if sender and entity}
    entitled = ports.registry.entitled(asked) if asked else set()
    return [
        _lane(sender, entity, apart=(sender, entity) not in entitled)
        for (_, sender), entity in zip(files, entities, strict=True)
    ]


def lane(name: str, sender: str | None, ports: Ports) -> str:
    """The queue of one file."""
    return lanes([(name, sender)], ports)[0]


def _lane(sender: str | None, entity: Id | None, *, apart: bool) -> str:
    if entity is None:
        return f"@{sender or ''}"
    return f"{entity}{OUTSIDE}{sender or ''}" if apart else f"{entity}"


def _entity(name: str, ports: Ports) -> Id | None:
    """The entity that a file's name states."""
    layout = ports.shelf.find(name)
    stated = layout.file_name.read(name) if layout else None
    found = layout.entity.of(stated) if layout is not None and isinstance(stated, dict) else None
    return Id(found[0], found[1]) if found else None


def named(path: Path, ports: Ports) -> tuple[str, str, bytes]:
    """The name under which a file that an operator names is judged, how it is signed, and its signature.

    As the inbox pairs them: `X.TXT.p7s` beside it, or `X.TXT.p7m` that holds it; nothing where signatures are off.
    """
    name, lower = path.name, path.name.lower()
    if ports.trust(ports.clock()) is None:
        return readable(name), "", b""
    if lower.endswith(".p7m") and lower != ".p7m":
        return readable(name[:-4]), ENVELOPED, b""
    if lower.endswith(".p7s") and lower != ".p7s":
        return readable(name), ORPHAN, b""
    beside = (path.with_name(name + ending) for ending in (".p7s", ".P7S"))
    return readable(name), *_signature("", next((one for one in beside if os.path.lexists(one)), None))


def submit(path: Path, sender: str | None, ports: Ports, by: str | None = None) -> str:
    """Accept a file named by an operator, who keeps it; its guid. `by`: the operator, for the audit."""
    sha256, md5, size = ports.archive.keep(path)
    guid = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    name, signed, signature = named(path, ports)
    receipt = Receipt(guid, name, sha256, md5, size, sender, ports.clock(), lane=lane(name, sender, ports))
    ports.registry.accept(dataclasses.replace(receipt, signed=signed, signature=signature), by=by)
    if not ports.archive.has(sha256):
        ports.archive.keep(path)
    return guid


def _log() -> "structlog.stdlib.BoundLogger":
    """The log, loaded when there is something to say: a check looks at names and says nothing."""
    import structlog  # noqa: PLC0415 see above

    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
