"""Every finding as CSV, for Excel in Spanish: semicolons, UTF-8 with its mark, no cell that Excel could run."""

from collections.abc import Mapping

import polars as pl

from pisis_batch.reports.told import Told

#: Column of `Told.rows` -> its title for people.
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


def findings_csv(told: Told) -> bytes:
    """The complete list, unmasked: it goes to the file's own entity."""
    return spreadsheet(told.rows, HEADER)


def spreadsheet(rows: pl.DataFrame, header: Mapping[str, str]) -> bytes:
    """The columns of `header` under its labels, as Excel in Spanish opens them, without a cell that it could run."""
    if rows.is_empty():
        return b"\xef\xbb\xbf" + (";".join(f'"{label}"' for label in header.values()) + "\r\n").encode("utf-8")
    columns = [harmless(pl.col(name).cast(pl.String).fill_null("")).alias(label) for name, label in header.items()]
    text = rows.select(columns).write_csv(separator=";", quote_style="always", line_terminator="\r\n")
    return b"\xef\xbb\xbf" + text.encode("utf-8")


def harmless(cell: pl.Expr) -> pl.Expr:
    """A cell that begins like a formula is given an apostrophe, so that Excel shows it as text."""
    return pl.when(cell.str.contains(r"^\s*[=+\-@\t\r]")).then(pl.lit("'") + cell).otherwise(cell)
