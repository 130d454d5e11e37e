"""What a signature is judged by: whom to believe, and how much it matters."""

from dataclasses import dataclass

#: Where Colombian certification authorities put the NIT of an entity in a certificate's subject: serialNumber,
#: organizationIdentifier, and the attributes of Certicámara and of GSE.
NIT_ATTRIBUTES = ("2.5.4.5", "2.5.4.97", "1.3.6.1.4.1.23267.2.3", "1.3.6.1.4.1.31136.1.1.20.2")
#: How a file came: not signed, signature in a file of its own, inside its signature, or a signature without its file;
#: or with something beside it that is no signature that may be read.
DETACHED, ENVELOPED, ORPHAN, UNREADABLE = "aparte", "sobre", "huérfana", "ilegible"


@dataclass(frozen=True, slots=True)
class Trust:
    """Certificates and revocation lists in DER. `required`: what is wrong with a signature rejects the file."""

    required: bool
    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    lists: tuple[bytes, ...] = ()
    nit_attributes: tuple[str, ...] = NIT_ATTRIBUTES
