"""Our validation of a file, as a process of its own: structure, keys, numbering, findings. Prints how many."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pisis_batch import pipeline
from pisis_batch.adapters.mapped import MappedFile
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits, Received

NAME = "SEG500USIN20260715NI000900123456.TXT"
AT = datetime(2026, 7, 15, 12, tzinfo=timezone(timedelta(hours=-5)))

if __name__ == "__main__":
    path = Path(sys.argv[1])
    received = Received("bench", NAME, MappedFile(path), AT, None)
    examined = pipeline.examine(received, shelf(), Limits(file=2**40))
    if len(sys.argv) > 2:
        examined.findings.frame.write_csv(sys.argv[2])
    print(len(examined.findings))
