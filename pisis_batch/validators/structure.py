"""From a layout to pandera schemas, and from the fields pandera finds at fault to findings.

One check per field, not per fault: pandera's cost is per check. Frames are eager: on a LazyFrame pandera checks no data
at all and passes everything (pinned in tests), so a lazy frame is refused here.
"""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from pisis_batch.layouts import Field, Record
from pisis_batch.model import FINDINGS
from pisis_batch.validators.celdas import faults, first_fault
from pisis_batch.validators.rule import RULES, literal_details

_SCHEMAS: dict[int, tuple[Record, pa.DataFrameSchema]] = {}


def schema(record: Record) -> pa.DataFrameSchema:
    """The pandera schema that a record's layout implies: all columns text, one check per field. Built once."""
    known = _SCHEMAS.get(id(record))
    if known is None:
        known = _SCHEMAS[id(record)] = (record, _built(record))
    return known[1]


def _built(record: Record) -> pa.DataFrameSchema:
    def column(field: Field) -> pa.Column:
        sound = first_fault(field, record).is_null()

        def check(data: PolarsData) -> pl.LazyFrame:
            return data.lazyframe.select(sound)

        return pa.Column(pl.String, pa.Check(check, name=field.name, title=field.label), nullable=False)

    columns = {"line": pa.Column(pl.UInt32), **{field.name: column(field) for field in record.fields}}
    return pa.DataFrameSchema(columns, strict=True, name=record.name)


def cell_findings(frame: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Every cell at fault in one record type's frame, each with its first fault."""
    if isinstance(frame, pl.LazyFrame):
        raise TypeError("pandera passes any LazyFrame unread: collect it first")
    found = [pl.DataFrame(schema=FINDINGS)]
    if not frame.is_empty():
        failed = _failed(frame, record)
        found += [_field_findings(frame, field, record) for field in record.fields if field.name in failed]
    return pl.concat(found)


def _failed(frame: pl.DataFrame, record: Record) -> set[str]:
    """Names of the fields whose check failed. Any other complaint of pandera is a fault of ours."""
    try:
        schema(record).validate(frame, lazy=True)
    except SchemaErrors as error:
        failed = {str(one.schema.name) for one in error.schema_errors if one.check is not None}
        if len(failed) == 0 or not failed <= set(record.by_name):
            raise RuntimeError(f"pandera refused the frame of {record.name} for another reason than its data") from None
        return failed
    return set()


def _field_findings(frame: pl.DataFrame, field: Field, record: Record) -> pl.DataFrame:
    possible = dict(faults(field, record))
    details = {
        code: literal_details(_official(found.details, field.alias.get(code))) for code, found in possible.items()
    }
    severities = {code: found.severity or RULES[code].severity for code, found in possible.items()}
    rows = frame.select("line", value=pl.col(field.name), code=first_fault(field, record)).drop_nulls("code")
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
