"""The machine-readable answer: `ack.json`, with the names of `ack.schema.json`."""

import dataclasses
import json
from typing import Any

from pisis_batch import validators
from pisis_batch.model import Outcome

_FINDING = ("code", "severity", "stage", "line", "record", "field_no", "field", "value", "message")


def ack(outcome: Outcome) -> dict[str, Any]:
    """Everything about a verdict, with all its findings."""
    received, entity, layout = outcome.received, outcome.examined.entity, outcome.examined.layout
    told = validators.described(outcome.findings, layout).select(*_FINDING)
    earlier = outcome.facts.earlier if outcome.facts else None
    return {
        "guid": received.guid,
        "file_name": received.name,
        "size": len(received.content),
        "sha256": received.sha256,
        "md5": received.md5,
        "received_at": received.received_at.isoformat(),
        "sender": received.sender,
        "entity": {"type": entity.type, "number": entity.number} if entity else None,
        "layout": {"annex": layout.annex, "version": layout.version} if layout else None,
        "ruleset": outcome.ruleset,
        "verdict": str(outcome.verdict),
        "repeats": earlier.guid if earlier else None,
        "counts": dataclasses.asdict(outcome.counts),
        "findings": told.to_dicts(),
        "changes": outcome.changes.counts(),
    }


def ack_json(outcome: Outcome) -> bytes:
    """`ack` as UTF-8 JSON. A file name that is not text keeps its bytes as escapes."""
    return json.dumps(ack(outcome), ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
