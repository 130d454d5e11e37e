"""Addresses: what a misspelt one was meant to be, and domains that are nearly those everybody knows."""

import re
import unicodedata

from rapidfuzz import process
from rapidfuzz.distance import OSA

from pisis_batch.validators.dominios import KNOWN, nearest

_SHAPE = re.compile(r"^[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}$", re.ASCII)
_ENDINGS = ("COM.CO", "GOV.CO", "EDU.CO", "ORG.CO", "NET.CO", "COM", "ORG", "NET", "CO")


def mended(text: str) -> str | None:
    """The address that a text was probably meant to be, or None."""
    plain = unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"\s|[<>()\"']|mailto:", "", plain, flags=re.IGNORECASE).replace(",", ".").replace(";", ".")
    plain = re.sub(r"\.{2,}", ".", re.sub(r"@{2,}", "@", plain)).strip(".-")
    plain = plain.replace(".@", "@").replace("@.", "@")
    if "@" not in plain:
        plain = _with_at(plain)
    name, _, domain = plain.rpartition("@")
    if not name or not domain:
        return None
    plain = f"{name}@{_domain(domain)}"
    return plain if _SHAPE.match(plain) and plain != text else None


def _with_at(text: str) -> str:
    """An @ before a domain that everybody knows and that the text ends in: `ana.ruizgmail.com`, `ana.gmail.com`."""
    for known in KNOWN:
        if text.upper().endswith(known) and len(text) > len(known) + 1:
            return text[: -len(known)].rstrip(".#_") + "@" + text[-len(known) :]
    return text


def _domain(domain: str) -> str:
    """A known domain for one that is nearly it, or the missing dot before a known ending."""
    cased = str.lower if domain.islower() else str.upper
    known = nearest(domain)
    if known:
        return cased(known)
    if "." not in domain:
        for ending in _ENDINGS:
            bare = ending.replace(".", "")
            if domain.upper().endswith(bare) and len(domain) > len(bare) + 2:
                return cased(f"{domain[: -len(bare)]}.{ending}")
        if near := process.extractOne(
            domain.upper(), [name.split(".")[0] for name in KNOWN], scorer=OSA.distance, score_cutoff=1
        ):
            return cased(KNOWN[near[2]])
    return domain
