"""EST, cells: what a layout implies for each cell, the most telling first. One finding per cell.

`first_fault(field, record)` is an expression with the code of the first thing wrong with a cell, or null.
"""

from collections.abc import Iterator

import polars as pl

from pisis_batch.layouts import CATALOGS, Condition, Field, Not, Record
from pisis_batch.reading import CP1252
from pisis_batch.validators.rule import RULES, Fault, fault

_ACCENTED = "ÁÉÍÓÚÀÈÌÒÙÄËÏÖÜÂÊÎÔÛÃÕÇÅÝáéíóúàèìòùäëïöüâêîôûãõçåýÿŸ"


def _class(low: int, high: int) -> str:
    """A regular expression class of the characters that stand for a range of bytes."""
    return "[" + "".join(f"\\x{{{ord(CP1252[n]):X}}}" for n in range(low, high + 1)) + "]"


_TAIL = _class(0x80, 0xBF)
#: A multi-byte UTF-8 sequence as it looks when read as cp1252: «Ã‘» for Ñ.
UTF8_AS_CP1252 = f"{_class(0xC2, 0xDF)}{_TAIL}|{_class(0xE0, 0xEF)}{_TAIL}{{2}}|{_class(0xF0, 0xF4)}{_TAIL}{{3}}"
_CONTROL = r"[\x00-\x1F\x7F-\x{9F}]"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MAIL = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$"
)


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
        values = clause.values if isinstance(clause, Not) else clause
        verb = "no es" if isinstance(clause, Not) else "es"
        parts.append(f"«{label}» {verb} " + " ni ".join(values) if isinstance(clause, Not) else f"«{label}» {verb} " + " o ".join(values))
    return " y ".join(parts)


def faults(field: Field, record: Record) -> Iterator[tuple[str, Fault]]:
    """Each thing that can be wrong with a cell of this field, the most telling first."""
    for made in RULES.values():
        if made.judges and (found := made.judges(field, record)) is not None:
            yield made.code, found


def first_fault(field: Field, record: Record) -> pl.Expr:
    """The code of the first thing wrong with a cell, or null when it is sound."""
    return pl.coalesce(
        *[pl.when(found.wrong).then(pl.lit(code)) for code, found in faults(field, record)], pl.lit(None, dtype=pl.String)
    )


def _filled(field: Field) -> pl.Expr:
    return cell(field) != ""


@fault(
    "EST028",
    title="Texto guardado en UTF-8",
    es="«{campo}» está guardado en UTF-8 y se lee «{valor}»; el archivo debe guardarse como texto ANSI (Windows-1252)",
    en="{campo} is stored as UTF-8 and reads {valor}; the file must be ANSI text (Windows-1252)",
    cause="El programa que hizo el archivo lo guardó en UTF-8; por eso la Ñ y otros signos se leen cambiados.",
    remedy="Guarde de nuevo el archivo con codificación ANSI (en el Bloc de notas: Guardar como, Codificación, ANSI).",
    source="dossier 2.2, Q12",
)
def utf8_in_cell(field: Field, record: Record) -> Fault:
    """Text is one byte a character; a UTF-8 sequence shows as two or three odd letters.

    Rejects:
        2|1|CC|1090000001|JUAN|MU\u00c3\u2018OZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|MUÑOZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains(UTF8_AS_CP1252))


@fault(
    "EST027",
    title="Carácter invisible o no definido",
    es="«{campo}» contiene un carácter de control o un byte que no es texto: «{valor}»",
    en="{campo} holds a control character or a byte that is not text: {valor}",
    cause="Quedó dentro del dato un carácter que no se ve: tabulador, salto de línea suelto, nulo o similar.",
    remedy="Borre el dato y escríbalo de nuevo a mano; no lo copie desde otra aplicación.",
    source="dossier 2.12",
)
def control_character(field: Field, record: Record) -> Fault:
    r"""No cell holds control characters, NUL, a lone carriage return or a byte that cp1252 leaves undefined.

    Rejects:
        2|1|CC|1090000001|JU\x09AN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains(_CONTROL))


