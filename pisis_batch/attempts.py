"""Two attempts of one report, finding by finding: what was corrected, what is still there, what is new, what was right
and no longer is.

A finding is known by its record's key, not by its line: a line put in or taken out changes nothing here. Nothing is
stored for it: keys are read again from both originals.
"""

from collections.abc import Sequence

import polars as pl

from pisis_batch.layouts import Record
from pisis_batch.model import PROGRESS, Attempt, Batch, Progress

#: Rules about records one by one although their family speaks of the whole file.
_ONE_BY_ONE = ("ARC007",)
_JOINT = "\x1f"  # no cell holds it
_SAME = ["record", "key", "field", "code"]


def compare(before: Attempt, after: Attempt) -> Progress:
    """The errors of both attempts, each with its status.

    corregido, sigue, nuevo; dañado: the datum was right before; pendiente: an error of content that was not looked at
    this time, because the structure is wrong now. What was not looked at before is new, never damaged.
    """
    old, new = _keyed(before), _keyed(after)
    joined = old.join(new, on=_SAME, how="full", coalesce=True, nulls_equal=True, suffix="_after")
    known = _keys(before).with_columns(existed=pl.lit(value=True))
    wrong = old.select("record", "key", "field").unique().with_columns(was_wrong=pl.lit(value=True))
    told = joined.join(known, on=["record", "key"], how="left", nulls_equal=True).join(
        wrong, on=["record", "key", "field"], how="left", nulls_equal=True
    )
    looked_before, looked_after = pl.lit(value=_judged(before)), pl.lit(value=_judged(after))
    content = pl.coalesce("stage_after", "stage") == "contenido"
    status = (
        pl.when(pl.col("here_after").is_null() & content & ~looked_after)
        .then(pl.lit("pendiente"))
        .when(pl.col("here_after").is_null())
        .then(pl.lit("corregido"))
        .when(pl.col("here").is_not_null())
        .then(pl.lit("sigue"))
        .when(pl.col("existed").is_not_null() & pl.col("was_wrong").is_null() & (looked_before | ~content))
        .then(pl.lit("dañado"))
        .otherwise(pl.lit("nuevo"))
    )
    rows = told.select(
        status.alias("status"),
        "code",
        "record",
        "field",
        field_no=pl.coalesce("field_no_after", "field_no"),
        line_before="line",
        line_after="line_after",
        value_before="value",
        value_after="value_after",
    ).cast(PROGRESS.schema)
    order = pl.coalesce("line_after", "line_before")
    return Progress(before.received.guid, before.received.received_at, rows.sort(order, "field_no", nulls_last=False))


def _judged(attempt: Attempt) -> bool:
    """Whether the content of an attempt was judged: its structure was right, and its sender might act."""
    errors = attempt.findings.filter(pl.col("severity") == "error")
    stopped = (errors["stage"] == "estructura") | errors["code"].str.starts_with("REM")
    return not stopped.any()


def _keyed(attempt: Attempt) -> pl.DataFrame:
    """The errors of an attempt, once for each record, key, field and code."""
    errors = attempt.findings.filter(pl.col("severity") == "error")
    whole = pl.col("code").str.slice(0, 3).is_in(["NOM", "ARC"]) & ~pl.col("code").is_in(_ONE_BY_ONE)
    keys = pl.concat([_records(attempt.batch), _unread(attempt.batch)])
    placed = errors.join(keys, on="line", how="left").with_columns(
        key=pl.when(whole | pl.col("line").is_null()).then(pl.lit("")).otherwise(pl.col("key").fill_null(""))
    )
    columns = ["line", "record", "field_no", "field", "code", "value", "stage", "key"]
    once = placed.select(columns).unique(_SAME, keep="first", maintain_order=True)
    return once.with_columns(here=pl.lit(value=True))


def _keys(attempt: Attempt) -> pl.DataFrame:
    """Every record of an attempt by name and key; the file as a whole has the key that is empty."""
    listed = [pl.DataFrame(schema={"record": pl.String, "key": pl.String})]
    for record in attempt.batch.layout.records if attempt.batch else ():
        listed.append(_of(record, attempt.batch).select(record=pl.lit(record.name), key="key"))  # type: ignore[arg-type]
        listed.append(pl.DataFrame({"record": [record.name], "key": [""]}))
    listed.append(pl.DataFrame({"record": [None], "key": [""]}, schema={"record": pl.String, "key": pl.String}))
    return pl.concat(listed).unique()


def _records(batch: Batch | None) -> pl.DataFrame:
    """Columns line, key of every readable line."""
    found = [pl.DataFrame(schema={"line": pl.UInt32, "key": pl.String})]
    return pl.concat(found + [_of(record, batch) for record in batch.layout.records] if batch else found)


def _of(record: Record, batch: Batch) -> pl.DataFrame:
    """A record's lines with their keys: its unique fields, or all but its number where it has none."""
    frame = batch[record.name]
    if record.name == batch.layout.control.name:
        return frame.select("line", key=pl.lit("control"))
    number = batch.layout.sequence.field if batch.layout.sequence else ""
    names: Sequence[str] = record.unique or [field.name for field in record.fields if field.name != number]
    return frame.select("line", key=pl.concat_str(names, separator=_JOINT))


def _unread(batch: Batch | None) -> pl.DataFrame:
    """Columns line, key of lines that could not be read: what they begin with, their number left out."""
    if batch is None:
        return pl.DataFrame(schema={"line": pl.UInt32, "key": pl.String})
    bar = "|" if batch.layout.separator == "|" else batch.layout.separator
    number = rf"^([^{bar}]*[{bar}])[0-9]+[{bar}]"
    lines = batch.irregular.filter(pl.col("line").is_not_null() & pl.col("value").is_not_null())
    once = lines.unique("line", keep="first", maintain_order=True)
    readable = pl.col("problem").is_in(["trailing", "bom", "end_mark"])
    return once.filter(~readable).select("line", key=pl.col("value").str.replace(number, "${1}"))
