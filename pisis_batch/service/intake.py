"""From the inbox to a recorded receipt."""

import secrets
import uuid
from pathlib import Path

import structlog

from pisis_batch.ports import Claimed, Ports, Receipt
from pisis_batch.service.crash import crashpoint

_log = structlog.get_logger()


def take_in(ports: Ports) -> list[str]:
    """Accept every settled file; the guids accepted. A file that cannot be read stays claimed and is tried again."""
    accepted = []
    for claimed in ports.inbox.claims():
        crashpoint("claimed")
        try:
            _accept(claimed, ports)
        except OSError as error:
            _log.error("intake_failed", guid=claimed.guid, error=type(error).__name__)
            continue
        accepted.append(claimed.guid)
    return accepted


def _accept(claimed: Claimed, ports: Ports) -> None:
    sha256, md5, size = ports.archive.keep(claimed.path)
    crashpoint("archived")
    name = _text(claimed.name)
    queue = lane(name, claimed.sender, ports)
    ports.registry.accept(Receipt(claimed.guid, name, sha256, md5, size, claimed.sender, ports.clock(), lane=queue))
    crashpoint("accepted")
    ports.inbox.release(claimed)
    crashpoint("released")


def lane(name: str, sender: str | None, ports: Ports) -> str:
    """The queue of a file: its entity's by the name, else its sender's. Files of one queue take effect in order."""
    layout = ports.shelf.find(name)
    stated = layout.file_name.read(name) if layout else None
    if layout is not None and isinstance(stated, dict):
        found = layout.entity.of(stated)
        if found:
            return f"{found[0]} {found[1]}"
    return f"@{sender or ''}"


def _text(name: str) -> str:
    """A name as text: bytes that are none become escapes, so that every database and message can hold it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def submit(path: Path, sender: str | None, ports: Ports) -> str:
    """Accept a file named by an operator, who keeps it; its guid."""
    sha256, md5, size = ports.archive.keep(path)
    guid = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    name = _text(path.name)
    queue = lane(name, sender, ports)
    ports.registry.accept(Receipt(guid, name, sha256, md5, size, sender, ports.clock(), lane=queue))
    return guid
