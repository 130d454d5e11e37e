"""Breakers of the rules that ask the registry, by code: each changes one thing of a good file or its registry."""

from collections.abc import Callable

from pisis_batch.breaking.draft import Draft, Row

Changer = Callable[[Draft], None]
CHANGERS: dict[str, Changer] = {}


def breaks(code: str) -> Callable[[Changer], Changer]:
    """Register a breaker of a code."""

    def keep(changer: Changer) -> Changer:
        CHANGERS[code] = changer
        return changer

    return keep


def registered(made: Draft, row: Row, suffix: str = "") -> Row:
    """The registered person of a line."""
    key = (row[f"tipo_id{suffix}"], row[f"num_id{suffix}"])
    return next(one for one in made.tables["persons"] if (one["tipo_id"], one["num_id"]) == key)


def unregister(made: Draft, row: Row, suffix: str = "") -> None:
    """Take the person of a line out of the register."""
    made.tables["persons"].remove(registered(made, row, suffix))
