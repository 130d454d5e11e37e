"""The two documents that have every finding, `hallazgos.csv` and `ack.json`, written side by side: each finding is put
in words once, and however many there are, only a stretch of them is in memory.
"""

from pisis_batch.model import Attachment, Growing
from pisis_batch.reports.ack import BETWEEN, ack_end, ack_head, findings_json
from pisis_batch.reports.detalle import HEADER, lines, titles
from pisis_batch.reports.renglones import Texts
from pisis_batch.reports.told import STRETCH, Told

_MANY = 5_000  # findings that are worth what it takes to tell their kinds apart


def lists(told: Told) -> tuple[Attachment, Attachment]:
    """`hallazgos.csv`, the complete list, unmasked, for the file's own entity; and `ack.json`."""
    table, answer = Growing(), Growing()
    table.add(titles(HEADER))
    answer.add(ack_head(told))
    (_few if len(told) < _MANY else _all)(told, table, answer)
    answer.add(ack_end(told))
    return table.done("hallazgos.csv", "text/csv"), answer.done("ack.json", "application/json")


def _few(told: Told, table: Growing, answer: Growing) -> None:
    between = b""
    for rows in told.stretches():
        if rows.height:
            table.add(lines(rows, HEADER))
            answer.add(between + findings_json(rows))
            between = BETWEEN


def _all(told: Told, table: Growing, answer: Growing) -> None:
    texts = Texts(told)
    for number, some in enumerate(told.findings.iter_slices(STRETCH)):
        listed, members = texts.of(some)
        table.add_texts(listed)
        if number == 0:
            answer.add(members[0].encode().removeprefix(BETWEEN))
            members = members[1:]
        answer.add_texts(members)
