"""Findings to verdict and figures. The figures add up: read = correct + with_errors."""

from __future__ import annotations

from pisis_batch.frames import picked, pl
from pisis_batch.model import Batch, Counts, Facts, Findings, Verdict


def decide(findings: Findings, facts: Facts | None) -> Verdict:
    """All or nothing (A3.10, Q9): one error rejects the file; the same bytes as a loaded file change nothing (Q30)."""
    if findings.blocks or facts is None:
        return Verdict.RECHAZADO
    return Verdict.SIN_CAMBIOS if facts.earlier else Verdict.CARGADO


def count(batch: Batch | None, findings: Findings, verdict: Verdict) -> Counts:
    """The figures of a file. A fault of the control record is of no detail line (ficha 2.21)."""
    if not len(findings):
        read = batch.details if batch else 0
        return Counts(read=read, correct=read, loaded=read if verdict is Verdict.CARGADO else 0)
    warnings = findings.many("advertencia")
    if batch is None:
        return Counts(warnings=warnings)
    faulty = _faulty(batch, findings)
    read = batch.details
    return Counts(
        read=read,
        correct=read - faulty,
        with_errors=faulty,
        duplicated=sum(many for (code, _, _), many in findings.kinds.items() if code == "ARC007"),
        loaded=read if verdict is Verdict.CARGADO else 0,
        warnings=warnings,
    )


def _faulty(batch: Batch, findings: Findings) -> int:
    """How many detail lines have an error."""
    control = batch.layout.control
    if batch.plain is not None and not batch.odd:
        told = picked(findings, "frame", ("line", "severity"))
        wrong = {line for line, severity in told if severity == "error"}
        return sum(row[0] in wrong for record in batch.layout.details for row in batch.plain[record.name])
    lines = findings.frame.filter(severity="error")["line"].drop_nulls().unique()
    own = [batch[control.name]["line"], batch.irregular.filter(pl.col("mark") == control.mark)["line"]]
    if batch.figures:  # of a sifted file every line is a detail line but these
        empty = batch.irregular.filter(pl.col("problem").is_in(["blank", "end_mark"]))["line"]
        judged = [] if batch.figures.elsewhere is None else [batch.figures.elsewhere]
        held = pl.concat([*judged, batch.unreadable["line"]])
        detail = ~lines.is_in(empty.implode()) | lines.is_in(held.implode())
    else:
        details = [batch.unreadable["line"], *(batch[record.name]["line"] for record in batch.layout.details)]
        detail = lines.is_in(pl.concat(details).implode())
    return int((detail & ~lines.is_in(pl.concat(own).implode())).sum())
