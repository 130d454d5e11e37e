"""Mail domains that everybody knows, and those that differ from one of them by a slip of the keyboard."""

from collections.abc import Iterable

KNOWN = (
    *("GMAIL.COM", "HOTMAIL.COM", "OUTLOOK.COM", "YAHOO.COM", "LIVE.COM", "ICLOUD.COM", "MSN.COM", "PROTON.ME"),
    *("HOTMAIL.ES", "OUTLOOK.ES", "YAHOO.ES", "YAHOO.COM.CO", "YAHOO.COM.MX", "MINSALUD.GOV.CO", "MISENA.EDU.CO"),
)
_LONG = 9  # letters from which two slips are still the same domain


def nearest(domain: str, others: Iterable[str] = ()) -> str | None:
    """The known domain, in capitals, that one nearly is; None when it is known itself or near none.

    >>> nearest("gmial.com"), nearest("gmail.com"), nearest("hospital.example")
    ('GMAIL.COM', None, None)
    """
    if not domain:
        return None
    upper = domain.upper()
    known = [*KNOWN, *(other.upper() for other in others)]
    if upper in known:
        return None
    from rapidfuzz.distance import OSA  # noqa: PLC0415 only for a domain that is not known

    near = [(OSA.distance(upper, one, score_cutoff=2), place, one) for place, one in enumerate(known)]
    distance, _, one = min(near)
    return one if distance == 1 or (distance == 2 and len(one) > _LONG) else None  # noqa: PLR2004 two slips
