"""NOM: the name of the file against the grammar of its annex."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.layouts import NameFault, Piece, Shelf
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, Found, rule


def _named(**columns: str) -> pl.DataFrame:
    return pl.DataFrame({name: [value] for name, value in columns.items()})


def unknown_annex(name: str, shelf: Shelf) -> pl.DataFrame:
    """The row of NOM001 for a name that begins like no known annex."""
    return _named(value=name, anexos=", ".join(shelf.annexes()))


@rule(
    "NOM001",
    title="Nombre de archivo desconocido",
    es="El nombre «{valor}» no corresponde a ningún anexo que se reciba aquí; los nombres comienzan por {anexos}",
    en="The name {valor} belongs to no annex received here; names begin with {anexos}",
    cause="El archivo tiene otro nombre, o es de un anexo que no se recibe por este medio.",
    remedy="Póngale al archivo el nombre que pide el anexo técnico y envíelo de nuevo.",
    source="ficha 1.1",
)
def annex_unknown(batch: Batch, facts: Facts) -> Found:
    """The first letters of the name say which annex the file is. Judged before there is a layout to read it with.

    Rejects:
        USUARIOS.TXT
    Accepts:
        SEG500USIN20260715NI000900123456.TXT
    """
    return NOTHING


@rule(
    "NOM002",
    title="Nombre de archivo mal formado",
    es="El nombre «{valor}» no cumple la forma del anexo: en la posición {posicion} se esperaba {esperado} y hay «{hallado}»",
    en="The name {valor} does not follow the annex: at position {posicion} {esperado} was expected and {hallado} was found",
    cause="Al nombre le sobra o le falta una parte: la fecha, el tipo o el número de la entidad, los ceros o la extensión.",
    remedy="Corrija el nombre. Ejemplo: SEG500USIN20260715NI000900123456.TXT (fecha de corte, tipo de identificación y"
    " número de la entidad con ceros hasta doce cifras).",
    source="ficha 1.1",
)
def name_misshapen(batch: Batch, facts: Facts) -> Found:
    """The name has the annex's code, the cut date, the entity's type and padded number, and the extension.

    Rejects:
        SEG500USIN20260715NI900123456.TXT
        SEG500USIN20260715NI000900123456 (1).TXT
        SEG500USIN20260715NI000900123456.TXT.TXT
        SEG500USIN2026-07-15NI000900123456.TXT
    Accepts:
        seg500usin20260715ni000900123456.txt
    """
    stated = batch.layout.file_name.read(batch.file_name)
    if not isinstance(stated, NameFault) or stated.kind == "fecha":
        return NOTHING
    expected = _expected(stated.piece, batch)
    return _named(
        value=batch.file_name, posicion=str(stated.position), esperado=expected, hallado=stated.given or "nada"
    )


def _expected(piece: Piece | None, batch: Batch) -> str:
    """What should stand at a stretch of the name, in Spanish."""
    if piece is None:
        return "el final del nombre"
    if piece.field is None:
        return f"«{piece.text}»"
    if piece.text == "AAAAMMDD":
        return "la fecha de corte AAAAMMDD"
    field, part = batch.layout.control.by_name.get(piece.field), batch.layout.name_parts.get(piece.field)
    label = field.label if field else part.label if part else piece.field
    return f"«{label}» en {piece.width} {piece.kind}"


@rule(
    "NOM003",
    title="Fecha del nombre que no existe",
    es="El nombre «{valor}» lleva la fecha {hallado}, que no existe en el calendario",
    en="The name {valor} holds the date {hallado}, which does not exist",
    cause="El año, el mes o el día del nombre están cambiados de orden o mal escritos.",
    remedy="Escriba en el nombre la fecha de corte como AAAAMMDD, la misma del registro de control sin guiones.",
    source="ficha 1.1",
)
def name_date_impossible(batch: Batch, facts: Facts) -> Found:
    """The eight digits of the name are a real date.

    Rejects:
        SEG500USIN20261507NI000900123456.TXT
    Accepts:
        SEG500USIN20260715NI000900123456.TXT
    """
    stated = batch.layout.file_name.read(batch.file_name)
    if not isinstance(stated, NameFault) or stated.kind != "fecha":
        return NOTHING
    return _named(value=batch.file_name, hallado=stated.given)


@rule(
    "NOM004",
    title="Parte del nombre que no se permite",
    es="El nombre «{valor}» lleva «{hallado}» en «{parte}»; se permiten {permitidos}",
    en="The name {valor} holds {hallado} as {parte}; allowed are {permitidos}",
    cause="Se usó un código de otro anexo, o se cambió el orden de las partes del nombre.",
    remedy="Corrija esa parte del nombre.",
    since="0.2.0",
)
def name_part_not_allowed(batch: Batch, facts: Facts) -> Found:
    """A part of the name with a closed list holds one of its values.

    Annex:
        file_name = "ANX100EJEM{fecha_corte:AAAAMMDD}{tipo_id_entidad:2}{num_id_entidad:012}{regimen:1}.TXT"
        name_parts = { regimen = { label = "Régimen", values = { S = "Subsidiado", C = "Contributivo" } } }
        fields = [{ name = "dato", label = "Dato", max = 2 }]
    Rejects:
        ANX100EJEM20260715NI000900123456X.TXT
    Accepts:
        ANX100EJEM20260715NI000900123456S.TXT
    """
    stated = batch.layout.file_name.read(batch.file_name)
    found = []
    for name, part in batch.layout.name_parts.items():
        given = stated.get(name) if isinstance(stated, dict) else None
        if given is not None and part.values and given not in part.values:
            words = ", ".join(f"{value} ({meaning})" if meaning else value for value, meaning in part.values.items())
            found.append(_named(value=batch.file_name, hallado=given, parte=part.label, permitidos=words))
    return pl.concat(found) if found else NOTHING
