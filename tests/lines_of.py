"""Lines drawn from a regular expression, at the edges of what it matches: shortest and longest repeats, ends of ranges."""

import random
import re
from functools import cache
from typing import Any

_PARSE: Any = cache(re._parser.parse)  # type: ignore[attr-defined]  # the only parser of Python's own syntax


def line_of(pattern: str, chance: random.Random) -> str:
    """A string the pattern matches whole."""
    return _items(_PARSE(pattern), chance)


def _items(parsed: Any, chance: random.Random) -> str:
    return "".join(_item(str(kind), value, chance) for kind, value in parsed)


def _item(kind: str, value: Any, chance: random.Random) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind == "IN":
        return _sign(value, chance)
    if kind in {"MAX_REPEAT", "MIN_REPEAT"}:
        least, most, inner = value
        many = chance.choice([least, int(most), int(most), chance.randint(least, min(int(most), least + 4))])
        return "".join(_items(inner, chance) for _ in range(many))
    if kind == "SUBPATTERN":
        return _items(value[3], chance)
    if kind == "BRANCH":
        return _items(chance.choice(value[1]), chance)
    raise NotImplementedError(kind)


def _sign(listed: Any, chance: random.Random) -> str:
    kind, value = chance.choice(listed)
    if str(kind) == "LITERAL":
        return chr(value)
    low, high = value
    return chr(chance.choice([low, high, chance.randint(low, high)]))
