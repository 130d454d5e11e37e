"""The file that takes back another one, for somebody to check and send: nothing is applied here."""

from dataclasses import dataclass

import polars as pl

from pisis_batch import pipeline, undoing, writing
from pisis_batch.layouts import Layout
from pisis_batch.model import Facts, Id, Outcome, Questions, Received
from pisis_batch.ports import Origin, Ports
from pisis_batch.service import originals
from pisis_batch.service.checking import check


@dataclass(frozen=True, slots=True)
class Undoing:
    """`outcome`: what the service would say of the file, with its changes. `conflicts`: (person, later cause) pairs.

    `later`: the files among those causes. `content` empty: nothing is left to undo.
    """

    name: str
    content: bytes
    outcome: Outcome | None
    conflicts: tuple[tuple[Id, str], ...]
    later: dict[str, Origin]


def undo(guid: str, ports: Ports, *, force: bool) -> Undoing | None:
    """The compensating file of a receipt, of today; None when the receipt changed no user. Raises KeyError."""
    receipt = ports.registry.receipt(guid)
    if receipt is None:
        raise KeyError(guid)
    traces = ports.registry.traces(guid)
    if traces is None:
        return None
    now = ports.clock()
    original = originals.received(receipt, ports)
    examined = pipeline.examine(original, ports.shelf, ports.limits)
    if examined.layout is None or examined.batch is None or examined.batch.control is None:
        raise RuntimeError("a loaded file has a control record")
    layout = examined.layout
    control = _control({name: str(value) for name, value in examined.batch.control.items()}, layout, ports)
    control[layout.cut_date] = now.date().isoformat()
    frames = undoing.compensate(traces, layout, control, force=force)
    clashes = undoing.conflicts(traces)
    pairs = tuple((Id(kind, number), cause) for kind, number, cause in clashes.iter_rows())
    later = ports.registry.origins(set(clashes["guid"]))
    if all(frames[record.name].is_empty() for record in layout.details):
        return Undoing("", b"", None, pairs, later)
    name, content = layout.file_name.write(control), writing.write(layout, frames)
    made = Received("-", name, content, now, None)
    return Undoing(name, content, check(made, ports, shelf=ports.shelf, limits=ports.limits), pairs, later)


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
