"""Secrets for hashes of what must be compared without being shown: the one place where such a hash is made.

A file of lines, one key of 64 hexadecimal digits each; the first is used, the others only check what they made. A plain
hash of an identity number is no protection: all of them are tried in hours. Every hash names its key by the beginning
of the key's own digest, so that it can be checked after another key took its place.
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_BYTES = 32
_LINE = re.compile(r"[0-9a-f]{64}")
_NOTE = "# La primera llave se usa; las demás solo comprueban. Que nadie más pueda leer este archivo.\n"


class KeyringError(ValueError):
    """The file of keys cannot be used; the message is a plain Spanish sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """One secret; `id`: 8 hexadecimal digits that tell it from others and nothing about it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:  # noqa: D102 said above
        return hashlib.sha256(b"pisis llave" + self.secret).hexdigest()[:8]

    def mac(self, purpose: str, text: str) -> str:
        """64 hexadecimal digits, others for each purpose."""
        return hmac.new(self.secret, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


class Keyring:
    """The keys in use; without any, a fixed one that protects nothing, for registries that live in memory."""

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        self.keys = tuple(keys) or (Key(b""),)

    @property
    def current(self) -> Key:
        """The key that new hashes are made with."""
        return self.keys[0]

    def key(self, id_: str) -> Key | None:
        """A key by its id."""
        return next((key for key in self.keys if key.id == id_), None)

    def pseudonym(self, text: str) -> str:
        """What stands for a person, a login or an address: equal for equal texts, nothing to be read from it."""
        return _named(self.current, text)

    def stands_for(self, pseudonym: str, text: str) -> bool | None:
        """Whether a pseudonym was made of a text; None when its key is not here."""
        key = self.key(pseudonym.partition("-")[0])
        return None if key is None else hmac.compare_digest(_named(key, text), pseudonym)


def _named(key: Key, text: str) -> str:
    return f"{key.id}-{key.mac('persona', text)[:32]}"


def load(path: Path) -> Keyring:
    """The keys of a file. Raises KeyringError when it is not there, is not ours alone, or says something else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyringError(f"falta el archivo de llaves {path}") from None
    except OSError as error:
        raise KeyringError(f"no se pudo leer el archivo de llaves {path} ({type(error).__name__})") from None
    with os.fdopen(handle, "r", encoding="ascii", errors="replace") as file:
        found = os.fstat(handle)
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or found.st_uid not in {os.geteuid(), 0}:
        raise KeyringError(f"otros usuarios pueden leer {path}: deje el archivo solo para el servicio (chmod 600)")
    if not lines or not all(_LINE.fullmatch(line) for line in lines):
        raise KeyringError(f"{path} debe tener una llave por línea, de 64 dígitos hexadecimales")
    return Keyring([Key(bytes.fromhex(line)) for line in lines])


def make(path: Path, older: Keyring | None = None) -> Keyring:
    """Put a new key first in the file, which is made when it is not there; two makers end up with the same file."""
    new = Key(secrets.token_bytes(_BYTES))
    keys = (new, *(older.keys if older else ()))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii", errors="replace") as file:
            file.write(_NOTE + "".join(f"{key.secret.hex()}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        if older is not None:
            temporary.replace(path)
        else:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return load(path)
    finally:
        temporary.unlink(missing_ok=True)
    return load(path)
