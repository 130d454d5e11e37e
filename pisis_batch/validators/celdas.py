"""The engine of cell checks: conditions as expressions and as words, and the first fault of each cell.

`first_fault(field, record)` is an expression with the code of the first thing wrong with a cell, or null.
"""

from collections.abc import Iterator

import polars as pl

from pisis_batch.layouts import CATALOGS, Condition, Field, Not, Record
from pisis_batch.validators.rule import RULES, Fault


def cell(field: Field) -> pl.Expr:
    """The column of a field."""
    return pl.col(field.name)


def holds(condition: Condition, record: Record) -> pl.Expr:
    """Whether a condition holds; null where a governing cell is itself at fault, so that nobody is blamed twice."""
    clauses = []
    for name, clause in condition.items():
        governing = record.by_name[name]
        column = pl.col(name)
        met = ~column.is_in(list(clause.values)) if isinstance(clause, Not) else column.is_in(list(clause))
        known = _known(governing)
        if known is not None:
            met = pl.when(column.is_in(known)).then(met)
        # a governing cell that is empty because of its own condition decides: the clause does not hold
        if governing.only_if:
            met = pl.when((column == "") & ~holds(governing.only_if, record)).then(pl.lit(value=False)).otherwise(met)
        clauses.append(met)
    return pl.all_horizontal(clauses)


def _known(field: Field) -> list[str] | None:
    if field.allowed is not None:
        return list(field.allowed)
    catalog = CATALOGS.get(field.catalog or "")
    return None if catalog is None or catalog.registry else list(catalog.codes)


def in_words(condition: Condition, record: Record) -> str:
    """A condition as a Spanish clause: `Acción es «V» y Contrato a término indefinido es «0»`."""
    parts = []
    for name, clause in condition.items():
        label = record.by_name[name].label
        if isinstance(clause, Not):
            parts.append(f"«{label}» no es " + " ni ".join(clause.values))
        else:
            parts.append(f"«{label}» es " + " o ".join(clause))
    return " y ".join(parts)


def faults(field: Field, record: Record) -> Iterator[tuple[str, Fault]]:
    """Each thing that can be wrong with a cell of this field, the most telling first."""
    for made in RULES.values():
        if made.judges and (found := made.judges(field, record)) is not None:
            yield made.code, found


def first_fault(field: Field, record: Record) -> pl.Expr:
    """The code of the first thing wrong with a cell, or null when it is sound."""
    return pl.coalesce(
        *[pl.when(found.wrong).then(pl.lit(code)) for code, found in faults(field, record)],
        pl.lit(None, dtype=pl.String),
    )


def filled(field: Field) -> pl.Expr:
    """Whether the cell holds anything."""
    return cell(field) != ""
