"""The engine of cell checks: conditions as expressions and as words, and the first fault of each cell.

`first_fault(field, record)` is an expression with the code of the first thing wrong with a cell, or null.
"""

from __future__ import annotations

from collections.abc import Iterator

from pisis_batch.frames import pl
from pisis_batch.layouts import Condition, Field, Record, clause_in_words
from pisis_batch.validators.rule import RULES, Fault

#: Letters with a mark, capitals first.
ACCENTED = "ÁÉÍÓÚÀÈÌÒÙÄËÏÖÜÂÊÎÔÛÃÕÇÅÝáéíóúàèìòùäëïöüâêîôûãõçåýÿŸ"


def cell(field: Field) -> pl.Expr:
    """The column of a field."""
    return pl.col(field.name)


def in_words(condition: Condition, record: Record) -> str:
    """A condition as a Spanish clause: `«Acción» es V y «Contrato a término indefinido» es 0`."""
    return " y ".join(clause_in_words(clause, f"«{titled(name, record)}»") for name, clause in condition.items())


def titled(name: str, record: Record) -> str:
    """The official name of a field of the record; a reference stays as it is written."""
    field = record.by_name.get(name)
    return field.label if field else name


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


def fault_place(field: Field, record: Record) -> pl.Expr:
    """The place among `faults` of the first thing wrong with a cell, or null: a number is many times faster."""
    placed = enumerate(faults(field, record))
    return pl.coalesce(
        *[pl.when(found.wrong).then(pl.lit(place, dtype=pl.UInt16)) for place, (_, found) in placed],
        pl.lit(None, dtype=pl.UInt16),
    )


def filled(field: Field) -> pl.Expr:
    """Whether the cell holds anything."""
    return cell(field) != ""


def wild(field: Field) -> pl.Expr:
    """Whether the cell holds one of the field's wildcards."""
    return cell(field).is_in(list(field.sentinels)) if field.sentinels else pl.lit(value=False)
