"""Whom to believe about signatures, from a folder of the operator's: `raices/`, `intermedias/`, `listas/` (PEM or DER).

Looked at again whenever a file there changes: lists of revocation are renewed every day by whatever fetches them.
"""

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pisis_batch.model import NIT_ATTRIBUTES, Trust
from pisis_batch.ports import UnavailableError

FOLDERS = ("raices", "intermedias", "listas")
_LARGEST = 64 * 1024 * 1024


class TrustFolder:
    """Fulfils `ports.Ports.trust`. Raises ValueError, naming the file, when one cannot be read."""

    def __init__(self, folder: Path, *, required: bool, nit_attributes: tuple[str, ...] = NIT_ATTRIBUTES) -> None:
        self._folder, self._required, self._nit = folder, required, nit_attributes
        self._seen: tuple[object, ...] = ()
        self._trust: Trust | None = None

    def __call__(self, now: datetime) -> Trust:
        """What the folder holds now. UnavailableError where signatures are required and a list is missing or old.

        Then files wait: nobody's is refused, or let pass, because we did not fetch a list.
        """
        trust = self._read()
        if self._required and (troubles := self.troubles(now)):
            raise UnavailableError(troubles[0])
        return trust

    def troubles(self, now: datetime) -> list[str]:
        """What is missing: roots, or a current list of an authority. Plain Spanish."""
        trust = self._read()
        lists = [x509.load_der_x509_crl(one) for one in trust.lists]
        found = [] if trust.roots else ["no hay certificados raíz"]
        for der in (*trust.roots, *trust.intermediates):
            authority = x509.load_der_x509_certificate(der)
            name = _name(authority)
            own = [one for one in lists if one.issuer == authority.subject]
            if not own:
                found.append(f"falta la lista de revocación de {name}")
            elif not any(one.next_update_utc is None or one.next_update_utc >= now for one in own):
                found.append(f"está vencida la lista de revocación de {name}")
        return found

    def _read(self) -> Trust:
        files = [(kind, path) for kind in FOLDERS for path in self._files(kind)]
        seen = tuple((kind, path.name, path.stat().st_mtime_ns, path.stat().st_size) for kind, path in files)
        if self._trust is None or seen != self._seen:
            found: dict[str, list[bytes]] = {kind: [] for kind in FOLDERS}
            for kind, path in files:
                found[kind] += _ders(kind, path)
            self._trust = Trust(
                self._required,
                tuple(found["raices"]),
                tuple(found["intermedias"]),
                tuple(found["listas"]),
                self._nit,
            )
            self._seen = seen
        return self._trust

    def _files(self, kind: str) -> list[Path]:
        folder = self._folder / kind
        return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _ders(kind: str, path: Path) -> list[bytes]:
    content = path.read_bytes()[:_LARGEST]
    try:
        if kind == "listas":
            armored = content.lstrip().startswith(b"-----BEGIN")
            made = x509.load_pem_x509_crl(content) if armored else x509.load_der_x509_crl(content)
            return [made.public_bytes(Encoding.DER)]
        if content.lstrip().startswith(b"-----BEGIN"):
            return [one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(content)]
        return [x509.load_der_x509_certificate(content).public_bytes(Encoding.DER)]
    except ValueError:
        raise ValueError(f"{path.parent.name}/{path.name} no es lo que se espera en esa carpeta") from None


def _name(authority: x509.Certificate) -> str:
    names = authority.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else authority.subject.rfc4514_string()
