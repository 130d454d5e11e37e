"""Every cell at fault: the lines that the accepting expression does not vouch for, held against the rule table.

Few suspects are judged by one expression for all fields; many by the record's pandera schema, which says which fields
need to be looked at. Both read the same table and find the same (held to it in tests).
"""

from collections.abc import Mapping

import polars as pl

from pisis_batch import accepting
from pisis_batch.layouts import Field, Record
from pisis_batch.model import FINDINGS
from pisis_batch.validators.celdas import faults, first_fault
from pisis_batch.validators.rule import RULES, literal_details

FEW = 20_000  # suspects below which the fixed cost of pandera is not worth it
_SMALL = 1_000  # rows below which Python matches faster than polars starts
_NONE = pl.DataFrame(schema=FINDINGS)
_TOLD: dict[int, tuple[Record, list[pl.Expr]]] = {}


def cell_findings(frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Every cell at fault in one record type's frame, each with its first fault."""
    if isinstance(frame, pl.LazyFrame):
        raise TypeError("a lazy frame has no rows to judge: collect it first")
    suspects = frame if frame.is_empty() else suspicious(frame, record)
    if suspects.is_empty():
        return _NONE
    if suspects.height < FEW:
        return _by_expression(suspects, record)
    from pisis_batch.validators.schemas import failed  # noqa: PLC0415 pandera takes longer to load than a file to judge

    names = failed(suspects, record)
    return pl.concat(
        [_NONE, *(_field_findings(suspects, field, record) for field in record.fields if field.name in names)]
    )


def suspicious(frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """The rows that the accepting expression does not accept."""
    matcher, pattern = accepting.matcher(record), accepting.expression(record)
    if matcher is None:
        return frame
    cells = frame.select(field.name for field in record.fields)
    if frame.height < _SMALL:
        doubtful = [place for place, row in enumerate(cells.iter_rows()) if not matcher.fullmatch("|".join(row))]
        return frame[doubtful] if doubtful else frame.clear()
    line = pl.concat_str(cells.columns, separator="|")
    return frame.filter(~line.str.contains(f"^(?:{pattern})$"))


def _by_expression(frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """All fields in one go."""
    known = _TOLD.get(id(record))
    if known is None:
        known = _TOLD[id(record)] = (record, [first_fault(field, record).alias(field.name) for field in record.fields])
    codes = frame.select(known[1])
    names = [column.name for column in codes if column.null_count() < frame.height]
    return pl.concat([_NONE, *(_told(frame, codes[name], record.by_name[name], record) for name in names)])


def _field_findings(frame: pl.DataFrame, field: Field, record: Record) -> pl.DataFrame:
    return _told(frame, frame.select(first_fault(field, record)).to_series(), field, record)


def _told(frame: pl.DataFrame, codes: pl.Series, field: Field, record: Record) -> pl.DataFrame:
    """The findings of one field, from the code of each row's first fault."""
    possible = dict(faults(field, record))
    details = {
        code: literal_details(_official(found.details, field.alias.get(code))) for code, found in possible.items()
    }
    severities = {code: found.severity or RULES[code].severity for code, found in possible.items()}
    rows = frame.select("line", codes.alias("code"), value=pl.col(field.name)).drop_nulls("code")
    return rows.select(
        "code",
        severity=pl.col("code").replace_strict(severities, return_dtype=pl.String),
        stage=pl.lit("estructura"),
        line="line",
        record=pl.lit(record.name),
        field_no=pl.lit(record.number(field.name), dtype=pl.UInt16),
        field=pl.lit(field.name),
        value="value",
        details=pl.col("code").replace_strict(details, return_dtype=pl.String),
    ).cast(FINDINGS)


def _official(details: Mapping[str, str], code: str | None) -> Mapping[str, str]:
    """The details with the official code that the annex gives the fault, if it does."""
    return {**details, "oficial": code} if code else details
