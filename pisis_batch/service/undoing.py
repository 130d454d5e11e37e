"""The file that takes back another one, for somebody to check and send: nothing is applied here."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import polars as pl

from pisis_batch import pipeline, undoing, writing
from pisis_batch.layouts import Layout
from pisis_batch.model import Content, Examined, Facts, Id, Outcome, Questions, Received
from pisis_batch.ports import Origin, Ports, Sorted
from pisis_batch.service import originals
from pisis_batch.service.checking import check


@dataclass(frozen=True, slots=True)
class Undoing:
    """`outcome`: what the service would say of the file, with its changes (of a very large one, how many they are).

    `conflicts`: columns tipo_id, num_id, guid: people and the later causes that touched them. `later`: the files among
    those causes. `content` empty: nothing is left to undo.
    """

    name: str
    content: Content
    outcome: Outcome | None
    conflicts: pl.DataFrame
    later: dict[str, Origin]


def undo(guid: str, ports: Ports, *, force: bool) -> Undoing | None:
    """The compensating file of a receipt, of today; None when the receipt changed no user. Raises KeyError.

    It is made of some of its people at a time, all of one moment.
    """
    receipt = originals.receipt_of(guid, ports)
    parts = ports.registry.traces(guid)
    first = next(parts, None)
    if first is None:
        return None
    original = pipeline.examine(originals.received(receipt, ports), ports.shelf, ports.limits)
    layout = original.layout
    if layout is None:
        raise RuntimeError("a loaded file has a layout")
    rows, many, clashes = ports.scratch.rows(), Counter[str](), []
    try:
        for part in chain([first], parts):
            clashes.append(undoing.conflicts(part))
            for kind, lines in undoing.compensate(part, layout, force=force).items():
                rows.put(kind, lines)
                many[kind] += lines.height
        name, content, outcome = _made(original, many, rows, ports)
    finally:
        rows.close()
    touched = pl.concat(clashes)
    return Undoing(name, content, outcome, touched, ports.registry.origins(set(touched["guid"].unique())))


def _made(
    original: Examined, many: Mapping[str, int], rows: Sorted, ports: Ports
) -> tuple[str, Content, Outcome | None]:
    """The file about an original, of so many lines of each kind: its name, its bytes, and what is to be said of it."""
    kinds = undoing.chosen(many)
    if original.layout is None or original.batch is None or original.batch.control is None:
        raise RuntimeError("a loaded file has a control record")
    if not kinds:
        return "", b"", None
    layout, now = original.layout, ports.clock()
    control = _control({name: str(value) for name, value in original.batch.control.items()}, layout, ports)
    control[layout.cut_date] = now.date().isoformat()
    head = undoing.control(control, layout, sum(many[kind] for kind in kinds))
    name, content = layout.file_name.write(control), ports.scratch.content(_lines(head, rows, kinds, layout))
    made = Received("-", name, content, now, None)
    return name, content, check(made, ports, shelf=ports.shelf, limits=ports.limits, counted=True)


def _lines(head: pl.DataFrame, rows: Sorted, kinds: Sequence[str], layout: Layout) -> Iterator[bytes]:
    """The bytes of the file, some at a time."""
    yield writing.write(layout, {layout.control.name: head})
    first = 1
    for kind in kinds:
        for some in rows.ordered(kind):
            yield writing.END
            yield writing.write(layout, {undoing.RECORDS[kind]: undoing.numbered(some, kind, layout, first)})
            first += some.height


def _control(stated: dict[str, str], layout: Layout, ports: Ports) -> dict[str, str]:
    """The control record of the original, with what the registry says today in its place."""
    stated.pop("line", None)
    found = layout.entity.of(stated)
    entity = Id(*found) if found else None
    facts = _facts(entity, _nobody(), layout, ports)
    known = facts.entity
    if known is None:
        return stated
    people = {"representante": known.representante, "contacto": known.contacto or known.representante}
    listed = [{"tipo_id": who.type, "num_id": who.number} for who in people.values() if who]
    persons = _facts(entity, pl.DataFrame(listed, schema=_nobody().schema).unique(), layout, ports).persons
    names = {Id(kind, number): (first, last) for kind, number, first, last in persons.iter_rows()}
    said = {"razon_social": known.razon_social, "correo_institucional": known.correo_institucional}
    for role, who in people.items():
        if who and who in names:
            said |= {f"tipo_id_{role}": who.type, f"num_id_{role}": who.number}
            said |= {f"nombre_{role}": names[who][0], f"apellido_{role}": names[who][1]}
    return {**stated, **{name: value for name, value in said.items() if value and name in stated}}


def _facts(entity: Id | None, people: pl.DataFrame, layout: Layout, ports: Ports) -> Facts:
    now = ports.clock()
    asked = Questions(
        annex=layout.annex, entity=entity, sender=None, sha256="", people=people, received_at=now, guid=""
    )
    return ports.registry.ask(asked)


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={"tipo_id": pl.String, "num_id": pl.String})
