"""The two documents that have every finding, `hallazgos.csv` and `ack.json`, written side by side: each finding is put
in words once, and however many there are, only a stretch of them is in memory.
"""

import json
from typing import Any

from pisis_batch.model import Attachment, Growing, Outcome
from pisis_batch.reports.ack import BETWEEN, ack_end, ack_head, finding_json
from pisis_batch.reports.detalle import HEADER, row, titles
from pisis_batch.reports.renglones import Texts
from pisis_batch.reports.told import STRETCH, Told


def lists(told: Told) -> tuple[Attachment, Attachment]:
    """`hallazgos.csv`, the complete list, unmasked, for the file's own entity; and `ack.json`."""
    table, answer = Growing(), Growing()
    table.add(titles(HEADER))
    answer.add(ack_head(told))
    (_all if told.few is None else _few)(told, table, answer)
    answer.add(ack_end(told))
    return table.done("hallazgos.csv", "text/csv"), answer.done("ack.json", "application/json")


def ack(outcome: Outcome) -> dict[str, Any]:
    """Everything about a verdict, with all its findings."""
    _, answer = lists(Told(outcome, outcome.received.received_at))
    said: dict[str, Any] = json.loads(answer.content)
    return said


def _few(told: Told, table: Growing, answer: Growing) -> None:
    rows = told.few or []
    table.add("".join(row([getattr(one, name) for name in HEADER]) for one in rows).encode())
    answer.add(BETWEEN.join(map(finding_json, rows)))


def _all(told: Told, table: Growing, answer: Growing) -> None:
    texts = Texts(told)
    for number, some in enumerate(told.findings.iter_slices(STRETCH)):
        listed, members = texts.of(some)
        table.add_texts(listed)
        if number == 0:
            answer.add(members[0].encode().removeprefix(BETWEEN))
            members = members[1:]
        answer.add_texts(members)
