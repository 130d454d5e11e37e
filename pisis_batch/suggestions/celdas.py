"""What a cell should hold, by what was written in it: case, accents, spaces, dates, numbers, addresses."""

import re
from datetime import date, timedelta

from pisis_batch.suggestions.asked import GUESS, WRITE, Asked, Faulty, Meant, Suggester, each
from pisis_batch.suggestions.correos import mended
from pisis_batch.validators import identidad
from pisis_batch.validators.escritura import fold

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_NAME = re.compile("[A-ZÑ]+(?:[ '-][A-ZÑ]+)*")
_FIGURES = re.compile("[0-9]+")


@each
def upper(row: Faulty, asked: Asked) -> Meant:
    """Capitals without accents."""
    return fold(row.value), WRITE


@each
def trimmed(row: Faulty, asked: Asked) -> Meant:
    """Without the spaces around."""
    bare = row.value.strip(" ")
    return bare, WRITE if bare else "Deje el campo vacío: dos barras seguidas (||)"


@each
def unquoted(row: Faulty, asked: Asked) -> Meant:
    """Without the quotation marks."""
    bare = re.sub('["“”]', "", row.value)
    return re.sub("^'(.*)'\\Z", r"\1", bare), WRITE


@each
def visible(row: Faulty, asked: Asked) -> Meant:
    """Without the characters nobody sees."""
    return _CONTROL.sub("", row.value), WRITE


@each
def decoded(row: Faulty, asked: Asked) -> Meant:
    """What the UTF-8 bytes meant, in capitals and without accents."""
    try:
        raw = bytes(ord(c) if 0x7F < ord(c) < 0xA0 else c.encode("cp1252")[0] for c in row.value)  # noqa: PLR2004 the C1 controls
        meant = raw.decode("utf-8")
    except UnicodeError:
        return None
    return meant if "correo" in row.field else fold(meant), WRITE


@each
def unpadded(row: Faulty, asked: Asked) -> Meant:
    """Without zeros on the left."""
    return re.sub("^0+(?=[0-9])", "", row.value), WRITE


@each
def digits(row: Faulty, asked: Asked) -> Meant:
    """The digits alone, where nothing but separators stands between them; a NIT without its check digit."""
    value = row.value
    if row.field in {asked.layout.entity.number, "nit_alterno"} and re.fullmatch("[0-9.]+-[0-9]", value):
        bare = re.sub("[.-]", "", value)
        if identidad.carries_check_digit(bare):
            return bare[:9], "Escriba «{}», sin el dígito de verificación"
    whole = re.sub("[-. ,'()]", "", re.sub(r"[.,]0{1,2}\Z", "", value))
    if _FIGURES.fullmatch(whole):
        return whole, WRITE
    letters = re.sub("[Oo]", "0", whole)
    return (letters, GUESS) if _FIGURES.fullmatch(letters) else None


@each
def decimal(row: Faulty, asked: Asked) -> Meant:
    """A decimal point, and no thousands separators."""
    if not re.fullmatch("[0-9.,]+", row.value):
        return None
    # of two different signs the last one is the decimal one
    if re.search(r",[0-9]*\Z", row.value):
        return row.value.replace(".", "").replace(",", ".", 1), WRITE
    return row.value.replace(",", ""), WRITE


_FORMS = (
    (r"^(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})$", WRITE),
    (r"^(?P<y>\d{4})[/.-](?P<m>\d{1,2})[/.-](?P<d>\d{1,2})(?:[ T].*)?$", WRITE),
    (r"^(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})$", WRITE),
    (r"^(?P<m>\d{1,2})[/.-](?P<d>\d{1,2})[/.-](?P<y>\d{4})$", GUESS),
    (r"^(?P<y>\d{4})-(?P<d>\d{2})-(?P<m>\d{2})$", GUESS),
)
_SERIAL = re.compile(r"^[3-6]\d{4}$", re.ASCII)
_EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet


@each
def dated(row: Faulty, asked: Asked) -> Meant:
    """The date in the annex's order. Day before month, as dates are written here; the other way only if that fails."""
    return _date(row.value)


def _date(text: str) -> Meant:
    if _SERIAL.match(text):
        return (_EPOCH + timedelta(days=int(text))).isoformat(), GUESS
    for pattern, form in _FORMS:
        found = re.match(pattern, text, re.ASCII)
        if found:
            try:
                return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat(), form
            except ValueError:
                continue
    return None


_LIKE_LETTERS = str.maketrans("01345", "OIEAS")


@each
def named(row: Faulty, asked: Asked) -> Meant:
    """A name without the points around it, or with letters for the digits that look like them."""
    bare = fold(re.sub("[.,;:_]+", " ", row.value))
    lettered = bare.translate(_LIKE_LETTERS)
    if not _NAME.fullmatch(lettered):
        return None
    return lettered, WRITE if bare == lettered else GUESS


_SIGNS = str.maketrans(
    {
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
)


@each
def unsigned(row: Faulty, asked: Asked) -> Meant:
    """Codes without points and hyphens; texts with the keyboard's signs for the typographic ones."""
    if re.fullmatch(r"[0-9][.,]?[0-9]*[Ee]\+[0-9]+", row.value):  # a spreadsheet lost its digits
        return None
    plain, known = fold(row.value.translate(_SIGNS)), asked.field(row.record, row.field)
    bare = re.sub("[^A-Z0-9Ñ]", "", plain) if known is not None and known.type == "A" else plain
    return (bare, WRITE) if re.fullmatch("[ -~Ñ]+", bare) else None


@each
def addressed(row: Faulty, asked: Asked) -> Meant:
    """The address with its commas, spaces and domain put right, when that makes one."""
    meant = mended(row.value)
    return (meant, GUESS) if meant else None


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
