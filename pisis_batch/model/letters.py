"""Messages and documents, before and after they are addressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pisis_batch.frames import pl
from pisis_batch.model.facts import RegisteredEntity

_LONG = 4 * 1024 * 1024  # bytes from which a document is packed
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that travels with a letter or lies in the sender's outbox.

    What is long is held packed (zlib): `pieces` gives it a stretch at a time, `content` makes the whole of it.
    """

    name: str
    media_type: str
    held: bytes
    packed: bool = False
    #: Bytes of the content of a packed one, where they are known.
    length: int | None = None

    @property
    def content(self) -> bytes:
        """The whole document."""
        return zlib.decompress(self.held) if self.packed else self.held

    @property
    def size(self) -> int:
        """How many bytes it has."""
        if not self.packed:
            return len(self.held)
        return sum(map(len, self.pieces())) if self.length is None else self.length

    def pieces(self) -> Iterator[bytes]:
        """The document a stretch at a time."""
        if not self.packed:
            yield self.held
            return
        unpacking, rest = zlib.decompressobj(), self.held
        while rest:
            yield unpacking.decompress(rest, _PIECE)
            rest = unpacking.unconsumed_tail
        yield unpacking.flush()


class Growing:
    """A document that is written a stretch at a time; a long one is packed meanwhile, so that it is never whole."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self._packing: zlib._Compress | None = None

    def add(self, part: bytes) -> None:
        """Write some more."""
        self._length += len(part)
        if self._packing is None and self._length > _LONG:
            self._packing = zlib.compressobj(1)
            self._parts = [self._packing.compress(one) for one in self._parts]
        self._parts.append(self._packing.compress(part) if self._packing else part)

    def done(self, name: str, media_type: str) -> Attachment:
        """The document; nothing may be added after this."""
        if self._packing is None:
            return Attachment(name, media_type, b"".join(self._parts))
        packed = [*self._parts, self._packing.flush()]
        return Attachment(name, media_type, b"".join(packed), packed=True, length=self._length)


@dataclass(frozen=True, slots=True)
class EndedContracts:
    """Users of an entity whose contract ended before a day, still linked. `users`: columns of LINKED (Q18)."""

    entity: RegisteredEntity
    before: date
    users: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Unreported:
    """An entity that reported an annex before and has not in the period that closes on `until`."""

    entity: RegisteredEntity
    annex: str
    cut_off: date
    until: date


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before it is addressed: one e-mail is made of it for each recipient."""

    kind: Literal["acta", "resultado", "confirmacion", "falla", "espera", "vencimiento", "recordatorio", "resumen"]
    to: tuple[str, ...]
    subject: str
    html: str
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message to store: one recipient; Message-ID and Date are fixed inside `body` (RFC 5322 bytes)."""

    kind: str
    recipient: str
    subject: str
    message_id: str
    body: bytes
