"""The trail of a transaction: its entries of audit, and one link of a chain over them.

Each link signs the one before it and the digest of its own entries, in the order of their ids, so that a changed,
added, deleted or moved entry, or link, no longer agrees with what was signed. It is written last: whoever adds a link
holds the end of the chain until the commit, so that two writers cannot both continue the same link. Persons stand in
`who` and are signed by their pseudonym (`who_key`), so that taking them away leaves the chain whole. Entries of one
action for many lines are packed in one row, and signed as if each had its own.
"""

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from pisis_batch.adapters import sql_bulk
from pisis_batch.adapters.keyring import Keyring
from pisis_batch.adapters.sql_ready import at_most, driven, execute
from pisis_batch.adapters.sql_tables import audit, chain, schema_step

_LOCK = 706975  # any number, the same in every version
_MANY = 20  # lines from which they are packed: a row for each would be a tenth of what a small file writes
_LONGEST = 12  # bytes of a line's number with its end
#: The step after which no version is left that does not know packed entries.
_PACKED = "0016"
#: What an entry is, as it is signed; its time and receipt are those of the link.
ENTRY = ("line", "action", "who_key")

# made once: what they cost is in the making
_TELL, _ADD = audit.insert(), chain.insert()
_TOLD = ("line", "action", "who", "who_key")
_PACKS = sa.select(schema_step.c.name).where(schema_step.c.name == _PACKED)
_HEAD = sa.select(chain.c.seq, chain.c.hash, chain.c.at).order_by(chain.c.seq.desc()).limit(at_most(1))


def canonical(rows: pl.DataFrame) -> bytes:
    """Entries as they are signed: a line each, `line TAB action TAB who_key`."""
    return rows.select(ENTRY).write_csv(include_header=False, separator="\t", quote_style="never").encode()


def _numbers(lines: list[int] | pl.Series) -> bytes:
    """The lines of many entries, in order: a number and an end of line for each."""
    if isinstance(lines, list):
        return "".join([f"{line}\n" for line in sorted(lines)]).encode()
    return lines.sort().to_frame().write_csv(include_header=False).encode()


def unpacked(lines: bytes, many: int, action: str, who_key: str | None) -> bytes | None:
    """Packed entries as `canonical` writes them; None when they are not so many."""
    try:
        numbers = zlib.decompressobj().decompress(lines, many * _LONGEST + 1)
    except zlib.error:
        return None
    return _each(numbers, action, who_key) if numbers.count(b"\n") == many else None


def _each(numbers: bytes, action: str, who_key: str | None) -> bytes:
    return numbers.replace(b"\n", _line(None, action, who_key).encode())


def _line(line: int | None, action: str, who_key: str | None) -> str:
    """One entry as `canonical` writes it."""
    return f"{'' if line is None else line}\t{action}\t{who_key or ''}\n"


def signed(link: Mapping[str, Any]) -> str:
    """A link as it is signed."""
    return "\n".join(str(link[name]) for name in ("seq", "previous", "at", "guid", "entries", "digest"))