@fault(
    "EST026",
    title="Comillas en un dato",
    es="«{campo}» contiene comillas: «{valor}»; los datos se escriben sin comillas",
    en="{campo} holds quotation marks: {valor}; data are written without them",
    cause="El programa que hizo el archivo encerró los datos entre comillas, o se escribió una comilla.",
    remedy="Quite las comillas; ningún dato va encerrado entre signos.",
    source="dossier 2.6",
)
def quotation_mark(field: Field, record: Record) -> Fault:
    """Neither quotes nor any other enclosing character.

    Rejects:
        2|1|CC|1090000001|"JUAN"|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains('["“”]') | cell(field).str.contains("^'.*'$"))


@fault(
    "EST025",
    title="Espacios sobrantes",
    es="«{campo}» tiene espacios al comienzo o al final: «{valor}»",
    en="{campo} has spaces at the beginning or the end: {valor}",
    cause="El dato se rellenó o se copió con espacios. Un campo sin dato no lleva nada entre las barras.",
    remedy="Quite los espacios; si el campo no tiene dato, deje las dos barras seguidas (||).",
    source="dossier 2.5, 2.10",
)
def surrounding_space(field: Field, record: Record) -> Fault:
    """Cells are not padded; an empty cell has nothing between its pipes.

    Rejects:
        2|1|CC|1090000001|JUAN |PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|O| ||||
    Accepts:
        2|1|CC|1090000001|JUAN DE DIOS|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    return Fault(cell(field).str.contains(r"^[ \x{A0}]|[ \x{A0}]$"))


