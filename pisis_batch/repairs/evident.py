"""Where nothing certain can be repaired, told at a glance: sound, not complete.

Most small files with a fault have a few cells that hold something else than they should, and no repair knows what. To
try all of them costs a hundred looks at a few rows.
"""

import re

from pisis_batch.frames import picked
from pisis_batch.model import Examined

#: What every rewriting of a cell (`celdas`) leaves as it is: no blank at an edge or beside another, no small, accented,
#: quoted or invisible letter, no padding with zeros, no decimal comma.
_LEFT_ALONE = re.compile(r"(?!0[0-9])[A-ZÑ0-9@._/:-]+(?: [A-ZÑ0-9@._/:-]+)*")
_REWRITTEN = frozenset({"EST019"})  # a date in another form is made of the same letters
_LONGEST = 60
_FEW = 500


def nothing_certain(examined: Examined) -> bool:
    """Whether every finding of a small file is about a cell that no repair touches, and all the rest is in order."""
    batch, content = examined.batch, examined.received.content
    if batch is None or batch.plain is None or not 0 < len(examined.findings) <= _FEW:
        return False
    if not batch.irregular.is_empty() or content.find(b"#!") >= 0 or _mixed(content[:]):
        return False
    layout, numbered = batch.layout, set()
    if layout.sequence:
        numbered |= {(name, layout.sequence.field) for name in layout.sequence.over}
    if layout.total:
        owner, _, field = layout.total.field.partition(".")
        numbered.add((owner, field))
    columns = ("code", "line", "record", "field", "value")
    return all(
        code.startswith("EST")
        and code not in _REWRITTEN
        and line is not None
        and field is not None
        and (record, field) not in numbered
        and (not value or (len(value) <= _LONGEST and _LEFT_ALONE.fullmatch(value) is not None))
        for code, line, record, field, value in picked(examined.findings, "frame", columns)
    )


def _mixed(content: bytes) -> bool:
    """Whether lines end in two ways."""
    both = content.count(b"\r\n")
    return both > 0 and both != content.count(b"\n")
