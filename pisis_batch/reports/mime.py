"""Letters to the exact bytes that are stored and sent: fixed Message-ID, Date and boundaries, one recipient each."""

import base64
import binascii
import email.policy
import hashlib
import io
import re
import zipfile
from datetime import datetime
from email.headerregistry import HeaderRegistry
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from pisis_batch.model import Attachment, Letter, Rendered

_HEADERS = (
    b"From",
    b"To",
    b"Subject",
    b"Date",
    b"Message-ID",
    b"Auto-Submitted",
    b"MIME-Version",
    b"Content-Type",
)
_POLICY = email.policy.SMTP.clone(header_factory=HeaderRegistry())
_OWN = re.compile(rb"[a-z]+/[a-z.+-]+", re.ASCII)  # types and names of attachments are ours, never a sender's
#: A subject that the library sends as it is: it takes longer to look for what to encode than all else of a message.
_PLAIN = re.compile(r"[A-Za-z0-9:.,()_-]{1,60}(?: [A-Za-z0-9:.,()_-]{1,60})*", re.ASCII)
_WIDTH = 78
_LINE_END = re.compile("\r\n?|\n")
_HEAVIEST = 8 * 1024 * 1024
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{}~.-]{1,64}@[A-Za-z0-9.-]{3,253}", re.ASCII)


def render(letter: Letter, guid: str, at: datetime, sender_address: str) -> tuple[Rendered, ...]:
    """One message per recipient; the same call gives the same bytes. An address that is not plain ASCII is left out."""
    domain = _domain(sender_address)
    said = hashlib.sha256(f"{at.isoformat()}{letter.subject}{letter.text}".encode()).hexdigest()[:12]
    body = _body(letter, f"{guid}.{letter.kind}.{said}")
    fixed = _header("From", sender_address), _header("Subject", letter.subject)
    made = []
    for place, recipient in enumerate(letter.to, start=1):
        if not _ADDRESS.fullmatch(recipient):
            continue
        message_id = f"<{guid}.{letter.kind}.{place}.{said}@{domain}>"
        head = _head(fixed, recipient, message_id, at)
        made.append(Rendered(letter.kind, recipient, letter.subject, message_id, _sealed(head, body)))
    return tuple(made)


@lru_cache(maxsize=4)
def _domain(sender_address: str) -> str:
    return parseaddr(sender_address)[1].rpartition("@")[2] or "localhost"


@lru_cache(maxsize=64)
def _header(name: str, value: str) -> bytes:
    """A header as it is sent, folded and encoded by the standard library; ValueError when the text has line ends."""
    if name == "Subject" and _PLAIN.fullmatch(value):
        return _folded(name, value).encode("ascii")
    _, parsed = _POLICY.header_store_parse(name, value)
    return _POLICY.fold_binary(name, parsed)


def _folded(name: str, value: str) -> str:
    """A header of plain words as the library folds it: in one line, else in the next, else wherever a line is full."""
    if len(name) + 2 + len(value) > _WIDTH > len(value):
        return f"{name}:\r\n {value}\r\n"
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) <= _WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join(lines) + "\r\n"


def _head(fixed: tuple[bytes, bytes], recipient: str, message_id: str, at: datetime) -> bytes:
    """What differs from one recipient to another: an address of plain ASCII, a Message-ID of ours."""
    sender, subject = fixed
    to = f"To: {recipient}\r\n".encode("ascii")
    rest = f"Date: {format_datetime(at)}\r\nMessage-ID: {message_id}\r\nAuto-Submitted: auto-generated\r\n"
    return sender + to + subject + rest.encode("ascii")


def _body(letter: Letter, seed: str) -> bytes:
    """Text, HTML and attachments, with the headers that say so: the same for every recipient."""
    files, left_out = _light(letter.attachments)
    text = letter.text
    if left_out:
        text += (
            "\nLa lista completa de hallazgos es muy grande para un correo: está en la carpeta de salida del envío.\n"
        )
    texts = [_text("plain", text), _text("html", letter.html)]
    if not files:
        return b"MIME-Version: 1.0\r\n" + _together(b"alternative", texts, seed, 0)
    parts = [_together(b"alternative", texts, seed, 1), *map(_file, files)]
    return b"MIME-Version: 1.0\r\n" + _together(b"mixed", parts, seed, 0)


def _text(kind: str, text: str) -> bytes:
    lines = (_LINE_END.sub("\n", text) if "\r" in text else text).removesuffix("\n").split("\n")
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode("ascii") + b"".join(map(_quoted, lines))


@lru_cache(maxsize=1024)
def _quoted(line: str) -> bytes:
    """A line as it is sent: most are the same in all messages, and each costs as much as anything else of one."""
    return binascii.b2a_qp(f"{line}\r\n".encode())


def _file(file: Attachment) -> bytes:
    kind, name = file.media_type.encode("ascii"), file.name.encode("ascii")
    if not _OWN.fullmatch(kind) or not _OWN.fullmatch(b"x/" + name):
        raise ValueError("an attachment has a name that nobody of ours gave it")
    head = (
        b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="' + name + b'"\r\nMIME-Version: 1.0\r\n\r\n'
    )
    return head + base64.encodebytes(file.content).replace(b"\n", b"\r\n")


def _together(kind: bytes, parts: list[bytes], seed: str, place: int) -> bytes:
    """Parts between boundaries that no line of theirs can be: quoted and base 64 have no `=_`."""
    boundary = b"=_" + hashlib.sha256(f"{seed}{place}".encode()).hexdigest()[:32].encode()
    head = b"Content-Type: multipart/" + kind + b';\r\n boundary="' + boundary + b'"\r\n'
    between = b"\r\n--" + boundary
    return head + b"".join(between + b"\r\n" + part for part in parts) + between + b"--\r\n"


def _sealed(head: bytes, body: bytes) -> bytes:
    """The whole message, with no other headers than ours."""
    own, _, rest = body.partition(b"\r\n\r\n")
    headers = head + own
    names = tuple(line.partition(b":")[0] for line in headers.split(b"\r\n") if line[:1] not in {b" ", b"\t"})
    if names != _HEADERS or b"\r" in headers.replace(b"\r\n", b"") or b"\n" in headers.replace(b"\r\n", b""):
        # the standard library has let header text become headers before; nothing of the kind leaves here
        raise ValueError("a message would carry headers that nobody wrote")
    return headers + b"\r\n\r\n" + rest


def _light(attachments: tuple[Attachment, ...]) -> tuple[list[Attachment], bool]:
    """Attachments that fit a message: the CSV is zipped when they are heavy, and left out when that is not enough."""
    files = list(attachments)
    if sum(file.size for file in files) <= _HEAVIEST:
        return files, False
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in files:
            entry = zipfile.ZipInfo(file.name)
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, file.size
            with bundle.open(entry, "w") as unpacked:
                for piece in file.pieces():
                    unpacked.write(piece)
    if len(packed.getvalue()) <= _HEAVIEST:
        return [Attachment("hallazgos.zip", "application/zip", packed.getvalue())], False
    return [], True
