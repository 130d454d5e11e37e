"""The story on one page: examine the bytes, ask what the registry must tell, judge. Pure; the service does the rest."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from pisis_batch import changes, reading, signing, validators, verdict
from pisis_batch.frames import Row, pl
from pisis_batch.layouts import Layout, Shelf, travels
from pisis_batch.model import (
    ORPHAN,
    PERSON,
    Batch,
    Changes,
    Content,
    Counts,
    Examined,
    Facts,
    Later,
    Limits,
    Outcome,
    Questions,
    Received,
    Sender,
    Trust,
    Verdict,
)

#: Bytes from which a file is sifted, and from which nobody ever holds all its rows.
MIDDLING, LARGE = 1024 * 1024, 32 * 1024 * 1024


def examine(received: Received, shelf: Shelf, limits: Limits, trust: Trust | None = None) -> Examined:
    """First validation: structure, and the signature by `trust`. Needs nothing but the bytes and the name.

    What came inside its signature is looked at as the file that it holds.
    """
    if not received.signed and trust is None:
        return _structure(received, shelf, limits)
    if received.signed == ORPHAN:
        return Examined(received, None, None, validators.signature([("FIR002", {})], blocks=True))
    file = signing.opened(received)
    if file is None:
        why = {"motivo": "no tiene la forma de una firma CMS (PKCS#7) con el archivo adentro"}
        return Examined(received, shelf.find(received.name), None, validators.signature([("FIR003", why)], blocks=True))
    examined = _structure(file, shelf, limits)
    if trust is None or received.unread:
        return examined
    told = [(one.code, one.facts) for one in signing.objections(file, examined.entity, trust)]
    signature = validators.signature(told, blocks=trust.required)
    return dataclasses.replace(examined, findings=validators.joined([signature, examined.findings]))


def _structure(received: Received, shelf: Shelf, limits: Limits) -> Examined:
    layout = shelf.find(received.name)
    if layout is None:
        return Examined(received, None, None, validators.check_name(received.name, shelf))
    if received.unread:
        batch = reading.unread(layout, received.name, received.unread, received.unread_size, limits)
    elif len(received.content) >= MIDDLING and validators.can_part(layout):
        found = _sifted(received, layout, limits)
        if found is not None:
            return found
        batch = reading.read(received.content, layout, received.name, limits)
    else:
        batch = reading.read(received.content, layout, received.name, limits)
    return Examined(received, layout, batch, validators.check_structure(batch))


def _sifted(received: Received, layout: Layout, limits: Limits) -> Examined | None:
    """A file looked at in chunks; None when it is to be read whole, as one with any fault is unless it is large.

    What explains a fault looks at the sound lines too. Of a sound file the rows are read when somebody asks for them.
    """
    from pisis_batch import sieve, sifting  # noqa: PLC0415 only a larger file needs what it loads

    content, name, large = received.content, received.name, len(received.content) >= LARGE
    today = received.received_at.date()
    judge = sieve.Judge(validators.of_suspects, validators.of_doubts, validators.asked_with)
    found = sifting.sift(content, layout, name, limits, judge, today=today, sound=not large)
    if found is None:
        return None
    batch, cells = found
    findings = validators.check_structure(batch, cells)
    if not large and (len(findings) or batch.odd or batch.plain is None):
        return None
    if batch.plain is not None:
        figures = batch.figures if large else None
        batch = Batch(layout, name, _later(batch, content, limits), last_line=batch.last_line, figures=figures)
    return Examined(received, layout, batch, findings)


def _later(batch: Batch, content: Content, limits: Limits) -> Later:
    """The records of a file that is right, for whoever asks for them: of a large one only the control's row."""
    layout, name, few = batch.layout, batch.file_name, batch.records

    def cut() -> Mapping[str, pl.DataFrame]:
        if len(content) < LARGE:
            return reading.read(content, layout, name, limits).records
        return {record.name: few[record.name] for record in layout.records}

    return Later(batch.control, {record.name: batch.height(record.name) for record in layout.records}, cut)


def questions(examined: Examined) -> Questions:
    """What the registry must tell about this file, in one go. An unsound file asks only for addresses."""
    received, layout = examined.received, examined.layout
    batch = examined.batch if examined.sound else None
    effect = layout.effect if layout else None
    stores = batch if effect and effect.kind == "registros" else None
    replaces = stores if effect and effect.replaces == "periodo y entidad" else None
    return Questions(
        annex=layout.annex if layout else "",
        entity=examined.entity,
        sender=received.sender,
        sha256=received.sha256,
        **({"people": people(batch)} if batch else {}),
        received_at=received.received_at,
        guid=received.guid,
        period=replaces.period if replaces else "",
        within=replaces.within if replaces else "",
        keys=_keys(stores) if stores else {},
    )


def _keys(batch: Batch) -> dict[str, pl.DataFrame]:
    """Per record whose lines act on stored ones, the keys they name."""
    acting = [record for record in batch.layout.details if record.action]
    return {r.name: batch[r.name].select(r.unique).unique(maintain_order=True) for r in acting}


