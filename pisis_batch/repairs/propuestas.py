"""Doubtful repairs, proposed and never done: what a value was probably meant to be, and how sure that is.

alta: only one meaning is likely. media: it is the usual meaning. baja: somebody must look. A proposal for a cell is
made only when the value proposed would be without fault.
"""

from collections.abc import Iterator

import polars as pl

from pisis_batch import pipeline, validators
from pisis_batch.layouts import CATALOGS, Field, Record
from pisis_batch.model import REPAIRS, Examined, Findings
from pisis_batch.repairs.celdas import PLAIN
from pisis_batch.repairs.fechas import likely_date
from pisis_batch.suggestions import suggested
from pisis_batch.validators.celdas import first_fault
from pisis_batch.validators.escritura import fold
from pisis_batch.validators.identidad import carries_check_digit

_SEPARATING = r"[\s.,\-()/]"


def proposed(examined: Examined) -> pl.DataFrame:
    """Proposals for what is still wrong in an examined file (schema REPAIRS, applied false)."""
    batch, found = examined.batch, [pl.DataFrame(schema=REPAIRS)]
    if batch is None:
        return found[0]
    for (name, field_name), rows in _errors(examined).group_by("record", "field", maintain_order=True):
        record = batch.layout.record.get(str(name))
        if record is None or str(field_name) not in record.by_name:
            continue
        frame = batch[record.name].join(rows.select("line", "code", "expected"), on="line")
        found += _of_field(frame, record.by_name[str(field_name)], record)
    found.append(_entity(examined))
    found.append(_short(examined))
    every = pl.concat(found)
    return every.unique(["line", "record", "field"], keep="first", maintain_order=True)


def _errors(examined: Examined) -> pl.DataFrame:
    """The errors of cells with line, record, field, code and expected: what their suggestion says, "" when nothing."""
    cells = pl.col("code").str.starts_with("EST") & pl.col("field").is_not_null() & pl.col("line").is_not_null()
    errors = Findings(examined.findings.where("error").frame.filter(cells))
    told = validators.described(errors, examined.layout)
    return suggested(told, pipeline.conclude(examined, None)).select("line", "record", "field", "code", "expected")


def _of_field(frame: pl.DataFrame, field: Field, record: Record) -> Iterator[pl.DataFrame]:
    for value, confidence in _guesses(field):
        tried = frame.with_columns(value.alias("guess"), before=pl.col(field.name))
        tried = tried.filter(pl.col("guess").is_not_null() & (pl.col("guess") != pl.col("before")))
        if tried.is_empty():
            continue
        sound = tried.with_columns(pl.col("guess").alias(field.name)).select(first_fault(field, record).is_null())
        yield (
            tried.filter(sound.to_series())
            .select(
                "line",
                record=pl.lit(record.name),
                field_no=pl.lit(record.number(field.name), dtype=pl.UInt16),
                field=pl.lit(field.name),
                before="before",
                after="guess",
                code="code",
                confidence=pl.lit(confidence),
                applied=pl.lit(value=False),
            )
            .cast(REPAIRS.schema)
        )


def _guesses(field: Field) -> Iterator[tuple[pl.Expr, str]]:
    """What a cell may have been meant to be, the surest first. Names of people are left to people."""
    cell = pl.col(field.name)
    if field.datum == "nombre" or field.constant is not None:
        return
    if meanings := _meanings(field):
        yield cell.replace_strict(meanings, default=None, return_dtype=pl.String), "alta"
    if field.type == "F":
        yield likely_date(cell), "media"
    if field.type == "N":
        joined = cell.str.replace_all(_SEPARATING, "")
        grouped = cell.str.contains(r"^\s*\d{1,3}(?:[., ]\d{3})+\s*$")  # 12.5 is no 125
        yield joined if field.datum else pl.when(grouped).then(joined), "alta"
        yield cell.str.extract(r"^(\d{8,10})\s*-\s*\d$", 1), "media"
    if field.type == "A":
        yield cell.str.replace_all(_SEPARATING, ""), "alta"
    if field.format == "correo":
        bare = cell.str.replace_all(r"[\s\x{A0}]", "").str.replace("(?i)^mailto:", "").str.replace(r"[.,;:]+$", "")
        yield bare, "media"
        yield bare.str.replace_many(PLAIN).str.replace_many({"ñ": "n", "Ñ": "N"}), "baja"
    if field.type == "T":
        yield cell.str.replace_all('["“”]', ""), "media"
        yield cell.str.replace_all("[^ -~Ñ]", "").str.replace_all(" +", " ").str.strip_chars(), "baja"
    if field.datum != "id":
        yield pl.when(~pl.col("expected").str.contains("[•…]|^$")).then(pl.col("expected")), "baja"
    if field.only_if:
        yield pl.when(pl.col("code") == "EST011").then(pl.lit("")), "media"


def _meanings(field: Field) -> dict[str, str]:
    """A value's meaning in words -> the value, as people write it."""
    catalog = CATALOGS.get(field.catalog or "")
    codes = dict(field.values or {}) or (dict(catalog.codes) if catalog and not catalog.registry else {})
    words = {form: code for code, meaning in codes.items() for form in (meaning, meaning.upper(), fold(meaning))}
    return {**words, **{form.capitalize(): code for form, code in words.items()}}


def _entity(examined: Examined) -> pl.DataFrame:
    """The entity's number without its check digit, when it carries one."""
    batch, layout = examined.batch, examined.layout
    row = batch.control if batch else None
    if row is None or layout is None or layout.entity.number not in row:
        return pl.DataFrame(schema=REPAIRS)
    number, field = str(row[layout.entity.number]), layout.entity.number
    if not carries_check_digit(number):
        return pl.DataFrame(schema=REPAIRS)
    stated = layout.file_name.read(examined.received.name)
    sure = isinstance(stated, dict) and stated.get(field) == number[:-1]
    proposal = {
        "line": row["line"],
        "record": layout.control.name,
        "field_no": layout.control.number(field),
        "field": field,
        "before": number,
        "after": number[:-1],
        "code": "CTL006",
        "confidence": "alta" if sure else "media",
        "applied": False,
    }
    return pl.DataFrame([proposal], schema=REPAIRS)


def _short(examined: Examined) -> pl.DataFrame:
    """Lines that lack only their last fields, which may all be empty: the separators they need."""
    batch = examined.batch
    short = (
        batch.irregular.filter((pl.col("problem") == "ragged") & (pl.col("cells") < pl.col("expected")))
        if batch
        else None
    )
    if batch is None or short is None or short.is_empty():
        return pl.DataFrame(schema=REPAIRS)
    missing = (pl.col("expected") - pl.col("cells")).cast(pl.Int64)
    return short.select(
        "line",
        record="record",
        field_no=pl.lit(None, dtype=pl.UInt16),
        field=pl.lit(None, dtype=pl.String),
        before=pl.lit("faltan campos al final"),
        after=pl.format("agregar {} barras al final, si los últimos campos van vacíos", missing),
        code=pl.lit("EST030"),
        confidence=pl.lit("media"),
        applied=pl.lit(value=False),
    ).cast(REPAIRS.schema)
