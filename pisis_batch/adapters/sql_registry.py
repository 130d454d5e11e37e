"""The registry on a SQL database (SQLite by default, PostgreSQL by URL): every port method is one transaction."""

import contextlib
import dataclasses
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import (
    sql_bulk,
    sql_changes,
    sql_facts,
    sql_held,
    sql_lanes,
    sql_load,
    sql_migrate,
    sql_revision,
    sql_runs,
    sql_stored,
    sql_trail,
)
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_again import again as retried
from pisis_batch.adapters.sql_duties import SqlDuties
from pisis_batch.adapters.sql_engine import Ready, database_file, engine, reader, settle, single, soon, writer
from pisis_batch.adapters.sql_keeping import SqlKeeping
from pisis_batch.adapters.sql_mailing import SqlMailing
from pisis_batch.adapters.sql_reading import SqlReading
from pisis_batch.adapters.sql_ready import execute, together
from pisis_batch.adapters.sql_tables import receipt, run
from pisis_batch.adapters.sql_trail import Trail
from pisis_batch.model import (
    Attachment,
    Facts,
    Index,
    Outcome,
    Questions,
    Rendered,
    Verdict,
)
from pisis_batch.ports import (
    OPEN,
    OutdatedError,
    Receipt,
)

if TYPE_CHECKING:
    from pisis_batch.adapters.sql_numbers import Numbers

#: Puts a receipt in line for the workers, within the transaction that records it.
Enlist = Callable[[sa.Connection, Receipt], None]


_WHOLE = sa.select(receipt).where(receipt.c.guid == sa.bindparam("it"))
_ENDED_AGAIN = receipt.update().where(receipt.c.guid == sa.bindparam("it")).values(state=sa.bindparam("ends"))
_ENDED = _ENDED_AGAIN.where(receipt.c.state.in_(OPEN))
_RUN_PUBLISHED = (
    run.update().where(run.c.guid == sa.bindparam("it"), run.c.fence == sa.bindparam("mine")).values(published=True)
)
#: Documents of an older run may lie where those of the latest did: these are published once more.
_OVERTAKEN = (
    run.update()
    .where(run.c.guid == sa.bindparam("it"), run.c.fence > sa.bindparam("mine"), run.c.latest, run.c.published)
    .values(published=False)
)
_PUBLISHED = run.update().where(run.c.guid == sa.bindparam("it"), run.c.latest).values(published=True)


