"""Authorities, certificates, revocation lists and signatures for tests, all made on the spot."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID
from worlds import NOW

DAY = timedelta(days=1)
NIT_OF_CERTICAMARA = "1.3.6.1.4.1.23267.2.3"
Key = Any


@cache
def key(name: str = "") -> Key:
    """A key for each name; `rsa` and `short` are RSA, any other is a curve."""
    if name in {"rsa", "short"}:
        return rsa.generate_private_key(65537, 2048 if name == "rsa" else 1024)
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Holder:
    """A certificate and its key; authorities make others."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def secret(self) -> bytes:
        """Its key, unprotected, as a server reads it."""
        shape = serialization.PrivateFormat.PKCS8
        return bytes(self.key.private_bytes(Encoding.PEM, shape, serialization.NoEncryption()))

    def signed(self, content: bytes, *, detached: bool = True, **options: Any) -> bytes:
        """A CMS signature in DER."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(self.certificate, self.key, options.pop("digest", hashes.SHA256()), **options)
        told = [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities]
        return builder.sign(Encoding.DER, [*told, pkcs7.PKCS7Options.DetachedSignature] if detached else told)

    def as_text(self, content: bytes) -> bytes:
        """As programs do that take a file for a message."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(self.certificate, self.key, hashes.SHA256())
        return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])


def name(common: str, **more: str) -> x509.Name:
    """A subject: `serial` is the attribute serialNumber, `nit` that of Certicámara."""
    found = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if "serial" in more:
        found.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, more["serial"]))
    if "nit" in more:
        found.append(x509.NameAttribute(x509.ObjectIdentifier(NIT_OF_CERTICAMARA), more["nit"]))
    return x509.Name(found)


def made(
    subject: x509.Name,
    by: Holder | None = None,
    *,
    authority: bool = False,
    since: datetime = NOW - 365 * DAY,
    until: datetime = NOW + 365 * DAY,
    of: str = "",
    signs: bool = True,
    digest: Any = None,
    server: str = "",
) -> Holder:
    """A certificate; without `by` it stands for itself. `server`: the address that it is for."""
    own = key(of or str(subject.rfc4514_string()))
    stands = by or Holder(None, own)  # type: ignore[arg-type]  # it is being made
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=signs and not authority,
                content_commitment=signs and not authority,
                key_encipherment=not authority,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if server:
        address = x509.IPAddress(ipaddress.ip_address(server))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return Holder(builder.sign(stands.key, digest or hashes.SHA256()), own)


def private(server: str, until: timedelta = 30 * DAY) -> tuple[Holder, Holder]:
    """An authority of one's own, and the certificate that it gave the server at an address, by the clock of today."""
    today = datetime.now(UTC)
    root = made(name("CA interna de pruebas"), authority=True, since=today - 90 * DAY, until=today + 90 * DAY)
    times = {"since": today - 60 * DAY, "until": today + until}
    return root, made(name("almacén de pruebas"), root, server=server, **times)


def revocations(
    by: Holder, *revoked: Holder, at: datetime = NOW - DAY, until: datetime = NOW + DAY, signer: Key = None
) -> bytes:
    """The revocation list of an authority, in DER."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
    builder = builder.last_update(min(at, until) - DAY).next_update(until)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(at)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer or by.key, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Authority:
    """A root, and the intermediate that certifies entities."""

    root: Holder
    middle: Holder

    @classmethod
    def new(cls, common: str = "AC FICTICIA") -> "Authority":
        root = made(name(f"{common} RAIZ"), authority=True)
        return cls(root, made(name(f"{common} SUB"), root, authority=True))

    def entity(self, nit: str = "900123456-8", **how: Any) -> Holder:
        return made(name("ESE HOSPITAL EJEMPLO", nit=nit), self.middle, **how)

    def install(self, folder: Path, *lists: bytes) -> None:
        """Lay everything where an operator lays it; without `lists` each authority's own, empty."""
        files = {"raices/raiz.pem": self.root.pem, "intermedias/sub.crt": self.middle.pem}
        for place, one in enumerate(lists or (revocations(self.root), revocations(self.middle))):
            files[f"listas/{place}.crl"] = one
        for where, content in files.items():
            (folder / where).parent.mkdir(parents=True, exist_ok=True)
            (folder / where).write_bytes(content)


def retouched(signature: bytes, change: Any) -> bytes:
    """A signature whose structure was changed by a function of its SignedData."""
    found = cms.ContentInfo.load(signature)
    change(found["content"])
    return bytes(found.dump(force=True))


def without_attributes(holder: Holder, content: bytes) -> bytes:
    """A signature of the content itself, with no signed attributes (RSA)."""
    whole = cms.ContentInfo.load(holder.signed(content, rsa_padding=padding.PKCS1v15()))
    (signer,) = whole["content"]["signer_infos"]
    signer["signature"] = holder.key.sign(content, padding.PKCS1v15(), hashes.SHA256())
    signer["signed_attrs"] = cms.CMSAttributes([])
    del signer["signed_attrs"]
    return bytes(whole.dump(force=True))


def key_pem(holder: Holder) -> bytes:
    """For programs outside."""
    return bytes(
        holder.key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
