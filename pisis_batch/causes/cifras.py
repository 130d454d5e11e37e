"""Numbers and dates: the consecutive, the totals, the NIT with its check digit, dates in another order, Excel's habits."""

from collections.abc import Iterator

import polars as pl

from pisis_batch.causes.case import Case, Claim, Few, about, first_line, in_lines, number, repeated
from pisis_batch.validators import identidad


@about("ARC005")
def consecutive(case: Case) -> Iterator[Claim]:
    """The numbering restarts with a record type, or is off from the first line on."""
    sequence = case.layout.sequence
    found = case.of("ARC005")
    if sequence is None or found.is_empty():
        return
    starts = {case.batch[name]["line"].min(): case.layout.record[name] for name in sequence.over}
    first = min((line for line in starts if line is not None), default=None)
    restarted = found.filter((pl.col("value") == "1") & pl.col("line").is_in(list(starts)) & (pl.col("line") != first))
    if restarted.height:
        line = first_line(restarted)
        record = starts[line]
        yield Claim(
            "consecutivo-reiniciado",
            f"El consecutivo vuelve a comenzar en los registros de tipo {record.mark}",
            f"En la línea {line} la numeración se reinicia en 1; debe continuar la de los registros anteriores",
            f"The consecutive restarts at 1 with record type {record.mark}; it must run on",
            "Numere de corrido todos los registros de detalle, sin reiniciar al cambiar de tipo.",
            restarted["n"],
        )
    details = pl.concat([case.batch[name].select("line", value=sequence.field) for name in sequence.over]).sort("line")
    value = str(details["value"].first())
    slug = {"0": "consecutivo-desde-cero", "2": "consecutivo-cuenta-control"}.get(value)
    # a consecutive of 0 is no number to compare: the shift shows from the next line on
    early = found.filter(pl.col("line").is_in(details["line"].head(2).implode()))
    if slug and early.height and _runs(early):
        reason = "se contó la línea de control" if value == "2" else "se comenzó en 0"
        yield Claim(
            slug,
            f"El consecutivo comienza en {value} y debe comenzar en 1",
            f"Toda la numeración está corrida: {reason}",
            f"The consecutive starts at {value} instead of 1: all of it is off by one",
            "El primer registro de detalle lleva el consecutivo 1; el control no se numera.",
            early["n"],
        )


def _runs(found: pl.DataFrame) -> bool:
    """Whether a broken consecutive goes on for more than its line."""
    return bool((found["details"].str.json_path_match("$.tramo") != "").all())


@about("ARC006")
def total(case: Case) -> Iterator[Claim]:
    """The control total is off by the control line itself, or leaves a record type out."""
    found = case.of("ARC006")
    asked = case.layout.total
    if found.is_empty() or asked is None:
        return
    stated = int(found["value"][0])
    counted = case.batch.details
    if stated == counted + 1:
        yield Claim(
            "total-cuenta-control",
            "El total del control cuenta también la línea de control",
            f"El control dice {number(stated)} registros y son {number(counted)}: la línea de control no se cuenta",
            "The control total counts the control line itself",
            f"Escriba {counted} como total de registros de detalle.",
            found["n"],
        )
        return
    for name in asked.over:
        record = case.layout.record[name]
        if stated == case.batch[name].height and len(asked.over) > 1 and stated:
            yield Claim(
                "total-de-un-tipo",
                f"El total del control cuenta solo los registros de tipo {record.mark}",
                f"El control dice {number(stated)} registros y son {number(counted)} contando todos los tipos",
                f"The control total counts the records of type {record.mark} alone",
                f"Escriba {counted}: el total suma los registros de detalle de todos los tipos.",
                found["n"],
            )
            return


def _of_a_nit(case: Case, some: list[Few]) -> bool:
    return any(
        one.code in {"CTL006", "NOM002"} or one.field in {case.layout.entity.number, "nit_alterno"} for one in some
    )


@about("CTL005", "CTL006", "CTL007", "EST016", "ARC009", "NOM002", sign=_of_a_nit)
def check_digit(case: Case) -> Iterator[Claim]:
    """The NIT is written with its check digit, in the control, in the name or in the alternate NIT."""
    key = case.layout.entity
    told = case.findings.filter(
        (pl.col("code") == "CTL006")
        | (
            pl.col("field").is_in([key.number, "nit_alterno"])
            & pl.col("code").is_in(["EST016", "ARC009", "CTL005", "CTL007"])
        )
        | (pl.col("code") == "NOM002")
    )
    kept = [row for row in told.iter_rows(named=True) if _with_check_digit(row)]
    if kept:
        yield Claim(
            "nit-dv",
            "El NIT está escrito con el dígito de verificación",
            "El NIT de la entidad trae su dígito de verificación; en PISIS se escribe sin él",
            "The NIT is written with its check digit; here it goes without",
            "Quite el último dígito (el que va después del guion) en el control y en el nombre del archivo.",
            pl.Series("n", [row["n"] for row in kept], dtype=pl.UInt32),
        )


