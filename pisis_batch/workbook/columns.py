"""Which fields a person fills in, and which the program does: the same answer for the template and for the file."""

from dataclasses import dataclass

from pisis_batch.layouts import Field, Layout, Record
from pisis_batch.layouts.relation import Count, Distinct, Sum

#: Rows of every sheet, from 0: labels, help, short names (hidden); data follow.
LABELS, HELP, NAMES, FIRST = 0, 1, 2, 3
START = "Instrucciones"
LISTS = "Listas"
ANNEX, VERSION = "Anexo", "Versión"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: a field, or a part of the file name (`name.PART`) in the control's sheet."""

    name: str
    label: str
    field: Field | None = None


def columns(layout: Layout, record: Record) -> list[Column]:
    """The columns of a record's sheet, in the annex's order."""
    made = [Column(field.name, field.label, field) for field in record.fields if not filled(layout, record, field)]
    if record.name == layout.control.name:
        made += [Column(f"name.{name}", part.label) for name, part in layout.name_parts.items()]
    return made


def filled(layout: Layout, record: Record, field: Field) -> bool:
    """Whether the program writes the field by itself, and the sheet has no column for it."""
    owned = f"{record.name}.{field.name}"
    consecutive = layout.sequence and record.name in layout.sequence.over and field.name == layout.sequence.field
    counted = (layout.total and layout.total.field == owned) or isinstance(totals(layout).get(owned), Count)
    return bool(field.constant is not None or field.reserved or consecutive or counted or copied(field))


def copied(field: Field) -> bool:
    """Whether every line repeats the control record or the file name here."""
    source = field.same_as or ""
    always = field.required and field.condition is None and field.empty_if is None
    return always and ":" not in source and (source == "name" or source.startswith(("name.", "control.")))


def totals(layout: Layout) -> dict[str, Count | Sum | Distinct]:
    """Control fields that count or add up the details; sums keep their column, and are worked out when it is empty."""
    return {check.field: check for check in layout.check if isinstance(check, Count | Sum | Distinct) and not check.off}
