"""What can be wrong with a batch. `check_structure` is the first validation, `check_content` the second.

Modules are named after the family of codes they hold: nombre NOM, lineas, campos, tipos, longitud, formas, segun,
relaciones, calculos and tablas EST, archivo, cuentas, repetidos, conjuntos and secuencias ARC, remitente REM, entidad,
control, responsables, calendario and retencion CTL, usuarios USR, perfiles PRF, registros REG, firma FIR, sistema SIS.
Importing them here registers their rules; the order is the order of telling when a cell has more than one fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pisis_batch.frames import Columns, pl
from pisis_batch.layouts import Layout, Shelf
from pisis_batch.model import Batch, Brief, Facts, Findings
from pisis_batch.validators import nombre  # isort: skip
from pisis_batch.validators import lineas  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import campos  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import tipos  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import longitud  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import formas  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import segun  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import relaciones  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import calculos  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import tablas  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import archivo  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import cuentas  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import repetidos  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import conjuntos  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import secuencias  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import remitente  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import entidad  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import control  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import responsables  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import calendario  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import retencion  # isort: skip
from pisis_batch.validators import usuarios  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import perfiles  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import registros  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators import firma  # isort: skip
from pisis_batch.validators import sistema  # isort: skip  # noqa: F401 registers its rules
from pisis_batch.validators.clearing import clear
from pisis_batch.validators.ordering import told
from pisis_batch.validators.rule import NOTHING, RULES, Found, Rule
from pisis_batch.validators.structure import asked_with, cell_findings, of_doubts, of_suspects, plain_findings
from pisis_batch.validators.trust import doubtful
from pisis_batch.validators.texts import as_shown, described, kinds, label, masked, open_to_all

__all__ = [
    "RULES",
    "Rule",
    "as_shown",
    "asked_with",
    "can_part",
    "cell_findings",
    "check_content",
    "check_layout",
    "check_name",
    "check_persons",
    "check_sender",
    "check_structure",
    "described",
    "joined",
    "kinds",
    "label",
    "masked",
    "not_approved",
    "of_doubts",
    "of_suspects",
    "open_to_all",
    "our_fault",
    "signature",
]

#: The first validation asks nothing of the registry.
_NO_FACTS = Facts(today=None)  # type: ignore[arg-type]  # a structural rule that looked at it would fail at once


def check_name(name: str, shelf: Shelf) -> Findings:
    """The one finding of a file whose name belongs to no annex."""
    return told([RULES["NOM001"].findings(nombre.unknown_annex(name, shelf), None)])


def our_fault() -> Findings:
    """The one finding of a file that we could not process."""
    row = pl.DataFrame({"line": [None]}, schema={"line": pl.UInt32})
    return told([RULES["SIS001"].findings(row, None)])


def signature(objections: Sequence[tuple[str, Mapping[str, str]]], *, blocks: bool) -> Findings:
    """Findings of a signature: codes with the facts of their sentences, errors or mere warnings."""
    severity = "error" if blocks else "advertencia"
    none = dict.fromkeys(firma.COLUMNS, "")
    schema = (Columns(line="UInt32", severity="String") | firma.COLUMNS).schema
    frames = [
        RULES[code].findings(pl.DataFrame([{"line": None, "severity": severity, **none, **facts}], schema=schema), None)
        for code, facts in objections
    ]
    return told(frames)


def not_approved(reason: str, leaving: int, users: int) -> Findings:
    """The one finding of a held file that people did not approve."""
    row = {"line": None, "motivo": reason, "salen": str(leaving), "total": str(users)}
    frame = pl.DataFrame([row], schema=(Columns(line="UInt32") | retencion.COLUMNS).schema)
    return told([RULES["CTL040"].findings(frame, None)])


def check_structure(batch: Batch, cells: list[Brief] | None = None) -> Findings:
    """First validation: the name, the lines, every cell, and the file as a whole (ficha 2.18).

    `cells`: what was found in the cells of the lines that the batch does not hold, when they were judged already.
    They are taken over: the list is empty afterwards, so that a million findings are not in memory twice.
    """
    layout, idle = batch.layout, _idle(batch)
    found = [
        _objections(rule, batch, _NO_FACTS)
        for rule in RULES.values()
        if rule.reach not in idle and rule.code.startswith(("NOM", "EST", "ARC"))
    ]
    if batch.plain is not None:
        few = [row for record in layout.records for row in plain_findings(batch.plain[record.name], record)]
        return told(found, few)
    judged = batch.figures.elsewhere if batch.figures else None
    for record in layout.records:
        frame = batch[record.name]
        if judged is not None and frame.height:
            frame = frame.filter(~pl.col("line").is_in(judged.implode()))
        found.append(cell_findings(frame, record))
    return told(found, brief=cells)


def check_content(batch: Batch, facts: Facts) -> Findings:
    """Second validation: the general rules and those the layout names, against the registry.

    A sender who may not act for the entity is told only that: no other fact of the registry is disclosed.
    """
    sender = check_sender(batch, facts)
    if sender.blocks:
        return sender
    persons = doubtful(batch, facts)
    silent = clear(persons, facts)
    return told(
        [
            _objections(rule, persons if rule.reach == "person" else batch, facts)
            for rule in _named(batch)
            if rule.family != "REM" and rule.code not in silent
        ]
    )


def check_persons(batch: Batch, facts: Facts) -> Findings:
    """Of the second validation only the rules that judge person by person, for a file given in parts."""
    persons = doubtful(batch, facts)
    named = [rule for rule in _named(batch) if rule.reach in {"person", "row"}]
    return told([_objections(rule, persons if rule.reach == "person" else batch, facts) for rule in named])


def joined(found: list[Findings]) -> Findings:
    """What was found in the parts of a file, in the order of the whole."""
    return told([findings.frame for findings in found])


def can_part(layout: Layout) -> bool:
    """Whether every rule of content that a layout names judges the control record or person by person."""
    return all(RULES[code].reach in {"control", "person", "row"} for code in layout.rules if code in RULES)


def check_sender(batch: Batch, facts: Facts) -> Findings:
    """Only whether the sender may act for the entity."""
    return told([_objections(rule, batch, facts) for rule in _named(batch) if rule.family == "REM"])


def _named(batch: Batch) -> list[Rule]:
    named, idle = set(batch.layout.rules), _idle(batch)
    return [rule for code, rule in RULES.items() if (code in named or rule.general) and rule.reach not in idle]


def _objections(rule: Rule, batch: Batch, facts: Facts) -> Found:
    if rule.objects is None or rule.retired or not _in_reach(rule, batch):
        return NOTHING
    return rule.findings(rule.objects(batch, facts), batch.layout)


def _idle(batch: Batch) -> set[str]:
    """The reaches of rules that have nothing to look at in a file."""
    return {reach for reach, any_ in (("irregular", batch.odd), ("checks", bool(batch.layout.check))) if not any_}


def _in_reach(rule: Rule, batch: Batch) -> bool:
    """Whether there is anything that the rule looks at."""
    if rule.reach in {"person", "row"} and rule.on:
        return bool(batch.plain[rule.on] if batch.plain is not None else batch[rule.on].height)
    return True


def check_layout(layout: Layout) -> list[str]:
    """Rule codes a layout names that do not exist, are retired, or speak of fields it does not have."""
    problems = []
    for place, code in enumerate(layout.rules):
        rule = RULES.get(code)
        if rule is None:
            problems.append(f'rules[{place}]: no existe la regla "{code}"')
        elif rule.retired:
            problems.append(f"rules[{place}]: la regla {code} se retiró en la versión {rule.retired}")
        elif rule.general:
            continue  # its findings are placed by what the layout says
        elif rule.on and rule.on not in layout.record:
            problems.append(f'rules[{place}]: la regla {code} habla del registro "{rule.on}", que este anexo no tiene')
        elif rule.on and rule.field and rule.field not in layout.record[rule.on].by_name:
            problems.append(f'rules[{place}]: la regla {code} habla del campo "{rule.on}.{rule.field}", que no existe')
    return problems
