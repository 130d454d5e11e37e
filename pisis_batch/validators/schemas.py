"""From a layout to pandera schemas: the rule table as analysts and notebooks know it, and the engine for large frames.

One check per field, not per fault: pandera's cost is per check. Frames are eager: on a LazyFrame pandera checks no data
at all and passes everything (pinned in tests).
"""

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from pisis_batch.layouts import Field, Record
from pisis_batch.validators.celdas import first_fault

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


def failed(frame: pl.DataFrame, record: Record) -> set[str]:
    """Names of the fields whose check failed. Any other complaint of pandera is a fault of ours."""
    try:
        schema(record).validate(frame, lazy=True)
    except SchemaErrors as error:
        names = {str(one.schema.name) for one in error.schema_errors if one.check is not None}
        if len(names) == 0 or not names <= set(record.by_name):
            raise RuntimeError(f"pandera refused the frame of {record.name} for another reason than its data") from None
        return names
    return set()
