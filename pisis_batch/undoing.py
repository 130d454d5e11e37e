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


#: The lines of the compensating file by kind, in their order, with the record they are of. `stated` is for a file that
#: has no other user: the annex asks for one, so whoever has a profile changed is stated as they are.
RECORDS = {"leaving": "usuario", "back": "usuario", "stated": "usuario", "profiles": "perfil"}


def compensate(traces: Traces, layout: Layout, *, force: bool) -> dict[str, pl.DataFrame]:
    """The lines of the compensating file by kind (`RECORDS`), without mark and number; nothing: nothing to undo."""
    if not force:
        left_out = conflicts(traces).select(WHO).unique()
        traces = Traces(
            traces.guid,
            traces.entity,
            traces.links.join(left_out, on=WHO, how="anti"),
            traces.grants.join(left_out, on=WHO, how="anti"),
        )
    leaving, back = _users(traces)
    profiles = _profiles(traces, leaving, layout.effect.default_profile)
    now = traces.links.filter(pl.col("valid_to").is_null()).join(profiles, on=WHO, how="semi")
    stated = now.with_columns(accion=pl.lit("V")).select(_USER)
    return {"leaving": leaving, "back": back, "stated": stated, "profiles": profiles}


def chosen(many: Mapping[str, int]) -> list[str]:
    """The kinds of lines that are written when there are so many of each."""
    users = many["leaving"] + many["back"]
    return [kind for kind in RECORDS if many[kind] and not (kind == "stated" and users)]


def numbered(rows: pl.DataFrame, kind: str, layout: Layout, first: int) -> pl.DataFrame:
    """Lines of a kind with mark and number, from `first` on, as the annex orders their fields."""
    record = layout.record[RECORDS[kind]]
    numbers = pl.int_range(first, first + rows.height, eager=True).cast(pl.String)
    sequence = layout.sequence.field if layout.sequence else ""
    marked = rows.with_columns(pl.lit(record.mark).alias(record.fields[0].name), numbers.alias(sequence))
    return marked.select([field.name for field in record.fields])


def control(stated: Mapping[str, str], layout: Layout, total: int) -> pl.DataFrame:
    """The control record of so many lines."""
    counted = {layout.total.field.split(".")[1]: str(total)} if layout.total else {}
    return pl.DataFrame([{**stated, **counted}])


def _users(traces: Traces) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Whoever was linked and is unlinked, and whoever is again as before."""
    links, guid = traces.links, traces.guid
    before = links.filter(pl.col("to_guid") == guid)
    began = links.filter(pl.col("from_guid") == guid).join(before, on=WHO, how="anti")
    now = links.filter(pl.col("valid_to").is_null())
    leaving = began.join(now, on=WHO, how="semi").unique(WHO, keep="last", maintain_order=True)
    nothing = [pl.lit("").alias(name) for name in _LINK]
    out = leaving.select(*WHO, "primer_nombre", "primer_apellido", pl.lit("O").alias("accion"), *nothing)
    as_it_was = before.join(now, on=[*WHO, *_LINK], how="anti").with_columns(accion=pl.lit("V"))
    return out, as_it_was.select(_USER)


def _profiles(traces: Traces, leaving: pl.DataFrame, default: DefaultProfile | None) -> pl.DataFrame:
    grants, guid = traces.grants, traces.guid
    now = grants.filter(pl.col("valid_to").is_null())
    before = grants.filter(pl.col("to_guid") == guid)
    again = before.join(now, on=[*_APP, "perfil"], how="anti").select(*_APP, pl.lit("A").alias("accion"), "perfil")
    if default is not None:  # it comes by itself with the link
        absent = again.join(traces.links.filter(pl.col("valid_to").is_null()), on=WHO, how="anti").select(WHO).unique()
        given = (pl.col("aplicacion") == default.application) & (pl.col("perfil") == default.profile)
        again = pl.concat([again.filter(~given), again.filter(given).join(absent, on=WHO, how="anti")])
    begun = grants.filter(pl.col("from_guid") == guid).join(before, on=_APP, how="anti").join(now, on=_APP, how="semi")
    back = begun.unique(_APP).select(*_APP, pl.lit("R").alias("accion"), pl.lit("").alias("perfil"))
    return pl.concat([again, back]).join(leaving, on=WHO, how="anti")
