"""Nothing lost, nothing twice, nothing unanswered: registry, originals and documents held against each other."""

from pisis_batch.ports import Accounts, Offender, Ports


def fsck(ports: Ports) -> Accounts:
    """What was received and what became of it, with whatever does not add up. Every original is read once."""
    accounts = ports.registry.accounts()
    found = list(accounts.offenders)
    whole: dict[str, bool] = {}
    for kept in ports.registry.kept():
        if kept.sha256 and kept.sha256 not in whole:
            whole[kept.sha256] = _whole(kept.sha256, ports)
        if not whole.get(kept.sha256, True):
            found.append(Offender(kept.guid, "su original no está, o ya no es el que se recibió"))
        if kept.published and not ports.outbox.has(kept.sender, kept.guid):
            found.append(Offender(kept.guid, "sus documentos no están en la carpeta de salida"))
    found += ports.registry.audit_verify().offenders
    return Accounts(accounts.totals, tuple(found))


def _whole(sha256: str, ports: Ports) -> bool:
    try:
        ports.archive.fetch(sha256)
    except (KeyError, ValueError, OSError):
        return False
    return True
