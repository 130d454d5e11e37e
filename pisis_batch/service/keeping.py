"""What is not kept longer than it must: by class and age, or of one person. Any step may be cut off and run again."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta

import structlog

from pisis_batch.model import Id
from pisis_batch.ports import KINDS, Erasing, Ports
from pisis_batch.service.crash import crashpoint

_log = structlog.get_logger()
#: What is made from a file and names the persons in it.
_DERIVED = ("valores", "documentos", "cartas")


def limit(ports: Ports, kind: str) -> date | None:
    """The day before which a class is over; None when it is kept for ever."""
    days = ports.retention.days(kind)
    return ports.clock().date() - timedelta(days=days) if days else None


def retain(ports: Ports) -> dict[str, int]:
    """Let go of every class whose time is over, by the settings; how many of each."""
    finish(ports)
    done = {}
    for kind in KINDS:
        before = limit(ports, kind)
        if before is None or not ports.registry.due(kind, before)[0]:  # asked without holding anybody up
            continue
        if many := erase_class(ports, kind, before):
            done[kind] = many
            _log.info("retention", kind=kind, before=str(before), many=many)
    return done


def erase_class(
    ports: Ports, kind: str, before: date, *, by: str | None = None, guids: Collection[str] | None = None
) -> int:
    """Let go of a class, of all receipts or of some, a part at a time; how many."""
    many = 0
    while part := ports.registry.let_go(kind, before, ports.clock(), by=by, guids=guids):
        crashpoint("let_go")
        many += part
        finish(ports)
        if kind == "auditoria":
            break
    finish(ports)
    return many


def finish(ports: Ports) -> None:
    """Remove what lies outside the registry of whatever was let go, now or in an interrupted run."""
    for sha256 in ports.archive.set_apart():
        ports.archive.erase(sha256, _wanted(ports, sha256))
    for erasing in ports.registry.unfinished():
        remove = _removing(ports, erasing)
        try:
            if erasing.kind == "originales":  # guarded by being out of its place, not by a lock: it may be large
                remove()
                remove = _nothing
            ports.registry.finish(erasing, remove)
        except OSError as error:  # it is tried again with the next run
            _log.error("erasing_failed", guid=erasing.guid, kind=erasing.kind, error=type(error).__name__)


def _nothing() -> None:
    pass


def _wanted(ports: Ports, sha256: str) -> Callable[[], bool]:
    return lambda: ports.registry.wanted(sha256)


def _removing(ports: Ports, erasing: Erasing) -> Callable[[], None]:
    def remove() -> None:
        crashpoint("removing")
        if erasing.kind == "documentos":
            ports.outbox.erase(erasing.sender, erasing.guid)
        elif erasing.kind == "originales":
            ports.archive.erase(erasing.sha256, _wanted(ports, erasing.sha256))
        for kind, id_ in erasing.letters:
            ports.mailer.erase(kind, erasing.guid, id_)
        crashpoint("removed")

    return remove


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of a person: why it stays, rows that went, receipts that named it, and those still to be let go.

    `originals`: receipts whose original still names it.
    """

    obstacles: tuple[str, ...]
    rows: int
    receipts: tuple[str, ...]
    waiting: tuple[str, ...]
    originals: tuple[str, ...]


def mentions(ports: Ports, id_: Id) -> tuple[str, ...]:
    """Receipts whose original names a person; every original is read once."""
    sought, found, read = id_.number.encode("ascii", "replace"), [], dict[str, bool]()
    for sha256, guid in ports.registry.originals():
        if sha256 not in read:
            try:
                read[sha256] = ports.archive.fetch(sha256).find(sought) >= 0
            except (KeyError, ValueError):
                read[sha256] = False
        if read[sha256]:
            found.append(guid)
    return tuple(found)


def erase_person(ports: Ports, id_: Id, by: str, *, originals: bool = False) -> Erased:
    """Take a person out: pseudonyms in the registry; values, documents and messages of the files that name it gone.

    Originals are evidence of what an entity reported, and name others too: they stay unless `originals`.
    """
    traced = ports.registry.trace(id_)
    if traced.obstacles:
        return Erased(traced.obstacles, 0, traced.guids, (), ())
    inside = mentions(ports, id_)
    guids = tuple(dict.fromkeys((*traced.guids, *inside)))
    tomorrow = ports.clock().date() + timedelta(days=2)  # whatever its age
    if guids:
        for kind in (*_DERIVED, *(("originales",) if originals else ())):
            erase_class(ports, kind, tomorrow, by=by, guids=guids)
    rows = ports.registry.unname(id_, ports.clock(), by)
    left = mentions(ports, id_)
    after = ports.registry.trace(id_)
    return Erased(after.obstacles, rows, guids, after.guids, left)
