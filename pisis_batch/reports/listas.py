"""The two documents that have every finding, `hallazgos.csv` and `ack.json`, written side by side: each finding is put
in words once, and however many there are, only a stretch of them is in memory.
"""

from pisis_batch.model import Attachment, Growing
from pisis_batch.reports.ack import BETWEEN, ack_end, ack_head, findings_json
from pisis_batch.reports.detalle import HEADER, lines, titles
from pisis_batch.reports.told import Told


def lists(told: Told) -> tuple[Attachment, Attachment]:
    """`hallazgos.csv`, the complete list, unmasked, for the file's own entity; and `ack.json`."""
    table, answer = Growing(), Growing()
    table.add(titles(HEADER))
    answer.add(ack_head(told))
    between = b""
    for rows in told.stretches():
        if rows.height:
            table.add(lines(rows, HEADER))
            answer.add(between + findings_json(rows))
            between = BETWEEN
    answer.add(ack_end(told))
    return table.done("hallazgos.csv", "text/csv"), answer.done("ack.json", "application/json")