@fault(
    "EST010",
    title="Falta un dato obligatorio",
    es="«{campo}» está vacío y es obligatorio{condicion}",
    en="{campo} is empty and is mandatory{condition}",
    cause="El campo se dejó sin dato.",
    remedy="Escriba el dato que falta.",
    source="dossier 1.3-1.5; estilo de Error001",
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
    empty = cell(field) == ""
    if field.condition:
        words = in_words(field.condition, record)
        return Fault(empty & holds(field.condition, record), {"condicion": f" cuando {words}", "condition": f" when {words}"})
    return Fault(empty, {"condicion": "", "condition": ""}) if field.required else None


@fault(
    "EST011",
    title="Dato donde debe ir vacío",
    es="«{campo}» trae «{valor}» y debe ir vacío: solo se diligencia cuando {condicion}",
    en="{campo} holds {valor} and must be empty: it is filled only when {condicion}",
    cause="Se diligenció un campo que no aplica para este registro.",
    remedy="Borre el dato y deje las barras; o revise si la acción o el indicador del registro es otro.",
    source="dossier 1.4, 1.5",
)
def forbidden_value(field: Field, record: Record) -> Fault | None:
    """A field that belongs to a condition is empty when the condition does not hold.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|3150000000||||
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|1|2026-12-31|ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    if not field.only_if:
        return None
    return Fault(_filled(field) & ~holds(field.only_if, record), {"condicion": in_words(field.only_if, record)})


@fault(
    "EST021",
    title="Letras minúsculas",
    es="«{campo}» trae minúsculas: «{valor}»; los datos van en mayúsculas",
    en="{campo} has lower-case letters: {valor}; data are written in upper case",
    cause="El dato se escribió en minúsculas. Solo los correos electrónicos pueden llevarlas.",
    remedy="Escriba el dato en mayúsculas.",
    source="dossier 2.3, Q13",
)
def lower_case(field: Field, record: Record) -> Fault | None:
    """Data are upper case; e-mail addresses are exempt.

    Rejects:
        2|1|CC|1090000001|Juan|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|v|3150000000|MEDICO|1||ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||juan@ese.gov.co
    """
    if field.type not in "AT" or field.format == "correo":
        return None
    return Fault(cell(field).str.contains("[a-zñ]"))


@fault(
    "EST022",
    title="Tildes",
    es="«{campo}» trae tildes o diéresis: «{valor}»; escríbalo sin ellas (la Ñ sí se permite)",
    en="{campo} has accented letters: {valor}; write it without them (Ñ is allowed)",
    cause="El dato se escribió con tildes, diéresis u otras marcas sobre las letras.",
    remedy="Quite las tildes. La letra Ñ se conserva.",
    source="dossier 2.3, Q13",
)
def accented_letter(field: Field, record: Record) -> Fault | None:
    """No accents; Ñ stays.

    Rejects:
        2|1|CC|1090000001|JOSÉ|PEREZ|V|3150000000|MEDICO|1||JOSE@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JOSE|MUÑOZ|V|3150000000|MEDICO|1||JOSE@ESE.GOV.CO
    """
    if field.type not in "AT" or field.format == "correo":
        return None
    return Fault(cell(field).str.contains(f"[{_ACCENTED}]"))


@fault(
    "EST014",
    title="Valor no permitido",
    es="«{campo}» tiene un valor no permitido: «{valor}»; los permitidos son {permitidos}",
    en="{campo} has a value that is not allowed: {valor}; allowed are {permitidos}",
    cause="El dato no está en la lista de valores del campo.",
    remedy="Cámbielo por uno de los valores permitidos.",
    source="estilo de Error003",
)
def value_not_allowed(field: Field, record: Record) -> Fault | None:
    """A field with a closed list holds one of its values.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|X|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.allowed is None:
        return None
    meaning = field.values or {}
    words = ", ".join(f"{value} ({meaning[value]})" if value in meaning else value for value in field.allowed)
    return Fault(_filled(field) & ~cell(field).is_in(list(field.allowed)), {"permitidos": words})


@fault(
    "EST015",
    title="Código fuera de la tabla de referencia",
    es="«{campo}» trae «{valor}», que no se acepta; los códigos vigentes de la tabla {tabla} son {permitidos}",
    en="{campo} holds {valor}, which is not accepted; the codes in force of table {tabla} are {permitidos}",
    cause="El código no existe en la tabla de referencia, o existe pero no está habilitado para este anexo.",
    remedy="Use uno de los códigos vigentes de la tabla.",
    source="dossier 3.1, 3.4, Q2, Q3",
)
def code_not_in_catalog(field: Field, record: Record) -> Fault | None:
    """A coded field holds a code of its reference table that is enabled.

    Rejects:
        2|1|XX|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|TI|1090000002|ANA|RUIZ|V|3150000000|MEDICO|1||ANA@ESE.GOV.CO
    Accepts:
        2|1|CE|109000|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    catalog = CATALOGS.get(field.catalog or "")
    if catalog is None or catalog.registry:
        return None
    words = ", ".join(f"{code} ({name})" for code, name in catalog.codes.items())
    wrong = _filled(field) & ~cell(field).is_in(list(catalog.codes))
    return Fault(wrong, {"tabla": field.catalog or "", "permitidos": words})


@fault(
    "EST016",
    title="Dato no numérico",
    es="«{campo}» debe tener solo números y trae «{valor}»",
    en="{campo} must be digits only and holds {valor}",
    cause="El dato lleva letras, puntos, guiones, espacios u otros signos.",
    remedy="Escriba solo las cifras, sin puntos, comas, guiones ni espacios.",
    source="dossier 2.7",
)
def not_digits(field: Field, record: Record) -> Fault | None:
    """A numeric field holds ASCII digits only: no separators, no sign.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|315-000-0000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.type != "N" or field.allowed is not None:
        return None
    return Fault(_filled(field) & ~cell(field).str.contains("^[0-9]+$"))


@fault(
    "EST018",
    title="Número decimal mal escrito",
    es="«{campo}» debe ser un número con punto decimal y hasta {decimales} decimales, y trae «{valor}»",
    en="{campo} must be a number with a decimal point and up to {decimales} decimals, and holds {valor}",
    cause="El número lleva coma decimal, separador de miles o demasiados decimales.",
    remedy="Escriba el número sin separador de miles y con punto para los decimales, por ejemplo 1250.75.",
    source="dossier 2.7",
)
def not_decimal(field: Field, record: Record) -> Fault | None:
    """A decimal field is digits with an optional point; SEG500USIN has none, so its examples are ordinary lines.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.type != "D":
        return None
    places = 2 if field.decimals is None else field.decimals
    pattern = rf"^-?[0-9]+(\.[0-9]{{1,{places}}})?$" if places else "^-?[0-9]+$"
    return Fault(_filled(field) & ~cell(field).str.contains(pattern), {"decimales": str(places)})


@fault(
    "EST019",
    title="Fecha mal escrita",
    es="«{campo}» debe escribirse AAAA-MM-DD y trae «{valor}»",
    en="{campo} must be written YYYY-MM-DD and holds {valor}",
    cause="La fecha está en otro orden, con otro separador o incompleta.",
    remedy="Escriba año, mes y día con guiones, por ejemplo 2026-07-15.",
    source="dossier 2.8",
)
def date_misspelt(field: Field, record: Record) -> Fault | None:
    """Dates are AAAA-MM-DD, with hyphens and leading zeros.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|31/12/2026|JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|0|2026-1-5|ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2026-12-31|JUAN@ESE.GOV.CO
    """
    if field.type != "F":
        return None
    return Fault(_filled(field) & ~cell(field).str.contains(_DATE))


@fault(
    "EST020",
    title="Fecha que no existe",
    es="«{campo}» trae «{valor}», que no es una fecha del calendario",
    en="{campo} holds {valor}, which is not a date of the calendar",
    cause="El mes no existe, o el mes no tiene ese día (por ejemplo 30 de febrero).",
    remedy="Corrija el mes o el día.",
    source="dossier 2.8",
)
def date_impossible(field: Field, record: Record) -> Fault | None:
    """A date exists and its year is between 1900 and 2199.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2027-02-30|JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2028-02-29|JUAN@ESE.GOV.CO
    """
    if field.type != "F":
        return None
    spelt = cell(field).str.contains(_DATE)
    year = cell(field).str.slice(0, 4)
    impossible = cell(field).str.to_date("%Y-%m-%d", strict=False).is_null() | (year < "1900") | (year > "2199")
    return Fault(spelt & impossible)


@fault(
    "EST024",
    title="Correo electrónico mal escrito",
    es="«{campo}» no es una dirección de correo válida: «{valor}»",
    en="{campo} is not a valid e-mail address: {valor}",
    cause="Falta la arroba o el dominio, o hay espacios, tildes o signos que un correo no lleva.",
    remedy="Escriba una sola dirección completa, por ejemplo NOMBRE@ENTIDAD.GOV.CO.",
    source="dossier 1.3, 1.4",
)
def not_an_address(field: Field, record: Record) -> Fault | None:
    """An e-mail address is ASCII, has one @ and a domain with a dot.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN.ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|1||ANA@ESE
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||juan.perez@ese.gov.co
    """
    if field.format != "correo":
        return None
    address = cell(field).str.contains(_MAIL) & ~cell(field).str.contains("^[^@]{65,}@")
    return Fault(_filled(field) & ~address)


@fault(
    "EST029",
    title="Nombre con cifras o signos",
    es="«{campo}» solo lleva letras y trae «{valor}»",
    en="{campo} takes letters only and holds {valor}",
    cause="El nombre o apellido tiene números, puntos u otros signos.",
    remedy="Escriba el nombre como aparece en el documento de identidad, solo con letras.",
    source="estilo de Error004-006",
)
def name_with_signs(field: Field, record: Record) -> Fault | None:
    """Names are letters; a space, a hyphen or an apostrophe may join them.

    Rejects:
        2|1|CC|1090000001|JU4N|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA.|RUIZ|O|||||
    Accepts:
        2|1|CC|1090000001|ANA-MARIA|D'LEON|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.format != "nombre":
        return None
    return Fault(_filled(field) & ~cell(field).str.contains("^[A-ZÑ]+([ '-][A-ZÑ]+)*$"))


@fault(
    "EST023",
    title="Signos no permitidos",
    es="«{campo}» trae signos que no se permiten: «{valor}»",
    en="{campo} holds signs that are not allowed: {valor}",
    cause="El dato lleva puntos, guiones o signos especiales donde solo van {permitidos}.",
    remedy="Quite los signos; deje solo {permitidos}.",
    source="dossier 2.1, 2.3",
)
def sign_not_allowed(field: Field, record: Record) -> Fault | None:
    """Alphanumeric fields take letters and digits; text fields any sign of the keyboard except pipe and quotes.

    Rejects:
        2|1|CC|1.090.000.001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO Nº 2|1||ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO (URGENCIAS) - 24/7|1||JUAN@ESE.GOV.CO
    """
    if field.allowed is not None or field.format == "correo":
        return None
    if field.type == "A":
        extra = "".join(f"\\x{{{ord(sign):X}}}" for sign in field.chars)
        return Fault(cell(field).str.contains(f"[^A-Za-z0-9Ñ{extra}]"))
    if field.type == "T":
        return Fault(cell(field).str.contains("[^ -~Ñ]"))
    return None


@fault(
    "EST012",
    title="Dato demasiado largo",
    es="«{campo}» tiene más de {maximo} caracteres",
    en="{campo} has more than {maximo} characters",
    cause="El dato pasa la longitud máxima del campo.",
    remedy="Acorte el dato; la longitud del anexo es un máximo.",
    source="dossier 2.9",
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
    return Fault(cell(field).str.len_chars() > field.max, {"maximo": str(field.max)})


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
    return Fault(_filled(field) & (cell(field).str.len_chars() < field.min), {"minimo": str(field.min)})


@fault(
    "EST017",
    title="Ceros a la izquierda",
    es="«{campo}» no lleva ceros a la izquierda y trae «{valor}»",
    en="{campo} takes no leading zeros and holds {valor}",
    cause="El número se rellenó con ceros. Los ceros de relleno solo van en el nombre del archivo.",
    remedy="Quite los ceros de la izquierda.",
    source="dossier 2.10",
)
def padded_number(field: Field, record: Record) -> Fault | None:
    """Numbers are not padded inside the file.

    Rejects:
        2|001|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|0320000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.type != "N" or field.leading_zeros or field.allowed is not None:
        return None
    return Fault(cell(field).str.contains("^0[0-9]"))
