"""Data in the wrong column: a field too many or too few from some line on.

A guess about what happened is tried on a sample of the lines at fault: the cells are put where the guess says they
belong and judged again by the layout's own checks. The guess that leaves fewest faults is told, if it leaves hardly any.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl

from pisis_batch.annotations import stripped
from pisis_batch.causes.case import Case, Claim, Few, about, first_line, many, repeated
from pisis_batch.layouts import Record
from pisis_batch.model import Content
from pisis_batch.reading import decoded
from pisis_batch.validators import identidad
from pisis_batch.validators.celdas import first_fault

_SAMPLE = 100
_LEFT_OVER = 0.25  # the share of the faults that a right guess may leave: the file has other slips too
_BACK = 3  # how many fields before the first fault a shift may have begun
_MOST = 200_000  # lines at fault that a guess is tried on in the end


class _Judged:
    """The cells of several frames of one record, judged in one go: most of a look goes into its expressions."""

    def __init__(self, record: Record, *frames: pl.DataFrame) -> None:
        self._heights = [frame.height for frame in frames]
        self._faults = pl.concat(frame.select(f.name for f in record.fields) for frame in frames).select(
            _looks_at(record)
        )

    def faults(self, place: int, unknown: Sequence[str] = ()) -> pl.Series:
        """How many cells of each row of a frame are at fault, the unknown ones not counted."""
        own = self._faults.slice(sum(self._heights[:place]), self._heights[place])
        counted = [name for name in own.columns if not set(name.split("|")) & set(unknown)]
        return own.select(pl.sum_horizontal(counted)).to_series()


_LOOKS_AT: dict[int, tuple[Record, list[pl.Expr]]] = {}


def _looks_at(record: Record) -> list[pl.Expr]:
    """Whether each cell but the first is at fault; one more for an id unlike its type, named after both fields."""
    if id(record) not in _LOOKS_AT:
        told = [first_fault(field, record).is_not_null().alias(field.name) for field in record.fields[1:]]
        for field in record.fields[1:]:
            kind = field.name.replace("num_id", "tipo_id")
            if field.datum == "id" and kind in record.by_name:
                unlike = ~identidad.fits(pl.col(kind), pl.col(field.name)).fill_null(value=True)
                told.append(unlike.alias(f"{kind}|{field.name}"))
        _LOOKS_AT[id(record)] = record, told
    return _LOOKS_AT[id(record)][1]


def _moved(record: Record, place: int, by: int) -> tuple[list[pl.Expr], str]:
    """The columns with the cells from `place` on moved back by one, and the field whose value nobody knows.

    `by` 1: a cell too many stands at `place`. `by` -1: the cell of `place` is missing.
    """
    names = [field.name for field in record.fields]
    if by == 1:
        moved = [pl.col(names[k + 1]).alias(names[k]) for k in range(place, len(names) - 1)]
        return [*moved, pl.lit("").alias(names[-1])], names[-1]
    moved = [pl.col(names[k - 1]).alias(names[k]) for k in range(place + 1, len(names))]
    return [*moved, pl.lit("").alias(names[place])], names[place]


def _shows(case: Case, some: list[Few]) -> bool:
    """Whether two lines of a record, or its only one, have more than one cell at fault."""
    told = Counter((one.record, one.line) for one in some if one.record and one.field_no is not None)
    lines = Counter(record for (record, _), times in told.items() if times > 1)
    return any(many > 1 or case.layout.record[record].occurs == "1" for record, many in lines.items())


@about(sign=_shows)
def shifted(case: Case) -> Iterator[Claim]:
    """Lines with the right number of fields whose data stand one field further right or left."""
    for record in case.at_fault():
        told = case.findings.select("n", "line", "record", "field_no")
        cells = told.filter((pl.col("record") == record.name) & pl.col("field_no").is_not_null())
        line = pl.col("line")  # in order
        several = cells.filter((line == line.shift(1)) | (line == line.shift(-1)))
        hit = several.group_by("line").agg(first=pl.col("field_no").min())
        if hit.is_empty() or (hit.height == 1 and record.occurs != "1"):
            continue
        hit = hit.sort("line").head(_MOST)
        rows = case.batch[record.name].join(hit.select("line"), on="line", how="semi", maintain_order="left")
        start = int(hit["first"].mode().sort()[0])
        guess = _guess(rows.gather_every(max(rows.height // _SAMPLE, 1)).head(_SAMPLE), record, start)
        if guess is None:
            continue
        columns, unknown = _moved(record, guess[0][0], guess[1])
        # a shifted line may have no more than one fault to show for it
        rows = case.batch[record.name].join(cells.select("line"), on="line", how="semi").head(_MOST)
        judged = _Judged(record, rows, rows.with_columns(columns))
        lines = rows.filter(2 * judged.faults(1, [unknown]) <= judged.faults(0))["line"]
        found = cells.filter(pl.col("line").is_in(lines.implode()))
        if found.height:
            yield _shift(case, found, record, *guess)


def _guess(sample: pl.DataFrame, record: Record, start: int) -> tuple[list[int], int] | None:
    """The places a shift may begin at and its direction, if one leaves hardly any fault in the sample."""
    ways = [(by, place) for place in range(max(start - _BACK, 1), start + 1) for by in (1, -1)]
    moved = [_moved(record, place, by) for by, place in ways]
    judged = _Judged(record, sample, *(sample.with_columns(columns) for columns, _ in moved))
    left = {
        way: int(judged.faults(n, [unknown]).sum())
        for n, (way, (_, unknown)) in enumerate(zip(ways, moved, strict=True), start=1)
    }
    fewest = min(left.values())
    if fewest > _LEFT_OVER * int(judged.faults(0).sum()):
        return None
    by = next(by for (by, _), faults in left.items() if faults == fewest)
    return [place for (way, place), faults in left.items() if way == by and faults == fewest], by


def _between(case: Case, record: Record, places: list[int], alone: str = "en ") -> str:
    """`en «A»`, or `entre «A» y «B»`: where a shift begins."""
    low, high = (record.fields[min(place, len(record.fields) - 1)].name for place in (places[0], places[-1]))
    first = case.label(record.name, low)
    return alone + first if low == high else f"entre {first} y {case.label(record.name, high)}"


def _shift(case: Case, found: pl.DataFrame, record: Record, places: list[int], by: int) -> Claim:
    side, what = ("la derecha", "sobra un campo") if by == 1 else ("la izquierda", "falta un campo")
    start, lines = first_line(found), found["line"].n_unique()
    here = f"Desde la línea {start}, en {many(lines, 'línea', 'líneas')}," if lines > 1 else f"En la línea {start}"
    return Claim(
        "columnas-corridas",
        f"Las columnas están corridas desde la línea {start}" if lines > 1 else "Una línea tiene las columnas corridas",
        f"{here} los datos están un campo más a {side}: {what} {_between(case, record, places)}",
        f"From line {start} on, data stand one field off, from field {places[0]} ({record.fields[places[0]].label})",
        "Revise esa parte de la hoja o del programa: una celda se insertó o se borró y movió las demás.",
        found["n"],
    )


@about("EST030", sign=repeated("record"))
def ragged(case: Case) -> Iterator[Claim]:
    """Many lines of one record with the same wrong number of fields."""
    wrong = case.of("EST030").join(case.batch.irregular.select("line", "cells", "expected"), on="line")
    for (name, cells, expected), found in wrong.group_by("record", "cells", "expected", maintain_order=True):
        record = case.record(str(name))
        if record is None or not case.habitual(found):
            continue
        apart = int(str(cells)) - int(str(expected))
        places = _places(case, record, found["line"].to_list(), apart) if abs(apart) == 1 else []
        said = f"Los registros de tipo {record.mark} traen {cells} campos y el anexo pide {expected}"
        title = f"Los registros de tipo {record.mark} no tienen los campos del anexo"
        explained = found["n"]
        if places:
            title = f"Las columnas están corridas desde la línea {first_line(found)}"
            said += ": parece que " + ("sobra uno " if apart == 1 else "falta uno ")
            said += _between(case, record, places, "antes de " if apart == 1 else "en ")
        if places and apart == 1:  # where the last field is empty, the same slip looks like a pipe too many
            pipes = case.of("EST009").filter(pl.col("line") >= first_line(found))
            pipes = pipes.join(case.batch[record.name].select("line"), on="line", how="semi")
            explained = case.findings.filter(
                pl.col("line").is_in(pipes["line"].implode()) | pl.col("n").is_in(explained.implode())
            )["n"]
        yield Claim(
            "columnas-corridas" if places else "numero-de-campos",
            title,
            said,
            f"Records of type {record.mark} have {cells} fields and the annex asks for {expected}",
            "Compare una línea con el anexo, campo por campo; los que van vacíos también llevan su barra (||).",
            explained,
        )


def _places(case: Case, record: Record, lines: list[int], apart: int) -> list[int]:
    """The fields at which a cell may be too many or missing, by what leaves fewest faults; none when nothing fits."""
    names = [field.name for field in record.fields]
    wide = [*names, "extra"][: len(names) + apart]
    parts = [decoded(raw).split(case.layout.separator) for raw in _raw(case.content[:], lines[:_SAMPLE])]
    sample = pl.DataFrame([part for part in parts if len(part) == len(wide)], schema=wide, orient="row")
    if sample.is_empty():
        return []
    frames: dict[int, pl.DataFrame] = {}
    for at in range(1, len(names) if apart == -1 else len(wide)):
        kept = [*wide[:at], *wide[at + 1 :]] if apart == 1 else [*wide[:at], "", *wide[at:]]
        columns = [(pl.col(cell) if cell else pl.lit("")).alias(name) for cell, name in zip(kept, names, strict=True)]
        frames[at] = sample.select(columns)
    judged = _Judged(record, *frames.values())
    left = {at: int(judged.faults(n, [] if apart == 1 else [names[at]]).sum()) for n, at in enumerate(frames)}
    fewest = min(left.values())
    if fewest > _LEFT_OVER * sample.height:
        return []
    return [at for at, faults in left.items() if faults == fewest]


def _raw(content: Content, lines: list[int]) -> Iterator[bytes]:
    """Some lines of the file, by number, in order; reading stops at the last of them."""
    wanted = set(lines)
    for number, line in enumerate(io.BytesIO(stripped(content[:])), start=1):
        if number in wanted:
            wanted.discard(number)
            yield line.rstrip(b"\r\n")
            if not wanted:
                return
