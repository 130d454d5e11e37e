"""EST, cells: what the field's list, table, type and format allow, in the order of telling."""

from pisis_batch.layouts import CATALOGS, Field, Record
from pisis_batch.validators.celdas import ACCENTED, cell, filled, wild
from pisis_batch.validators.rule import Fault, fault

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MAIL = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$"
)


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
    return Fault(filled(field) & ~cell(field).is_in(list(field.allowed)), {"permitidos": words})


@fault(
    "EST015",
    title="Código fuera de la tabla de referencia",
    es="«{campo}» trae «{valor}», que no se acepta; los códigos vigentes de la tabla {tabla} son {permitidos}",
    en="{campo} holds {valor}, which is not accepted; the codes in force of table {tabla} are {permitidos}",
    cause="El código no existe en la tabla de referencia, o existe pero no está habilitado para este anexo.",
    remedy="Use uno de los códigos vigentes de la tabla.",
    source="ficha 3.1, 3.4, Q2, Q3",
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
    if catalog is None or catalog.elsewhere or field.list:
        return None
    words = ", ".join(f"{code} ({name})" for code, name in catalog.codes.items())
    wrong = filled(field) & ~cell(field).is_in([*catalog.codes, *(field.sentinels or ())])
    return Fault(wrong, {"tabla": field.catalog or "", "permitidos": words})


@fault(
    "EST016",
    title="Dato no numérico",
    es="«{campo}» debe tener solo números y trae «{valor}»",
    en="{campo} must be digits only and holds {valor}",
    cause="El dato lleva letras, puntos, guiones, espacios u otros signos.",
    remedy="Escriba solo las cifras, sin puntos, comas, guiones ni espacios.",
    source="ficha 2.7",
)
def not_digits(field: Field, record: Record) -> Fault | None:
    """A numeric field holds ASCII digits only: no separators, no sign.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|315-000-0000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.type != "N" or field.allowed is not None or field.list:
        return None
    sign = "-?" if field.negative else ""
    return Fault(filled(field) & ~cell(field).str.contains(f"^{sign}[0-9]+$"))


@fault(
    "EST018",
    title="Número decimal mal escrito",
    es="«{campo}» debe ser un número {forma}, y trae «{valor}»",
    en="{campo} must be a number {shape}, and holds {valor}",
    cause="El número lleva coma decimal, separador de miles o demasiados decimales.",
    remedy="Escriba el número sin separador de miles y con punto para los decimales, por ejemplo 1250.75.",
    source="ficha 2.7",
)
def not_decimal(field: Field, record: Record) -> Fault | None:
    """A decimal field is digits with an optional point; SEG500USIN has none, so its examples are ordinary lines.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    """
    if field.type != "D" or field.allowed is not None:
        return None
    whole = f"{{1,{field.integers}}}" if field.integers else "+"
    places = decimals(field)
    point = "" if places == 0 else rf"(\.[0-9]{{1,{places}}})?" if places else r"(\.[0-9]+)?"
    sign = "-?" if field.negative else ""
    wrong = ~cell(field).str.contains(f"^{sign}[0-9]{whole}{point}$")
    if field.digits:
        wrong |= cell(field).str.count_matches("[0-9]") > field.digits
    return Fault(filled(field) & ~wild(field) & wrong, {"forma": _shape(field), "shape": _shape_en(field)})


def decimals(field: Field) -> int | None:
    """Digits allowed after the point; None when the source did not say."""
    return None if "decimals" in field.unread else 2 if field.decimals is None else field.decimals


def _shape(field: Field) -> str:
    """`con punto decimal, hasta 3 enteros y 1 decimales`."""
    places = decimals(field)
    parts = [f"hasta {field.digits} cifras"] if field.digits else []
    parts += [f"hasta {field.integers} enteros"] if field.integers else []
    parts += [] if places is None else [f"hasta {places} decimales" if places else "sin decimales"]
    parts += ["sin signo"] if not field.negative else []
    return ", ".join(["con punto decimal", *parts])


def _shape_en(field: Field) -> str:
    places = decimals(field)
    parts = [f"up to {field.digits} digits"] if field.digits else []
    parts += [f"up to {field.integers} before the point"] if field.integers else []
    parts += [] if places is None else [f"up to {places} decimals"]
    parts += ["no sign"] if not field.negative else []
    return ", ".join(["with a decimal point", *parts])


@fault(
    "EST019",
    title="Fecha mal escrita",
    es="«{campo}» debe escribirse AAAA-MM-DD y trae «{valor}»",
    en="{campo} must be written YYYY-MM-DD and holds {valor}",
    cause="La fecha está en otro orden, con otro separador o incompleta.",
    remedy="Escriba año, mes y día con guiones, por ejemplo 2026-07-15.",
    source="ficha 2.8",
)
def date_misspelt(field: Field, record: Record) -> Fault | None:
    """Dates are AAAA-MM-DD, with hyphens and leading zeros.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|31/12/2026|JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO|0|2026-1-5|ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2026-12-31|JUAN@ESE.GOV.CO
    """
    if field.type != "F" or field.allowed is not None:
        return None
    return Fault(filled(field) & ~cell(field).str.contains(_DATE))


@fault(
    "EST020",
    title="Fecha que no existe",
    es="«{campo}» trae «{valor}», que no es una fecha del calendario",
    en="{campo} holds {valor}, which is not a date of the calendar",
    cause="El mes no existe, o el mes no tiene ese día (por ejemplo 30 de febrero).",
    remedy="Corrija el mes o el día.",
    source="ficha 2.8",
)
def date_impossible(field: Field, record: Record) -> Fault | None:
    """A date exists and its year is between 1900 and 2199.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2027-02-30|JUAN@ESE.GOV.CO
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|1899-12-31|JUAN@ESE.GOV.CO
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2200-01-01|JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2028-02-29|JUAN@ESE.GOV.CO
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|1900-01-01|JUAN@ESE.GOV.CO
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|2199-12-31|JUAN@ESE.GOV.CO
    """
    if field.type != "F" or field.allowed is not None:
        return None
    spelt = cell(field).str.contains(_DATE)
    year = cell(field).str.slice(0, 4)
    impossible = cell(field).str.to_date("%Y-%m-%d", strict=False).is_null() | (year > "2199")
    if field.sentinels is None:  # else EST038 tells of a date before 1900
        impossible |= year < "1900"
    return Fault(spelt & impossible & ~wild(field))


@fault(
    "EST024",
    title="Correo electrónico mal escrito",
    es="«{campo}» no es una dirección de correo válida: «{valor}»",
    en="{campo} is not a valid e-mail address: {valor}",
    cause="Falta la arroba o el dominio, o hay espacios, tildes o signos que un correo no lleva.",
    remedy="Escriba una sola dirección completa, por ejemplo NOMBRE@ENTIDAD.GOV.CO.",
    source="ficha 1.3, 1.4",
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
    return Fault(filled(field) & ~address)


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
    return Fault(filled(field) & ~cell(field).str.contains("^[A-ZÑ]+([ '-][A-ZÑ]+)*$"))


@fault(
    "EST023",
    title="Signos no permitidos",
    es="«{campo}» trae signos que no se permiten: «{valor}»",
    en="{campo} holds signs that are not allowed: {valor}",
    cause="El dato lleva puntos, guiones, tildes sueltas o signos especiales que ese campo no admite.",
    remedy="Quite los signos. Un campo alfanumérico lleva solo letras y cifras; uno de texto, además, los signos del teclado menos la barra y las comillas.",
    source="ficha 2.1, 2.3",
)
def sign_not_allowed(field: Field, record: Record) -> Fault | None:
    """Alphanumeric fields take letters and digits; text fields any sign of the keyboard except pipe and quotes.

    Rejects:
        2|1|CC|1.090.000.001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        2|2|CC|1090000002|ANA|RUIZ|V|3150000000|MEDICO Nº 2|1||ANA@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO (URGENCIAS) - 24/7|1||JUAN@ESE.GOV.CO
    """
    if field.allowed is not None or field.format == "correo" or field.list:
        return None
    marked = ACCENTED if field.accents else ""
    if field.case == "any":
        marked += "ñ"
    if field.type == "A":
        extra = "".join(f"\\x{{{ord(sign):X}}}" for sign in field.chars)
        return Fault(cell(field).str.contains(f"[^A-Za-z0-9Ñ{extra}{marked}]"))
    if field.type == "T":
        return Fault(cell(field).str.contains(f"[^ -~Ñ{marked}]"))
    return None
