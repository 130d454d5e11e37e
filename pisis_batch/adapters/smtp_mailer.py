"""Mail through a submission server: one connection for a batch, the stored bytes as they are.

`smtp://user:password@host:port?tls=starttls|tls|none`; without `tls` it is starttls, and a server that does not offer
it is refused rather than spoken to in the clear.

Answers are told apart by code and command: a recipient or a content refused with 5xx is refused for good, everything
else (a server that is busy, gone, slow, or talks nonsense; a refused login) is tried again.
"""

import asyncio
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.utils import parseaddr
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from pisis_batch.ports import REFUSED, Mail

_CONNECT_SECONDS = 30.0
_COMMAND_SECONDS = 60.0
_DATA_SECONDS = 600.0  # a server may take minutes to answer the final dot; giving up earlier doubles the message
_MESSAGE_SECONDS = 900.0  # a server that drips bytes is left after so many
_FOR_GOOD = range(500, 600)


class SmtpMailer:
    """Fulfils `ports.Mailer`. Raises ValueError on a URL that cannot be meant.

    `pace` scales every timeout; `roots` is a file with the certificates to trust instead of the system's.
    """

    def __init__(self, url: str, *, pace: float = 1.0, roots: str | None = None) -> None:
        parts = urlsplit(url)
        tls = parse_qs(parts.query).get("tls", ["starttls"])[0]
        if parts.scheme != "smtp" or not parts.hostname or tls not in {"starttls", "tls", "none"}:
            raise ValueError(
                "la dirección del servidor de correo debe ser smtp://usuario:clave@servidor:puerto?tls=starttls"
            )
        self._host = parts.hostname
        self._tls: Literal["starttls", "tls", "none"] = tls  # type: ignore[assignment]  # checked above
        self._port = parts.port or {"tls": 465, "starttls": 587, "none": 25}[tls]
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._pace, self._roots = pace, roots

    def erase(self, kind: str, guid: str, id_: int) -> None:
        """Nothing: what a server took is not here."""

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Try each message once, and tell of each before the next is begun.

        A lost connection fails the rest of the batch, a refusal only its own message.
        """
        if not mails:
            return
        client = self._client()
        with asyncio.Runner() as runner:
            try:
                lost = runner.run(self._open(client))
                for mail in mails:
                    reason = lost or runner.run(self._one(client, mail))
                    if reason and not client.is_connected:
                        lost = reason.removeprefix(REFUSED)
                    yield mail, reason
            finally:
                runner.run(self._close(client))

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
            validate_certs=True,
            cert_bundle=self._roots,
            timeout=_COMMAND_SECONDS * self._pace,
        )

    async def _open(self, client: aiosmtplib.SMTP) -> str | None:
        """Why there is no connection, if so."""
        try:
            async with asyncio.timeout(4 * _CONNECT_SECONDS * self._pace):
                await client.connect(timeout=_CONNECT_SECONDS * self._pace)
                if self._user is not None:
                    await client.login(self._user, self._password or "")
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            return _reason(error)
        return None

    @staticmethod
    async def _close(client: aiosmtplib.SMTP) -> None:
        if client.is_connected:
            try:
                async with asyncio.timeout(5):
                    await client.quit()
            except (aiosmtplib.SMTPException, OSError, ValueError):
                pass
        client.close()

    async def _one(self, client: aiosmtplib.SMTP, mail: Mail) -> str | None:
        """One message; any doubt about where the conversation stands ends the connection."""
        origin = parseaddr(str(message_from_bytes(mail.body.partition(b"\r\n\r\n")[0])["From"]))[1]
        asked = ""
        try:
            async with asyncio.timeout(_MESSAGE_SECONDS * self._pace):
                await client.mail(origin)
                asked = "destinatario"
                await client.rcpt(mail.recipient)
                asked = "contenido"
                await client.data(mail.body, timeout=_DATA_SECONDS * self._pace)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            code = getattr(error, "code", None)
            await self._reset(client, well=isinstance(code, int) and 400 <= code < 600 and code != 421)  # noqa: PLR2004
            if asked and code in _FOR_GOOD:
                return f"{REFUSED}{asked} ({code})"
            return _reason(error)
        return None

    async def _reset(self, client: aiosmtplib.SMTP, *, well: bool) -> None:
        """Be ready for the next message, or hang up."""
        if not well or not client.is_connected:
            client.close()
            return
        try:
            await client.rset()
        except (aiosmtplib.SMTPException, OSError, ValueError):
            client.close()


def _reason(error: Exception) -> str:
    """What went wrong without what was said: server texts may repeat addresses."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__} ({code})" if code else type(error).__name__
