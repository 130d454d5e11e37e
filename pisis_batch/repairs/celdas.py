"""Certain repairs of a cell: what is written badly and can only mean one thing. Each answers one code of the rules.

A repair touches only the cells that its code objects to. Of identification numbers and names of people only encoding,
blanks, quotes and case (and accents of names) are repaired: nothing that could make them mean somebody else.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from pisis_batch.layouts import Field, Record
from pisis_batch.reading import CP1252
from pisis_batch.repairs.fechas import certain_date
from pisis_batch.validators.celdas import faults

_LETTERS = [c for c in CP1252 if c.isalpha() and ord(c) > 0x7F and c not in "Ññ"]  # noqa: PLR2004 beyond ASCII
#: accented letter -> the letter without its mark
PLAIN = {c: d for c in _LETTERS if (d := unicodedata.normalize("NFD", c)[0]) != c}
_COMBINING = [chr(n) for n in (0x300, 0x301, 0x302, 0x303, 0x308, 0x30A, 0x327)]
_UNSEEN = ("\u200b", "\ufeff", "\u00ad")


def _as_cp1252(text: str) -> str:
    """What the UTF-8 bytes of a text look like when they are read as cp1252."""
    return "".join(CP1252[byte] for byte in text.encode("utf-8"))


_TRUE = [c for c in CP1252 if ord(c) > 0x9F] + _COMBINING  # noqa: PLR2004 the C1 controls are no text
#: «Ã‘» -> Ñ, for every character of cp1252 and for the marks that decomposed letters carry
_MISREAD = {_as_cp1252(c): " " if c == "\u00a0" else c for c in _TRUE} | {_as_cp1252(c): "" for c in _UNSEEN}
_WRITABLE = "^[" + "".join(f"\\x{{{ord(c):X}}}" for c in CP1252) + "]*$"
_EDGES = "".join(CP1252[n] for n in (*range(0x21), 0x7F, 0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xA0))
_TYPED = {"–": "-", "—": "-", "‘": "'", "’": "'", "´": "'", "`": "'", "…": "...", "\u00a0": " "}
_QUOTED = r"""^(?:["“”]+([^"“”]*)["“”]+|'(.*)')$"""


_LAYERS = 3  # how often UTF-8 may have been taken for cp1252 and saved as UTF-8 again


@dataclass(frozen=True, slots=True)
class Repair:
    """How the cells that `code` objects to are rewritten; `identity`: whether also in ids and names of people."""

    code: str
    rewrite: Callable[[pl.Expr, Field], pl.Expr]
    identity: tuple[str, ...] = ()


def _decoded(cell: pl.Expr, field: Field) -> pl.Expr:
    del field
    read = cell
    for _ in range(_LAYERS):
        read = read.str.replace_many(_MISREAD)
    read = read.str.normalize("NFC")
    return pl.when(read.str.contains(_WRITABLE)).then(read).otherwise(cell)


def _trimmed(cell: pl.Expr, field: Field) -> pl.Expr:
    del field
    return cell.str.strip_chars(_EDGES)


def _unquoted(cell: pl.Expr, field: Field) -> pl.Expr:
    del field
    inside = pl.coalesce(cell.str.extract(_QUOTED, 1), cell.str.extract(_QUOTED, 2))
    return pl.coalesce(inside, cell)


def _upper(cell: pl.Expr, field: Field) -> pl.Expr:
    del field
    upper = cell.str.to_uppercase()  # that of ƒ and µ is no letter that a file can hold
    return pl.when(upper.str.contains(_WRITABLE)).then(upper).otherwise(cell)


def _plain(cell: pl.Expr, field: Field) -> pl.Expr:
    del field
    return cell.str.replace_many(PLAIN)


def _single_spaced(cell: pl.Expr, field: Field) -> pl.Expr:
    del field
    return cell.str.replace_all(r"[ \x{A0}]+", " ")


def _typewritten(cell: pl.Expr, field: Field) -> pl.Expr:
    return cell.str.replace_many(_TYPED) if field.type == "T" else cell


def _unpadded(cell: pl.Expr, field: Field) -> pl.Expr:
    del field
    return cell.str.replace(r"^0+(\d)", "${1}")


def _pointed(cell: pl.Expr, field: Field) -> pl.Expr:
    """A decimal comma becomes a point, and thousands lose theirs, when the number can be read in one way only."""
    places = 2 if field.decimals is None else field.decimals
    some = f"{{1,{min(places, 2)}}}"
    whole = cell.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    sure = cell.str.contains(rf"^-?(\d+|\d{{1,3}}(\.\d{{3}})+),\d{some}$")
    return pl.when(sure).then(whole).otherwise(cell) if places else cell


_BOTH = ("id", "nombre")
REPAIRS = (
    Repair("EST028", _decoded, _BOTH),
    Repair("EST027", _trimmed, _BOTH),
    Repair("EST025", _trimmed, _BOTH),
    Repair("EST026", _unquoted, _BOTH),
    Repair("EST021", _upper, _BOTH),
    Repair("EST022", _plain, ("nombre",)),
    Repair("EST029", _single_spaced, ("nombre",)),
    Repair("EST023", _typewritten),
    Repair("EST017", _unpadded),
    Repair("EST018", _pointed),
    Repair("EST019", certain_date),
)
_ROUNDS = 8  # each round undoes one layer: quotes in spaces in quotes, UTF-8 saved as UTF-8 again


def repaired(frame: pl.DataFrame, record: Record, names: list[str]) -> pl.DataFrame:
    """The frame with the named fields repaired, and for each a column `why.<name>` with the codes answered."""
    frame = frame.with_columns(pl.lit("").alias(f"why.{name}") for name in names)
    for name in names:
        field = record.by_name[name]
        for _ in range(_ROUNDS):
            before = frame[name]
            for code, wrong, rewrite in _steps(field, record):
                new = pl.when(wrong.fill_null(value=False)).then(rewrite).otherwise(pl.col(name))
                told = pl.when(new != pl.col(name)).then(pl.lit(code + " ")).otherwise(pl.lit(""))
                frame = frame.with_columns(new.alias(name), (pl.col(f"why.{name}") + told).alias(f"why.{name}"))
            if before.equals(frame[name]):
                break
    return frame


def _steps(field: Field, record: Record) -> Iterator[tuple[str, pl.Expr, pl.Expr]]:
    """(code, which cells it objects to, how they are rewritten) of each repair that may touch a field."""
    objected = {} if field.constant is not None else dict(faults(field, record))
    for repair in REPAIRS:
        allowed = field.datum not in _BOTH or field.datum in repair.identity
        if allowed and repair.code in objected:
            yield repair.code, objected[repair.code].wrong, repair.rewrite(pl.col(field.name), field)
