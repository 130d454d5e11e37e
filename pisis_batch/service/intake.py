"""From the inbox to a recorded receipt."""

import dataclasses
import errno
import os
import secrets
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pisis_batch.model import DETACHED, ENVELOPED, UNREADABLE, Id, Received
from pisis_batch.ports import Claimed, Ports, Receipt, UnavailableError
from pisis_batch.service.crash import crashpoint
from pisis_batch.service.naming import readable

if TYPE_CHECKING:
    import structlog

#: Before the login in the queue of a sender who, on reception, might not send for the entity.
OUTSIDE = " @"
_LARGEST_SIGNATURE = 256 * 1024  # bytes; one with its certificates has some thousands


def take_in(
    ports: Ports, *, stop: Callable[[], bool] = lambda: False, accepted_one: Callable[[], None] = lambda: None
) -> list[str]:
    """Accept every settled file, until `stop`; the guids accepted.

    A file that cannot be read stays claimed and is tried again.
    """
    accepted = []
    behind: set[str | None] = set()
    for claimed in ports.inbox.claims():
        if stop():
            break
        crashpoint("claimed")
        if claimed.sender in behind:
            continue  # it does not overtake the older file that could not be accepted
        try:
            _accept(claimed, ports)
        except (OSError, UnavailableError) as error:
            _log().error("intake_failed", guid=claimed.guid, error=type(error).__name__)
            behind.add(claimed.sender)
            continue
        accepted.append(claimed.guid)
        accepted_one()
    return accepted


def _accept(claimed: Claimed, ports: Ports) -> None:
    if claimed.unread:  # a link, a pipe, something enormous: answered without a byte of it being read
        nothing = Received("", "", b"", ports.clock(), None)
        sha256, md5, size = nothing.sha256, nothing.md5, claimed.size
        _log().warning("not_read", guid=claimed.guid, what=claimed.unread)
    else:
        sha256, md5, size = ports.archive.keep(claimed.path)
    crashpoint("archived")
    name = readable(claimed.name.removesuffix(claimed.name[-4:]) if claimed.signed == ENVELOPED else claimed.name)
    signed, signature = _signature(claimed)
    sender = claimed.sender if claimed.sender is None else readable(claimed.sender)
    queue = lane(name, sender, ports)
    receipt = Receipt(claimed.guid, name, sha256, md5, size, sender, ports.clock(), lane=queue, unread=claimed.unread)
    ports.registry.accept(dataclasses.replace(receipt, signed=signed, signature=signature))
    crashpoint("accepted")
    if not claimed.unread and not ports.archive.has(sha256):  # erased meanwhile, as the original of an older receipt
        ports.archive.keep(claimed.path)
    ports.inbox.release(claimed)
    crashpoint("released")


def _signature(claimed: Claimed) -> tuple[str, bytes]:
    """How a file is signed, with the bytes of the signature beside it: read once, and no more than a signature has."""
    if claimed.signature is None:
        return claimed.signed, b""
    try:
        handle = os.open(claimed.signature, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return UNREADABLE, b""
        raise
    with os.fdopen(handle, "rb") as file:
        content = file.read(_LARGEST_SIGNATURE + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    return (DETACHED, content) if 0 < len(content) <= _LARGEST_SIGNATURE else (UNREADABLE, b"")


def lane(name: str, sender: str | None, ports: Ports) -> str:
    """The queue of a file: its entity's by the name, else its sender's. Files of one queue take effect in order.

    Whoever may not send for the entity stands in a queue of their own: naming a file after it delays nobody there.
    """
    layout = ports.shelf.find(name)
    stated = layout.file_name.read(name) if layout else None
    if layout is not None and isinstance(stated, dict):
        found = layout.entity.of(stated)
        if found:
            entity = Id(found[0], found[1])
            apart = "" if sender and ports.registry.entitled(sender, entity) else f"{OUTSIDE}{sender or ''}"
            return f"{entity}{apart}"
    return f"@{sender or ''}"


def submit(path: Path, sender: str | None, ports: Ports) -> str:
    """Accept a file named by an operator, who keeps it; its guid."""
    sha256, md5, size = ports.archive.keep(path)
    guid = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    name = readable(path.name)
    queue = lane(name, sender, ports)
    ports.registry.accept(Receipt(guid, name, sha256, md5, size, sender, ports.clock(), lane=queue))
    if not ports.archive.has(sha256):
        ports.archive.keep(path)
    return guid


def _log() -> "structlog.stdlib.BoundLogger":
    """The log, loaded when there is something to say: a check looks at names and says nothing."""
    import structlog  # noqa: PLC0415 see above

    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
