"""File names of others as names of ours: whatever they hold, they can be stored, sent and shown."""

_LONGEST = 255


def readable(name: str) -> str:
    """A name that every database, message and terminal can hold: whatever is no plain sign becomes an escape."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    shown = text if text.isprintable() else "".join(sign if sign.isprintable() else _escape(sign) for sign in text)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"


def _escape(sign: str) -> str:
    return f"\\x{ord(sign):02x}" if sign.isascii() else sign.encode("ascii", "backslashreplace").decode()
