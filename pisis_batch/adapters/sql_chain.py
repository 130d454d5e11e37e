"""Whether the audit is what was signed: every link against the one before it, every entry against its link.

Both are read once, in order, a part at a time. What was thinned out on purpose is known by the entry that says so,
which is in the chain itself: the oldest links, up to one, have no entries any more.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_tables import audit, chain
from pisis_batch.adapters.sql_trail import canonical, signed, unpacked
from pisis_batch.ports import Audited, AuditHead, Offender

_ROWS = 50_000
_FEW = 500  # variables of one question
_SCHEMA = {
    "id": pl.Int64,
    "at": pl.String,
    "guid": pl.String,
    "line": pl.Int64,
    "action": pl.String,
    "who": pl.String,
    "who_key": pl.String,
    "batch": pl.Int64,
    "many": pl.Int64,
}
THINNED = "depurar auditoría hasta el eslabón "


@dataclass(slots=True)
class _Link:
    """A link while its entries are read."""

    seq: int
    at: str
    guid: str
    entries: int
    digest: str
    read: int = 0
    first: int = 0
    last: int = 0
    moved: bool = False
    hash: Any = field(default_factory=hashlib.sha256)


def verify(connection: sa.Connection, keys: Keyring, known: AuditHead | None) -> Audited:
    """What breaks the chain, within one transaction that only reads. `known`: a head that was kept elsewhere."""
    thinned = thinned_to(connection)
    found: list[Offender] = []
    links, entries, last = 0, 0, AuditHead(0, "")
    strange: dict[str, int] = {}
    for row in _links(connection):
        found += _link_faults(row, last, keys)
        if keys.key(row.key) is None:
            strange[row.key] = strange.get(row.key, 0) + 1
        if known and row.seq == known.seq and row.hash != known.hash:
            found.append(Offender(row.guid, f"el eslabón {row.seq} no es el que se exportó: se rehízo la cadena"))
        links, last = links + 1, AuditHead(int(row.seq), str(row.hash))
        entries += int(row.entries) if row.seq > thinned else 0
    if known and known.seq > last.seq:
        found.append(Offender("-", f"faltan los eslabones {last.seq + 1} a {known.seq}: se cortó el final"))
    reader = _Entries(connection, keys, thinned)
    found += reader.faults()
    return Audited(links, entries, reader.before, thinned, last, tuple(strange.items()), tuple(found))


def thinned_to(connection: sa.Connection) -> int:
    """Up to which link the entries were taken away on purpose; 0 when none were."""
    said = connection.scalars(sa.select(audit.c.action).where(audit.c.guid == "retencion", audit.c.line.is_(None)))
    numbers = [one.removeprefix(THINNED) for one in said if one.startswith(THINNED)]
    return max((int(number) for number in numbers if number.isdigit()), default=0)


def signers(connection: sa.Connection) -> set[str]:
    """The keys that signed any link."""
    return set(connection.scalars(sa.select(chain.c.key).distinct()))


def _links(connection: sa.Connection) -> Iterator[Any]:
    query = sa.select(chain).order_by(chain.c.seq)
    yield from connection.execution_options(yield_per=1000).execute(query)


def _link_faults(row: Any, last: AuditHead, keys: Keyring) -> Iterator[Offender]:
    if row.seq != last.seq + 1:
        missing = "falta el eslabón" if row.seq == last.seq + 2 else "faltan los eslabones hasta"
        yield Offender(row.guid, f"antes del eslabón {row.seq} {missing} {row.seq - 1}")
    elif row.previous != last.hash:
        yield Offender(row.guid, f"el eslabón {row.seq} no continúa el anterior")
    key = keys.key(row.key)
    if key is None:
        return  # told apart, with how many there are
    if not hmac.compare_digest(key.mac("eslabón", signed(row._mapping)), row.hash):  # noqa: SLF001 its public name
        yield Offender(row.guid, f"el eslabón {row.seq} ({row.at[:19]}) no es el que se firmó")


def _stretches(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The same rows, those that stand for many each alone: what they hold is read one at a time."""
    start = 0
    for place in rows["many"].is_not_null().arg_true():
        yield from (some for some in (rows[start:place], rows[place : place + 1]) if some.height)
        start = place + 1
    if start < rows.height:
        yield rows[start:]


