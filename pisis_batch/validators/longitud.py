"""EST, cells: how long a cell is, in the order of telling after what its type says."""

from __future__ import annotations

from pisis_batch.layouts import Field, Record
from pisis_batch.validators.celdas import cell, filled, wild
from pisis_batch.validators.rule import Fault, fault


@fault(
    "EST012",
    title="Dato demasiado largo",
    es="«{campo}» tiene más de {maximo} caracteres",
    en="{campo} has more than {maximo} characters",
    cause="El dato pasa la longitud máxima del campo.",
    remedy="Acorte el dato; la longitud del anexo es un máximo.",
    source="ficha 2.9",
)
def too_long(field: Field, record: Record) -> Fault | None:
    """Lengths are maximums, in characters.

    Rejects:
        2|1|CC|109000000123456789|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|PA|A1090000012345|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.max is None or field.allowed is not None:
        return None
    return Fault((cell(field).str.len_chars() > field.max) & ~wild(field), {"maximo": str(field.max)})


@fault(
    "EST013",
    title="Dato demasiado corto",
    es="«{campo}» tiene menos de {minimo} caracteres: «{valor}»",
    en="{campo} has fewer than {minimo} characters: {valor}",
    cause="Al dato le faltan caracteres.",
    remedy="Escriba el dato completo.",
    source="Q21",
)
def too_short(field: Field, record: Record) -> Fault | None:
    """A telephone has at least seven digits.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|315000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.min is None or field.allowed is not None:
        return None
    short = filled(field) & (cell(field).str.len_chars() < field.min) & ~wild(field)
    return Fault(short, {"minimo": str(field.min)})


@fault(
    "EST017",
    title="Ceros a la izquierda",
    es="«{campo}» no lleva ceros a la izquierda y trae «{valor}»",
    en="{campo} takes no leading zeros and holds {valor}",
    cause="El número se rellenó con ceros. Los ceros de relleno solo van en el nombre del archivo.",
    remedy="Quite los ceros de la izquierda.",
    source="ficha 2.10",
)
def padded_number(field: Field, record: Record) -> Fault | None:
    """Numbers are not padded inside the file.

    Rejects:
        2|001|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|0320000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.type != "N" or field.leading_zeros or field.allowed is not None or field.list:
        return None
    return Fault(cell(field).str.contains("^0[0-9]"))
