"""Originals and documents in an S3-compatible store: any worker, on any machine, finds what another put there.

`s3://bucket/prefix?endpoint=https://…&region=…`; the keys come from the environment (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`) or from the machine's role. Over TLS a server is believed when an authority vouches for it that
everybody trusts, or one in a file of our own. Originals lie under `originales/` by their SHA-256, and are put once;
documents under `salida/<LOGIN>/<GUID>/`, `ack.json` last.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from pisis_batch.adapters.folder_copies import Copies, sweep
from pisis_batch.adapters.folder_outbox import owner
from pisis_batch.adapters.mapped import LARGE, MappedFile, unchanged
from pisis_batch.model import Attachment, Content
from pisis_batch.ports import UnavailableError

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import ClientConfig, S3Config  # for readers of types only

_LAST = "ack.json"
_ASIDE = "apartados"  # originals whose time is over, for a moment


#: What the client's debugging text says of a server's certificate, and what is told instead; the first that fits.
_MISTRUST = {
    "InvalidCertificate(Expired": "su certificado ya venció",
    "InvalidCertificate(NotValidYet": "su certificado aún no rige: revise el reloj de esta máquina",
    "InvalidCertificate(NotValidForName": "su certificado es de otro nombre: ponga en «endpoint» el que dice él",
    "InvalidCertificate(Revoked": "su certificado fue revocado",
    "InvalidCertificate": "no se confía en quien firmó su certificado: si es una autoridad propia, va en «storage_ca»",
    "InvalidContentType": "en esa dirección no habla TLS: revise el puerto, o si es http://",
}


def store(url: str, ca: Path | None = None) -> S3Store:
    """The store of a URL; `ca`: a file of authorities that vouch for its server. Raises ValueError: it cannot be."""
    parts = urlsplit(url)
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    strange = set(said) - {"endpoint", "region"}
    if parts.scheme != "s3" or not parts.hostname or strange:
        raise ValueError("el almacén debe ser «folder» o s3://cubeta/prefijo?endpoint=https://servidor&region=…")
    endpoint = said.get("endpoint")
    where: S3Config = {"region": said.get("region", "us-east-1")}
    if endpoint:
        where["endpoint"] = endpoint
    client: ClientConfig = {"allow_http": (endpoint or "").startswith("http://"), "timeout": "120s"}
    try:
        if ca is not None:
            client["root_certificate"] = ca.read_bytes()
        return S3Store(
            parts.hostname,
            prefix=parts.path.strip("/") or None,
            config=where,
            client_options=client,
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )
    except OSError as error:
        raise ValueError(f"no se puede leer «storage_ca»: {ca} ({error.strerror})") from None
    except (ValueError, BaseError):
        if ca is None:
            raise
        raise ValueError(f"«storage_ca» no es un archivo de certificados (PEM): {ca}") from None


@contextlib.contextmanager
def _reachable() -> Iterator[None]:
    """What the store's client raises, told as what it means to us, without its words."""
    try:
        yield
    except FileNotFoundError:  # whoever may miss an object asks for it inside
        raise UnavailableError("almacén: no existe la cubeta") from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise UnavailableError(
            "almacén: rechaza las claves de AWS_ACCESS_KEY_ID y AWS_SECRET_ACCESS_KEY, o no les permite esto"
        ) from None
    except BaseError as error:
        raise UnavailableError(f"almacén: {_unwell(error)}") from None


def _unwell(error: BaseError) -> str:
    """What an error of the client means, without its words: those name objects and addresses."""
    said = "".join(str(error).split())
    kind = f"no respondió como debía ({type(error).__name__})"
    return next((told for sign, told in _MISTRUST.items() if sign in said), kind)


