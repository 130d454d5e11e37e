"""EST, cells: characters and presence, in the order of telling. What a type or a list allows follows in `tipos`."""

from pisis_batch.layouts import Field, Record
from pisis_batch.reading import CP1252
from pisis_batch.validators.celdas import ACCENTED, cell, filled, in_words
from pisis_batch.validators.condiciones import holds
from pisis_batch.validators.rule import Fault, fault


def _class(low: int, high: int) -> str:
    """A regular expression class of the characters that stand for a range of bytes."""
    return "[" + "".join(f"\\x{{{ord(CP1252[n]):X}}}" for n in range(low, high + 1)) + "]"


_TAIL = _class(0x80, 0xBF)
#: A multi-byte UTF-8 sequence as it looks when read as cp1252: «Ã‘» for Ñ.
UTF8_AS_CP1252 = f"{_class(0xC2, 0xDF)}{_TAIL}|{_class(0xE0, 0xEF)}{_TAIL}{{2}}|{_class(0xF0, 0xF4)}{_TAIL}{{3}}"
_CONTROL = r"[\x00-\x1F\x7F-\x{9F}]"


@fault(
    "EST028",
    title="Texto guardado en UTF-8",
    es="«{campo}» está guardado en UTF-8 y se lee «{valor}»; el archivo debe guardarse como texto ANSI (Windows-1252)",
    en="{campo} is stored as UTF-8 and reads {valor}; the file must be ANSI text (Windows-1252)",
    cause="El programa que hizo el archivo lo guardó en UTF-8; por eso la Ñ y otros signos se leen cambiados.",
    remedy="Guarde de nuevo el archivo con codificación ANSI (en el Bloc de notas: Guardar como, Codificación, ANSI).",
    source="ficha 2.2, Q12",
)
def utf8_in_cell(field: Field, record: Record) -> Fault:
    """Text is one byte a character; a UTF-8 sequence shows as two or three odd letters.

    Rejects:
        2|1|CC|1090000001|JUAN|MU\u00c3\u2018OZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|MUÑOZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains(UTF8_AS_CP1252), odd=True)


@fault(
    "EST027",
    title="Carácter invisible o no definido",
    es="«{campo}» contiene un carácter de control o un byte que no es texto: «{valor}»",
    en="{campo} holds a control character or a byte that is not text: {valor}",
    cause="Quedó dentro del dato un carácter que no se ve: tabulador, salto de línea suelto, nulo o similar.",
    remedy="Borre el dato y escríbalo de nuevo a mano; no lo copie desde otra aplicación.",
    source="ficha 2.12",
)
def control_character(field: Field, record: Record) -> Fault:
    r"""No cell holds control characters, NUL, a lone carriage return or a byte that cp1252 leaves undefined.

    Rejects:
        2|1|CC|1090000001|JU\x09AN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains(_CONTROL), odd=True)


@fault(
    "EST026",
    title="Comillas en un dato",
    es="«{campo}» contiene comillas: «{valor}»; los datos se escriben sin comillas",
    en="{campo} holds quotation marks: {valor}; data are written without them",
    cause="El programa que hizo el archivo encerró los datos entre comillas, o se escribió una comilla.",
    remedy="Quite las comillas; ningún dato va encerrado entre signos.",
    source="ficha 2.6",
)
def quotation_mark(field: Field, record: Record) -> Fault:
    """Neither quotes nor any other enclosing character.

    Rejects:
        2|1|CC|1090000001|"JUAN"|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains('["“”]') | cell(field).str.contains("^'.*'$"), odd=True)


@fault(
    "EST025",
    title="Espacios sobrantes",
    es="«{campo}» tiene espacios al comienzo o al final: «{valor}»",
    en="{campo} has spaces at the beginning or the end: {valor}",
    cause="El dato se rellenó o se copió con espacios. Un campo sin dato no lleva nada entre las barras.",
    remedy="Quite los espacios; si el campo no tiene dato, deje las dos barras seguidas (||).",
    source="ficha 2.5, 2.10",
)
def surrounding_space(field: Field, record: Record) -> Fault:
    """Cells are not padded; an empty cell has nothing between its pipes.

    Rejects:
        2|1|CC|1090000001|JUAN |PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|O| ||||
    Accepts:
        2|1|CC|1090000001|JUAN DE DIOS|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains(r"^[ \x{A0}]|[ \x{A0}]$"), odd=True)


