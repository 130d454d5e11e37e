"""Identification numbers: what each type looks like (ficha 3.2, 3.4) and the NIT check digit (DIAN, ficha 3.3)."""

from __future__ import annotations

import re

from pisis_batch.frames import pl

#: type -> (pattern, in words). Person types first, then entity types.
SHAPES: dict[str, tuple[str, str]] = {
    "CC": (r"^[1-9][0-9]{2,9}$", "de 3 a 10 cifras, sin cero inicial"),
    "CE": (r"^[0-9]{3,7}$", "de 3 a 7 cifras"),
    "CD": (r"^[A-Z0-9]{3,11}$", "de 3 a 11 letras o cifras"),
    "PA": (r"^[A-Z0-9]{3,16}$", "de 3 a 16 letras o cifras"),
    "PT": (r"^[0-9]{5,8}$", "de 5 a 8 cifras"),
    "NI": (r"^[1-9][0-9]{8,9}$", "de 9 cifras, sin dígito de verificación"),
    "MU": (r"^[0-9]{5}$", "el código DANE de 5 cifras"),
    "DE": (r"^[0-9]{2}$", "el código DANE de 2 cifras"),
    "DI": (r"^[0-9]{5}$", "el código DANE de 5 cifras"),
}


#: A type and a number that fits it, with a pipe between them.
WELL_FORMED = "^(?:" + "|".join(rf"{code}\|{pattern[1:-1]}" for code, (pattern, _) in SHAPES.items()) + ")$"


def fits(type_: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Whether each number looks like its type; null for a type without a known shape."""
    verdict = pl.lit(None, dtype=pl.Boolean)
    for code, (pattern, _) in SHAPES.items():
        verdict = pl.when(type_ == code).then(number.str.contains(pattern)).otherwise(verdict)
    return verdict


def fit(type_: str, number: str) -> bool | None:
    """`fits` for one number."""
    shape = SHAPES.get(type_)
    return None if shape is None else re.fullmatch(shape[0], number, re.ASCII) is not None


def shape_in_words(type_: pl.Expr) -> pl.Expr:
    """What a number of each type looks like, in Spanish."""
    return type_.replace_strict(
        {code: words for code, (_, words) in SHAPES.items()}, default="", return_dtype=pl.String
    )


def carries_check_digit(number: str) -> bool:
    """Whether a number is ten digits of which the last is the right check digit of the first nine.

    >>> carries_check_digit("9001234568"), carries_check_digit("900123456"), carries_check_digit("9001234561")
    (True, False, False)
    """
    if not re.fullmatch("[0-9]{10}", number):
        return False
    from stdnum.co import nit  # noqa: PLC0415 few numbers are of ten digits, and it loads a good deal

    return bool(nit.calc_check_digit(number[:9]) == number[9])


#: Rest of the division by eleven -> digit.
_NINES = ("0", "1", "9", "8", "7", "6", "5", "4", "3", "2", "1")
_WEIGHTS = (3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71)


def check_digit(number: pl.Expr) -> pl.Expr:
    """The DIAN check digit of each number, as text; null where it is no number (ficha 3.3)."""
    padded = pl.when(number.str.contains(r"^[0-9]{1,15}$")).then(number.str.zfill(len(_WEIGHTS)))
    last = len(_WEIGHTS) - 1
    digits = [padded.str.slice(last - place, 1).cast(pl.Int32, strict=False) for place in range(len(_WEIGHTS))]
    rest = pl.sum_horizontal(
        [digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)], ignore_nulls=False
    ) % len(_NINES)
    return rest.replace_strict(dict(enumerate(_NINES)), return_dtype=pl.String)
