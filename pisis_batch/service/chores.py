"""What the calendar asks for. Each of them may run twice, or late, or on several machines, without harm."""

from datetime import timedelta

from pisis_batch.ports import Chore, Ports
from pisis_batch.service.delivery import deliver, publish


def chores(ports: Ports) -> tuple[Chore, ...]:
    """Every chore, bound to its ports."""
    return (
        Chore("correo", lambda: _ignored(deliver(ports)), timedelta(seconds=5), "* * * * * */5"),
        Chore("publicar", lambda: _ignored(publish(ports)), timedelta(minutes=1), "* * * * *"),
    )


def _ignored(result: object) -> None:
    del result