@fault(
    "EST010",
    title="Falta un dato obligatorio",
    es="«{campo}» está vacío y es obligatorio{condicion}",
    en="{campo} is empty and is mandatory{condition}",
    cause="El campo se dejó sin dato.",
    remedy="Escriba el dato que falta.",
    source="ficha 1.3-1.5; estilo de Error001",
)
def mandatory_missing(field: Field, record: Record) -> Fault | None:
    """A mandatory field is filled; a conditional one when its condition holds.

    Rejects:
        2|1|CC|1090000001||PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|0||ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|O|||||
    """
    if field.reserved:
        return None
    empty = cell(field) == ""
    if field.empty_if:
        empty &= ~holds(field.empty_if, record)
    if field.condition:
        words = in_words(field.condition, record)
        return Fault(
            empty & holds(field.condition, record), {"condicion": f" cuando {words}", "condition": f" when {words}"}
        )
    return Fault(empty, {"condicion": "", "condition": ""}) if field.required else None


@fault(
    "EST011",
    title="Dato donde debe ir vacío",
    es="«{campo}» trae «{valor}» y debe ir vacío{motivo}",
    en="{campo} holds {valor} and must be empty{reason}",
    cause="Se diligenció un campo que no aplica para este registro.",
    remedy="Borre el dato y deje las barras; o revise si la acción o el indicador del registro es otro.",
    source="ficha 1.4, 1.5",
)
def forbidden_value(field: Field, record: Record) -> Fault | None:
    """A field that belongs to a condition is empty when the condition does not hold.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|3150000000||||
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|1|2026-12-31|ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    if field.empty_if:
        words = in_words(field.empty_if, record)
        held = holds(field.empty_if, record)
        if field.only_if:
            held |= ~holds(field.only_if, record)
            words += f", y solo se diligencia cuando {in_words(field.only_if, record)}"
        return Fault(filled(field) & held, {"motivo": f" cuando {words}", "reason": f" when {words}"})
    if field.only_if:
        words = in_words(field.only_if, record)
        reasons = {"motivo": f": solo se diligencia cuando {words}", "reason": f": it is filled only when {words}"}
        return Fault(filled(field) & ~holds(field.only_if, record), reasons)
    return None


@fault(
    "EST021",
    title="Letras minúsculas",
    es="«{campo}» trae minúsculas: «{valor}»; los datos van en mayúsculas",
    en="{campo} has lower-case letters: {valor}; data are written in upper case",
    cause="El dato se escribió en minúsculas. Solo los correos electrónicos pueden llevarlas.",
    remedy="Escriba el dato en mayúsculas.",
    source="ficha 2.3, Q13",
)
def lower_case(field: Field, record: Record) -> Fault | None:
    """Data are upper case; e-mail addresses are exempt.

    Rejects:
        2|1|CC|1090000001|Juan|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|v|3150000000|MEDICO|1||ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||juan@ese.gov.co
    """
    if field.type not in "AT" or field.format == "correo" or field.case == "any":
        return None
    return Fault(cell(field).str.contains("[a-zñ]"))


@fault(
    "EST022",
    title="Tildes",
    es="«{campo}» trae tildes o diéresis: «{valor}»; escríbalo sin ellas (la Ñ sí se permite)",
    en="{campo} has accented letters: {valor}; write it without them (Ñ is allowed)",
    cause="El dato se escribió con tildes, diéresis u otras marcas sobre las letras.",
    remedy="Quite las tildes. La letra Ñ se conserva.",
    source="ficha 2.3, Q13",
)
def accented_letter(field: Field, record: Record) -> Fault | None:
    """No accents; Ñ stays.

    Rejects:
        2|1|CC|1090000001|JOSÉ|PEREZ|V|3150000000|MEDICO|1||JOSE@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JOSE|MUÑOZ|V|3150000000|MEDICO|1||JOSE@ESE.GOV.CO
    """
    if field.type not in "AT" or field.format == "correo" or field.accents:
        return None
    return Fault(cell(field).str.contains(f"[{ACCENTED}]"), odd=True)
