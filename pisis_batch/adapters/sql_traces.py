"""Where the rows of the history come from, and what one receipt did to whom."""

from collections.abc import Collection, Iterator
from itertools import pairwise

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters.sql_facts import frame
from pisis_batch.adapters.sql_tables import approval, entity, grant, link, receipt, run
from pisis_batch.adapters.sql_unnaming import NOBODY
from pisis_batch.model import GRANT_HISTORY, LINK_HISTORY, Id, Traces
from pisis_batch.ports import Origin


def origins(connection: sa.Connection, guids: Collection[str]) -> dict[str, Origin]:
    """The receipts that caused rows, by guid, with the rules that judged them and who approved them."""
    loaded = sa.select(run.c.guid, sa.func.max(run.c.id).label("run_id")).where(
        run.c.guid.in_(list(guids)), run.c.verdict == "cargado"
    )
    last = loaded.group_by(run.c.guid).subquery()
    query = (
        sa.select(receipt.c.guid, receipt.c.file_name, receipt.c.sha256, receipt.c.sender, run.c.ruleset)
        .join(last, last.c.guid == receipt.c.guid)
        .join(run, run.c.id == last.c.run_id)
    )
    # approvals of a plan that became void count for nothing
    applied = sa.select(sa.func.max(run.c.id)).where(run.c.guid.in_(list(guids)), run.c.plan.is_not(None))
    people = sa.select(run.c.guid, approval.c.login).join(run, run.c.id == approval.c.run_id)
    people = people.where(run.c.id.in_(applied.group_by(run.c.guid))).order_by(approval.c.at, approval.c.login)
    approved: dict[str, list[str]] = {}
    for guid, login in connection.execute(people):
        approved.setdefault(guid, []).append(login)
    return {
        row.guid: Origin(
            row.guid, row.file_name, row.sha256, row.sender, row.ruleset, tuple(approved.get(row.guid, ()))
        )
        for row in connection.execute(query)
    }


def traces(connection: sa.Connection, guid: str, size: int) -> Iterator[Traces]:
    """The history, at its entity, of everybody whom a receipt touched, some `size` of its rows at a time; none: nobody.

    Parts come in the order of their people, and nobody is in two of them.
    """
    ends = [None, *_ends(connection, guid, size), None]
    for after, to in pairwise(ends):
        touched = sa.union(
            *(
                sa.select(table.c.entity_id, table.c.tipo_id, table.c.num_id).where(
                    _caused(table, guid),
                    table.c.tipo_id != NOBODY,  # whoever was taken out is not put back
                    *_between(table, after, to),
                )
                for table in (link, grant)
            )
        ).subquery()
        owner = connection.execute(
            sa.select(entity.c.tipo_id, entity.c.num_id).join(touched, touched.c.entity_id == entity.c.id).limit(1)
        ).one_or_none()
        if owner is None:
            continue
        frames: list[pl.DataFrame] = []
        for table, schema in ((link, LINK_HISTORY), (grant, GRANT_HISTORY)):
            same = sa.and_(
                table.c.entity_id == touched.c.entity_id,
                table.c.tipo_id == touched.c.tipo_id,
                table.c.num_id == touched.c.num_id,
                *_between(table, after, to),
            )
            query = sa.select(*(table.c[name] for name in schema)).join(touched, same)
            query = query.order_by(table.c.valid_from, table.c.valid_to.asc().nulls_last(), table.c.id)
            frames.append(frame(connection, query, schema))
        yield Traces(guid, Id(owner.tipo_id, owner.num_id), *frames)


def _caused(table: sa.Table, guid: str) -> sa.ColumnElement[bool]:
    return (table.c.from_guid == guid) | (table.c.to_guid == guid)


def _ends(connection: sa.Connection, guid: str, size: int) -> list[tuple[str, str]]:
    """People who cut what a receipt did in parts of some `size` rows, in the database's order.

    A file is applied in the order of its people, so that ids follow it: every `size`th is as good as counting.
    """
    every = (
        sa.select(table.c.tipo_id, table.c.num_id).where(_caused(table, guid), table.c.id % size == 0)
        for table in (link, grant)
    )
    cuts = sa.union(*every).subquery()
    found = connection.execute(sa.select(cuts.c.tipo_id, cuts.c.num_id).order_by(cuts.c.tipo_id, cuts.c.num_id))
    return [(row.tipo_id, row.num_id) for row in found]


def _between(
    table: sa.Table, after: tuple[str, str] | None, to: tuple[str, str] | None
) -> Iterator[sa.ColumnElement[bool]]:
    """The people after one and up to another; None: no end. A stretch of the index by person."""
    who = sa.tuple_(table.c.tipo_id, table.c.num_id)
    if after is not None:
        yield who > after
    if to is not None:
        yield who <= to
