"""The part of the registry that holds messages: those that are due, those over a budget, and what became of each."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pisis_batch.adapters import (
    sql_floods,
    sql_letters,
    sql_runs,
)
from pisis_batch.adapters.sql_again import again as retried
from pisis_batch.adapters.sql_engine import Transactions, settle
from pisis_batch.adapters.sql_ready import execute
from pisis_batch.adapters.sql_tables import MAIL_DIGEST, mail
from pisis_batch.model import Rendered
from pisis_batch.ports import Flood, Letters, Mail

#: What went out is tried at no time again. With one text for the other its row keeps its size, and SQLite writes over
#: it where it lies, only the pages that differ; of a row that grows it would empty and write anew every page of the
#: body. A digest keeps the moment it was made, by which the next one waits (`sql_floods`).
_SENT = (
    mail.update()
    .where(mail.c.id == sa.bindparam("it"))
    .values(
        sent_at=sa.bindparam("at"),
        next_try=sa.case((MAIL_DIGEST, mail.c.next_try), else_=sa.literal_column("''")),
        attempts=mail.c.attempts + 1,
    )
)


class SqlMailing:
    """Messages, for the registry that inherits it."""

    _writer: Transactions
    _reader: Transactions

    @retried
    def mails_due(self, now: datetime, limit: int = 100) -> list[Mail]:
        """Messages to try now."""
        with self._reader.begin() as connection:
            found = sql_runs.mails_due(connection, now, limit)
        if found:
            settle(self._writer)
        return found

    @retried
    def mail_sent(self, mails: Sequence[Mail], at: datetime) -> None:
        """The other side took them."""
        with self._writer.begin() as connection:
            execute(connection, _SENT, [{"it": one.id, "at": at.isoformat()} for one in mails])

    @retried
    def mail_failed(self, mail_: Mail, reason: str, next_try: datetime) -> None:
        """Not this time."""
        values = {"last_error": reason, "next_try": next_try.isoformat(), "attempts": mail.c.attempts + 1}
        with self._writer.begin() as connection:
            connection.execute(mail.update().where(mail.c.id == mail_.id).values(**values))

    @retried
    def mail_refused(self, mail_: Mail, reason: str) -> None:
        """Never."""
        values = {"last_error": reason, "refused": True, "attempts": mail.c.attempts + 1}
        with self._writer.begin() as connection:
            connection.execute(mail.update().where(mail.c.id == mail_.id).values(**values))

    @retried
    def floods(self, now: datetime, most: int) -> list[Flood]:
        """Recipients over their budget."""
        with self._reader.begin() as connection:
            return sql_floods.floods(connection, now, most)

    def digested(self, flood: Flood, digest: Rendered, at: datetime) -> None:
        """One message for many."""
        with self._writer.begin() as connection:
            sql_floods.digested(connection, flood, digest, at.isoformat())

    @retried
    def put_off(self, floods: Sequence[Flood], until: datetime) -> None:
        """Let them wait."""
        with self._writer.begin() as connection:
            sql_floods.put_off(connection, floods, until.isoformat())

    @retried
    def letters(self, most: int = 20) -> Letters:
        """The queue of messages."""
        with self._reader.begin() as connection:
            return sql_letters.letters(connection, most)

    @retried
    def notify(self, guid: str, mails: Sequence[Rendered], at: datetime) -> bool:
        """Give a notice once."""
        with self._writer.begin() as connection:
            if connection.scalar(sa.select(mail.c.id).where(mail.c.guid == guid).limit(1)) is not None:
                return False
            sql_runs.insert_mails(connection, guid, mails, at.isoformat())
        return True