class _Entries:
    """Every entry of the audit, each told to its link."""

    def __init__(self, connection: sa.Connection, keys: Keyring, thinned: int) -> None:
        self._connection, self._keys, self._thinned = connection, keys, thinned
        self._open: dict[int, _Link] = {}
        self.before = 0  # entries older than the chain

    def faults(self) -> Iterator[Offender]:
        """What does not agree."""
        oldest: int | None = None
        for part in self._parts():
            chained = part.filter(pl.col("batch").is_not_null())
            if oldest is None and chained.height:
                oldest = int(chained["id"][0])
            loose = part.filter(pl.col("batch").is_null())
            self.before += loose.height
            for row in loose.filter(pl.col("id") > oldest).iter_rows(named=True) if oldest is not None else ():
                yield Offender(row["guid"], f"la entrada {row['id']} no la firma ningún eslabón")
            yield from self._strangers(chained)
            yield from self._renamed(chained)
            for (batch,), rows in chained.group_by("batch", maintain_order=True):
                yield from self._told(int(str(batch)), rows)
        for link in self._open.values():
            yield self._incomplete(link)
        yield from self._empty()

    def _parts(self) -> Iterator[pl.DataFrame]:
        query = sa.select(*(audit.c[name] for name in _SCHEMA)).order_by(audit.c.id)
        result = self._connection.execution_options(yield_per=_ROWS).execute(query)
        for rows in result.partitions():
            yield pl.DataFrame([tuple(row) for row in rows], schema=_SCHEMA, orient="row")

    def _strangers(self, rows: pl.DataFrame) -> Iterator[Offender]:
        """Open the links of a part; entries of no link."""
        new = [batch for batch in rows["batch"].unique().to_list() if batch not in self._open]
        for start in range(0, len(new), _FEW):
            query = sa.select(chain).where(chain.c.batch.in_(new[start : start + _FEW]))
            for row in self._connection.execute(query):
                self._open[row.batch] = _Link(row.seq, row.at, row.guid, row.entries, row.digest)
        for stray in rows.filter(~pl.col("batch").is_in(list(self._open))).iter_rows(named=True):
            yield Offender(stray["guid"], f"la entrada {stray['id']} no la firma ningún eslabón")

    def _renamed(self, rows: pl.DataFrame) -> Iterator[Offender]:
        """Persons that are not who was signed."""
        for row in rows.filter(pl.col("who").is_not_null()).iter_rows(named=True):
            if self._keys.stands_for(row["who_key"] or "", row["who"]) is False or not row["who_key"]:
                yield Offender(row["guid"], f"la entrada {row['id']} nombra a otra persona que la que decidió")

    def _told(self, batch: int, rows: pl.DataFrame) -> Iterator[Offender]:
        link = self._open.get(batch)
        if link is None:
            return
        link.first, link.last = link.first or int(rows["id"][0]), int(rows["id"][-1])
        for stretch in _stretches(rows):
            many = stretch["many"][0]
            said = canonical(stretch) if many is None else self._packed(stretch.row(0, named=True))
            link.hash.update(said or b"")
            link.moved |= said is None
            link.read += stretch.height if many is None else many
        link.moved |= bool(rows.select(((pl.col("at") != link.at) | (pl.col("guid") != link.guid)).any()).item())
        if link.read < link.entries:
            return
        del self._open[batch]
        where = f"{link.first}" if link.first == link.last else f"{link.first} a {link.last}"
        if link.read > link.entries:
            yield Offender(
                link.guid, f"el eslabón {link.seq} tiene {link.read - link.entries} entradas de más ({where})"
            )
        elif link.hash.hexdigest() != link.digest or link.moved:
            yield Offender(
                link.guid, f"lo que dicen las entradas {where} (eslabón {link.seq}) no es lo que se firmó, o su orden"
            )

    def _packed(self, row: dict[str, Any]) -> bytes | None:
        """What a row that stands for many entries says; None when it is not as it was written."""
        lines = self._connection.scalar(sa.select(audit.c.lines).where(audit.c.id == row["id"]))
        if lines is None or row["line"] is not None or row["many"] < 1:
            return None
        return unpacked(lines, row["many"], row["action"], row["who_key"])

    @staticmethod
    def _incomplete(link: _Link) -> Offender:
        if link.read == 0:
            return Offender(link.guid, f"el eslabón {link.seq} no tiene entradas")
        many = link.entries - link.read
        return Offender(
            link.guid,
            f"al eslabón {link.seq} ({link.at[:19]}) le faltan {many} de {link.entries} entradas,"
            f" entre la {link.first} y la {link.last} o junto a ellas",
        )

    def _empty(self) -> Iterator[Offender]:
        """Links of which nothing is left, and nobody said that they were thinned out."""
        query = sa.select(chain).where(
            chain.c.seq > self._thinned,
            chain.c.batch.not_in(sa.select(audit.c.batch).where(audit.c.batch.is_not(None))),
        )
        for row in self._connection.execute(query.order_by(chain.c.seq)):
            yield Offender(row.guid, f"se borraron las {row.entries} entradas del eslabón {row.seq} ({row.at[:19]})")
