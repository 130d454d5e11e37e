"""EST, cells: comma lists, patterns, limits, wildcards.

Each example is read with the annex its docstring shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from pisis_batch.frames import pl
from pisis_batch.layouts import CATALOGS, Field, Record
from pisis_batch.validators.celdas import cell, filled, wild
from pisis_batch.validators.condiciones import day, within
from pisis_batch.validators.rule import Fault, fault


@fault(
    "EST031",
    title="Campo reservado",
    es="«{campo}» va siempre vacío y trae «{valor}»",
    en="{campo} is always empty and holds {valor}",
    cause="Se escribió un dato en una posición que el anexo reserva y no usa.",
    remedy="Borre el dato y deje los separadores seguidos.",
    since="0.2.0",
)
def reserved_filled(field: Field, record: Record) -> Fault | None:
    """A reserved position stays empty.

    Annex:
        fields = [{ name = "libre", label = "Posición libre", reserved = true }]
    Rejects:
        2|7
    Accepts:
        2|
    """
    return Fault(filled(field)) if field.reserved else None


@fault(
    "EST032",
    title="Lista mal escrita",
    es="«{campo}» debe ser una lista de códigos separados por {signo}, sin espacios, y trae «{valor}»",
    en="{campo} must be a list of codes separated by {sign}, without spaces, and holds {valor}",
    cause="Entre los códigos hay espacios, otro signo, o falta un código.",
    remedy="Escriba los códigos seguidos, separados solo por el signo de la lista, por ejemplo 1,3,6.",
    since="0.2.0",
)
def list_misshapen(field: Field, record: Record) -> Fault | None:
    """Several codes share a cell, one sign between them and nothing else.

    Annex:
        fields = [{ name = "medios", label = "Medios de transporte", type = "A", max = 9, list = ",", values = { 1 = "Bus", 2 = "Moto" } }]
    Rejects:
        2|1, 2
        2|1,,2
        2|1,
        2|1;2
    Accepts:
        2|1,2
        2|2
    """
    if not field.list:
        return None
    item = f"[^{field.list} ;.|/-]+" if not field.values else f"[^{field.list} ;]+"
    shape = f"^{item}({field.list}{item})*$"
    words = {",": ("coma", "commas"), ";": ("punto y coma", "semicolons")}[field.list]
    return Fault(filled(field) & ~cell(field).str.contains(shape), {"signo": words[0], "sign": words[1]})


def _items(field: Field) -> pl.Expr:
    return cell(field).str.split(field.list or ",")


def _options(field: Field) -> Mapping[str, str] | None:
    """The codes a list may join, with their meaning; None when they are not written in the layout."""
    if field.values:
        return field.values
    catalog = CATALOGS.get(field.catalog or "")
    return None if catalog is None or catalog.elsewhere else catalog.codes


@fault(
    "EST033",
    title="Opción que no está en la lista",
    es="«{campo}» trae «{valor}» y alguno de sus códigos no se permite; los permitidos son {permitidos}",
    en="{campo} holds {valor} and one of its codes is not allowed; allowed are {permitidos}",
    cause="Uno de los códigos de la lista no es de las opciones del campo.",
    remedy="Quite o corrija el código que no está entre los permitidos.",
    since="0.2.0",
)
def option_not_allowed(field: Field, record: Record) -> Fault | None:
    """Each code of a list is one of the field's options.

    Annex:
        fields = [{ name = "medios", label = "Medios de transporte", type = "A", max = 9, list = ",", values = { 1 = "Bus", 2 = "Moto" } }]
    Rejects:
        2|1,3
        2|01
    Accepts:
        2|2,1
    """
    options = _options(field) if field.list else None
    if options is None:
        return None
    words = ", ".join(f"{code} ({name})" if name else code for code, name in options.items())
    stray = _items(field).list.eval(~pl.element().is_in(list(options))).list.any()
    return Fault(filled(field) & stray, {"permitidos": words})


@fault(
    "EST034",
    title="Opción que va sola",
    es="«{campo}» trae «{valor}»: {sola} no se junta con otros códigos",
    en="{campo} holds {valor}: {sola} cannot be joined with other codes",
    cause="Se marcó «ninguno» o «no aplica» junto con otras opciones.",
    remedy="Deje el código solo, o quítelo y deje los demás.",
    since="0.2.0",
)
def exclusive_joined(field: Field, record: Record) -> Fault | None:
    """«None» or «not applicable» stands alone.

    Annex:
        fields = [{ name = "medios", label = "Medios", type = "A", max = 9, list = ",", values = { 1 = "Bus", 2 = "Moto", 9 = "Ninguno" }, exclusive = "9" }]
    Rejects:
        2|1,9
    Accepts:
        2|9
        2|1,2
    """
    if not field.list or not field.exclusive:
        return None
    meaning = field.values or {}
    words = " y ".join(f"{code} ({meaning[code]})" if meaning.get(code) else code for code in field.exclusive)
    alone = _items(field).list.eval(pl.element().is_in(list(field.exclusive))).list.any()
    return Fault(alone & cell(field).str.contains(field.list, literal=True), {"sola": words})


@fault(
    "EST035",
    title="Opción repetida",
    es="«{campo}» trae «{valor}» y repite un código",
    en="{campo} holds {valor} and repeats a code",
    cause="La misma opción se escribió dos veces en la lista.",
    remedy="Deje cada código una sola vez.",
    since="0.2.0",
)
def option_repeated(field: Field, record: Record) -> Fault | None:
    """A list names each option once.

    Annex:
        fields = [{ name = "medios", label = "Medios", type = "A", max = 9, list = ",", values = { 1 = "Bus", 2 = "Moto" } }]
    Rejects:
        2|1,1
    Accepts:
        2|1,2
    """
    if not field.list:
        return None
    return Fault(_items(field).list.n_unique() < _items(field).list.len())


@fault(
    "EST036",
    title="Dato con otra forma",
    es="«{campo}» trae «{valor}» y debe ser {forma}",
    en="{campo} holds {valor}, which does not have the form {forma}",
    cause="El código está incompleto, tiene signos de más o es de otra tabla.",
    remedy="Escriba el dato con la forma que pide el anexo.",
    since="0.2.0",
)
def pattern_broken(field: Field, record: Record) -> Fault | None:
    """A field with a pattern matches it whole.

    Annex:
        fields = [{ name = "territorio", label = "Territorio", type = "A", max = 3, pattern = "T[0-9]{2}", pattern_words = "T y dos cifras" }]
    Rejects:
        2|X01
        2|T1
    Accepts:
        2|T01
    """
    if field.pattern is None:
        return None
    wrong = filled(field) & ~wild(field) & ~cell(field).str.contains(f"^(?:{field.pattern})$")
    return Fault(wrong, {"forma": field.pattern_words or field.pattern})


@fault(
    "EST037",
    title="Valor fuera de límites",
    es="«{campo}» trae «{valor}» y debe ser {limites}",
    en="{campo} holds {valor}, outside the limits {limits}",
    cause="El valor se escribió en otra unidad, con cifras de más, o no es posible.",
    remedy="Verifique el valor y la unidad en que se pide.",
    since="0.2.0",
)
def out_of_range(field: Field, record: Record) -> Fault | None:
    """A number or a date lies within the field's limits, both included; wildcards are left out.

    Annex:
        fields = [
            { name = "puntaje", label = "Puntaje", type = "N", max = 3, range = "0..100", sentinels = "999" },
            { name = "grado", label = "Grado", type = "A", max = 2, range = "1..11", required = false },
        ]
    Rejects:
        2|101|
        2|100|12
        2|100|AB
    Accepts:
        2|0|
        2|100|11
        2|999|1
    """
    if field.range is None:
        return None
    inside = within(cell(field), field.range)
    if field.type in "AT":
        inside = inside.fill_null(value=False)
    wrong = filled(field) & ~wild(field) & ~inside
    return Fault(wrong, {"limites": field.range.words(), "limits": str(field.range)}, field.range_severity)


@fault(
    "EST038",
    title="Comodín que no se permite aquí",
    es="«{campo}» trae {valor}, que es anterior a 1900 y no es un comodín de este campo; se permiten {comodines}",
    en="{campo} holds {valor}, which is before 1900 and no wildcard of this field; allowed are {comodines}",
    cause="Se usó un comodín de otro campo, o el año está mal escrito.",
    remedy="Use uno de los comodines permitidos o la fecha real.",
    since="0.2.0",
)
def wildcard_not_allowed(field: Field, record: Record) -> Fault | None:
    """A date before 1900 is one of the wildcards allowed for its field.

    Annex:
        fields = [{ name = "fecha", label = "Fecha del parto", type = "F", sentinels = ["1800-01-01", "1845-01-01"] }]
    Rejects:
        2|1805-01-01
        2|1899-12-31
    Accepts:
        2|1845-01-01
        2|2026-03-04
    """
    if field.type != "F" or field.sentinels is None or field.allowed is not None:
        return None
    early = day(cell(field)).is_not_null() & (cell(field).str.slice(0, 4) < "1900")
    return Fault(early & ~wild(field), {"comodines": ", ".join(field.sentinels) or "ninguno"})


@fault(
    "EST039",
    title="Hora mal escrita",
    es="«{campo}» debe escribirse HH:MM, de 00:00 a 23:59, y trae «{valor}»",
    en="{campo} must be written HH:MM, from 00:00 to 23:59, and holds {valor}",
    cause="La hora lleva segundos, a. m. o p. m., o le faltan ceros.",
    remedy="Escriba hora y minutos con dos cifras cada uno, en 24 horas, por ejemplo 08:05.",
    since="0.2.0",
)
def time_misspelt(field: Field, record: Record) -> Fault | None:
    """Times are HH:MM of 24 hours.

    Annex:
        fields = [{ name = "hora", label = "Hora de la atención", type = "H" }]
    Rejects:
        2|8:05
        2|24:00
    Accepts:
        2|08:05
    """
    if field.type != "H" or field.allowed is not None:
        return None
    return Fault(filled(field) & ~wild(field) & ~cell(field).str.contains("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
