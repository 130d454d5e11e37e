"""Texts that insert some rows into SQLite, a few for any number of rows.

SQLite's driver lets the other threads of the process go on four times for each statement: with one for each row whoever
has the database would wait for the interpreter row by row, and everybody else for the database.
"""

from functools import cache, lru_cache

_MOST = 32  # rows of a statement: it and its halves, few texts that stay prepared, tell any number of rows


@lru_cache(maxsize=512)
def texts(into: str, same: int, others: int, rows: int) -> tuple[tuple[str, int, int], ...]:
    """Each with the first of its rows and the first that is no longer its own, in order.

    `into` names the columns: first the `same` ones, whose value is given once for all rows of a text, then the others.
    """
    parts, start = list[tuple[str, int, int]](), 0
    while left := rows - start:
        end = start + min(_MOST, 1 << (left.bit_length() - 1))
        parts.append((_text(into, same, others, end - start), start, end))
        start = end
    return tuple(parts)


@cache
def _text(into: str, same: int, others: int, rows: int) -> str:
    # as one by one: a row that fails leaves those before it to the transaction, and no page is copied to take them back
    into = into.replace("INSERT INTO", "INSERT OR FAIL INTO", 1)
    row = ", ".join([*(f"?{place}" for place in range(1, same + 1)), *"?" * others])
    return f"{into} VALUES {', '.join([f'({row})'] * rows)}"
