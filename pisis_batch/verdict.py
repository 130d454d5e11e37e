"""Findings to verdict and figures. The figures add up: read = correct + with_errors."""

import polars as pl

from pisis_batch.model import Batch, Counts, Facts, Findings, Verdict


def decide(findings: Findings, facts: Facts | None) -> Verdict:
    """All or nothing (A3.10, Q9): one error rejects the file; the same bytes as a loaded file change nothing (Q30)."""
    if findings.blocks or facts is None:
        return Verdict.RECHAZADO
    return Verdict.SIN_CAMBIOS if facts.earlier else Verdict.CARGADO


def count(batch: Batch | None, findings: Findings, verdict: Verdict) -> Counts:
    """The figures of a file. A fault of the control record is of no detail line (ficha 2.21)."""
    warnings = findings.where("advertencia").frame.height
    if batch is None:
        return Counts(warnings=warnings)
    control = batch.layout.control
    errors = findings.where("error").frame.filter(pl.col("line").is_not_null())
    own = set(batch[control.name]["line"]) | set(batch.irregular.filter(pl.col("mark") == control.mark)["line"])
    details = set(batch.unreadable["line"])
    for record in batch.layout.details:
        details.update(batch[record.name]["line"])
    faulty = {line for line in errors["line"] if line in details and line not in own}
    read = batch.details
    return Counts(
        read=read,
        correct=read - len(faulty),
        with_errors=len(faulty),
        duplicated=findings.frame.filter(pl.col("code") == "ARC007").height,
        loaded=read if verdict is Verdict.CARGADO else 0,
        warnings=warnings,
    )
