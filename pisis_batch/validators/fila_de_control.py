"""The control record as the rules of CTL read it: it is one row, and each returns that row when it objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts, Id
from pisis_batch.validators.rule import NOTHING, Found


def row_of(batch: Batch) -> Mapping[str, Any]:
    """Its cells by field; empty where a file has no such record, or more than one."""
    return batch.control or {}


def objected_if(batch: Batch, *, objected: bool, **facts: str) -> Found:
    """The row with what the sentences of a rule need, when the rule objects to it."""
    if not objected:
        return NOTHING
    return batch["control"].with_columns(**{name: pl.lit(value) for name, value in facts.items()})


def person_of(batch: Batch, who: str) -> Id:
    """The representative or the contact (`representante`, `contacto`), as the record identifies them."""
    row = row_of(batch)
    return Id(row.get(f"tipo_id_{who}", ""), row.get(f"num_id_{who}", ""))


def registered(batch: Batch, facts: Facts, who: str) -> dict[str, Any] | None:
    """The same person as Mi Seguridad Social has them."""
    return facts.person(person_of(batch, who))
