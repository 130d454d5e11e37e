"""EST, lines and whole files: what could not be read as a record, each on its own line."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import Found, rule


def _odd(batch: Batch, problem: str) -> pl.DataFrame:
    return batch.irregular.filter(pl.col("problem") == problem).drop("value")


@rule(
    "EST001",
    reach="irregular",
    title="Archivo vacío",
    es="El archivo está vacío: no tiene ningún registro",
    en="The file is empty",
    cause="El archivo no tiene contenido, o el envío se interrumpió.",
    remedy="Genere el archivo de nuevo, ábralo para confirmar que tiene registros y envíelo otra vez.",
    source="ficha 1.2",
)
def empty_file(batch: Batch, facts: Facts) -> Found:
    r"""A file has at least a control record.

    Rejects:
        \n
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "empty")


@rule(
    "EST002",
    reach="irregular",
    title="Archivo demasiado grande",
    es="El archivo pasa de {maximo} bytes, el tamaño máximo que se recibe",
    en="The file is larger than {maximo} bytes, the largest size received",
    cause="El archivo pasa del límite de tamaño.",
    remedy="Divida el reporte en varios archivos, o escriba a la Mesa de Ayuda.",
    source="Q29",
)
def oversized_file(batch: Batch, facts: Facts) -> Found:
    """The size limit is a setting. Not shown as an example line: it takes a large file.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "too_big").with_columns(maximo=pl.col("expected"))


@rule(
    "EST003",
    reach="irregular",
    title="El archivo no es texto",
    es="El contenido del archivo es {formato}, no texto plano",
    en="The content of the file is {formato}, not plain text",
    cause="Se cambió el nombre a un archivo de otro programa, se comprimió, o se guardó como Unicode (UTF-16).",
    remedy="Guarde el archivo como texto plano ANSI, sin comprimir, con los campos separados por la barra |.",
    source="ficha 2.2",
)
def not_text(batch: Batch, facts: Facts) -> Found:
    r"""A flat file is text of one byte a character.

    Rejects:
        PK\x03\x04hoja de calculo
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return batch.irregular.filter(pl.col("problem") == "binary").rename({"value": "formato"})


@rule(
    "EST004",
    reach="irregular",
    title="Marca UTF-8 al comienzo",
    es="El archivo comienza con la marca invisible de UTF-8 (BOM); debe guardarse como texto ANSI",
    en="The file begins with the invisible UTF-8 mark (BOM); it must be ANSI text",
    cause="El programa guardó el archivo como «UTF-8 con BOM».",
    remedy="Guarde de nuevo el archivo con codificación ANSI (en el Bloc de notas: Guardar como, Codificación, ANSI).",
    source="Q12",
)
def byte_order_mark(batch: Batch, facts: Facts) -> Found:
    r"""Nothing stands before the control record.

    Rejects:
        \xef\xbb\xbf1|NI|900123456|2026-07-15|0|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "bom")


@rule(
    "EST005",
    reach="irregular",
    title="Línea en blanco",
    es="La línea {linea} está en blanco",
    en="Line {linea} is blank",
    cause="Se oprimió ENTER de más, casi siempre al final del archivo.",
    remedy="Borre la línea en blanco; después del último registro no va nada.",
    source="Q14",
)
def blank_line(batch: Batch, facts: Facts) -> Found:
    r"""Every line is a record.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        \n
        2|2|CC|1090000002|ANA|RUIZ|O|||||
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "blank")


@rule(
    "EST006",
    reach="irregular",
    title="Marca de fin de archivo",
    es="El archivo termina con el carácter Ctrl-Z, que no se permite",
    en="The file ends with a Ctrl-Z character, which is not allowed",
    cause="El programa que hizo el archivo agrega la antigua marca de fin de archivo de DOS.",
    remedy="Borre el último carácter del archivo; después del último registro no va ninguna marca.",
    source="ficha 2.12, Q14",
)
def end_of_file_mark(batch: Batch, facts: Facts) -> Found:
    r"""No special character ends the file.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||\x1a
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "end_mark")


@rule(
    "EST007",
    reach="irregular",
    title="Línea demasiado larga",
    es="La línea {linea} tiene {largo} bytes; ningún registro es tan largo",
    en="Line {linea} has {largo} bytes; no record is that long",
    cause="Faltan saltos de línea, o el contenido no es el del anexo.",
    remedy="Revise que cada registro esté en su propia línea.",
    source="Q29",
)
def overlong_line(batch: Batch, facts: Facts) -> Found:
    """The longest line read is a setting (64 KiB). Not shown as an example: it takes a long line.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "too_long").with_columns(largo=pl.col("cells"))


@rule(
    "EST008",
    reach="irregular",
    title="Tipo de registro desconocido",
    es="La línea {linea} comienza por «{mark}» y no es un tipo de registro del anexo; los tipos son {tipos}",
    en="Line {linea} begins with {mark}, which is no record type of the annex; the types are {tipos}",
    cause="La línea no comienza por el tipo de registro, o los campos no están separados por la barra |.",
    remedy="Corrija el comienzo de la línea; si es un encabezado o una nota, bórrela.",
    source="ficha 1.2, 2.4",
)
def record_type_unknown(batch: Batch, facts: Facts) -> Found:
    """The first field of each line says what record it is.

    Rejects:
        9|1|CC|1090000001|JUAN|PEREZ|O|||||
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    types = ", ".join(f"{record.mark} ({record.name})" for record in batch.layout.records)
    first = batch.layout.control.fields[0].name
    return _odd(batch, "unknown").with_columns(value=pl.col("mark"), tipos=pl.lit(types), field=pl.lit(first))


@rule(
    "EST009",
    reach="irregular",
    title="Barra sobrante al final",
    es="La línea {linea} termina con una barra | de más",
    en="Line {linea} ends with one pipe too many",
    cause="El programa pone una barra después de cada campo, también del último.",
    remedy="Quite la última barra: las barras separan campos, no cierran la línea.",
    source="ficha 1.2, Q14",
)
def trailing_pipe(batch: Batch, facts: Facts) -> Found:
    """Pipes separate; none ends a line.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O||||||
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "trailing")


@rule(
    "EST030",
    reach="irregular",
    title="Número de campos errado",
    es="La línea {linea} tiene {cells} campos y este registro lleva {expected}",
    en="Line {linea} has {cells} fields and this record takes {expected}",
    cause="Falta o sobra una barra |, o un dato contiene una barra.",
    remedy="Cuente los campos: los que van vacíos también llevan su barra (||).",
    source="ficha 1.2",
)
def ragged_line(batch: Batch, facts: Facts) -> Found:
    """Each record has exactly the fields of its type, empty ones included.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O
        2|2|CC|1090000002|JUAN|CARLOS|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _odd(batch, "ragged")
