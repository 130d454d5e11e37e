"""Findings in the order in which they are told: one per cell, by line and field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pisis_batch.frames import pl
from pisis_batch.model import FINDINGS, Brief, Findings, Row, tuples
from pisis_batch.validators.rule import RULES, Found

_FEW = 500  # findings
_MANY = 50_000  # findings that are worth what numpy loads
_WARNS = 10_000  # more than there are rules: errors come before warnings
_LINE, _NUMBER = 31, 14  # bits below the line and below the number of the field in what findings are sorted by


def told(found: list[Found], few: Sequence[Row] = (), brief: list[Brief] | None = None) -> Findings:
    """One finding per cell, errors before warnings, then in the order of telling; sorted by line and field.

    `few`: more of them, as rows. `brief`: more of them, in short. The lists of frames and of those in short are empty
    afterwards.
    """
    frames = [frame for frame in found if frame is not None and not frame.is_empty()]
    more = [some for some in brief or () if len(some)]
    found.clear()
    (brief or []).clear()
    many = sum(frame.height for frame in frames) + len(few) + sum(map(len, more))
    if not many:
        return Findings()
    rank = {code: place for place, code in enumerate(RULES)}
    if many < _FEW:
        names = FINDINGS.names()
        whole = [*frames, *(some.in_full() for some in more)]
        return Findings.of(_of_few([*(row for frame in whole for row in tuples(frame, names)), *few], rank))
    if few:
        frames.append(pl.DataFrame(few, schema=FINDINGS.schema, orient="row"))
    if many >= _MANY or more:  # who gives them in short has loaded it
        more, frames = [*map(Brief.of, frames), *more], []
        ordered = _of_many(more, rank)
        if ordered is not None:
            return Findings(ordered.in_full(), ordered)
    return Findings(_of_some(pl.concat([*frames, *(some.in_full() for some in more)]), rank))


def _of_some(every: pl.DataFrame, rank: Mapping[str, int]) -> pl.DataFrame:
    """Findings by what the order depends on alone: the rest of them is several times as much."""
    asked = every.select(
        "line",
        "field",
        "field_no",
        n=pl.int_range(pl.len(), dtype=pl.UInt32),
        rank=pl.col("code").replace_strict(rank, return_dtype=pl.UInt16)
        + pl.when(pl.col("severity") != "error").then(pl.lit(_WARNS, dtype=pl.UInt16)).otherwise(0),
    )
    placed = pl.col("line").is_not_null() & pl.col("field").is_not_null()
    cells = asked.filter(placed).sort("rank", "n").unique(["line", "field"], keep="first", maintain_order=True)
    ordered = pl.concat([asked.filter(~placed), cells]).sort(
        "line", "field_no", "rank", nulls_last=False, maintain_order=True
    )["n"]
    return pl.DataFrame([every[name].gather(ordered) for name in FINDINGS])


def _of_many(parts: list[Brief], rank: Mapping[str, int]) -> Brief | None:
    """The same by numbers alone, and the list empty; None where fields have no number, or one that does not tell them apart."""
    import numpy as np  # noqa: PLC0415 only a large file needs it

    kinds = pl.concat([part.kinds for part in parts])
    if (kinds["field_no"].is_null() & kinds["field"].is_not_null()).any():
        return None
    starts = np.cumsum([0, *(part.kinds.height for part in parts)], dtype=np.uint32)
    kind = np.concatenate([part.kind.to_numpy() + start for part, start in zip(parts, starts, strict=False)])
    line, value = (pl.concat([getattr(part, name) for part in parts]).rechunk() for name in ("line", "value"))
    number = kinds["field_no"].cast(pl.UInt32).fill_null(0xFFFF_FFFF).to_numpy() + np.uint32(1)  # no number comes first
    ranks = kinds["code"].replace_strict(rank, return_dtype=pl.UInt16).to_numpy().astype(np.uint64)
    ranks += (kinds["severity"] != "error").to_numpy() * np.uint64(_WARNS)
    key = line.fill_null(0).to_numpy().astype(np.uint64) << _LINE
    key |= (number.astype(np.uint64) << _NUMBER | ranks)[kind]
    places = np.argsort(key, kind="stable").astype(np.uint32)
    kind, cell = kind[places], key[places] >> _NUMBER
    same = (cell[1:] == cell[:-1]) & (cell[1:] >= 1 << (_LINE - _NUMBER))
    again = np.flatnonzero(same & (number[kind[1:]] > 0)) + 1
    field = kinds["field"]
    if not field.gather(kind[again]).equals(field.gather(kind[again - 1])):
        return None
    parts.clear()
    which, where = pl.Series(np.delete(kind, again)), pl.Series(np.delete(places, again))
    # of a column that is in one piece a place is found four times as soon
    return Brief(kinds.rechunk(), which, line.gather(where).set_sorted(), value.gather(where))


def _of_few(rows: list[Row], rank: Mapping[str, int]) -> list[Row]:
    """The same of so few that polars takes longer to start."""
    ranks = [rank[row[0]] + _WARNS * (row[1] != "error") for row in rows]
    first: dict[object, int] = {}
    for place in sorted(range(len(rows)), key=ranks.__getitem__):
        _, _, _, line, _, _, name, *_ = rows[place]
        first.setdefault(-place if line is None or name is None else (line, name), place)
    keys = {
        place: (line is not None, line or 0, number is not None, number or 0, ranks[place], placed, place)
        for place in first.values()
        for _, _, _, line, _, number, name, *_ in [rows[place]]
        for placed in [line is not None and name is not None]
    }
    return [rows[place] for place in sorted(keys, key=keys.__getitem__)]
