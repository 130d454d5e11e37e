"""Lists as CSV, for Excel in Spanish: semicolons, UTF-8 with its mark, no cell that Excel could run."""

import io
import re
from collections.abc import Iterable, Mapping

import polars as pl

#: A cell that Excel would run.
RUNS = r"^\s*[=+\-@\t\r]"
_RUNS = re.compile(RUNS)
#: Column of the findings in words -> its title for people.
HEADER = {
    "line": "línea",
    "record": "registro",
    "field_no": "campo n.º",
    "label": "campo",
    "code": "código",
    "severity": "severidad",
    "shown": "valor recibido",
    "expected": "valor esperado",
    "message": "mensaje",
    "suggestion": "sugerencia",
    "remedy": "qué hacer",
}


def spreadsheet(rows: pl.DataFrame, header: Mapping[str, str]) -> bytes:
    """The columns of `header` under its labels, as Excel in Spanish opens them, without a cell that it could run."""
    return titles(header) + (lines(rows, header) if rows.height else b"")


def titles(header: Mapping[str, str]) -> bytes:
    """The mark and the first line of such a list."""
    return b"\xef\xbb\xbf" + (";".join(f'"{label}"' for label in header.values()) + "\r\n").encode("utf-8")


def row(cells: Iterable[object]) -> str:
    """One row of such a list."""
    told = ("" if cell is None else str(cell) for cell in cells)
    safe = (f"'{cell}" if _RUNS.match(cell) else cell for cell in told)
    return '"' + '";"'.join(cell.replace('"', '""') for cell in safe) + '"\r\n'


def lines(rows: pl.DataFrame, header: Mapping[str, str]) -> bytes:
    """Rows of such a list, one at least."""
    cells = rows.select(pl.col(name).cast(pl.String).fill_null("").alias(label) for name, label in header.items())
    risky = cells.select(pl.all().str.contains(RUNS).any()).row(0)
    bad = [label for label, found in zip(cells.columns, risky, strict=True) if found]
    told = io.BytesIO()
    cells.with_columns(harmless(pl.col(label)).alias(label) for label in bad).write_csv(
        told, include_header=False, separator=";", quote_style="always", line_terminator="\r\n"
    )
    return told.getvalue()


def harmless(cell: pl.Expr) -> pl.Expr:
    """A cell that begins like a formula is given an apostrophe, so that Excel shows it as text."""
    return pl.when(cell.str.contains(RUNS)).then(pl.lit("'") + cell).otherwise(cell)
