"""How the file was written: its encoding, separator and header, and habits of case, accents, spaces and quotes."""

from collections.abc import Iterator

import polars as pl

from pisis_batch.causes.case import Case, Claim, about, first_line, in_lines, many, repeated, unread

_ANSI = "Abra el archivo en el Bloc de notas, elija Guardar como, Codificación ANSI, y envíelo de nuevo."


@about("EST004", "EST028")
def utf8(case: Case) -> Iterator[Claim]:
    """The bytes are UTF-8: its mark at the beginning, or its sequences in the cells."""
    mark, cells = case.of("EST004"), case.of("EST028")
    found = pl.concat([mark, cells])
    if found.is_empty():
        return
    told = f"la Ñ, las tildes y otros signos se leen cambiados {in_lines(cells)}" if cells.height else ""
    sentence = "El archivo se guardó en UTF-8 y no en ANSI" + (f": por eso {told}" if told else "")
    yield Claim(
        "utf-8",
        "El archivo está guardado en UTF-8",
        sentence,
        "The file was saved as UTF-8, not as ANSI text: letters beyond ASCII read as others",
        _ANSI,
        found["n"],
    )


@about("EST003")
def other_format(case: Case) -> Iterator[Claim]:
    """The content is that of another program."""
    found = case.of("EST003")
    for kind in found["details"].str.json_path_match("$.formato").drop_nulls():
        utf16 = kind == "UTF-16"
        yield Claim(
            "utf-16" if utf16 else "no-es-texto",
            "El archivo está guardado como Unicode (UTF-16)" if utf16 else f"El archivo es de otro programa ({kind})",
            f"El contenido es {kind} y no texto plano ANSI, así que no se pudo leer ninguna línea",
            f"The content is {kind}, not plain text: no line could be read",
            _ANSI if utf16 else "Exporte los datos como texto plano, con los campos separados por la barra |.",
            found["n"],
        )


_SEPARATORS = {";": "punto y coma", ",": "coma", "\t": "tabulador", "~": "virgulilla", "^": "acento circunflejo"}


@about("EST008", "ARC001", "ARC003", "ARC006", "ARC008", sign=unread)
def separator(case: Case) -> Iterator[Claim]:
    """Fields are separated by another sign than the pipe."""
    unknown = case.batch.irregular.filter(pl.col("problem") == "unknown")
    marks = [record.mark for record in case.layout.records]
    if case.layout.separator != "|":
        return
    for sign, name in _SEPARATORS.items():
        mark = pl.col("value").str.strip_chars_start('"').str.split(sign).list.first().str.strip_chars_end('"')
        own = unknown.filter(pl.col("value").str.contains(sign, literal=True) & mark.is_in(marks))
        if not 2 * own.height > case.batch.last_line - 1:
            continue
        found = case.findings.filter(
            ((pl.col("code") == "EST008") & pl.col("line").is_in(own["line"].implode()))
            | pl.col("code").is_in(["ARC001", "ARC003", "ARC006", "ARC008"])
        )
        yield Claim(
            "separador",
            f"Los campos están separados por {name} y no por la barra |",
            f"{many(own.height, 'línea usa', 'líneas usan')} {name} entre los campos; el anexo pide la barra |",
            "Fields are separated by another sign than the pipe",
            "Genere el archivo con la barra | entre los campos. No lo guarde como CSV desde Excel.",
            found["n"],
        )


@about("EST008")
def wrapped_marks(case: Case) -> Iterator[Claim]:
    """Every cell, the record type too, is padded or quoted: the lines are of no known type for that alone."""
    marks = [record.mark for record in case.layout.records]
    unknown = case.batch.irregular.filter(
        (pl.col("problem") == "unknown") & pl.col("mark").str.strip_chars("\"'“”  ").is_in(marks)
    )
    if case.of("EST008").is_empty() or not case.habitual(unknown, case.lines()):
        return
    quoted = unknown.filter(pl.col("mark").str.contains("[\"'“”]"))
    code = "EST026" if 2 * quoted.height > unknown.height else "EST025"
    found = case.findings.filter(
        ((pl.col("code") == "EST008") & pl.col("line").is_in(unknown["line"].implode()))
        | pl.col("code").is_in(["ARC001", "ARC003", "ARC006", "ARC008", code])
    )
    slug, title, es, en, remedy = _HABITS[code]
    yield Claim(
        slug, title, es.format(lineas=in_lines(found)) + ", también en el tipo de registro", en, remedy, found["n"]
    )


def line_endings(case: Case) -> Iterator[Claim]:
    """Lines end in a carriage return alone: the whole file reads as one line."""
    if case.batch.last_line != 1:
        return
    content = case.content[:]
    if content.count(b"\r") > content.count(b"\r\n"):
        yield Claim(
            "saltos-de-linea",
            "Las líneas no terminan como se espera",
            "El archivo usa un salto de línea antiguo de Mac: todo el contenido se lee como una sola línea",
            "Lines end in a carriage return alone, so that the whole file reads as one line",
            "Guarde el archivo con saltos de línea de Windows (CRLF): en el Bloc de notas, Guardar como lo hace.",
            case.findings["n"],
        )


@about("ARC003", "EST008", "ARC006", sign=unread)
def header(case: Case) -> Iterator[Claim]:
    """The first line holds column titles."""
    first = case.batch.irregular.filter((pl.col("problem") == "unknown") & (pl.col("line") == 1))
    if first.is_empty() or not first["mark"].str.contains(r"[A-Za-z]{3}").all():
        return
    found = case.findings.filter(
        (pl.col("code") == "ARC003")
        | (pl.col("code").is_in(["EST008", "ARC006"]) & ((pl.col("line") == 1) | (pl.col("code") == "ARC006")))
    )
    yield Claim(
        "encabezado",
        "La primera línea es un encabezado",
        "El archivo comienza con los títulos de las columnas; la primera línea debe ser el registro de control",
        "The file begins with column titles; its first line must be the control record",
        "Borre la línea de títulos: el anexo no lleva encabezado.",
        found["n"],
    )


