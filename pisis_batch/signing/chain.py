"""Who signed: a certificate held against trusted roots, its dates, revocation lists and the entity's NIT.

Everything at the moment of reception, which is ours; the moment of signing is the signer's word. A verdict is the same
when it is reached again later: revocations count from their date, and a list is current if it was on reception.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import verification

from pisis_batch.model import Id, Trust
from pisis_batch.signing import Objection

_RSA_BITS, _CURVE_BITS, _DEPTH = 2048, 256, 4
_WEAK = {"md5", "sha1"}


def objections(der: bytes, entity: Id | None, at: datetime, trust: Trust) -> list[Objection]:
    """What is wrong with a signer's certificate."""
    certificate = x509.load_der_x509_certificate(der)
    found = [*_dates(certificate, at), *_strength(certificate)]
    chain = _chain(certificate, at, trust)
    if chain is None:
        found.append(Objection("FIR008", {"motivo": "ninguna autoridad configurada responde por él"}))
    else:
        found += _revocation(chain, at, trust)
    if not _signs(certificate):
        found.append(Objection("FIR008", {"motivo": "no es un certificado para firmar"}))
    return [*found, *_owner(certificate, entity, trust)]


def _dates(certificate: x509.Certificate, at: datetime) -> list[Objection]:
    if at > certificate.not_valid_after_utc:
        return [Objection("FIR005", {"fecha": f"{certificate.not_valid_after_utc:%Y-%m-%d}"})]
    if at < certificate.not_valid_before_utc:
        return [Objection("FIR006", {"fecha": f"{certificate.not_valid_before_utc:%Y-%m-%d}"})]
    return []


def _strength(certificate: x509.Certificate) -> list[Objection]:
    key, used = certificate.public_key(), certificate.signature_hash_algorithm
    if used is not None and used.name in _WEAK:
        return [Objection("FIR010", {"motivo": f"el certificado usa {used.name.upper()}"})]
    least = _RSA_BITS if isinstance(key, rsa.RSAPublicKey) else _CURVE_BITS
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and key.key_size < least:
        return [Objection("FIR010", {"motivo": f"su llave es de {key.key_size} bits"})]
    return []


def _chain(certificate: x509.Certificate, at: datetime, trust: Trust) -> list[x509.Certificate] | None:
    """The certificate and whoever stands for it, up to a root; None when nobody does.

    One whose own dates are wrong is followed at a moment when they were right, so that it is told only that.
    """
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    moment = min(max(at, first + timedelta(seconds=1)), last - timedelta(seconds=1))
    roots = [x509.load_der_x509_certificate(one) for one in trust.roots]
    if not roots:
        return None
    builder = verification.PolicyBuilder().store(verification.Store(roots)).time(moment.replace(microsecond=0))
    anything = verification.ExtensionPolicy.permit_all()
    authority = anything.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _is_authority)
    builder = builder.max_chain_depth(_DEPTH).extension_policies(ca_policy=authority, ee_policy=anything)
    try:
        found = builder.build_client_verifier().verify(
            certificate, [x509.load_der_x509_certificate(one) for one in trust.intermediates]
        )
    except (verification.VerificationError, ValueError):
        return None
    return list(found.chain)


def _is_authority(policy: verification.Policy, certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    del policy, certificate
    if not extension.ca:
        raise ValueError("no authority")


def _revocation(chain: list[x509.Certificate], at: datetime, trust: Trust) -> list[Objection]:
    """Whether anybody in a chain is on the list of whoever stands for them, or whether nobody knows."""
    lists = [x509.load_der_x509_crl(one) for one in trust.lists]
    unknown = []
    for one, issuer in pairwise(chain):
        of_issuer = [each for each in lists if _is_of(each, issuer)]
        for each in of_issuer:
            entry = each.get_revoked_certificate_by_serial_number(one.serial_number)
            if entry is not None and entry.revocation_date_utc <= at:
                return [Objection("FIR007", {"fecha": f"{entry.revocation_date_utc:%Y-%m-%d}"})]
        if not of_issuer:
            unknown.append("no hay lista de revocación de su autoridad")
        elif not any(each.next_update_utc is None or each.next_update_utc >= at for each in of_issuer):
            unknown.append("la lista de revocación de su autoridad está vencida")
    return [Objection("FIR011", {"motivo": unknown[0]})] if unknown else []


def _is_of(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if found.issuer != issuer.subject:
        return False
    try:
        return found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # another kind raises
    except (InvalidSignature, TypeError, ValueError):
        return False


def _signs(certificate: x509.Certificate) -> bool:
    """Whether its key may sign documents, by its key usage if it has one."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True
    return usage.digital_signature or usage.content_commitment


def _owner(certificate: x509.Certificate, entity: Id | None, trust: Trust) -> list[Objection]:
    """Whether it is the entity's: an attribute that tells a NIT tells this one, with or without its last digit."""
    if entity is None:
        return []
    told = [
        _digits(str(attribute.value))
        for attribute in certificate.subject
        if attribute.oid.dotted_string in trust.nit_attributes
    ]
    own = _digits(entity.number).lstrip("0")
    if any(number.lstrip("0") in {own, own + _last(own)} for number in told if number):
        return []
    return [Objection("FIR009", {"nit": next((number for number in told if number), "ninguno")})]


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign in "0123456789")


def _last(number: str) -> str:
    from stdnum.co import nit  # noqa: PLC0415 only a signed file asks

    return str(nit.calc_check_digit(number)) if number else ""
