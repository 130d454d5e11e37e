"""The attempt before a file: the latest earlier receipt of the same report, when it was rejected."""

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters.sql_runs import to_receipt
from pisis_batch.adapters.sql_tables import finding, receipt, run
from pisis_batch.model import FINDINGS
from pisis_batch.ports import Receipt, Series


def previous(connection: sa.Connection, guid: str, series: Series) -> tuple[Receipt, pl.DataFrame] | None:
    """The receipt and the findings it was told; None when there was none, or it was not rejected."""
    before = sa.select(receipt.c.seq).where(receipt.c.guid == guid).scalar_subquery()
    same_name = sa.func.upper(receipt.c.file_name) == series.file_name.upper()
    same_report = sa.and_(
        run.c.annex == series.annex,
        run.c.entity_type == series.entity_type,
        run.c.entity_number == series.entity_number,
        run.c.cut_date == series.cut_date,
    )
    chosen = (
        sa.select(receipt, run.c.id.label("run_id"), run.c.verdict)
        .join(run, (run.c.guid == receipt.c.guid) & run.c.latest)
        .where(receipt.c.seq < before, receipt.c.state == "terminado")
        .where(sa.or_(same_name, same_report) if series.cut_date else same_name)
        .order_by(receipt.c.seq.desc())
        .limit(1)
    )
    found = connection.execute(chosen).one_or_none()
    if found is None or found.verdict != "rechazado":
        return None
    query = sa.select(*(finding.c[name] for name in FINDINGS)).where(finding.c.run_id == found.run_id)
    rows = [tuple(row) for row in connection.execute(query.order_by(finding.c.seq))]
    return to_receipt(found), pl.DataFrame(rows, schema=FINDINGS, orient="row")
