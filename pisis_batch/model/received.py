"""A file as it arrived, who is named in it, and how large it may be."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

Severity = Literal["error", "advertencia", "informativo"]


Stage = Literal["estructura", "contenido", "sistema"]


_STRETCH = 4 * 1024 * 1024  # bytes digested at a time


class Content(Protocol):
    """The bytes of a file: `bytes`, or something like it that does not hold them in memory (`mmap`)."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: slice, /) -> bytes: ...
    def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...  # noqa: D102 as of bytes
    def rfind(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...  # noqa: D102 as of bytes


class Id(NamedTuple):
    """An identification: type and number, as in `CC 10000001` or `NI 900123456`."""

    type: str
    number: str

    @classmethod
    def parse(cls, text: str) -> "Id":
        """Read `CC:123`, `CC 123` or the login form `CC123`. Raises ValueError when it is none of them."""
        flat = text.strip().upper().replace(":", "").replace(" ", "")
        if not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{1,17}", flat, re.ASCII):
            raise ValueError("no es una identificación: escriba el tipo y el número, como CC:10000001")
        return cls(flat[:2], flat[2:])

    @property
    def login(self) -> str:
        """The SISPRO login of the person: type and number together (requirement B11.11)."""
        return self.type + self.number

    def __str__(self) -> str:
        return f"{self.type} {self.number}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be, in bytes (Q29)."""

    file: int = 512 * 1024 * 1024
    line: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Brake:
    """When a file that unlinks many is held: more than `users`, or more than `percent` of the entity's users.

    The percentage counts from `at_least` unlinked users on. 0 turns either off.
    """

    users: int = 20
    percent: int = 50
    at_least: int = 5


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it arrived: bytes, never a path. `sender` is the login that owns the folder, None when nobody does.

    `unread`: why there are no bytes: what it is instead of a file, or "too_big" with the size in `unread_size`.
    `signed`: how it was signed (`trust`), with the `signature`. `came`: SHA-256, MD5 and size of the bytes that came,
    of a file that was taken out of its envelope. `known`: SHA-256 and MD5 as they were found when it was taken in.
    """

    guid: str
    name: str
    content: Content
    received_at: datetime
    sender: str | None
    unread: str = ""
    unread_size: int = 0
    signed: str = ""
    signature: bytes = b""
    came: tuple[str, str, int] | None = None
    known: tuple[str, str] | None = None

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the bytes."""
        said = self.came or self.known
        return said[0] if said else self._digest(hashlib.sha256())

    @property
    def md5(self) -> str:
        """Upper-case MD5 of the bytes, as the ministry's documents print it (Q11)."""
        said = self.came or self.known
        return said[1] if said else self._digest(hashlib.md5(usedforsecurity=False)).upper()

    @property
    def size(self) -> int:
        """Bytes that came."""
        return self.came[2] if self.came else len(self.content)

    def _digest(self, digest: "hashlib._Hash") -> str:
        for start in range(0, len(self.content), _STRETCH):
            digest.update(self.content[start : start + _STRETCH])
        return digest.hexdigest()
