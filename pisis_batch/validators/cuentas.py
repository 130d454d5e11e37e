"""ARC: what a file counts of itself: its consecutives and its total."""

from __future__ import annotations

import re
from itertools import chain, pairwise

from pisis_batch.frames import pl
from pisis_batch.layouts.relation import Count
from pisis_batch.model import Batch, Facts
from pisis_batch.numbering import Numbering
from pisis_batch.validators.rule import NOTHING, Found, rule, together

_COUNT = re.compile("[0-9]{1,300}")  # no other digits are any, and of a longer text Python makes no number


@rule(
    "ARC005",
    title="Consecutivo errado",
    es="El consecutivo de la línea {linea} es {valor} y debía ser {esperado}{tramo}",
    en="The consecutive of line {linea} is {valor} and should be {esperado}{stretch}",
    cause="Se quitó, se agregó, se repitió o se movió un registro sin numerar de nuevo, o la numeración se reinició.",
    remedy="Numere de nuevo: 1 en el primer registro de detalle y de uno en uno hasta el último, sin reiniciar entre tipos.",
    source="ficha 1.2",
)
def consecutive_broken(batch: Batch, facts: Facts) -> Found:
    """The consecutive starts at 1 and runs on over all detail records.

    One finding for each stretch that is off by the same amount, at its first line. Lines that could not be read may
    or may not have been numbered, so what follows them is given the benefit of the doubt.

    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
        2|3|CC|1090000002|ANA|RUIZ|O|||||
    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        3|1|CC|1090000001|186|A|1274
    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO
        3|2|CC|1090000001|186|A|1274
    """
    sequence = batch.layout.sequence
    if sequence is None:
        return NOTHING
    runs = [(name,) for name in sequence.over] if sequence.restart else [sequence.over]
    found = [_broken(batch, sequence.field, over, place) for place, over in enumerate(runs)]
    broken = together([rows for rows in found if rows is not None])
    return NOTHING if broken is None else broken.sort("line", maintain_order=True)


def _runs_on(batch: Batch, field: str, over: tuple[str, ...]) -> bool:
    """Whether the consecutives are 1, 2, 3… through the records one after the other, as in most files."""
    if batch.plain is not None:
        rows = list(chain.from_iterable(batch.plain[name] for name in over))
        if any(one[0] > other[0] for one, other in pairwise(rows)):
            return False
        places = {name: batch.layout.record[name].number(field) + 1 for name in over}
        said = [row[places[name]] for name in over for row in batch.plain[name]]
        return said == [str(number) for number in range(1, len(said) + 1)]
    frames = [batch[name] for name in over if not batch[name].is_empty()]
    if any(one["line"][-1] > other["line"][0] for one, other in pairwise(frames)):
        return False
    values = pl.concat([frame[field] for frame in frames]) if frames else pl.Series(dtype=pl.String)
    return bool((values == pl.int_range(1, values.len() + 1, eager=True).cast(pl.String)).all())


def _broken(batch: Batch, field: str, over: tuple[str, ...], place: int) -> Found:
    """Where one run of consecutives breaks."""
    if batch.figures:
        if not batch.figures.breaks:
            return NOTHING
        found = batch.figures.breaks[place]
    elif _runs_on(batch, field, over):
        return NOTHING
    else:
        parts = [batch[name].select("line", record=pl.lit(name), value=pl.col(field)) for name in over]
        numbering = Numbering()
        numbering.add(pl.concat(parts).sort("line"), batch.unreadable.select("line").sort("line"))
        found = numbering.breaks()
    if found.is_empty():
        return NOTHING
    many = pl.col("size") > 1
    return found.select(
        "line",
        "record",
        "value",
        field=pl.lit(field),
        esperado=pl.col("esperado").cast(pl.String),
        tramo=pl.when(many).then(pl.format("; sigue corrido hasta la línea {}", "last")).otherwise(pl.lit("")),
        stretch=pl.when(many).then(pl.format("; the shift goes on to line {}", "last")).otherwise(pl.lit("")),
    )


@rule(
    "ARC006",
    title="Total que no coincide",
    es="El control dice {valor} registros de detalle y el archivo tiene {contados}",
    en="The control record states {valor} detail records and the file has {contados}",
    cause="Se agregaron o quitaron registros sin corregir el total, se contó la línea de control, o el archivo llegó incompleto.",
    remedy="Escriba en el control el número de registros de detalle, sin contar la línea de control.",
    source="ficha 1.2",
)
def total_mismatch(batch: Batch, facts: Facts) -> Found:
    """The control total counts the detail records. Unreadable lines may count or not.

    Rejects:
        1|NI|900123456|2026-07-15|2|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    Accepts:
        1|NI|900123456|2026-07-15|1|ESE HOSPITAL EJEMPLO||CC|10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ|C@E.CO
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    layout = batch.layout
    totals = [(layout.total.field, layout.total.over, "error", "")] if layout.total else []
    totals += [
        (c.field, c.over, c.severity, c.official("")) for c in layout.check if isinstance(c, Count) and not c.off
    ]
    found: list[pl.DataFrame] = []
    for place, over, severity, official in totals:
        owner, name = place.split(".")
        row = batch.head(owner)
        if row is None or not _COUNT.fullmatch(str(row[name])):
            continue
        counted = sum(batch.height(record) for record in over)
        whole = set(over) == {record.name for record in layout.details}
        if not counted <= int(row[name]) <= counted + batch.lost:
            told = batch.details if whole else counted
            found.append(
                batch[owner]
                .head(1)
                .select(
                    "line",
                    record=pl.lit(owner),
                    field=pl.lit(name),
                    value=pl.col(name),
                    contados=pl.lit(str(told)),
                    severity=pl.lit(severity),
                    oficial=pl.lit(official or None, dtype=pl.String),
                )
            )
    return together(found)