class ObjectArchive:
    """Fulfils `ports.Archive`. A file is first copied to `spool`, on this machine, so that its bytes hold still."""

    def __init__(self, objects: S3Store, spool: Path) -> None:
        self._objects, self._spool = objects, spool
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep(spool)

    def keep(self, source: Path) -> tuple[str, str, int]:
        """Copy a file's bytes; nothing is sent when they are there already."""
        with Copies(self._spool) as copies:
            sha256, md5, size = copies.take(source)
            with _reachable():
                if not self._there(sha256, size):
                    obstore.put(self._objects, _key(sha256), Path(copies.all[0].path))
        return sha256, md5, size

    def keeping(self) -> AbstractContextManager[Callable[[Path], tuple[str, str, int]]]:
        """Keep many, one after the other."""
        return contextlib.nullcontext(self.keep)

    def fetch(self, sha256: str) -> Content:
        """The very bytes kept; those of a large file go to a file without a name."""
        with _reachable():
            got = self._got(_key(sha256)) or self._got(f"{_ASIDE}/{sha256}")
            if got is None:
                self._expect_bucket()
                raise KeyError(sha256)
            content = self._on_disk(got) if got.meta["size"] >= LARGE else bytes(got.bytes())
        return unchanged(content, sha256)

    def _on_disk(self, got: "GetResult") -> MappedFile:
        file = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 open as long as it is mapped
        for chunk in got.stream(min_chunk_size=LARGE // 4):
            file.write(chunk)
        file.flush()
        return MappedFile(file)

    def has(self, sha256: str) -> bool:
        """Whether the bytes are in their place."""
        with _reachable():
            return self._found(_key(sha256))

    def erase(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Out of their place first; back again when they are wanted."""
        place, aside = _key(sha256), f"{_ASIDE}/{sha256}"
        with _reachable():
            if self._found(place):
                with contextlib.suppress(FileNotFoundError):  # another has just done it
                    obstore.copy(self._objects, place, aside)
                obstore.delete(self._objects, place)
            if not self._found(aside):
                return True
        back = wanted()
        with _reachable():
            if back:
                obstore.copy(self._objects, aside, place)
            obstore.delete(self._objects, aside)
        return not back

    def set_apart(self) -> list[str]:
        """What an interrupted `erase` left."""
        with _reachable():
            found = [one["path"] for batch in obstore.list(self._objects, f"{_ASIDE}/") for one in batch]
        return [path.rpartition("/")[2] for path in found]

    def _found(self, key: str) -> bool:
        try:
            obstore.head(self._objects, key)
        except FileNotFoundError:
            self._expect_bucket()
            return False
        return True

    def _got(self, key: str) -> "GetResult | None":
        try:
            return obstore.get(self._objects, key)
        except FileNotFoundError:
            return None

    def _expect_bucket(self) -> None:
        """A missing bucket looks like a missing object until one asks for a list: a file is not to blame for it."""
        next(iter(obstore.list(self._objects, f"{_ASIDE}/")), None)

    def _there(self, sha256: str, size: int) -> bool:
        try:
            return bool(obstore.head(self._objects, _key(sha256))["size"] == size)
        except FileNotFoundError:
            return False


def _key(sha256: str) -> str:
    return f"originales/{sha256[:2]}/{sha256}"


class ObjectOutbox:
    """Fulfils `ports.Outbox`."""

    def __init__(self, objects: S3Store) -> None:
        self._objects = objects

    def publish(self, sender: str | None, guid: str, documents: Sequence[Attachment]) -> Path:
        """Put the documents and take away those of an earlier verdict; the same call twice leaves the same objects."""
        folder = f"salida/{owner(sender)}/{guid}"
        with _reachable():
            for document in sorted(documents, key=lambda one: one.name == _LAST):
                attributes = {"Content-Type": document.media_type}
                obstore.put(self._objects, f"{folder}/{document.name}", document.content, attributes=attributes)
            names = {f"{folder}/{document.name}" for document in documents}
            stale = [path for path in self._paths(folder) if path not in names]
            if stale:
                obstore.delete(self._objects, stale)
        return Path(folder)

    def publish_each(self, runs: Sequence[tuple[str | None, str, Sequence[Attachment]]]) -> None:
        """One after the other."""
        for sender, guid, documents in runs:
            self.publish(sender, guid, documents)

    def has(self, sender: str | None, guid: str) -> bool:
        """Whether a receipt has its documents."""
        with _reachable():
            return bool(self._paths(f"salida/{owner(sender)}/{guid}"))

    def erase(self, sender: str | None, guid: str) -> None:
        """Remove the objects of a receipt."""
        with _reachable():
            paths = self._paths(f"salida/{owner(sender)}/{guid}")
            if paths:
                obstore.delete(self._objects, paths)

    def _paths(self, folder: str) -> list[str]:
        return [found["path"] for batch in obstore.list(self._objects, f"{folder}/") for found in batch]


def probe(objects: S3Store) -> None:
    """Put, read and delete an object. Raises UnavailableError, which says in Spanish what fails."""
    with _reachable():
        obstore.put(objects, ".prueba", b"pisis")
        obstore.get(objects, ".prueba").bytes()
        obstore.delete(objects, ".prueba")