def _with_check_digit(row: dict[str, str | None]) -> bool:
    """Whether a finding about a NIT, or about a file name that holds one, is a check digit too many."""
    texts = [row["value"] or ""]
    if row["code"] == "ARC009":
        texts.append(str(pl.Series([row["details"]]).str.json_path_match("$.nombre")[0] or ""))
    if row["code"] == "NOM002":
        found = pl.Series(texts).str.to_uppercase().str.extract(r"NI0*([1-9][0-9]{8}-?[0-9])(?:\D|$)").drop_nulls()
        texts = found.to_list()
    return any(identidad.carries_check_digit(text.replace("-", "").replace(".", "")) for text in texts)


#: What a date looks like -> its form in words, the most telling first.
_DATES = {
    r"^(0?[1-9]|1[0-2])[/.-](1[3-9]|2[0-9]|3[01])[/.-][0-9]{4}$": "MM/DD/AAAA",
    r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}$": "DD/MM/AAAA",
    r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}$": "DD/MM/AA",
    r"^[0-9]{4}[/.][0-9]{1,2}[/.][0-9]{1,2}$": "AAAA/MM/DD",
    r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$": "AAAA-M-D",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]": "AAAA-MM-DD con hora",
    r"^(19|20)[0-9]{6}$": "AAAAMMDD",
    r"^[3-6][0-9]{4}$": "número de serie de Excel",
    r"^[0-9]{1,2}[/ -]?[A-Za-z]{3,10}[/ -]?[0-9]{2,4}$": "día, mes en letras y año",
}


_FEW = 3  # the same wrong date more often than this is one value repeated, not another order


@about("EST019", "EST020", sign=repeated())
def dates(case: Case) -> Iterator[Claim]:
    """Dates are all written in one other order or form."""
    shapes = [pl.when(pl.col("value").str.contains(shape)).then(pl.lit(words)) for shape, words in _DATES.items()]
    misspelt = case.of("EST019").with_columns(form=pl.coalesce(shapes)).drop_nulls("form")
    turned = case.of("EST020").filter(pl.col("value").str.contains(r"^[0-9]{4}-(1[3-9]|2[0-9]|3[01])-(0[1-9]|1[0-2])$"))
    found = pl.concat([misspelt, turned.with_columns(form=pl.lit("AAAA-DD-MM"))])
    same = found["value"].n_unique() == 1 and found.height > _FEW
    if found.is_empty() or same or not case.habitual(found, _filled(case, found)):
        return
    forms = found["form"].value_counts(sort=True)
    form = str(forms["form"][0])
    # one date with a day past the twelfth in second place tells the order of all the others
    if form == "DD/MM/AAAA" and "MM/DD/AAAA" in forms["form"].to_list():
        form = "MM/DD/AAAA"
    yield Claim(
        "fechas",
        f"Las fechas están escritas como {form}",
        f"Hay fechas en otra forma {in_lines(found)}, por ejemplo «{found['value'][0]}»; el anexo pide AAAA-MM-DD",
        "Dates are written in another order or form than YYYY-MM-DD",
        "Escriba las fechas como AAAA-MM-DD: en Excel, formato de celda personalizado aaaa-mm-dd, y exporte de nuevo.",
        found["n"],
    )


def _filled(case: Case, found: pl.DataFrame) -> int:
    """How many cells of the fields at fault hold anything: the lines a habit could show in."""
    pairs = found.select("record", "field").drop_nulls().unique().rows()
    return max(sum(int((case.batch[record][field] != "").sum()) for record, field in pairs), 1)


@about("EST016", "EST023", "EST014", sign=repeated())
def spreadsheet_numbers(case: Case) -> Iterator[Claim]:
    """Long numbers that a spreadsheet rewrote, or numbers with thousands separators."""
    cells = case.of("EST016", "EST023", "EST014")
    for slug, shape, title, es, en, remedy in _NUMBERS:
        found = cells.filter(pl.col("value").str.contains(shape))
        if case.habitual(found, _filled(case, found) if found.height else None):
            told = es.format(lineas=in_lines(found), ejemplo=found["value"][0])
            yield Claim(slug, title, told, en, remedy, found["n"])


_NUMBERS = (
    (
        "notacion-cientifica",
        r"^[0-9]([.,][0-9]+)?[Ee]\+?[0-9]+$",
        "Excel cambió los números largos",
        "Hay números en notación científica {lineas}, por ejemplo «{ejemplo}»; las cifras originales se perdieron",
        "A spreadsheet rewrote long numbers in scientific notation",
        "Dé formato de texto a las columnas de números antes de pegar los datos, y péguelos de nuevo desde su origen.",
    ),
    (
        "decimal-cero",
        r"^[0-9]+[.,]0+$",
        "Los números terminan en .0",
        "Hay números con un decimal de más {lineas}, por ejemplo «{ejemplo}»",
        "Whole numbers carry a decimal .0",
        "Dé formato de texto a esas columnas y quite el .0 antes de exportar.",
    ),
    (
        "miles",
        r"^[0-9]{1,3}([.,' ][0-9]{3})+$",
        "Los números llevan separador de miles",
        "Hay números con puntos o comas de miles {lineas}, por ejemplo «{ejemplo}»; van solo las cifras",
        "Numbers carry thousands separators",
        "Quite los puntos y comas de los números en todo el archivo.",
    ),
)
