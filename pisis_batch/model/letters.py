"""Messages and documents, before and after they are addressed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pisis_batch.frames import pl
from pisis_batch.model.facts import RegisteredEntity

_LONG = 4 * 1024 * 1024  # bytes from which a document is packed
_PIECE, _FED = 1024 * 1024, 64 * 1024  # bytes unpacked at a time, and taken to be unpacked
_LEVEL = 2  # of packing texts: more takes a third longer and saves 7 % of the bytes; less takes as long
_GZIP, _ANY = 31, 47  # for zlib: a stream of gzip, or whichever it is


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that travels with a letter or lies in the sender's outbox.

    What is long is held packed, one or more streams of zlib or gzip after each other: `pieces` gives it a stretch at a
    time, `content` makes the whole of it.
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
        return b"".join(self.pieces()) if self.packed else self.held

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
        unpacking = zlib.decompressobj(_ANY)
        for start in range(0, len(self.held), _FED):
            rest = self.held[start : start + _FED]
            while rest:
                yield unpacking.decompress(rest, _PIECE)
                rest = unpacking.unused_data if unpacking.eof else unpacking.unconsumed_tail
                if unpacking.eof and (rest or start + _FED < len(self.held)):
                    unpacking = zlib.decompressobj(_ANY)
        if not unpacking.eof:
            raise zlib.error("a packed document ends too soon")


class Growing:
    """A document that is written a stretch at a time; a long one is packed meanwhile, so that it is never whole."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self._packs = False

    def add(self, part: bytes) -> None:
        """Write some more."""
        self._grow(len(part))
        self._parts.append(_packed(part) if self._packs else part)

    def add_texts(self, texts: pl.Series) -> None:
        """Write some texts, one right after the other."""
        self._grow(int(texts.str.len_bytes().sum()))
        told = io.BytesIO()
        texts.to_frame().write_csv(
            told,
            include_header=False,
            quote_style="never",
            line_terminator="",
            compression="gzip" if self._packs else "uncompressed",
            compression_level=_LEVEL if self._packs else None,
        )
        self._parts.append(told.getvalue())

    def _grow(self, more: int) -> None:
        self._length += more
        if not self._packs and self._length > _LONG:
            self._packs = True
            self._parts = [_packed(part) for part in self._parts]

    def done(self, name: str, media_type: str) -> Attachment:
        """The document; nothing may be added after this."""
        held = b"".join(self._parts)
        return Attachment(name, media_type, held, packed=self._packs, length=self._length if self._packs else None)


def _packed(part: bytes) -> bytes:
    packing = zlib.compressobj(1, wbits=_GZIP)
    return packing.compress(part) + packing.flush()


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
