"""The documents of a run with many findings, as a process of its own: python bench/reports.py FILE. Prints JSON.

CPU seconds of the validation and of each document, the highest resident memory in MiB, and how many findings.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ours import AT, HASHES, LIMITS, NAME

from pisis_batch import pipeline
from pisis_batch.adapters.mapped import MappedFile
from pisis_batch.layouts import shelf
from pisis_batch.model import Received
from pisis_batch.reports import documentos
from pisis_batch.reports.hoja import findings_xlsx
from pisis_batch.reports.informe import report
from pisis_batch.reports.listas import lists
from pisis_batch.reports.told import Told


def timed(what: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a call, and what it returned."""
    start = time.process_time()
    found = what()
    return time.process_time() - start, found


def main() -> None:
    """Validate, then make each document."""
    received = Received("bench", NAME, MappedFile(Path(sys.argv[1])), AT, "CC10000001", known=HASHES)
    spent, outcome = timed(lambda: pipeline.conclude(pipeline.examine(received, shelf(), LIMITS), None))
    told = Told(outcome, AT)
    words, page = timed(lambda: documentos.acta(told))  # what all documents share is made here
    documents = {"acta y textos": words}
    for name, make in (
        ("hallazgos.csv y ack.json", lambda: lists(told)),
        ("informe.html", lambda: report(told, page)),
        ("hallazgos.xlsx", lambda: findings_xlsx(told)),
    ):
        documents[name], _ = timed(make)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"validation": spent, "findings": len(outcome.findings), "documents": documents, "mib": mib}))


if __name__ == "__main__":
    main()