@about("ARC002")
def joined_files(case: Case) -> Iterator[Claim]:
    """A second control record: files were put together, or one was pasted twice."""
    again = case.of("ARC002")
    if again.is_empty():
        return
    start = first_line(again)
    late = pl.col("line") >= start
    found = case.findings.filter(
        (pl.col("code") == "ARC002")
        | (pl.col("code").is_in(["ARC004", "ARC005", "ARC007"]) & late)
        | (pl.col("code") == "ARC006")
    )
    twice = found.filter(pl.col("code") == "ARC007").height > 0
    yield Claim(
        "archivos-unidos",
        "El archivo contiene otro archivo" if not twice else "El contenido está repetido dentro del archivo",
        f"En la línea {start} comienza otro archivo, con su propio registro de control"
        + (", y repite registros que ya estaban" if twice else ""),
        "Another file, with its own control record, begins inside this one",
        "Envíe un solo archivo: deje un control y numere de nuevo los registros que quedan.",
        found["n"],
    )


@about("EST030")
def cut_short(case: Case) -> Iterator[Claim]:
    """The last line is incomplete and the control promises more: the file did not arrive whole."""
    last = case.of("EST030").filter(pl.col("line") == case.batch.last_line)
    total = case.of("ARC006")
    counted = total["details"].str.json_path_match("$.contados").cast(pl.Int64, strict=False)
    stated = total["value"].cast(pl.Int64, strict=False)
    short = case.batch.irregular.filter(
        (pl.col("line") == case.batch.last_line) & (pl.col("cells") < pl.col("expected"))
    )
    if last.is_empty() or short.is_empty() or total.is_empty() or not (stated > counted).all():
        return
    yield Claim(
        "incompleto",
        "El archivo llegó incompleto",
        f"El control anuncia {stated[0]} registros, hay {counted[0]} y el último está cortado",
        "The file did not arrive whole: its last line is cut and the control announces more records",
        "Genere el archivo de nuevo y espere a que termine de copiarse antes de enviarlo.",
        pl.concat([last, total])["n"],
    )


_HABITS = {
    "EST021": (
        "minusculas",
        "El archivo está escrito en minúsculas",
        "Los datos traen letras minúsculas {lineas}; el anexo pide mayúsculas (solo el correo puede llevarlas)",
        "Data are written in lower case throughout; the annex asks for capitals",
        "Pase los datos a mayúsculas de una sola vez: en Excel, con la función MAYUSC.",
    ),
    "EST022": (
        "tildes",
        "El archivo está escrito con tildes",
        "Los datos traen tildes o diéresis {lineas}; se escriben sin ellas y la Ñ se conserva",
        "Data carry accents throughout; they are written without them, Ñ excepted",
        "Reemplace Á, É, Í, Ó, Ú y Ü por A, E, I, O, U en todo el archivo.",
    ),
    "EST025": (
        "espacios",
        "Los datos tienen espacios de relleno",
        "Hay datos con espacios al comienzo o al final {lineas}; entre las barras va solo el dato",
        "Data are padded with spaces throughout",
        "Quite los espacios de una sola vez: en Excel, con la función ESPACIOS; en un programa, no rellene los campos.",
    ),
    "EST026": (
        "comillas",
        "Los datos están entre comillas",
        "Hay datos con comillas {lineas}; ningún dato va encerrado entre signos",
        "Data are quoted throughout; no value is enclosed in signs",
        "Reemplace las comillas por nada en todo el archivo, o exporte sin delimitador de texto.",
    ),
    "EST009": (
        "barra-final",
        "Las líneas terminan con una barra de más",
        "Sobra la última barra | {lineas}; las barras separan campos y no cierran la línea",
        "Lines end with one pipe too many throughout",
        "Quite la última barra de cada línea.",
    ),
    "EST005": (
        "lineas-en-blanco",
        "El archivo tiene líneas en blanco",
        "Hay líneas en blanco entre los registros o al final ({lineas})",
        "There are blank lines between the records or at the end",
        "Borre las líneas vacías; después del último registro no va nada.",
    ),
    "EST017": (
        "ceros",
        "Los números están rellenos con ceros",
        "Hay números con ceros a la izquierda {lineas}; los ceros de relleno van solo en el nombre del archivo",
        "Numbers are padded with zeros throughout",
        "Quite los ceros de la izquierda.",
    ),
    "EST027": (
        "invisibles",
        "Los datos traen caracteres que no se ven",
        "Hay tabuladores u otros caracteres invisibles dentro de los datos {lineas}",
        "Data hold invisible characters throughout",
        "Quítelos de una sola vez: en Excel, con la función LIMPIAR.",
    ),
    "USR021": (
        "ene",
        "El programa cambia la Ñ por N",
        "Los nombres difieren de los registrados solo en la Ñ {lineas}",
        "Names differ from the registered ones only in the Ñ, throughout",
        "Revise el programa que hace el archivo: la Ñ se permite y debe conservarse.",
    ),
}


@about(*_HABITS, sign=repeated("code"))
def habits(case: Case) -> Iterator[Claim]:
    """Slips of writing that run through the file."""
    for code, (slug, title, es, en, remedy) in _HABITS.items():
        if code not in case.codes:
            continue
        found = case.of(code)
        if case.habitual(found):
            told = es.format(lineas=in_lines(found))
            yield Claim(slug, title, told, en, remedy, found["n"])
