"""The registry's tables read once, as the 64-bit numbers that `sql_numbers` keeps."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
import sqlalchemy as sa

from pisis_batch import fingerprints
from pisis_batch.adapters.sql_tables import grant, link, person
from pisis_batch.validators.identidad import WELL_FORMED

_STEP = 100_000  # rows read at a time

Arrays = Mapping[str, np.ndarray]


def persons(connection: sa.Connection) -> Arrays:
    """Hashes of everybody registered, sorted."""
    query = sa.select(*(person.c[name] for name in fingerprints.NAMED))
    return {"persons": np.sort(_gathered(connection, query, fingerprints.NAMED, _named))}


def _named(rows: pl.DataFrame) -> np.ndarray:
    return fingerprints.registered(_well_formed(rows), fingerprints.NAMED)


def _well_formed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.concat_str(fingerprints.WHO, separator="|").str.contains(WELL_FORMED))


def own(connection: sa.Connection, key: int) -> Arrays:
    """Of an entity, sorted hashes: who is linked (linked), who holds an application (held), what of it (granted)."""
    here = [table.c.entity_id == key for table in (link, grant)]
    links = sa.select(link.c.tipo_id, link.c.num_id).where(here[0], link.c.valid_to.is_(None))
    names = (*fingerprints.HELD, "perfil")
    grants = sa.select(*(grant.c[name] for name in names)).where(here[1], grant.c.valid_to.is_(None))
    both = _gathered(connection, grants, names, _granted)
    return {
        "linked": np.sort(_gathered(connection, links, fingerprints.WHO, _who)),
        "held": np.sort(both[0::2]),
        "granted": np.sort(fingerprints.granted(both[0::2], both[1::2])),
    }


def _who(rows: pl.DataFrame) -> np.ndarray:
    return fingerprints.hashed(_well_formed(rows), fingerprints.WHO)


def _granted(rows: pl.DataFrame) -> np.ndarray:
    """Who holds an application, and what of it, in turns."""
    held = fingerprints.hashed(rows, fingerprints.HELD)
    return np.stack([held, fingerprints.registered(rows, fingerprints.GRANTED)], axis=1).ravel()


def _gathered(
    connection: sa.Connection,
    query: sa.Select[tuple[str, ...]],
    names: Sequence[str],
    numbered: Callable[[pl.DataFrame], np.ndarray],
) -> np.ndarray:
    """The numbers of the rows of a query, read so many at a time."""
    rows = connection.execution_options(yield_per=_STEP).execute(query)
    schema = dict.fromkeys(names, pl.String)
    found = [numbered(pl.DataFrame([tuple(row) for row in part], schema, orient="row")) for part in rows.partitions()]
    return np.concatenate([np.empty(0, np.uint64), *found])
