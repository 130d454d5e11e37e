"""Letters to the exact bytes that are stored and sent: fixed Message-ID, Date and boundaries, one recipient each."""

import email.policy
import hashlib
import io
import re
import zipfile
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any

from pisis_batch.model import Attachment, Letter, Rendered

_HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "mime-version",
    "content-type",
}


class _Kinds(HeaderRegistry):
    """The standard registry makes a class for every header of every message; here each kind of header is made once."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


_POLICY = email.policy.SMTP.clone(header_factory=_Kinds())
_HEAVIEST = 8 * 1024 * 1024
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{}~.-]{1,64}@[A-Za-z0-9.-]{3,253}", re.ASCII)


def render(letter: Letter, guid: str, at: datetime, sender_address: str) -> tuple[Rendered, ...]:
    """One message per recipient; the same call gives the same bytes. An address that is not plain ASCII is left out."""
    domain = parseaddr(sender_address)[1].rpartition("@")[2] or "localhost"
    said = hashlib.sha256(f"{at.isoformat()}{letter.subject}{letter.text}".encode()).hexdigest()[:12]
    body = _body(letter, f"{guid}.{letter.kind}.{said}")
    made = []
    for place, recipient in enumerate(letter.to, start=1):
        if not _ADDRESS.fullmatch(recipient):
            continue
        message_id = f"<{guid}.{letter.kind}.{place}.{said}@{domain}>"
        head = _head(letter, recipient, message_id, at, sender_address)
        made.append(Rendered(letter.kind, recipient, letter.subject, message_id, _sealed(head, body)))
    return tuple(made)


def _head(letter: Letter, recipient: str, message_id: str, at: datetime, sender_address: str) -> bytes:
    """What differs from one recipient to another."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender_address
    message["To"] = recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    return message.as_bytes().rstrip(b"\r\n") + b"\r\n"


def _body(letter: Letter, seed: str) -> bytes:
    """Text, HTML and attachments, with the headers that say so: the same for every recipient."""
    message = EmailMessage(policy=_POLICY)
    files, left_out = _light(letter.attachments)
    text = letter.text
    if left_out:
        text += (
            "\nLa lista completa de hallazgos es muy grande para un correo: está en la carpeta de salida del envío.\n"
        )
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for file in files:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    _fix_boundaries(message, seed)
    return message.as_bytes()


def _sealed(head: bytes, body: bytes) -> bytes:
    """The whole message, with no other headers than ours."""
    own, _, rest = body.partition(b"\r\n\r\n")
    headers = head + own + b"\r\n\r\n"
    if {name.lower() for name in message_from_bytes(headers)} != _HEADERS:
        # the standard library has let header text become headers before; nothing of the kind leaves here
        raise ValueError("a message would carry headers that nobody wrote")
    return headers + rest


def _fix_boundaries(message: EmailMessage, seed: str) -> None:
    for place, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary("=_" + hashlib.sha256(f"{seed}{place}".encode()).hexdigest()[:32])


def _light(attachments: tuple[Attachment, ...]) -> tuple[list[Attachment], bool]:
    """Attachments that fit a message: the CSV is zipped when they are heavy, and left out when that is not enough."""
    files = list(attachments)
    if sum(len(file.content) for file in files) <= _HEAVIEST:
        return files, False
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in files:
            bundle.writestr(zipfile.ZipInfo(file.name), file.content, zipfile.ZIP_DEFLATED)
    if len(packed.getvalue()) <= _HEAVIEST:
        return [Attachment("hallazgos.zip", "application/zip", packed.getvalue())], False
    return [], True
