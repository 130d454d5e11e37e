"""What is left after the known causes: a column left empty, one wrong value many times, and groups by code."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from pisis_batch.causes.case import Case, Claim, Few, about, in_lines, repeated
from pisis_batch.model import Findings
from pisis_batch.validators import RULES

#: Codes whose value is a person's own: that it repeats says nothing about a habit.
_PERSONAL = ["ARC005", "ARC006", "ARC007"]
_FEWEST, _GROUPS = 3, 20


@about("EST010", "EST011", sign=repeated("code", "record", "field"))
def empty_column(case: Case) -> Iterator[Claim]:
    """A mandatory column is empty in most lines, or one that must be empty is filled."""
    for code, slug in (("EST010", "columna-vacia"), ("EST011", "columna-de-mas")):
        for (record, field), found in case.of(code).group_by("record", "field", maintain_order=True):
            if not case.habitual(found):
                continue
            label = case.label(str(record), str(field))
            empty = code == "EST010"
            yield Claim(
                slug,
                f"La columna {label} va vacía" if empty else f"La columna {label} trae datos donde debe ir vacía",
                f"{label} es obligatorio y falta {in_lines(found)}"
                if empty
                else f"{label} debe ir vacío según los demás datos del registro y trae datos {in_lines(found)}",
                "A mandatory column is empty throughout" if empty else "A column is filled where it must be empty",
                "Complete la columna en el programa o la hoja de la que sale el archivo."
                if empty
                else "Borre esos datos y deje las barras, o revise la columna de la que dependen.",
                found["n"],
            )


def _one_value(_: Case, some: list[Few]) -> bool:
    told = Counter((one.record, one.field, one.value) for one in some if one.value and one.code not in _PERSONAL)
    return max(told.values(), default=0) >= _FEWEST


@about(sign=_one_value)
def one_value(case: Case) -> Iterator[Claim]:
    """The same wrong value in the same field, time after time."""
    if case.findings.height < _FEWEST:
        return
    told = case.findings.select("n", "line", "record", "field", "value", "code")
    cells = told.filter(pl.col("value").fill_null("") != "", ~pl.col("code").is_in(_PERSONAL))
    key = ["record", "field", "value"]
    groups = cells.group_by(key, maintain_order=True).len().filter(pl.col("len") >= _FEWEST)
    for row in groups.sort("len", descending=True, maintain_order=True).head(_GROUPS).iter_rows(named=True):
        found = cells.filter([pl.col(name).eq_missing(pl.lit(row[name])) for name in key])
        if not case.habitual(found):
            continue
        rule, label = RULES[found["code"].mode().sort()[0]], case.label(row["record"], row["field"])
        yield Claim(
            "valor-repetido",
            f"{label} trae siempre el mismo valor errado",
            f"El mismo valor se repite {in_lines(found)}: {rule.title.lower()}",
            "One wrong value is repeated in the same field",
            f"{rule.remedy} Como el valor es el mismo, puede corregirlo de una sola vez con Reemplazar.",
            found["n"],
        )


def by_code(left: pl.DataFrame | Sequence[int], findings: Findings) -> Iterator[Claim]:
    """Everything that no cause explains, grouped by code."""
    if isinstance(left, pl.DataFrame):
        groups: dict[str, Any] = {
            str(code): found["n"] for (code,), found in left.group_by("code", maintain_order=True)
        }
    else:
        groups = {}
        for n in left:
            groups.setdefault(findings.rows[n][0], []).append(n)
    for code, explains in groups.items():
        rule = RULES[code]
        yield Claim(
            rule.code, rule.title, rule.cause.removesuffix("."), rule.summary.split("\n")[0], rule.remedy, explains
        )
