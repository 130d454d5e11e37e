"""A CMS structure (RFC 5652) of one signer: its content, its certificate, and whether it signs these very bytes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asn1crypto import cms, pem
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from pisis_batch.model import Content
from pisis_batch.signing import Objection

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_WEAK = {"md2", "md5", "sha1"}
_STRETCH = 1 << 20
_TEXT = 64 * 1024 * 1024  # larger files are not looked at again as if they had been signed as text


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that holds: its signer's certificate (DER), and what there is to object all the same."""

    certificate: bytes
    objections: tuple[Objection, ...] = ()


class _UnreadableError(ValueError):
    """The text is the reason, in the words of a finding."""


def enveloped(content: bytes) -> bytes | None:
    """What a signature holds inside; None when it is no signature or holds nothing."""
    try:
        inside = _signed_data(content)["encap_content_info"]["content"].native
    except Exception:  # noqa: BLE001 hostile bytes; the library raises whatever it comes upon
        return None
    return inside if isinstance(inside, bytes) else None


def verified(signature: bytes, content: Content) -> Signed | list[Objection]:
    """Whether a signature is of these bytes. What it fails in, when it does."""
    try:
        return _verified(signature, content)
    except _UnreadableError as error:
        return [Objection("FIR003", {"motivo": str(error)})]
    except Exception:  # noqa: BLE001 as above
        return [Objection("FIR003", {"motivo": "no tiene la forma de una firma CMS (PKCS#7)"})]


def _signed_data(content: bytes) -> Any:
    der = pem.unarmor(content)[2] if content[:64].lstrip().startswith(b"-----BEGIN") else content
    found = cms.ContentInfo.load(der, strict=True)
    if found["content_type"].native != "signed_data":
        raise _UnreadableError("no es una firma sino otra clase de archivo CMS")
    return found["content"]


def _verified(signature: bytes, content: Content) -> Signed | list[Objection]:
    found = _signed_data(signature)
    signers = found["signer_infos"]
    if len(signers) != 1:
        raise _UnreadableError(f"tiene {len(signers)} firmantes y debe tener uno")
    (signer,) = signers
    certificate = _certificate(found, signer["sid"])
    name = signer["digest_algorithm"]["algorithm"].native
    if name in _WEAK:
        return [Objection("FIR010", {"motivo": f"el resumen {name.upper()}"})]
    if name not in _HASHES:
        raise _UnreadableError("usa un algoritmo desconocido")
    signed, digest = signer["signed_attrs"], _digest(name, content)
    if len(signed):
        kinds = [attribute["type"].native for attribute in signed]
        if len(set(kinds)) < len(kinds):
            raise _UnreadableError("repite un atributo")
        values = {attribute["type"].native: attribute["values"] for attribute in signed}
        if [*values["content_type"].native] != [found["encap_content_info"]["content_type"].native]:
            raise _UnreadableError("dice firmar otra clase de contenido")
        if [*values["message_digest"].native] != [digest]:
            return [Objection("FIR004", {"motivo": _why(name, content, values["message_digest"].native[0])})]
        digest = hashlib.new(name, signed.untag().dump(force=True)).digest()
    if not _holds(certificate.public_key(), signer, name, digest):
        return [Objection("FIR004", {"motivo": "la firma no es de quien dice el certificado, o cambió"})]
    return Signed(certificate.public_bytes(_der()))


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return Encoding.DER


def _certificate(found: Any, wanted: Any) -> x509.Certificate:
    """The signer's certificate among those that came."""
    for one in found["certificates"]:
        if one.name != "certificate":
            continue
        here = one.chosen
        if wanted.name == "issuer_and_serial_number":
            said = wanted.chosen
            same = said["serial_number"].native == here.serial_number and said["issuer"] == here.issuer
        else:
            same = wanted.chosen.native == here.key_identifier
        if same:
            return x509.load_der_x509_certificate(here.dump())
    raise _UnreadableError("no trae el certificado de quien firmó")


def _digest(name: str, content: Content) -> bytes:
    made = hashlib.new(name)
    for start in range(0, len(content), _STRETCH):
        made.update(content[start : start + _STRETCH])
    return made.digest()


def _why(name: str, content: Content, signed: bytes) -> str:
    """Programs that sign text change the ends of lines first: that is said, for the file was not changed."""
    if len(content) <= _TEXT:
        lines = content[:].replace(b"\r\n", b"\n")
        if signed in {_digest(name, lines), _digest(name, lines.replace(b"\n", b"\r\n"))}:
            return "se firmó como texto y no como archivo binario, con otros fines de línea"
    return "el archivo cambió después de firmarse, o la firma es de otro"


def _holds(key: Any, signer: Any, name: str, digest: bytes) -> bool:
    """Whether the signature is of this digest by this key."""
    algorithm, value = signer["signature_algorithm"], signer["signature"].native
    already = utils.Prehashed(_HASHES[name]())
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(value, digest, _padding(algorithm, name), already)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, digest, ec.ECDSA(already))
        else:
            raise _UnreadableError("usa un algoritmo desconocido")
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _padding(algorithm: Any, name: str) -> padding.AsymmetricPadding:
    if algorithm.signature_algo == "rsassa_pss":
        told = algorithm["parameters"]
        if told["hash_algorithm"]["algorithm"].native != name:
            raise _UnreadableError("usa dos resúmenes distintos")
        inner = told["mask_gen_algorithm"]["parameters"]["algorithm"].native
        return padding.PSS(padding.MGF1(_HASHES[inner]()), told["salt_length"].native)
    return padding.PKCS1v15()
