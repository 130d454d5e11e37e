"""The imperative shell: take files in, process them, publish and deliver. Every step may be run twice.

Order of durable steps: claim by rename, original to the archive, receipt recorded (accepted from here on), claim
forgotten, attempt counted, one transaction with changes, run, findings, documents and mails, documents published, mails
sent and marked.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pisis_batch.service.accounts import fsck
    from pisis_batch.service.approval import Decision, NotHeldError, approve, clean_login, refuse
    from pisis_batch.service.beats import Beats
    from pisis_batch.service.checking import check
    from pisis_batch.service.chores import expire
    from pisis_batch.service.comparing import difference
    from pisis_batch.service.delivery import deliver, publish
    from pisis_batch.service.intake import lane, named, submit, take_in
    from pisis_batch.service.keeping import Erased, erase_class, erase_person, mentions, retain
    from pisis_batch.service.naming import readable
    from pisis_batch.service.processing import BusyError, judge_again, once, process, reprocess
    from pisis_batch.service.undoing import Undoing, undo
    from pisis_batch.service.watching import watch
    from pisis_batch.service.work import FileWork

__all__ = [
    "Beats",
    "BusyError",
    "Decision",
    "Erased",
    "FileWork",
    "NotHeldError",
    "Undoing",
    "approve",
    "check",
    "clean_login",
    "deliver",
    "difference",
    "erase_class",
    "erase_person",
    "expire",
    "fsck",
    "judge_again",
    "lane",
    "mentions",
    "named",
    "once",
    "process",
    "publish",
    "readable",
    "refuse",
    "reprocess",
    "retain",
    "submit",
    "take_in",
    "undo",
    "watch",
]
_WHERE = {
    **dict.fromkeys(["Decision", "NotHeldError", "approve", "clean_login", "refuse"], "approval"),
    **dict.fromkeys(["fsck"], "accounts"),
    **dict.fromkeys(["Beats"], "beats"),
    **dict.fromkeys(["check"], "checking"),
    **dict.fromkeys(["expire"], "chores"),
    **dict.fromkeys(["difference"], "comparing"),
    **dict.fromkeys(["readable"], "naming"),
    **dict.fromkeys(["deliver", "publish"], "delivery"),
    **dict.fromkeys(["lane", "named", "submit", "take_in"], "intake"),
    **dict.fromkeys(["Erased", "erase_class", "erase_person", "mentions", "retain"], "keeping"),
    **dict.fromkeys(["BusyError", "judge_again", "once", "process", "reprocess"], "processing"),
    **dict.fromkeys(["Undoing", "undo"], "undoing"),
    **dict.fromkeys(["watch"], "watching"),
    **dict.fromkeys(["FileWork"], "work"),
}


def __getattr__(name: str) -> Any:
    """Load each part when it is first asked for: whoever only checks a file waits for nothing else."""
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
