"""The effects of a file as a table for its entity: who is unlinked first, then everything else."""

import polars as pl

from pisis_batch.model import Attachment, Changes
from pisis_batch.reports.detalle import spreadsheet

_KINDS = {
    "unlinked": "se desvincula",
    "linked": "se vincula",
    "updated": "se actualiza",
    "assigned": "se asigna el perfil",
    "withdrawn": "se retira el perfil",
}
_HEADER = {
    "effect": "efecto",
    "line": "línea",
    "tipo_id": "tipo de identificación",
    "num_id": "número de identificación",
    "primer_nombre": "primer nombre",
    "primer_apellido": "primer apellido",
    "cargo": "cargo",
    "aplicacion": "aplicación",
    "perfil": "perfil",
}


def plan_csv(changes: Changes) -> Attachment:
    """Every effect, unmasked: it goes to the file's own entity."""
    empty = pl.DataFrame(schema={"line": pl.UInt32, **dict.fromkeys([*_HEADER][2:], pl.String)})
    frames = [empty.with_columns(effect=pl.lit(""))]
    frames += [getattr(changes, kind).with_columns(effect=pl.lit(words)) for kind, words in _KINDS.items()]
    return Attachment("plan.csv", "text/csv", spreadsheet(pl.concat(frames, how="diagonal"), _HEADER))
