"""The nouns: what a file is at each step, from the bytes received to the letters that answer it.

Received -> Batch -> Examined -> (Questions, Facts) -> Outcome -> letters. All frozen; many rows are polars frames.
"""

from pisis_batch.model.batch import IRREGULAR, Batch, Figures, Persons, unreadable
from pisis_batch.model.facts import (
    GRANT_HISTORY,
    GRANTS,
    HASHES,
    LINK_HISTORY,
    LINKED,
    PERIODS,
    PERSONS,
    PROFILES,
    Earlier,
    Facts,
    Index,
    Kept,
    Questions,
    RegisteredEntity,
    Sender,
    Traces,
)
from pisis_batch.model.findings import FINDINGS, Examined, Finding, Findings
from pisis_batch.model.letters import Attachment, EndedContracts, Letter, Rendered, Unreported
from pisis_batch.model.outcome import PROGRESS, REPAIRS, Attempt, Changes, Corrected, Counts, Outcome, Progress, Verdict
from pisis_batch.model.received import Brake, Content, Id, Limits, Received, Severity, Stage
from pisis_batch.model.trust import DETACHED, ENVELOPED, NIT_ATTRIBUTES, ORPHAN, UNREADABLE, Trust

__all__ = [
    "DETACHED",
    "ENVELOPED",
    "FINDINGS",
    "GRANTS",
    "GRANT_HISTORY",
    "HASHES",
    "IRREGULAR",
    "LINKED",
    "LINK_HISTORY",
    "NIT_ATTRIBUTES",
    "ORPHAN",
    "PERIODS",
    "PERSONS",
    "PROFILES",
    "PROGRESS",
    "REPAIRS",
    "UNREADABLE",
    "Attachment",
    "Attempt",
    "Batch",
    "Brake",
    "Changes",
    "Content",
    "Corrected",
    "Counts",
    "Earlier",
    "EndedContracts",
    "Examined",
    "Facts",
    "Figures",
    "Finding",
    "Findings",
    "Id",
    "Index",
    "Kept",
    "Letter",
    "Limits",
    "Outcome",
    "Persons",
    "Progress",
    "Questions",
    "Received",
    "RegisteredEntity",
    "Rendered",
    "Sender",
    "Severity",
    "Stage",
    "Traces",
    "Trust",
    "Unreported",
    "Verdict",
    "unreadable",
]
