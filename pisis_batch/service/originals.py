"""What was received, put together again from its receipt and the archive."""

from pisis_batch.model import Received
from pisis_batch.ports import Ports, Receipt


def receipt_of(guid: str, ports: Ports) -> Receipt:
    """The one receipt of a guid. Raises KeyError without one."""
    receipt = ports.registry.receipt(guid)
    if receipt is None:
        raise KeyError(guid)
    return receipt


def received(receipt: Receipt, ports: Ports) -> Received:
    """A file as it came, with its signature. Raises KeyError or ValueError when its original cannot be had."""
    if receipt.unread:
        name, at = receipt.file_name, receipt.received_at
        return Received(receipt.guid, name, b"", at, receipt.sender, receipt.unread, receipt.size)
    return Received(
        receipt.guid,
        receipt.file_name,
        ports.archive.fetch(receipt.sha256),
        receipt.received_at,
        receipt.sender,
        signed=receipt.signed,
        signature=receipt.signature,
        known=(receipt.sha256, receipt.md5),
    )
