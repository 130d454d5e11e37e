"""Which attempt came before a file, and how two received files differ."""

from pisis_batch import attempts, judging
from pisis_batch.model import Attempt, Progress, Received
from pisis_batch.ports import Ports, Receipt, Series
from pisis_batch.service import originals

#: Bytes: of larger files nobody waits for a comparison; `pisis runs diff` makes it all the same.
_LARGEST = 16 * 1024 * 1024


def previous(received: Received, ports: Ports) -> Attempt | None:
    """The rejected attempt of the same report just before a file: same name, or same annex, entity and cut date."""
    if len(received.content) > _LARGEST:
        return None
    found = ports.registry.previous(received.guid, _series(received, ports))
    if found is None or found[0].size > _LARGEST:
        return None
    receipt, findings = found
    try:
        return Attempt(originals.received(receipt, ports), findings)
    except (KeyError, ValueError, OSError):  # an original that cannot be read back keeps nobody from a verdict
        return None


def difference(before: Receipt, after: Receipt, ports: Ports) -> Progress:
    """Every error of two received files with its status, by what each was told."""
    pair = [
        judging.read_again(
            Attempt(originals.received(receipt, ports), ports.registry.findings(receipt.guid)),
            ports.shelf,
            ports.limits,
        )
        for receipt in (before, after)
    ]
    return attempts.compare(*pair)


def _series(received: Received, ports: Ports) -> Series:
    layout = ports.shelf.find(received.name)
    stated = layout.file_name.read(received.name) if layout else None
    if layout is None or not isinstance(stated, dict):
        return Series(received.name)
    kind, number = layout.entity.of(stated) or ("", "")
    return Series(received.name, layout.annex, kind, number, stated.get(layout.cut_date, ""))
