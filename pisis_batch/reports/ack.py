"""The machine-readable answer: `ack.json`, as `ack.schema.json` describes it."""

import dataclasses
import json
from importlib import resources
from typing import Any

from pisis_batch.causes import Cause, diagnose
from pisis_batch.reports.told import Told
from pisis_batch.suggestions import SUGGESTED
from pisis_batch.validators.sentences import Worded

#: Names the contract that an answer keeps; a new number would mean that something was taken away or changed.
SCHEMA = "urn:pisis-batch:ack:1"
_FINDING = ("code", "severity", "stage", "line", "record", "field_no", "field", "value", "message", *SUGGESTED)


#: What stands between two findings.
BETWEEN = b",\n  "


def ack_head(told: Told) -> bytes:
    """The answer up to its findings: UTF-8 JSON, in which a file name that is not text keeps its bytes as escapes."""
    return f'{_dump(_head(told))[:-2]},\n "findings": [\n  '.encode("utf-8", "backslashreplace")


def finding_json(row: Worded) -> bytes:
    """A finding, on one line."""
    said = {name: getattr(row, name) for name in _FINDING}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def ack_end(told: Told) -> bytes:
    """The answer after its findings."""
    return f"\n ],{_dump({'changes': told.outcome.changes.counts()})[1:]}\n".encode()


def ack_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `ack.json`."""
    text = resources.files("pisis_batch.reports").joinpath("ack.schema.json").read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


_TOLD = json.JSONEncoder(ensure_ascii=False).encode


def _dump(part: dict[str, Any]) -> str:
    """An object with a line for each of its members: the library breaks lines in Python, which takes longer."""
    members = (f' "{name}": {_TOLD(value)}' for name, value in part.items())
    return "{\n" + ",\n".join(members) + "\n}"


def _head(told: Told) -> dict[str, Any]:
    outcome = told.outcome
    received, entity, layout = outcome.received, outcome.examined.entity, outcome.examined.layout
    earlier = outcome.facts.earlier if outcome.facts else None
    return {
        "schema": SCHEMA,
        "guid": received.guid,
        "file_name": received.name,
        "size": received.size,
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
        "causes": [_cause(cause) for cause in diagnose(outcome).causes],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "key": cause.key,
        "slug": cause.slug,
        "severity": cause.severity,
        "title": cause.title,
        "sentence": cause.es,
        "remedy": cause.remedy,
        "explained": cause.explained,
        "errors": cause.errors,
        "codes": list(cause.codes),
        "lines": list(cause.lines),
        "line_count": cause.line_count,
    }
