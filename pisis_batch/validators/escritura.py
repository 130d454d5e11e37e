"""How two spellings of a name are compared (Q19): case, accents and repeated spaces do not count; Ñ against N is told apart."""

from __future__ import annotations

from pisis_batch.frames import pl

_PLAIN = {**dict(zip("ÁÉÍÓÚÀÈÌÒÙÄËÏÖÜÂÊÎÔÛ", "AEIOU" * 4, strict=True)), "Ç": "C", "Ý": "Y"}

_ONE = str.maketrans(_PLAIN)


def folded(text: pl.Expr) -> pl.Expr:
    """Upper case, without accents, single spaces; Ñ kept."""
    upper = text.str.to_uppercase().str.replace_many(list(_PLAIN), list(_PLAIN.values()))
    return upper.str.replace_all(r"\s+", " ").str.strip_chars()


def without_tilde(text: pl.Expr) -> pl.Expr:
    """Folded, with N for Ñ: equal here and different when folded means only the Ñ differs."""
    return folded(text).str.replace_all("Ñ", "N")


def fold(text: str) -> str:
    """`folded` for one value."""
    return " ".join(text.upper().translate(_ONE).split())


def hinted(text: pl.Expr) -> pl.Expr:
    """The first letter of a registered name and its length: enough to see a slip, not enough to learn a name."""
    return text.str.slice(0, 1) + pl.lit("…") + pl.format(" ({} letras)", text.str.len_chars())
