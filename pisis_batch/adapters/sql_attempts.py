"""The attempt before a file: the latest earlier receipt of the same report, when it was rejected."""

import dataclasses
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters.sql_ready import at_most, execute
from pisis_batch.adapters.sql_runs import to_receipt
from pisis_batch.adapters.sql_tables import finding, receipt, run
from pisis_batch.model import FINDINGS
from pisis_batch.ports import Receipt, Series

_IT = (
    sa.select(receipt.c.seq, receipt.c.lane, receipt.c.lane_place).where(receipt.c.guid == sa.bindparam("it")).cte("it")
)
# nearly every receipt has ended: an index of states must not be what is gone through
_ENDED = sa.func.coalesce(receipt.c.state, "") == "terminado"
#: Two questions, each by an index: files of one name wait in one lane, and what a report is about stands in its run.
_SAME_NAME = (
    sa.select(receipt.c.seq)
    .join(run, (run.c.guid == receipt.c.guid) & run.c.latest)
    .join(_IT, receipt.c.lane == _IT.c.lane)
    .where(receipt.c.lane_place > sa.literal_column("0"), receipt.c.lane_place < _IT.c.lane_place, _ENDED)
    .where(sa.func.upper(receipt.c.file_name) == sa.bindparam("name"))
    .order_by(receipt.c.lane_place.desc())
    .limit(at_most(1))
    .subquery()
)
_FEW = 16  # the latest verdicts on a report that are looked at, of however many there are
_ON_REPORT = (
    sa.select(run.c.guid)
    .where(
        run.c.latest,
        run.c.annex == sa.bindparam("annex"),
        run.c.entity_type == sa.bindparam("entity_type"),
        run.c.entity_number == sa.bindparam("entity_number"),
        run.c.cut_date == sa.bindparam("cut_date"),
    )
    .order_by(run.c.id.desc())
    .limit(at_most(_FEW))
    .subquery()
)
_SAME_REPORT = (
    sa.select(sa.func.max(receipt.c.seq).label("seq"))
    .join(_ON_REPORT, _ON_REPORT.c.guid == receipt.c.guid)
    .join(_IT, receipt.c.seq < _IT.c.seq)
    .where(_ENDED)
    .subquery()
)


def _latest(*found: sa.Subquery) -> sa.Select[Any]:
    every = sa.union_all(*(sa.select(one.c.seq) for one in found)).subquery()
    last = sa.select(sa.func.max(every.c.seq)).scalar_subquery()
    whole = sa.select(receipt, run.c.id.label("run_id"), run.c.verdict)
    return whole.join(run, (run.c.guid == receipt.c.guid) & run.c.latest).where(receipt.c.seq == last)


_BEFORE, _BEFORE_BY_NAME = _latest(_SAME_NAME, _SAME_REPORT), _latest(_SAME_NAME)
_FINDINGS = (
    sa.select(*(finding.c[name] for name in FINDINGS))
    .where(finding.c.run_id == sa.bindparam("of"))
    .order_by(finding.c.seq)
)


def previous(connection: sa.Connection, guid: str, series: Series) -> tuple[Receipt, pl.DataFrame] | None:
    """The receipt and the findings it was told; None when there was none, or it was not rejected."""
    asked = {"it": guid, "name": series.file_name.upper(), **dataclasses.asdict(series)}
    found = execute(connection, _BEFORE if series.cut_date else _BEFORE_BY_NAME, asked).one_or_none()
    if found is None or found.verdict != "rechazado":
        return None
    rows = [tuple(row) for row in execute(connection, _FINDINGS, {"of": found.run_id})]
    return to_receipt(found), pl.DataFrame(rows, schema=FINDINGS, orient="row")
