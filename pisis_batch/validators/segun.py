"""EST, cells: what another field of the line asks of a cell: its length, its pattern, its check digit.

Each example is read with the annex its docstring shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from pisis_batch.frames import pl
from pisis_batch.layouts import Field, Record, Span
from pisis_batch.validators.celdas import cell, filled, titled
from pisis_batch.validators.condiciones import within
from pisis_batch.validators.identidad import check_digit
from pisis_batch.validators.rule import Fault, fault


def _by(field: Field, record: Record, cases: Mapping[str, object]) -> tuple[str, str]:
    """The governing field and its official name."""
    name = next(iter(cases))
    return name, titled(name, record)


@fault(
    "EST040",
    title="Longitud que no corresponde a otro campo",
    es="«{campo}» trae «{valor}» y su longitud depende de «{otro}»: {longitudes}",
    en="{campo} holds {valor} and its length depends on {otro}: {longitudes}",
    cause="Al número le faltan o le sobran cifras, o el tipo es otro.",
    remedy="Verifique el tipo y el número en el documento.",
    source="estilo de Error676",
    since="0.2.0",
)
def length_unlike_other(field: Field, record: Record) -> Fault | None:
    """The length that each value of another field asks for.

    Annex:
        fields = [
          { name = "tipo", label = "Tipo de documento", type = "A", max = 2, values = { CC = "", CE = "" } },
          { name = "numero", label = "Número", type = "A", max = 18, length_by = { tipo = { CC = "..10", CE = "3..7" } } },
        ]
    Rejects:
        2|CC|12345678901
        2|CE|12
    Accepts:
        2|CC|1090000001
        2|CE|1234567
    """
    if field.length_by is None:
        return None
    name, label = _by(field, record, field.length_by)
    cases: dict[str, Span] = field.length_by[name]
    long = cell(field).str.len_chars().cast(pl.String)
    wrong = [(pl.col(name) == value) & ~within(long, span) for value, span in cases.items()]
    words = ", ".join(f"{value} de {span.words().removeprefix('de ')}" for value, span in cases.items())
    return Fault(filled(field) & pl.any_horizontal(wrong), {"otro": label, "longitudes": words})


@fault(
    "EST041",
    title="Forma que no corresponde a otro campo",
    es="«{campo}» trae «{valor}», que no es la forma que pide «{otro}»",
    en="{campo} holds {valor}, which is not the form that {otro} asks for",
    cause="El dato es de otro tipo, o el campo que lo gobierna está errado.",
    remedy="Corrija el que esté errado de los dos campos.",
    since="0.2.0",
)
def pattern_unlike_other(field: Field, record: Record) -> Fault | None:
    """The pattern that each value of another field asks for.

    Annex:
        fields = [
          { name = "tipo", label = "Tipo de entidad", type = "A", max = 2, values = { MU = "", DE = "" } },
          { name = "numero", label = "Número", type = "A", max = 12, pattern_by = { tipo = { MU = "[0-9]{5}", DE = "[0-9]{2}" } } },
        ]
    Rejects:
        2|MU|52
    Accepts:
        2|MU|52001
        2|DE|52
    """
    if field.pattern_by is None:
        return None
    name, label = _by(field, record, field.pattern_by)
    cases = field.pattern_by[name]
    wrong = [(pl.col(name) == value) & ~cell(field).str.contains(f"^(?:{shape})$") for value, shape in cases.items()]
    return Fault(filled(field) & pl.any_horizontal(wrong), {"otro": label})


@fault(
    "EST042",
    title="Dígito de verificación errado",
    es="«{campo}» trae {valor} y no es el dígito de verificación de «{otro}»",
    en="{campo} holds {valor}, which is not the check digit of {otro}",
    cause="El NIT o su dígito de verificación están mal escritos.",
    remedy="Verifique el NIT y su dígito en el RUT.",
    source="ficha 3.3",
    since="0.2.0",
)
def check_digit_wrong(field: Field, record: Record) -> Fault | None:
    """The check digit of a NIT follows from its digits.

    Annex:
        fields = [
          { name = "nit", label = "NIT", type = "N", max = 12 },
          { name = "dv", label = "Dígito de verificación", type = "N", max = 1, leading_zeros = true, check_digit_of = "nit" },
        ]
    Rejects:
        2|900123456|1
    Accepts:
        2|900123456|8
    """
    if field.check_digit_of is None:
        return None
    right = check_digit(pl.col(field.check_digit_of))
    return Fault(filled(field) & (cell(field) != right), {"otro": titled(field.check_digit_of, record)})
