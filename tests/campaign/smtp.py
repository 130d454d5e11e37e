"""Random SMTP sessions: each message is tried until it is taken or refused for good; what is taken is what was stored."""

import random
from collections.abc import Iterator

from smtp_faults import DROP, HONEST, Faulty, faulty

from pisis_batch.adapters.smtp_mailer import SmtpMailer
from pisis_batch.ports import REFUSED, Mail

BODY = b"From: PISIS <no-responder@pisis.example>\r\nTo: a@x.example\r\nSubject: s\r\n\r\n.texto\r\n"
_SENT = BODY.replace(b"\r\n.", b"\r\n..")
_MOST = 60  # tries of one message


def trials(seeds: Iterator[int]) -> Iterator[tuple[int, int, list[str]]]:
    """For each seed: the seed, how many sessions there were, and what was broken."""
    for seed in seeds:
        chance = random.Random(seed)
        with faulty(_script(chance)) as server:
            yield seed, *_session(server, seed)


def _script(chance: random.Random) -> dict[str, object]:
    """What goes wrong in this conversation, and how often."""
    often = chance.uniform(0.02, 0.3)
    wrong = [b"421 luego\r\n", b"451 luego\r\n", b"450 luego\r\n", b"452 lleno\r\n", DROP, b"hola\r\n", b"550 no\r\n"]

    def sometimes(honest: bytes) -> object:
        return lambda: honest if chance.random() > often else chance.choice(wrong)

    chosen = chance.sample(["", "EHLO", "MAIL", "RCPT", "RSET"], 3)
    return {verb: sometimes(HONEST[verb]) for verb in chosen}


def _session(server: Faulty, seed: int) -> tuple[int, list[str]]:
    waiting = [Mail(number, "guid", "acta", "a@x.example", f"<{seed}.{number}@x>", BODY, 0) for number in range(3)]
    refused = sessions = 0
    while waiting and sessions < _MOST:
        sessions += 1
        told = list(SmtpMailer(f"smtp://127.0.0.1:{server.port}?tls=none", pace=0.01).send(waiting))
        refused += sum(1 for _, reason in told if reason and reason.startswith(REFUSED))
        waiting = [one for one, reason in told if reason is not None and not reason.startswith(REFUSED)]
    broken = []
    if waiting:
        broken.append(f"{len(waiting)} messages were never taken")
    if len(server.kept) + refused < 3:  # as many as there were
        broken.append("a message that was told as sent never arrived")
    if any(content != _SENT for _, content in server.kept):
        broken.append("other bytes arrived than those stored")
    return sessions, broken
