"""A text that matches a pattern, drawn by chance: the small part of regular expressions that annexes use."""

import random
import re._constants as sre  # type: ignore[import-not-found]  # the parser that `re` itself uses has no public name
import re._parser as parser  # type: ignore[import-not-found]
from functools import cache
from typing import Any

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MOST = 4  # repetitions of an open-ended stretch


@cache
def _parsed(pattern: str) -> Any:
    return parser.parse(pattern)


def drawn(pattern: str, chance: random.Random) -> str:
    """A text that the whole pattern matches."""
    return _sequence(_parsed(pattern), chance)


def _sequence(items: Any, chance: random.Random) -> str:
    return "".join(_one(op, argument, chance) for op, argument in items)


def _one(op: Any, argument: Any, chance: random.Random) -> str:
    if op is sre.LITERAL:
        return chr(argument)
    if op is sre.ANY:
        return chance.choice(_LETTERS)
    if op is sre.IN:
        return chance.choice(_members(argument))
    if op is sre.BRANCH:
        return _sequence(chance.choice(argument[1]), chance)
    if op is sre.SUBPATTERN:
        return _sequence(argument[3], chance)
    if op in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
        low, high, inner = argument
        times = chance.randint(low, min(int(high), low + _MOST))
        return "".join(_sequence(inner, chance) for _ in range(times))
    raise ValueError(f"a pattern of an annex has no {op}")


def _members(items: Any) -> str:
    found = ""
    for op, argument in items:
        if op is sre.LITERAL:
            found += chr(argument)
        elif op is sre.RANGE:
            found += "".join(chr(code) for code in range(argument[0], argument[1] + 1))
        elif op is sre.CATEGORY:
            found += "0123456789" if argument is sre.CATEGORY_DIGIT else _LETTERS
    return found
