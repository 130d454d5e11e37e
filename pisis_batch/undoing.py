"""What would take back a file's effects: the records of a new file, made from the history of whom it touched.

Whoever was linked is unlinked; whoever was unlinked or updated is linked again as before; profiles go back to what they
were. People whom later files touched are named, and left out unless asked for.
"""

from collections.abc import Mapping

import polars as pl

from pisis_batch.layouts import DefaultProfile, Layout
from pisis_batch.model import Traces

WHO = ["tipo_id", "num_id"]
_APP = [*WHO, "aplicacion"]
_LINK = ["telefono", "cargo", "contrato_indefinido", "fecha_fin", "correo"]
_USER = [*WHO, "primer_nombre", "primer_apellido", "accion", *_LINK]


def conflicts(traces: Traces) -> pl.DataFrame:
    """Columns tipo_id, num_id, guid: the later causes that touched the same people, registry loads included."""
    rows = pl.concat([traces.links.select(*WHO, *_TIMES), traces.grants.select(*WHO, *_TIMES)])
    own = pl.col("from_guid") == traces.guid
    at = pl.concat([rows.filter(own)["valid_from"], rows.filter(pl.col("to_guid") == traces.guid)["valid_to"]]).max()
    began = rows.filter(~own & (pl.col("valid_from") >= at)).select(*WHO, guid="from_guid")
    ended = rows.filter((pl.col("to_guid") != traces.guid) & (pl.col("valid_to") >= at)).select(*WHO, guid="to_guid")
    return pl.concat([began, ended]).unique(maintain_order=True).sort(WHO)


_TIMES = ("valid_from", "valid_to", "from_guid", "to_guid")


def compensate(traces: Traces, layout: Layout, control: Mapping[str, str], *, force: bool) -> dict[str, pl.DataFrame]:
    """The frames of the compensating file, control, numbers and total included; no user records: nothing to undo."""
    if not force:
        left_out = conflicts(traces).select(WHO).unique()
        traces = Traces(
            traces.guid,
            traces.entity,
            traces.links.join(left_out, on=WHO, how="anti"),
            traces.grants.join(left_out, on=WHO, how="anti"),
        )
    users = _users(traces)
    profiles = _profiles(traces, users, layout.effect.default_profile)
    if users.is_empty():  # the annex asks for a user record: whoever has a profile changed is stated as they are
        stated = traces.links.filter(pl.col("valid_to").is_null()).join(profiles, on=WHO, how="semi")
        users = stated.select(*WHO, "primer_nombre", "primer_apellido", pl.lit("V").alias("accion"), *_LINK)
    return _numbered({"usuario": users, "perfil": profiles}, layout, control)


def _users(traces: Traces) -> pl.DataFrame:
    links, guid = traces.links, traces.guid
    before = links.filter(pl.col("to_guid") == guid)
    began = links.filter(pl.col("from_guid") == guid).join(before, on=WHO, how="anti")
    now = links.filter(pl.col("valid_to").is_null())
    leaving = began.join(now, on=WHO, how="semi").unique(WHO, keep="last", maintain_order=True)
    nothing = [pl.lit("").alias(name) for name in _LINK]
    out = leaving.select(*WHO, "primer_nombre", "primer_apellido", pl.lit("O").alias("accion"), *nothing)
    as_it_was = before.join(now, on=[*WHO, *_LINK], how="anti").with_columns(accion=pl.lit("V"))
    return pl.concat([out, as_it_was.select(_USER)]).sort("accion", *WHO)


def _profiles(traces: Traces, users: pl.DataFrame, default: DefaultProfile | None) -> pl.DataFrame:
    grants, guid = traces.grants, traces.guid
    leaving = users.filter(pl.col("accion") == "O")
    now = grants.filter(pl.col("valid_to").is_null())
    before = grants.filter(pl.col("to_guid") == guid)
    again = before.join(now, on=[*_APP, "perfil"], how="anti").select(*_APP, pl.lit("A").alias("accion"), "perfil")
    if default is not None:  # it comes by itself with the link
        absent = again.join(traces.links.filter(pl.col("valid_to").is_null()), on=WHO, how="anti").select(WHO).unique()
        given = (pl.col("aplicacion") == default.application) & (pl.col("perfil") == default.profile)
        again = pl.concat([again.filter(~given), again.filter(given).join(absent, on=WHO, how="anti")])
    begun = grants.filter(pl.col("from_guid") == guid).join(before, on=_APP, how="anti").join(now, on=_APP, how="semi")
    back = begun.unique(_APP).select(*_APP, pl.lit("R").alias("accion"), pl.lit("").alias("perfil"))
    return pl.concat([again, back]).join(leaving, on=WHO, how="anti").sort(_APP)


def _numbered(details: dict[str, pl.DataFrame], layout: Layout, control: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    made, first = {}, 1
    for name, frame in details.items():
        record = layout.record[name]
        numbers = pl.int_range(first, first + frame.height, eager=True).cast(pl.String)
        sequence = layout.sequence.field if layout.sequence else ""
        marked = frame.with_columns(pl.lit(record.mark).alias(record.fields[0].name), numbers.alias(sequence))
        made[name] = marked.select([field.name for field in record.fields])
        first += frame.height
    total = {layout.total.field.split(".")[1]: str(first - 1)} if layout.total else {}
    made[layout.control.name] = pl.DataFrame([{**control, **total}])
    return made
