"""What is stored of users, entities, receipts, runs and letters."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Protocol

import polars as pl

from pisis_batch.model import (
    Attachment,
    EndedContracts,
    Facts,
    Id,
    Outcome,
    Questions,
    RegisteredEntity,
    Rendered,
    Traces,
    Unreported,
)
from pisis_batch.ports.keeping import Keeping
from pisis_batch.ports.nouns import Accounts, Flood, Held, Letters, Mail, Origin, Outside, Receipt, Series


class Registry(Keeping, Protocol):
    """Users, entities and profiles; receipts, runs, findings and letters."""

    def ask(self, questions: Questions) -> Facts:
        """Every fact a file needs, read in one consistent transaction, set-based."""
        ...

    def accept(self, *receipts: Receipt, by: str | None = None) -> None:
        """Record received files, all or none (idempotent by guid). From here on they are never lost.

        `by`: the operator who handed them in, for the audit.
        """
        ...

    def receipt(self, guid: str) -> Receipt | None:
        """One receipt; `guid` may be an unambiguous prefix, in any case."""
        ...

    def pending(self, limit: int | None = None) -> list[Receipt]:
        """Receipts not yet terminated, in order of arrival; with `limit` the first few of each entity, in turns."""
        ...

    def ahead(self, guid: str) -> list[str]:
        """Receipts of the same lane without a verdict, the oldest first, up to this one and with it."""
        ...

    def attempt(self, guid: str, *, again: bool = False) -> int | None:
        """Take the lease of the receipt's lane and count the attempt before it starts; the fence to commit with.

        An attempt that nobody ended, because whoever made it is gone, is counted as an interruption instead.
        None when it is not this receipt's turn: its lane is in other hands, an older receipt of the lane waits, or it
        has its verdict already (`again` judges it once more).
        """
        ...

    def take(self, guid: str, *, rested: bool = False) -> Receipt | None:
        """As `attempt`; the receipt, whose fence is the one to commit with.

        With `rested`, None as well while it rests because the service died more than once with it in hand.
        """
        ...

    def renew(self, guid: str, fence: int) -> bool:
        """Say that the attempt is still worked on; False when its lease was lost, and the work with it."""
        ...

    def give_back(self, guid: str, fence: int, *, counted: bool = True) -> None:
        """End an attempt that failed: the receipt may be tried again at once. Not `counted`: it was no attempt."""
        ...

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
        """Changes, run, findings, audit, documents and mails in one transaction, which also ends the lease.

        Raises OutdatedError, with nothing written, when the facts it was judged by are no longer the registry's.
        False, and nothing written, when the fence is not the lane's latest, or when the receipt is already terminated
        (unless `reprocess`: a new run is added and becomes the receipt's verdict). Runs the changes only when the
        verdict is cargado; a verdict of retenido leaves the receipt waiting with the hash of its plan. `approved_by`
        and `refused_by` are who ended the wait, noted in the same transaction.
        """
        ...

    def quarantine(
        self, outcome: Outcome, mails: Sequence[Rendered], documents: Sequence[Attachment], at: datetime, *, fence: int
    ) -> bool:
        """Give up on a file after repeated faults of ours; the receipt ends in state cuarentena."""
        ...

    def unpublished(self) -> Iterator[tuple[str, str | None, list[Attachment]]]:
        """(guid, sender, documents) of runs whose documents were not yet written to the outbox."""
        ...

    def published(self, guid: str) -> None:
        """Mark the documents of a receipt's latest run as written."""
        ...

    def each_published(self, runs: Sequence[tuple[str, int]]) -> None:
        """Mark the documents of several runs as written: (guid, fence) each.

        Where another run has taken its place meanwhile, that one's documents are to be written once more.
        """
        ...

    def mails_due(self, now: datetime, limit: int = 100) -> list[Mail]:
        """Messages to try now, oldest first."""
        ...

    def mail_sent(self, mails: Sequence[Mail], at: datetime) -> None:
        """The other side took them."""
        ...

    def mail_failed(self, mail_: Mail, reason: str, next_try: datetime) -> None:
        """Not this time: try again at `next_try`."""
        ...

    def mail_refused(self, mail_: Mail, reason: str) -> None:
        """Never: the other side refused it for good. It stays, for operations to see."""
        ...

    def floods(self, now: datetime, most: int) -> list[Flood]:
        """Recipients for whom more than `most` messages about files not loaded would go out within an hour.

        Of each, the messages over the budget that no digest tells of yet.
        """
        ...

    def digested(self, flood: Flood, digest: Rendered, at: datetime) -> None:
        """One message instead of those of a flood."""
        ...

    def put_off(self, floods: Sequence[Flood], until: datetime) -> None:
        """The messages of these wait that long."""
        ...

    def letters(self, most: int = 20) -> Letters:
        """The queue of messages: how many in each state, since when, why not, and the latest refusals."""
        ...

    def entitled(self, pairs: Collection[tuple[str, Id]]) -> set[tuple[str, Id]]:
        """Of logins and entities those that may send for it now: linked to it, or its representative or contact."""
        ...

    def runs(
        self,
        *,
        verdict: str | None = None,
        entity: Id | None = None,
        code: str | None = None,
        since: date | None = None,
        limit: int | None = 50,
    ) -> list[dict[str, Any]]:
        """Latest run of each receipt, newest first.

        Keys: guid, file_name, sender, received_at, state, verdict, entity, counts, changes, ruleset, errors (int),
        mails (dict of state to number).
        """
        ...

    def previous(self, guid: str, series: Series) -> tuple[Receipt, pl.DataFrame] | None:
        """The attempt before a receipt and the findings it was told; None when there was none, or it was accepted."""
        ...

    def origins(self, guids: Collection[str]) -> dict[str, Origin]:
        """The loaded receipts among these guids; causes that are no receipt are left out."""
        ...

    def traces(self, guid: str, size: int = ...) -> Iterator[Traces]:
        """What a receipt did, and the history of whom it touched: some `size` of its rows at a time, all of one moment.

        Each person is in one part alone; no part when it touched nobody. Nothing else is asked before the last one.
        """
        ...

    def held(self, guid: str) -> Held | None:
        """What a held receipt waits with; None when it is not held."""
        ...

    def approve(self, guid: str, login: str, at: datetime, *, fence: int) -> bool:
        """Note the first approval of a held receipt and leave its lane; False when the lease was lost."""
        ...

    def findings(self, guid: str) -> pl.DataFrame:
        """The findings of a receipt's latest run, with the schema FINDINGS."""
        ...

    def accounts(self) -> Accounts:
        """Totals by state, and whatever breaks the accounting invariant."""
        ...

    def kept(self) -> Iterator[Outside]:
        """What must lie outside the registry, for every receipt."""
        ...

    def load(self, table: str, frame: pl.DataFrame, at: datetime, by: str | None = None) -> int:
        """Upsert checked rows of a registry table; the number of rows written. All or nothing. `by`: who ordered it."""
        ...

    def ended_contracts(self, before: date) -> list[EndedContracts]:
        """Users still linked whose contract ended before a day, by entity."""
        ...

    def expire(
        self, ended: EndedContracts, guid: str, mails: Sequence[Rendered], at: datetime, by: str | None = None
    ) -> bool:
        """End those links, and the profiles that hung on them, with the mails that tell it, in one transaction.

        False, and nothing written, when the entity's queue is in other hands or its users are no longer these. `by`:
        who ordered it, when it was a person.
        """
        ...

    def unreported(self, today: date, days: int) -> list[Unreported]:
        """Entities with a confirmed address that have not reported an annex whose period closes within so many days."""
        ...

    def notify(self, guid: str, mails: Sequence[Rendered], at: datetime) -> bool:
        """Put the mails of a notice in line; False when that notice was given before."""
        ...

    def forget(self, before: date) -> int:
        """Drop rendered documents and mail bodies, published and sent, of receipts older than a day; how many."""
        ...

    def user(self, id_: Id, as_of: date | None = None) -> dict[str, Any] | None:
        """A person: identity, links with history, grants with history. None when unknown."""
        ...

    def entity(self, id_: Id, as_of: date | None = None) -> tuple[RegisteredEntity, list[dict[str, Any]]] | None:
        """An entity and its users (linked now, or on a day), with their profiles."""
        ...

    def stored(self, annex: str) -> dict[str, bool]:
        """Records of an annex that have anything stored, each with whether it is the control."""
        ...

    def data(
        self,
        annex: str,
        record: str,
        *,
        entity: Id | None = None,
        period: date | None = None,
        as_of: date | None = None,
        history: bool = False,
    ) -> Iterator[pl.DataFrame]:
        """Stored records as they hold now, or at the end of a day; a frame at a time, all with the same columns.

        _entidad_tipo, _entidad_numero, _periodo, _guid, _linea (UInt32), _desde, then the fields as text, of every
        version stored. `history`: every record there ever was, with _hasta and _accion after _desde.
        """
        ...
