"""Mail through a submission server: one connection for a batch, the stored bytes as they are.

`smtp://user:password@host:port?tls=starttls|tls|none`; without `tls` it is starttls, and a server that does not offer
it is refused rather than spoken to in the clear.
"""

import asyncio
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.utils import parseaddr
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from pisis_batch.ports import Mail

_CONNECT_SECONDS = 30
_COMMAND_SECONDS = 60
_DATA_SECONDS = 600  # a server may take minutes to answer the final dot; giving up earlier doubles the message


class SmtpMailer:
    """Fulfils `ports.Mailer`. Raises ValueError on a URL that cannot be meant."""

    def __init__(self, url: str, *, validate: bool = True) -> None:
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
        self._validate = validate

    def send(self, mails: Sequence[Mail]) -> Iterator[tuple[Mail, str | None]]:
        """Try each message once; a lost connection fails the rest of the batch, a refusal only its own message."""
        if mails:
            yield from asyncio.run(self._send(mails))

    async def _send(self, mails: Sequence[Mail]) -> list[tuple[Mail, str | None]]:
        client = self._client()
        try:
            await client.connect(timeout=_CONNECT_SECONDS)
            if self._user is not None:
                await client.login(self._user, self._password or "")
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()  # a refused login leaves the connection open
            return [(mail, _reason(error)) for mail in mails]
        told = [(mail, await self._one(client, mail)) for mail in mails]
        if client.is_connected:
            try:
                await client.quit()
            except (aiosmtplib.SMTPException, OSError):
                client.close()
        return told

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
            validate_certs=self._validate,
            timeout=_COMMAND_SECONDS,
        )

    @staticmethod
    async def _one(client: aiosmtplib.SMTP, mail: Mail) -> str | None:
        origin = parseaddr(str(message_from_bytes(mail.body)["From"]))[1]
        try:
            await client.sendmail(origin, [mail.recipient], mail.body, timeout=_DATA_SECONDS)
        except (aiosmtplib.SMTPException, OSError) as error:
            if client.is_connected:
                try:
                    await client.rset()
                except (aiosmtplib.SMTPException, OSError):
                    client.close()
            return _reason(error)
        return None


def _reason(error: Exception) -> str:
    """What went wrong without what was said: server texts may repeat addresses."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        return f"destinatario rechazado ({error.recipients[0].code})"
    code = getattr(error, "code", None)
    return f"{type(error).__name__} ({code})" if code else type(error).__name__
