"""Every answer at every command: told apart by code, tried again or not, at least once and never silently lost."""

import datetime as dt
import ipaddress
import random
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from smtp_faults import DROP, faulty
from test_mailers import BODY, mail

from pisis_batch.adapters.smtp_mailer import SmtpMailer
from pisis_batch.ports import REFUSED

CODES = (421, 450, 451, 452, 500, 503, 530, 535, 550, 552, 554)
COMMANDS = ("", "EHLO", "MAIL", "RCPT", "DATA", ".")
NONSENSE = {
    "a line too long": b"250 " + b"x" * 100_000 + b"\r\n",
    "no code": b"hola\r\n",
    "bytes": b"\xff\xfe\x00\x01\r\n",
    "a reply that never ends": b"250-a\r\n" * 5000,
    "two replies at once": b"250 OK\r\n550 no\r\n",
    "half a reply": b"25",
}


def send(port: int, *mails: object, url: str = "smtp://127.0.0.1:{port}?tls=none", **more: object) -> list[str | None]:
    mailer = SmtpMailer(url.format(port=port), pace=0.01, **more)  # type: ignore[arg-type]
    return [reason for _, reason in mailer.send(list(mails) or [mail(1)])]  # type: ignore[arg-type]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_refusal_at_every_command_is_told_apart(command: str) -> None:
    for code in CODES:
        with faulty({command: f"{code} no nadie@x.example\r\n".encode()}) as server:
            (reason,) = send(server.port)
        if command == "EHLO":  # a server that knows only HELO is spoken to in HELO
            assert (reason is None) == bool(server.kept)
            continue
        assert reason
        assert "nadie" not in reason
        for_good = command in {"RCPT", "DATA", "."} and code >= 500
        assert reason.startswith(REFUSED) == for_good, (code, reason)
        assert server.kept == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_hangs_up_or_waits_or_talks_nonsense_fails_with_a_reason_in_time(command: str) -> None:
    for answer in (DROP, 3.0, *NONSENSE.values()):
        with faulty({command: answer}) as server:
            (reason,) = send(server.port)
        if reason is None:  # a slow answer to the content is waited for; of two replies the first counts
            assert server.kept, (command, answer)
            assert answer in {3.0, NONSENSE["two replies at once"]} or command == "EHLO", (command, answer)
        elif answer != NONSENSE["two replies at once"]:
            assert not reason.startswith(REFUSED), (command, answer)


def test_a_reply_that_drips_is_waited_for_only_so_long() -> None:
    with faulty({"MAIL": [b"2", b"5", b"0", b" ", b"O"] * 200}) as server:
        (reason,) = send(server.port)
    assert reason


def test_a_lost_answer_sends_the_same_bytes_again() -> None:
    with faulty({".": DROP}) as server:
        first = send(server.port)
        server.script["."] = b"250 OK\r\n"
        second = send(server.port)
    assert (bool(first[0]), second) == (True, [None])
    assert {content for _, content in server.kept} == {BODY.replace(b"\r\n.", b"\r\n..")}
    assert len(server.kept) in {1, 2}


def test_a_refusal_in_the_middle_of_a_batch_is_its_own_messages_alone() -> None:
    answers = iter([b"250 OK\r\n", b"550 no\r\n", b"451 luego\r\n", b"250 OK\r\n"])
    with faulty({"RCPT": lambda: next(answers)}) as server:
        reasons = send(server.port, *(mail(number) for number in range(4)))
    assert [reason and reason.startswith(REFUSED) for reason in reasons] == [None, True, False, None]


def test_each_message_is_told_before_the_next_is_begun() -> None:
    """So that a crash in the middle of a batch doubles one message, not all of them."""
    with faulty() as server:
        told = SmtpMailer(f"smtp://127.0.0.1:{server.port}?tls=none").send([mail(1), mail(2)])
        next(told)
        assert len(server.kept) == 1
        list(told)
        assert len(server.kept) == 2


def test_random_sessions_lose_nothing() -> None:
    """Each message is tried until it is taken or refused for good; what was taken is the stored bytes."""
    chance = random.Random(20260715)
    answers = [b"250 OK\r\n", b"421 luego\r\n", b"451 luego\r\n", DROP, b"hola\r\n", b"250-\r\n"]

    def sometimes(honest: bytes) -> object:
        return lambda: honest if chance.random() < 0.8 else chance.choice(answers)

    script = {
        "": sometimes(b"220 hola\r\n"),
        "MAIL": sometimes(b"250 OK\r\n"),
        "DATA": b"354 adelante\r\n",
        "RSET": sometimes(b"250 OK\r\n"),
    }
    with faulty(script) as server:
        for _ in range(20):
            waiting = [mail(number) for number in range(3)]
            for _ in range(60):
                if not waiting:
                    break
                mailer = SmtpMailer(f"smtp://127.0.0.1:{server.port}?tls=none", pace=0.01)
                waiting = [one for one, reason in mailer.send(waiting) if reason is not None]
            assert not waiting
    assert {content for _, content in server.kept} == {BODY.replace(b"\r\n.", b"\r\n..")}
    assert len(server.kept) >= 60


# --- TLS ---


def certificate(folder: Path, name: str = "localhost", *, days: int = 30) -> tuple[Path, ssl.SSLContext]:
    """A certificate that vouches for itself: the file of roots, and a server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(_LOOPBACK)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


_LOOPBACK = ipaddress.ip_address("127.0.0.1")
OFFERS = {"EHLO": b"250-prueba\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 OK\r\n"}


def test_starttls_with_a_certificate_of_a_known_root_is_spoken(tmp_path: Path) -> None:
    roots, context = certificate(tmp_path)
    with faulty(OFFERS, context) as server:
        reasons = send(server.port, url="smtp://quien:clave@localhost:{port}", roots=str(roots))
    assert reasons == [None]
    assert server.kept
    assert server.heard.index(b"STARTTLS\r\n") < next(n for n, line in enumerate(server.heard) if b"AUTH" in line)


@pytest.mark.parametrize("fault", ["unknown root", "other host", "expired", "not offered", "refused"])
def test_whatever_is_wrong_with_starttls_nothing_is_said(fault: str, tmp_path: Path) -> None:
    other = "otro.example" if fault == "other host" else "localhost"
    roots, context = certificate(tmp_path, other, days=-1 if fault == "expired" else 30)
    script = dict(OFFERS)
    if fault == "not offered":  # as somebody in between would strip it
        script["EHLO"] = b"250-prueba\r\n250 AUTH PLAIN\r\n"
    if fault == "refused":
        script["STARTTLS"] = b"454 no hay\r\n"
    with faulty(script, context) as server:
        known = None if fault == "unknown root" else str(roots)
        (reason,) = send(server.port, url="smtp://quien:clave@localhost:{port}", roots=known)
    assert reason
    assert not reason.startswith(REFUSED)
    assert server.kept == []
    assert not [line for line in server.heard if b"AUTH" in line or b"MAIL" in line]


def test_what_is_said_in_the_clear_after_starttls_is_not_believed(tmp_path: Path) -> None:
    roots, context = certificate(tmp_path)
    script = {**OFFERS, "STARTTLS": b"220 adelante\r\n535 no\r\n", "AUTH": b"235 OK\r\n"}
    with faulty(script, context) as server:
        (reason,) = send(server.port, url="smtp://quien:clave@localhost:{port}", roots=str(roots))
    assert reason is None or "535" not in reason
    assert len(server.kept) == (reason is None)