def people(batch: Batch) -> Any:
    """Every person a file names: each field that holds a personal number, with the type field beside it.

    A frame or, of a small file, rows.
    """
    if batch.plain is not None:
        return _few_people(batch)
    found = [PERSON.none]
    for record in batch.layout.records:
        for field in record.fields:
            kind = field.name.replace("num_id", "tipo_id")
            if field.datum == "id" and kind in record.by_name:
                found.append(batch[record.name].select(tipo_id=pl.col(kind), num_id=pl.col(field.name)))
    return pl.concat(found).filter(pl.col("num_id") != "").unique(maintain_order=True)


def _few_people(batch: Batch) -> list[Row]:
    named: dict[tuple[str, str], None] = {}
    for record in batch.layout.records:
        for place, field in enumerate(record.fields, start=1):
            kind = field.name.replace("num_id", "tipo_id")
            if field.datum == "id" and kind in record.by_name:
                beside = record.number(kind) + 1
                rows = (batch.plain or {})[record.name]
                named.update(dict.fromkeys((row[beside], row[place]) for row in rows if row[place]))
    return list(named)


def conclude(examined: Examined, facts: Facts | None) -> Outcome:
    """The end of a file that failed the first validation, or of one that is only checked for structure."""
    outcome = Verdict.RECHAZADO if examined.findings.blocks else Verdict.CARGADO
    counts = verdict.count(examined.batch, examined.findings, outcome)
    return Outcome(examined, facts, examined.findings, outcome, counts, Changes(), ruleset(examined.layout))


def judge(examined: Examined, facts: Facts, *, sender_judged: bool = True) -> Outcome:
    """Second validation of a sound file, verdict and changes. A file nobody sent has a sender without a login.

    The very bytes of a loaded file are not judged again: what they asked is done, so that an unlinking in them would
    now be a stranger's. Their verdict is that nothing changes (Q30).
    """
    batch = examined.batch
    if batch is None or not examined.sound:
        raise ValueError("only a sound file can be judged")
    if sender_judged and facts.sender is None:
        facts = dataclasses.replace(facts, sender=Sender("", registered=False, entitled=False))
    checked = validators.check_sender if facts.earlier else validators.check_content
    content = checked(batch, facts)
    findings = examined.findings + content if len(content) else examined.findings
    reached = verdict.decide(findings, facts)
    planned = changes.plan(batch, facts) if reached is Verdict.CARGADO else Changes()
    return Outcome(
        examined, facts, findings, reached, verdict.count(batch, findings, reached), planned, ruleset(examined.layout)
    )


def broken(received: Received, shelf: Shelf) -> Outcome:
    """The end of a file that we could not process: our fault, nothing counted against the sender (Q24)."""
    layout = shelf.find(received.name)
    examined = Examined(received, layout, None, validators.our_fault())
    return Outcome(examined, None, examined.findings, Verdict.RECHAZADO, Counts(), Changes(), ruleset(examined.layout))


def refused(outcome: Outcome, reason: str) -> Outcome:
    """The end of a held file that people did not approve: rejected, with their reason among the findings."""
    users = outcome.facts.users if outcome.facts else 0
    told = validators.not_approved(reason, outcome.changes.unlinked.height, users)
    findings = told + outcome.findings
    counts = verdict.count(outcome.examined.batch, findings, Verdict.RECHAZADO)
    return dataclasses.replace(outcome, findings=findings, verdict=Verdict.RECHAZADO, counts=counts, changes=Changes())


def with_facts(outcome: Outcome, facts: Facts) -> Outcome:
    """The same outcome, knowing whom to tell."""
    return dataclasses.replace(outcome, facts=facts)


def ruleset(layout: Layout | None = None) -> str:
    """Twelve hexadecimal digits that change with any change of a layout, a rule or the reader.

    A layout of the operator's counts beside everything that travels with the program.
    """
    if layout is None or travels(layout):
        return _own_rules()
    return hashlib.sha256(_own_rules().encode() + layout.written().encode()).hexdigest()[:12]


_READERS = (
    *("accepting.py", "annotations.py", "automata.py", "chunks.py", "consecutives.py", "cutting.py", "fingerprints.py"),
    *("numbering.py", "parting.py", "reading.py", "remains.py", "shapes.py", "sieve.py", "sifting.py", "walk.c"),
    "walking.py",
)


@cache
def _own_rules() -> str:
    digest = hashlib.sha256()
    for name in _READERS:
        digest.update(resources.files("pisis_batch").joinpath(name).read_bytes())
    for folder in ("layouts", "signing", "validators"):
        entries = sorted(resources.files("pisis_batch").joinpath(folder).iterdir(), key=lambda entry: entry.name)
        for entry in entries:
            if entry.is_file() and entry.name.endswith((".py", ".toml")):
                digest.update(entry.name.encode() + entry.read_bytes())
    return digest.hexdigest()[:12]