class SqlRegistry(SqlKeeping, SqlReading, SqlMailing, SqlDuties):
    """Fulfils `ports.Registry`."""

    def __init__(self, url: str, keys: Keyring | None = None) -> None:
        self._file = database_file(url)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        self.engine = engine(url)
        self._reader, self._writer = reader(self.engine), writer(self.engine)
        # a statement alone, one that looks and one that writes
        self._looks, self._writes = single(self.engine, self._reader), single(self.engine, self._writer)
        self._begins = soon(self._writer)  # files: what is done with one waits for the disk, and takes that along
        self._owner = sql_lanes.owner()
        self._numbers: Numbers | None = None
        self._reference = sql_facts.Reference()
        self.enlist: Enlist | None = None
        self.keys = keys or Keyring()
        self.lease_seconds = sql_lanes.LEASE_SECONDS

    def migrate(self, *, finish: bool = False) -> list[str]:
        """Bring the tables to this version; safe at every start. The steps that wait for `finish` (`sql_migrate`)."""
        return sql_migrate.migrate(self.engine, finish=finish)

    def close(self) -> None:
        """Let go of the database."""
        for kept in (self._reader, self._writer):
            if isinstance(kept, Ready):
                kept.close()
        self.engine.dispose()

    @retried
    def ask(self, questions: Questions) -> Facts:
        """Every fact a file needs, from one consistent state."""
        with self._reader.begin() as connection:
            found = sql_facts.facts(connection, questions, self._reference)
            return (
                found if not questions.index else dataclasses.replace(found, index=self._index(connection, questions))
            )

    def _index(self, connection: sa.Connection, questions: Questions) -> Index:
        if self._numbers is None:
            from pisis_batch.adapters.sql_numbers import Numbers  # noqa: PLC0415 only a large file needs what it loads

            self._numbers = Numbers(self._file and self._file.with_suffix(".numbers"))
        return self._numbers.index(connection, questions.entity)

    @retried
    def accept(self, *receipts: Receipt, by: str | None = None) -> None:
        """Record received files, all or none; the second time changes nothing."""
        with self._writer.begin() as connection:
            fresh = sql_runs.insert_receipts(connection, receipts)
            if self.enlist is not None:
                for one in fresh:
                    self.enlist(connection, one)
            told = [(one.guid, one.received_at.isoformat()) for one in fresh]
            sql_trail.tell_each(connection, self.keys, told, "recibido", by)

    @retried
    def receipt(self, guid: str) -> Receipt | None:
        """A receipt by its guid or the unambiguous beginning of it."""
        clean = "".join(c for c in guid.lower() if c.isalnum() or c == "-")
        if not clean:
            return None
        with self._looks.begin() as connection:
            # a guid in full means itself, even if another begins with it
            found: Sequence[Any] = execute(connection, _WHOLE, {"it": clean}).all()
            if not found:
                found = connection.execute(sa.select(receipt).where(receipt.c.guid.startswith(clean)).limit(2)).all()
        return sql_runs.to_receipt(found[0]) if len(found) == 1 else None

    @retried
    def pending(self, limit: int | None = None) -> list[Receipt]:
        """Receipts without a verdict: all as they came, or a few of each entity in turns."""
        with self._looks.begin() as connection:
            return [sql_runs.to_receipt(row) for row in execute(connection, sql_lanes.waiting(limit))]

    @retried
    def ahead(self, guid: str) -> list[str]:
        """A receipt and the older ones of its lane."""
        with self._looks.begin() as connection:
            return sql_lanes.ahead(connection, guid)

    def attempt(self, guid: str, *, again: bool = False) -> int | None:
        """Take the lane and count an attempt before it begins."""
        return self._attempt(guid, f"{self._owner} {secrets.token_hex(4)}", again=again)

    def take(self, guid: str, *, rested: bool = False) -> Receipt | None:
        """Take the lane and count an attempt; the receipt it is for."""
        return self._taken(guid, f"{self._owner} {secrets.token_hex(4)}", rested=rested)

    @retried
    def _attempt(self, guid: str, who: str, *, again: bool) -> int | None:
        with self._writer.begin() as connection:
            taken = sql_lanes.lease(connection, guid, who, self.lease_seconds, again=again)
        return None if taken is None else int(taken.fence)

    @retried
    def _taken(self, guid: str, who: str, *, rested: bool) -> Receipt | None:
        with self._begins.begin() as connection:
            taken = sql_lanes.lease(connection, guid, who, self.lease_seconds, again=False, rested=rested)
        return None if taken is None else sql_runs.to_receipt(taken)

    @retried
    def renew(self, guid: str, fence: int) -> bool:
        """Keep the lane."""
        with self._writes.begin() as connection:
            return sql_lanes.renew(connection, guid, fence, self.lease_seconds)

    @retried
    def give_back(self, guid: str, fence: int, *, counted: bool = True) -> None:
        """Leave the lane without a verdict."""
        with self._writer.begin() as connection:
            if sql_lanes.let_go(connection, guid, fence):
                mine = (receipt.c.guid == guid) & (receipt.c.state == "procesando")
                attempts = receipt.c.attempts - (0 if counted else 1)
                connection.execute(receipt.update().where(mine).values(state="recibido", attempts=attempts))

    def commit(
        self,
        outcome: Outcome,
        mails: Sequence[Rendered],
        documents: Sequence[Attachment],
        at: datetime,
        *,
        fence: int,
        reprocess: bool = False,
        approved_by: str | None = None,
        refused_by: str | None = None,
        ordered_by: str | None = None,
    ) -> bool:
        """All or nothing; False when the lease was lost or the receipt had its verdict already."""
        state = "retenido" if outcome.verdict is Verdict.RETENIDO else "terminado"
        return self._end(
            outcome,
            mails,
            sql_runs.packed(documents),
            at,
            state=state,
            fence=fence,
            reprocess=reprocess,
            approved_by=approved_by,
            refused_by=refused_by,
            ordered_by=ordered_by,
        )

    def quarantine(
        self, outcome: Outcome, mails: Sequence[Rendered], documents: Sequence[Attachment], at: datetime, *, fence: int
    ) -> bool:
        """End a receipt that we failed to process; an operator may reprocess it later."""
        kept = sql_runs.packed(documents)
        return self._end(outcome, mails, kept, at, state="cuarentena", fence=fence, reprocess=False)

    @retried
    def _end(
        self,
        outcome: Outcome,
        mails: Sequence[Rendered],
        documents: Sequence[Attachment],
        when: datetime,
        *,
        state: str,
        fence: int,
        reprocess: bool,
        approved_by: str | None = None,
        refused_by: str | None = None,
        ordered_by: str | None = None,
    ) -> bool:
        received = outcome.received
        at = when.isoformat()
        with self._writer.begin() as connection:
            if reprocess and sql_runs.committed(connection, received.guid, fence):
                return True
            ended, values = _ENDED_AGAIN if reprocess else _ENDED, {"it": received.guid, "ends": state}
            mine = sql_lanes.let_go(connection, received.guid, fence)
            if not mine or execute(connection, ended, values).rowcount != 1:
                return sql_runs.committed(connection, received.guid, fence)
            trail = self._trail(connection, received.guid, when)
            if approved_by and sql_held.approve(connection, received.guid, approved_by, at):
                trail.tell("aprobado", approved_by)
            if refused_by:
                trail.tell("no aprobado", refused_by)
            if ordered_by:
                trail.tell("juzgado de nuevo", ordered_by)
            who = outcome.examined.entity
            if outcome.facts and outcome.facts.revision != sql_revision.current(connection, who, lock=True):
                raise OutdatedError
            if outcome.verdict is Verdict.CARGADO and who is not None:
                if sql_facts.earlier(connection, who, received.sha256, received.guid):
                    raise OutdatedError
                sql_revision.grow(connection, who)
                sql_changes.apply(connection, outcome.changes, who, trail)
                sql_stored.store(connection, outcome, at, trail)
            with together(connection) if sql_bulk.is_small(outcome.findings) else contextlib.nullcontext():
                run_id = sql_runs.insert_run(connection, outcome, fence, at, again=reprocess)
                sql_runs.insert_documents(connection, run_id, documents)
                sql_runs.insert_mails(connection, received.guid, mails, at, again=reprocess)
                trail.tell(f"veredicto: {outcome.verdict}")
                trail.close()
        return True

    def unpublished(self) -> Iterator[tuple[str, str | None, list[Attachment]]]:
        """Documents still to be written to the outbox."""
        yield from self._unpublished()

    @retried
    def _unpublished(self) -> list[tuple[str, str | None, list[Attachment]]]:
        with self._reader.begin() as connection:
            found = list(sql_runs.unpublished(connection))
        if found:
            settle(self._writer)
        return found

    @retried
    def published(self, guid: str) -> None:
        """The documents of the latest run are in the outbox."""
        with self._writes.begin() as connection:
            execute(connection, _PUBLISHED, {"it": guid})

    @retried
    def each_published(self, runs: Sequence[tuple[str, int]]) -> None:
        """The documents of these runs are in the outbox."""
        with self._writer.begin() as connection:
            written = [{"it": guid, "mine": fence} for guid, fence in runs]
            execute(connection, _RUN_PUBLISHED, written)
            execute(connection, _OVERTAKEN, written)

    @retried
    def approve(self, guid: str, login: str, at: datetime, *, fence: int) -> bool:
        """Note an approval that is not the last."""
        with self._writer.begin() as connection:
            if not sql_lanes.let_go(connection, guid, fence):
                return False
            if sql_held.approve(connection, guid, login, at.isoformat()):
                trail = self._trail(connection, guid, at)
                trail.tell("aprobado", login)
                trail.close()
        return True

    @retried
    def load(self, table: str, frame: pl.DataFrame, at: datetime, by: str | None = None) -> int:
        """Upsert a registry table."""
        with self._writer.begin() as connection:
            many = sql_load.load(connection, table, frame, at.isoformat())
            sql_revision.grow(connection)
            trail = self._trail(connection, sql_load.ORIGIN, at)
            trail.tell(f"carga de {table}: {many} filas", by)
            trail.close()
        return many

    def _trail(self, connection: sa.Connection, guid: str, at: datetime) -> Trail:
        return Trail(connection, self.keys, guid, at.isoformat())
