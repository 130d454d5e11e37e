"""Mail against a real SMTP server on this machine: authentication, TLS demanded, refusals, a server that is not there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from pisis_batch.adapters.folder_mailer import FolderMailer
from pisis_batch.adapters.smtp_mailer import SmtpMailer
from pisis_batch.ports import Mail

BODY = b"From: PISIS <no-responder@pisis.example>\r\nTo: a@x.example\r\nSubject: s\r\n\r\n.texto\r\n"


def mail(number: int, to: str = "a@x.example") -> Mail:
    return Mail(number, "e70e425b-9264-4385-8660-8aa9c25f1bda", "acta", to, f"<{number}@x>", BODY, 0)


class Keeper:
    """A mailbox that refuses one recipient."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.peers: set[Any] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nadie@"):
            return "550 no such user nadie@x.example"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.kept.append(envelope.content)
        self.peers.add(session.peer)
        return "250 OK"


@contextmanager
def serving(**options: Any) -> Iterator[tuple[int, Keeper]]:
    keeper = Keeper()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(keeper, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port, keeper
    finally:
        controller.stop()


def test_the_stored_bytes_arrive_over_one_connection() -> None:
    with serving() as (port, keeper):
        told = list(SmtpMailer(f"smtp://127.0.0.1:{port}?tls=none").send([mail(1), mail(2), mail(3)]))
    assert [reason for _, reason in told] == [None, None, None]
    assert keeper.kept == [BODY] * 3
    assert len(keeper.peers) == 1


def test_a_refused_recipient_does_not_stop_the_others_and_is_not_repeated_in_the_reason() -> None:
    with serving() as (port, keeper):
        told = list(SmtpMailer(f"smtp://127.0.0.1:{port}?tls=none").send([mail(1, "nadie@x.example"), mail(2)]))
    assert told[0][1] is not None
    assert "nadie" not in told[0][1]
    assert "550" in told[0][1]
    assert told[1][1] is None
    assert keeper.kept == [BODY]


def test_without_starttls_nothing_is_said_in_the_clear() -> None:
    with serving() as (port, keeper):
        told = list(SmtpMailer(f"smtp://quien:clave@127.0.0.1:{port}").send([mail(1)]))
    assert told[0][1] is not None
    assert keeper.kept == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # a test server on loopback has no certificate
def test_authentication_uses_the_decoded_password() -> None:
    def known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"quien", b"c@ve")
        return AuthResult(success=good, handled=False)  # the server writes the answer

    with serving(authenticator=known, auth_require_tls=False, auth_required=True) as (port, keeper):
        right = list(SmtpMailer(f"smtp://quien:c%40ve@127.0.0.1:{port}?tls=none").send([mail(1)]))
        wrong = list(SmtpMailer(f"smtp://quien:otra@127.0.0.1:{port}?tls=none").send([mail(2)]))
    assert right[0][1] is None
    assert wrong[0][1] is not None
    assert len(keeper.kept) == 1


def test_a_server_that_is_not_there_fails_every_message_with_a_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = list(SmtpMailer(f"smtp://127.0.0.1:{port}?tls=none").send([mail(1), mail(2)]))
    assert all(reason for _, reason in told)


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://x?tls=quizas"])
def test_a_url_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        SmtpMailer(url)


def test_the_folder_keeps_each_message_once(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path / "correo")
    for _ in range(2):
        assert list(mailer.send([mail(1)])) == [(mail(1), None)]
    assert [path.read_bytes() for path in (tmp_path / "correo").iterdir()] == [BODY]
