"""Signatures (CMS) of files: is the content what was signed, and who signed it. Pure; nothing here asks the network.

What is wrong is a value, the code of a finding with its facts. Structures come from asn1crypto, signatures and chains
are checked by cryptography; both are optional, and loaded only for a file that is signed.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from pisis_batch.model import DETACHED, ENVELOPED, UNREADABLE, Id, Received, Trust


@dataclass(frozen=True, slots=True)
class Objection:
    """What a signature fails in: the code of its rule, and the facts of the rule's sentence."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


def opened(received: Received) -> Received | None:
    """A file as layouts see it: out of its envelope, with the hashes of the bytes that came; None when it is none."""
    if received.signed != ENVELOPED or received.came:
        return received
    from pisis_batch.signing import cms  # noqa: PLC0415 only a signed file needs its libraries

    content = cms.enveloped(received.content[:])
    if content is None:
        return None
    came = (received.sha256, received.md5, len(received.content))
    return dataclasses.replace(received, content=content, signature=received.content[:], came=came)


def objections(received: Received, entity: Id | None, trust: Trust) -> list[Objection]:
    """What is wrong with the signature of an opened file of an entity, at the moment it was received."""
    if received.signed == UNREADABLE:
        return [Objection("FIR003", {"motivo": "no es un archivo de firma o es demasiado grande"})]
    if received.signed not in {DETACHED, ENVELOPED}:
        return [Objection("FIR001")]
    from pisis_batch.signing import chain, cms  # noqa: PLC0415 see above

    signed = cms.verified(received.signature, received.content)
    if not isinstance(signed, cms.Signed):
        return signed
    return [*signed.objections, *chain.objections(signed.certificate, entity, received.received_at, trust)]