class Trail:
    """What one transaction did, all about one receipt (or whatever stands for one). End it with `close`."""

    def __init__(self, connection: sa.Connection, keys: Keyring, guid: str, at: str) -> None:
        self._connection, self._keys, self.guid, self.at = connection, keys, guid, at
        self._batch = secrets.randbits(62)
        self._digest, self._entries = hashlib.sha256(), 0
        self._waiting: list[tuple[int | None, str, str | None, str | None]] = []

    def tell(self, action: str, who: str | None = None) -> None:
        """An entry about the whole receipt; `who` did it, when it was a person."""
        self._waiting.append((None, _plain(action), who, self._keys.pseudonym(who) if who else None))

    def tell_lines(self, lines: list[int] | pl.Series, action: str) -> None:
        """An entry for each line; their order is not kept when they are many. Very many come as a series."""
        if len(lines) >= _MANY and self._may_pack():
            self._flush()
            self._pack(lines, action)
        elif isinstance(lines, pl.Series):
            self._flush()
            self._write(lines, action)
        else:
            self._waiting += [(line, action, None, None) for line in lines]

    def close(self) -> None:
        """Sign what was told. Nothing of the chain may be written after this in the same transaction."""
        self._flush()
        if not self._entries:
            return
        connection = self._connection
        seq, previous = _end(connection)
        key = self._keys.current
        link = {
            "seq": seq + 1,
            "batch": self._batch,
            "at": self.at,
            "guid": self.guid,
            "entries": self._entries,
            "digest": self._digest.hexdigest(),
            "previous": previous,
            "key": key.id,
        }
        execute(connection, _ADD, {**link, "hash": key.mac("eslabón", signed(link))})

    def _flush(self) -> None:
        """Write what waits: a few entries, for which a frame would cost more than they do."""
        if not self._waiting:
            return
        self._digest.update("".join(_line(line, action, key) for line, action, _, key in self._waiting).encode())
        self._entries += len(self._waiting)
        fixed: dict[str, str | int] = {"at": self.at, "guid": self.guid, "batch": self._batch}
        if self._connection.dialect.name == "sqlite":
            sql_bulk.insert_few(self._connection, audit, _TOLD, self._waiting, fixed)
        else:
            told = [{**dict(zip(_TOLD, one, strict=True)), **fixed} for one in self._waiting]
            execute(self._connection, _TELL, told)
        self._waiting = []

    def _may_pack(self) -> bool:
        known = self._connection.info  # it stays with the connection, and what is packed once may be packed for ever
        if not known.get("packs"):
            known["packs"] = execute(self._connection, _PACKS).scalar() is not None
        return bool(known["packs"])

    def _write(self, lines: pl.Series, action: str) -> None:
        rows = lines.to_frame("line").with_columns(action=pl.lit(action), who_key=pl.lit(None, pl.String))
        self._digest.update(canonical(rows))
        self._entries += rows.height
        told = rows.select("line", "action")
        sql_bulk.insert(self._connection, audit, told, at=self.at, guid=self.guid, batch=self._batch)

    def _pack(self, lines: list[int] | pl.Series, action: str) -> None:
        numbers = _numbers(lines)
        self._digest.update(_each(numbers, action, None))
        self._entries += len(lines)
        row = {"at": self.at, "guid": self.guid, "batch": self._batch, "line": None, "action": action, "who": None}
        row |= {"who_key": None, "many": len(lines), "lines": zlib.compress(numbers, 1)}
        execute(self._connection, _TELL, row)


def tell_each(
    connection: sa.Connection, keys: Keyring, of: Sequence[tuple[str, str]], action: str, who: str | None = None
) -> None:
    """The trails of one transaction about many receipts, (guid, time) each, with one and the same entry.

    Nothing of the chain may be written after this in the same transaction.
    """
    if not of:
        return
    pseudonym = keys.pseudonym(who) if who else None
    said = hashlib.sha256(_line(None, _plain(action), pseudonym).encode()).hexdigest()
    batches = [secrets.randbits(62) for _ in of]
    fixed = {"line": None, "action": _plain(action), "who": who, "who_key": pseudonym}
    told = [{"at": at, "guid": guid, "batch": batch, **fixed} for (guid, at), batch in zip(of, batches, strict=True)]
    execute(connection, _TELL, told)
    seq, previous = _end(connection)
    key, links = keys.current, []
    for (guid, at), batch in zip(of, batches, strict=True):
        link = {"seq": seq + 1, "batch": batch, "at": at, "guid": guid, "entries": 1, "digest": said}
        link |= {"previous": previous, "key": key.id}
        seq, previous = seq + 1, key.mac("eslabón", signed(link))
        links.append({**link, "hash": previous})
    execute(connection, _ADD, links)


def _end(connection: sa.Connection) -> tuple[int, str]:
    """Hold the end of the chain until the transaction is over: the number and the hash of its last link."""
    if connection.dialect.name == "postgresql":
        driven(connection, f"SELECT pg_advisory_xact_lock({_LOCK})")
    last = head(connection)
    return (last[0], last[1]) if last else (0, "")


def _plain(action: str) -> str:
    """A text that cannot be taken for two entries."""
    return "".join(sign if sign.isprintable() else " " for sign in action)


def head(connection: sa.Connection) -> tuple[int, str, str] | None:
    """(number, hash, time) of the last link."""
    found = execute(connection, _HEAD).one_or_none()
    return (int(found.seq), str(found.hash), str(found.at)) if found else None


def actions(connection: sa.Connection, guid: str) -> Iterable[Any]:
    """The entries about a receipt that are not about one of its lines, in order."""
    query = sa.select(audit.c.at, audit.c.action, audit.c.who, audit.c.who_key)
    whole = sa.and_(audit.c.guid == guid, audit.c.line.is_(None), audit.c.many.is_(None))
    return connection.execute(query.where(whole).order_by(audit.c.id)).all()
