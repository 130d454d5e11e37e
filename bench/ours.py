"""Our validation of a file, as a process of its own: python bench/ours.py FILE [--registry DATABASE] [--findings CSV]

Without a registry the first validation alone: structure, keys, numbering. With one both. Prints how many findings.
"""

import argparse
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pisis_batch import pipeline
from pisis_batch.adapters.mapped import MappedFile
from pisis_batch.layouts import shelf
from pisis_batch.model import Examined, Findings, Limits, Received

NAME = "SEG500USIN20260715NI000900123456.TXT"
AT = datetime(2026, 7, 15, 12, tzinfo=timezone(timedelta(hours=-5)))
LIMITS = Limits(file=2**40)


def whole(examined: Examined, database: Path) -> Findings:
    """The findings of both validations."""
    from pisis_batch.adapters.sql_registry import SqlRegistry  # noqa: PLC0415 only with a registry

    registry = SqlRegistry(f"sqlite:///{database}")
    if examined.batch is not None and examined.batch.figures is not None:
        return pipeline.check_parts(examined, registry.ask, LIMITS).findings
    return pipeline.judge(examined, registry.ask(pipeline.questions(examined))).findings


if __name__ == "__main__":
    said = argparse.ArgumentParser()
    said.add_argument("file", type=Path)
    said.add_argument("--registry", type=Path)
    said.add_argument("--findings", type=Path)
    given = said.parse_args()
    received = Received("bench", NAME, MappedFile(given.file), AT, "CC10000001")
    examined = pipeline.examine(received, shelf(), LIMITS)
    findings = whole(examined, given.registry) if given.registry and examined.sound else examined.findings
    if given.findings:
        findings.frame.write_csv(given.findings)
    print(len(findings), findings.by_code()[:5])
