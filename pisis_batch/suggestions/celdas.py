"""What a cell should hold, by what was written in it: case, accents, spaces, dates, numbers, addresses."""

import re
from datetime import date, timedelta

import polars as pl

from pisis_batch.suggestions.asked import GUESS, WRITE, Asked, Suggester, answer, listed
from pisis_batch.suggestions.correos import mended
from pisis_batch.validators import identidad
from pisis_batch.validators.escritura import folded

_VALUE = pl.col("value")
_CONTROL = r"[\x00-\x1F\x7F-\x{9F}]"
_NAME = "^[A-ZÑ]+([ '-][A-ZÑ]+)*$"


def upper(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Capitals without accents."""
    return answer(rows, folded(_VALUE))


def trimmed(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Without the spaces around."""
    bare = _VALUE.str.strip_chars("  ")
    form = pl.when(bare == "").then(pl.lit("Deje el campo vacío: dos barras seguidas (||)")).otherwise(pl.lit(WRITE))
    return answer(rows, bare, form)


def unquoted(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Without the quotation marks."""
    return answer(rows, _VALUE.str.replace_all('["“”]', "").str.replace("^'(.*)'$", "${1}"))


def visible(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Without the characters nobody sees."""
    return answer(rows, _VALUE.str.replace_all(_CONTROL, ""))


def decoded(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """What the UTF-8 bytes meant, in capitals and without accents."""
    found = []
    for n, value in rows.select("n", "value").iter_rows():
        try:
            raw = bytes(ord(c) if 0x7F < ord(c) < 0xA0 else c.encode("cp1252")[0] for c in value)  # noqa: PLR2004 the C1 controls
            found.append((n, raw.decode("utf-8")))
        except UnicodeError:
            continue
    meant = pl.DataFrame(found, schema={"n": pl.UInt32, "meant": pl.String}, orient="row")
    mail = pl.col("field").str.contains("correo")
    told = pl.when(mail).then(pl.col("meant")).otherwise(folded(pl.col("meant")))
    return answer(rows.join(meant, on="n"), told)


def unpadded(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Without zeros on the left."""
    return answer(rows, _VALUE.str.replace("^0+([0-9])", "${1}"))


def digits(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The digits alone, where nothing but separators stands between them; a NIT without its check digit."""
    nit = asked.layout.entity.number
    entity = rows.filter(pl.col("field").is_in([nit, "nit_alterno"]) & _VALUE.str.contains("^[0-9.]+-[0-9]$"))
    bare = entity.with_columns(bare=_VALUE.str.replace_all("[.-]", ""))
    checked = bare.filter(pl.col("bare").map_elements(identidad.carries_check_digit, return_dtype=pl.Boolean))
    without = answer(checked, pl.col("bare").str.slice(0, 9), "Escriba «{}», sin el dígito de verificación")
    rest = rows.join(checked, on="n", how="anti")
    whole = _VALUE.str.replace(r"[.,]0{1,2}$", "").str.replace_all("[-. ,'()]", "")
    letters = whole.str.replace_all("[Oo]", "0")
    plain = rest.filter(whole.str.contains("^[0-9]+$"))
    guess = rest.join(plain, on="n", how="anti").filter(letters.str.contains("^[0-9]+$"))
    return pl.concat([without, answer(plain, whole), answer(guess, letters, GUESS)])


def decimal(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """A decimal point, and no thousands separators."""
    comma = _VALUE.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    point = _VALUE.str.replace_all("[, ]", "")
    # of two different signs the last one is the decimal one
    last_is_comma = _VALUE.str.contains(r",[0-9]*$")
    return answer(rows.filter(_VALUE.str.contains("^[0-9.,]+$")), pl.when(last_is_comma).then(comma).otherwise(point))


_FORMS = (
    (r"^(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})$", WRITE),
    (r"^(?P<y>\d{4})[/.-](?P<m>\d{1,2})[/.-](?P<d>\d{1,2})(?:[ T].*)?$", WRITE),
    (r"^(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})$", WRITE),
    (r"^(?P<m>\d{1,2})[/.-](?P<d>\d{1,2})[/.-](?P<y>\d{4})$", GUESS),
    (r"^(?P<y>\d{4})-(?P<d>\d{2})-(?P<m>\d{2})$", GUESS),
)
_SERIAL = re.compile(r"^[3-6]\d{4}$", re.ASCII)
_EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet


def dated(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The date in the annex's order. Day before month, as dates are written here; the other way only if that fails."""
    return listed(
        [
            (n, meant, form)
            for n, value in rows.select("n", "value").iter_rows()
            for meant, form in _date(value)
            if meant != value
        ]
    )


def _date(text: str) -> list[tuple[str, str]]:
    if _SERIAL.match(text):
        return [((_EPOCH + timedelta(days=int(text))).isoformat(), GUESS)]
    for pattern, form in _FORMS:
        found = re.match(pattern, text, re.ASCII)
        if found:
            try:
                return [(date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat(), form)]
            except ValueError:
                continue
    return []


def named(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """A name without the points around it, or with letters for the digits that look like them."""
    bare = folded(_VALUE.str.replace_all("[.,;:_]+", " "))
    lettered = bare.str.replace_many(["0", "1", "3", "4", "5"], ["O", "I", "E", "A", "S"])
    form = pl.when(bare == lettered).then(pl.lit(WRITE)).otherwise(pl.lit(GUESS))
    return answer(rows.filter(lettered.str.contains(_NAME)), lettered, form)


_SIGNS = {
    "º": "",
    "ª": "",
    "°": "",
    "–": "-",
    "—": "-",
    "’": "'",
    "‘": "'",
    "´": "'",
    "…": "",
    "•": "-",
    "¿": "",
    "¡": "",
}


def unsigned(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Codes without points and hyphens; texts with the keyboard's signs for the typographic ones."""
    plain = folded(_VALUE.str.replace_many(list(_SIGNS), list(_SIGNS.values())))
    kinds = rows.select("record", "field").unique().rows()
    codes = {f"{r}.{f}" for r, f in kinds if (known := asked.field(r, f)) is not None and known.type == "A"}
    pair = pl.concat_str([pl.col("record"), pl.col("field")], separator=".")
    bare = pl.when(pair.is_in(list(codes))).then(plain.str.replace_all("[^A-Z0-9Ñ]", "")).otherwise(plain)
    mangled = _VALUE.str.contains(r"^[0-9][.,]?[0-9]*[Ee]\+[0-9]+$")  # a spreadsheet lost its digits
    return answer(rows.filter(~mangled & (bare != "") & bare.str.contains("^[ -~Ñ]+$")), bare)


def addressed(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The address with its commas, spaces and domain put right, when that makes one."""
    return listed([(n, meant, GUESS) for n, value in rows.select("n", "value").iter_rows() if (meant := mended(value))])


CELLS: dict[str, Suggester] = {
    "EST021": upper,
    "EST022": upper,
    "EST025": trimmed,
    "EST026": unquoted,
    "EST027": visible,
    "EST028": decoded,
    "EST017": unpadded,
    "EST016": digits,
    "EST018": decimal,
    "EST019": dated,
    "EST020": dated,
    "EST029": named,
    "EST023": unsigned,
    "EST024": addressed,
}
