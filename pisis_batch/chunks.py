"""Stretches of a large file, each taken apart: lines with no fault in any cell as a few numbers, the others as text.

Each becomes one column of lines, and the accepting expression of each record says which of them have no fault in any
cell. Of those only the consecutive and hashes are read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import polars as pl

from pisis_batch import accepting, fingerprints, reading
from pisis_batch.cutting import nothing
from pisis_batch.layouts import Layout, Record
from pisis_batch.model import Content, Limits
from pisis_batch.reading import lines_of

CHUNK = 2 * 1024 * 1024
ONCE = {"1", "0..1"}
_CUT = 30_000  # lines cut into cells at a time
_PIECE = 64 * 1024  # decoded at a time: it stays in the cache
_LF, _ENYE = 0x0A, b"\xd1"
_C1, _C1S = np.uint8(0x80), 0x20  # the first of the bytes that cp1252 reads otherwise than Latin-1, and how many


Numbers = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk taken apart: per record the places of its accepted lines and their `numbers_of`; the suspects."""

    many: int
    accepted: dict[str, tuple[np.ndarray, Numbers]]
    suspects: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read of the accepted lines of a record: fields by their place, and what is made of them."""

    schema: Mapping[str, type[pl.DataType]]
    fields: list[int]
    columns: list[pl.Expr]


def asked(layout: Layout, today: date) -> dict[str, Asked]:
    """By record, made once for a file: `today` is what `numbers_of` says of it."""
    found = {}
    for record in layout.details:
        numbered = layout.sequence.field if layout.sequence and record.name in layout.sequence.over else None
        columns = [pl.col(numbered).alias("number")] if numbered else []
        columns += _hashes(record, layout, today)
        names = [one.name for one in record.fields]
        fields = sorted({names.index(name) for column in columns for name in column.meta.root_names()})
        schema = {name: pl.Int64 if name == numbered else pl.String for name in names}
        found[record.name] = Asked(schema, fields, columns)
    return found


def chunks(content: Content, start: int) -> Iterator[tuple[int, bytes]]:
    """Stretches of whole lines, the LF of the last one included, with their offset."""
    end = len(content)
    while start < end:
        cut = end
        if start + CHUNK < end:
            cut = content.rfind(b"\n", start, start + CHUNK) + 1 or content.find(b"\n", start + CHUNK) + 1 or end
        yield start, content[start:cut]
        start = cut


def taken_apart(raw: bytes, layout: Layout, asks: Mapping[str, Asked]) -> Piece | None:
    """None when the chunk has marks of an annotated copy: such a file is read whole."""
    if b"#" in raw and b"#!" in raw:  # the search for one byte is many times faster
        return None
    text = _utf8(raw, layout)
    lines = lines_of(text)
    left, places = lines, np.arange(lines.len(), dtype=np.uint32)
    accepted = {}
    for record in _likely(raw, layout):
        pattern = accepting.expression(record)
        if left.is_empty() or pattern is None or record.occurs in ONCE:
            continue
        fine = left.str.contains(f"^(?:{pattern})$")
        whole = fine.all() and left.len() == lines.len()
        if not fine.any():
            continue
        numbers = None
        if whole or (left.len() == lines.len() and fine.sum() > lines.len() // 2):
            numbers = _projected(text, asks[record.name], None if whole else fine)
        if numbers is None:
            numbers = _projected("\n".join(left.filter(fine).to_list()).encode(), asks[record.name]) or {}
        accepted[record.name] = (places if whole else places[fine.to_numpy()], numbers)
        left, places = (left.clear(), places[:0]) if whole else (left.filter(~fine), places[~fine.to_numpy()])
    return Piece(lines.len(), accepted, _suspects(places, left) if left.len() else _no_suspects())


@cache
def _no_suspects() -> pl.DataFrame:
    """Made once: to make a frame takes a millisecond, and most chunks have none."""
    return _suspects(np.empty(0, np.uint32), pl.Series([], dtype=pl.String))


def _suspects(places: np.ndarray, text: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"line": places, "text": text}, schema={"line": pl.UInt32, "text": pl.String})


def _likely(raw: bytes, layout: Layout) -> list[Record]:
    """The records, that of the first line first: in the middle of a file it is the only one."""
    first = raw[:_PIECE].split(b"\n", 1)[0]
    return sorted(layout.details, key=lambda record: not first.startswith(record.mark.encode() + b"|"))


def _utf8(raw: bytes, layout: Layout) -> bytes:
    if raw.isascii():
        return raw
    if layout.encoding != "cp1252":
        return reading.decoded(raw, layout.encoding).encode()
    codes = np.frombuffer(raw, np.uint8)
    if np.count_nonzero(codes >= _C1) == np.count_nonzero(codes == _ENYE[0]):  # most often no other letter is there
        return raw.replace(_ENYE, "Ñ".encode())
    pieces = []
    for start in range(0, len(raw), _PIECE):
        piece = raw[start : start + _PIECE]
        if ((np.frombuffer(piece, np.uint8) - _C1) < _C1S).any():
            return reading.decoded(raw, layout.encoding).encode()
        pieces.append(piece.decode("latin-1").encode())  # the same as cp1252 without 0x80 to 0x9F
    return b"".join(pieces)


def _projected(text: bytes, asked: Asked, fine: pl.Series | None = None) -> Numbers | None:
    """Of accepted lines the consecutive as a number (number) and `numbers_of`.

    With `fine` only those lines are accepted, and others may be anything; None when their cells cannot be told apart.
    """
    if not asked.columns:
        return {}
    frame = pl.read_csv(
        text,
        separator="|",
        has_header=False,
        quote_char=None,
        schema=asked.schema,
        infer_schema=False,
        columns=asked.fields,
        extra_columns="ignore",
        missing_columns="insert",
        ignore_errors=fine is not None,
    )
    if fine is None:
        return _arrays(frame.select(asked.columns))
    return _arrays(frame.filter(fine).select(asked.columns)) if frame.height == fine.len() else None


def numbers_of(rows: pl.DataFrame, record: Record, layout: Layout, today: date) -> Numbers:
    """The unique key (key) of each line and its person (who), and what the registry may vouch for (said, packed)."""
    columns = _hashes(record, layout, today)
    return _arrays(rows.select(columns)) if columns else {}


def _arrays(cells: pl.DataFrame) -> Numbers:
    told = {name: cells[name].to_numpy() for name in cells.columns if name != "takes"}
    return {**told, "said": fingerprints.packed(cells)} if "said" in told else told


def _hashes(record: Record, layout: Layout, today: date) -> list[pl.Expr]:
    columns = [fingerprints.hashed(record.unique).alias("key")] if record.unique else []
    if not about_persons(record):
        return columns
    if record.unique != fingerprints.WHO:
        columns.append(fingerprints.hashed(fingerprints.WHO).alias("who"))
    return columns + (fingerprints.said(record.name, today) if speaks(record, layout) else [])


def about_persons(record: Record) -> bool:
    """Whether the lines of a record name a person."""
    return set(fingerprints.WHO) <= set(record.by_name)


def speaks(record: Record, layout: Layout) -> bool:
    """Whether the registry can vouch for lines of a record."""
    keys = {"usuario": fingerprints.WHO, "perfil": fingerprints.HELD}
    return layout.effect.kind == "usuarios" and record.unique == keys.get(record.name)


def fetched(
    content: Content, starts: np.ndarray, lines: np.ndarray, layout: Layout, limits: Limits
) -> Iterator[dict[str, pl.DataFrame]]:
    """The rows of some lines (in order), read again from the chunks they are in (offset and first line of each).

    Nothing else of a chunk is decoded. They come cut into cells some tens of thousands of lines at a time, for what
    that costs at least.
    """
    of_chunk = np.searchsorted(starts[:, 1], lines, side="right") - 1
    places = np.unique(of_chunk)
    found: list[bytes] = []
    first = 0
    for place in places:
        raw = content[int(starts[place][0]) : int(starts[place + 1][0]) if place + 1 < len(starts) else len(content)]
        chosen = lines[of_chunk == place] - int(starts[place][1])
        ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == _LF)
        whole = [raw[start:end] for start, end in _spans(ends, len(raw), chosen)]
        found += whole
        is_last = place == len(starts) - 1 and chosen[-1] == len(ends) - raw.endswith(b"\n")
        if len(found) >= _CUT or place == places[-1]:
            text = lines_of(_utf8(b"\n".join([*found, b""]), layout))
            frame = pl.DataFrame({"line": pl.Series(lines[first : first + len(found)], dtype=pl.UInt32), "text": text})
            if is_last:
                frame, _ = reading.without_end_mark(frame)
            rows, _ = reading.rows_of(frame, layout, limits)
            yield {record.name: rows.get(record.name, nothing(record)) for record in layout.records}
            first += len(found)
            found = []


def _spans(ends: np.ndarray, size: int, chosen: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where some lines of a chunk begin and end, by the places of its line feeds."""
    edges = np.concatenate([[-1], ends, [size]])
    return zip((edges[chosen] + 1).tolist(), edges[chosen + 1].tolist(), strict=True)
