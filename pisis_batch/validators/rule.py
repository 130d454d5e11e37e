"""A rule: its code, its words, its examples and the function that finds what it objects to, in one place.

Two shapes. A *rule* is `(batch, facts) -> frame` of the records it objects to (facts is None in the first validation);
extra columns are facts for its sentences. A *fault* is `(field, record) -> Fault | None`: what can be wrong with one
cell, as a polars expression. Both register themselves in `RULES` by code; a code used twice is an error at import.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from string import Formatter
from textwrap import dedent
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypedDict

from pisis_batch.frames import pl
from pisis_batch.layouts import Field, Layout, Record
from pisis_batch.model import FINDINGS, Batch, Facts, Severity, Stage

STAGES: Mapping[str, Stage] = {
    "NOM": "estructura",
    "EST": "estructura",
    "ARC": "estructura",
    "CTL": "contenido",
    "USR": "contenido",
    "PRF": "contenido",
    "REG": "contenido",
    "REM": "contenido",
    "FIR": "estructura",
    "SIS": "sistema",
}
#: Names a sentence may use without a column of that name: they are part of every finding.
_OF_EVERY_FINDING = {"valor", "campo", "linea"}
_SECTION = re.compile(r"^(Rejects|Accepts|Given|Annex):\n((?:(?: {4}.*)?\n)*)", re.MULTILINE)


#: The rows that a rule objects to; None when there are none.
Found: TypeAlias = "pl.DataFrame | None"
#: What a rule finds that objects to nothing.
NOTHING: Final = None


@dataclass(frozen=True, slots=True)
class Fault:
    """`wrong` is true for the cells at fault (null: not this fault's business); `details` go into the sentence.

    `severity` is the layout's, where it says other than the rule. `odd`: no cell of plain signs is at fault, that is
    printable ASCII without a quotation mark, an apostrophe before or a space at either end.
    """

    wrong: pl.Expr
    details: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None
    odd: bool = False


#: What a rule looks at: the whole file; the lines that could not be read; what the layout's `[[check]]` say; the control
#: record; the lines of one person, whatever their record, with the control record and the facts about that person; or
#: each line of its record by itself.
Reach = Literal["file", "irregular", "checks", "control", "person", "row"]


def together(found: list[pl.DataFrame]) -> Found:
    """The rows that a rule objects to, found in several places."""
    return pl.concat(found) if found else NOTHING


class Words(TypedDict):
    """The texts that several rules may share."""

    es: str
    en: str
    cause: str
    remedy: str
    source: str


Objector = Callable[[Batch, Facts], "Found"]
Judge = Callable[[Field, Record], Fault | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """Everything there is to say about a code."""

    code: str
    title: str
    es: str
    en: str
    cause: str
    remedy: str
    severity: Severity
    source: str
    since: str
    retired: str | None
    on: str | None = None
    field: str | None = None
    general: bool = False
    reach: Reach = "file"
    objects: Objector | None = None
    judges: Judge | None = None

    @property
    def family(self) -> str:
        """First three letters of the code."""
        return self.code[:3]

    @property
    def stage(self) -> Stage:
        """Which validation the rule belongs to."""
        return STAGES[self.family]

    @property
    def doc(self) -> str:
        """The docstring of its function."""
        return (inspect.getdoc(self.objects or self.judges) or "") + "\n"

    @property
    def summary(self) -> str:
        """What the rule wants, in English: the docstring without its examples."""
        return _SECTION.sub("", self.doc).strip()

    @property
    def examples(self) -> list[tuple[str, str, str]]:
        """(kind, lines, given) of each example in order; a `Given:` holds for the examples after it."""
        found, given = [], ""
        for section in _SECTION.finditer(self.doc):
            text = dedent(section[2]).strip("\n")
            if section[1] == "Given":
                given = text
            elif section[1] != "Annex":
                found.append((section[1], text, given))
        return found

    @property
    def annex(self) -> str:
        """The piece of a layout, in TOML, that the examples are read with; empty for those of SEG500USIN."""
        return next((dedent(found[2]).strip("\n") for found in _SECTION.finditer(self.doc) if found[1] == "Annex"), "")

    @property
    def rejects(self) -> list[str]:
        """Example lines the rule objects to, a block each."""
        return [text for kind, text, _ in self.examples if kind == "Rejects"]

    @property
    def accepts(self) -> list[str]:
        """Example lines the rule lets pass, a block each."""
        return [text for kind, text, _ in self.examples if kind == "Accepts"]

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names the sentences need beyond those every finding has."""
        return _placeholders(self.es, self.en)

    def findings(self, rows: Found, layout: Layout | None) -> Found:
        """Turn the rows a rule objects to into findings (schema FINDINGS)."""
        if rows is None or rows.is_empty():
            return NOTHING
        columns = set(rows.columns)
        record = pl.col("record") if "record" in columns else pl.lit(self.on, dtype=pl.String)
        name = pl.col("field") if "field" in columns else pl.lit(self.field, dtype=pl.String)
        value = pl.lit(None, dtype=pl.String)
        if "value" in columns:
            value = pl.col("value")
        elif self.field in columns:
            value = pl.col(self.field or "")
        needed = [pl.col(n).cast(pl.String).alias(n) for n in self.placeholders]
        if "oficial" in columns:
            needed.append(pl.col("oficial").cast(pl.String))
        # with_columns keeps the height; a select of literals alone would not
        told = rows.with_columns(
            code=pl.lit(self.code),
            severity=pl.col("severity") if "severity" in columns else pl.lit(self.severity),
            stage=pl.lit(self.stage),
            line=(pl.col("line") if "line" in columns else pl.lit(None)).cast(pl.UInt32),
            record=record,
            field_no=number(record, name, layout),
            field=name,
            value=value.cast(pl.String),
            details=pl.struct(needed).struct.json_encode() if needed else pl.lit(None, dtype=pl.String),
        )
        return told.select(*FINDINGS).cast(FINDINGS.schema)


@lru_cache(maxsize=1024)
def _placeholders(*templates: str) -> tuple[str, ...]:
    used = {name for text in templates for _, name, _, _ in Formatter().parse(text) if name}
    return tuple(sorted(used - _OF_EVERY_FINDING))


def number(record: pl.Expr, name: pl.Expr, layout: Layout | None) -> pl.Expr:
    """The annex's field number of each (record, field) pair."""
    numbers = {f"{r.name}.{f.name}": n for r in (layout.records if layout else ()) for n, f in enumerate(r.fields)}
    if not numbers:
        return pl.lit(None, dtype=pl.UInt16)
    pair = pl.concat_str([record, name], separator=".")
    return pair.replace_strict(numbers, default=None, return_dtype=pl.UInt16)


_RULES: dict[str, Rule] = {}
#: Every rule by code, in order of registration.
RULES: Mapping[str, Rule] = MappingProxyType(_RULES)


def _register(made: Rule) -> None:
    if made.code in _RULES:
        raise ValueError(f"el código {made.code} ya existe")
    if made.family not in STAGES:
        raise ValueError(f"el código {made.code} no es de ninguna familia")
    _RULES[made.code] = made


def rule(
    code: str,
    *,
    title: str,
    es: str,
    en: str,
    cause: str,
    remedy: str,
    on: str | None = None,
    field: str | None = None,
    severity: Severity = "error",
    source: str = "",
    since: str = "0.1.0",
    retired: str | None = None,
    general: bool = False,
    reach: Reach = "file",
) -> Callable[[Objector], Objector]:
    """Register a function as the rule of a code. `on` and `field` place its findings unless the rows say otherwise.

    `reach` says how little of a file the rule needs to see: where that is nothing, it is not asked.
    A `general` rule is asked of every annex, named by its layout or not; its rows say where, by what the layout says.
    """

    def register(function: Objector) -> Objector:
        made = Rule(
            code, title, es, en, cause, remedy, severity, source, since, retired, on, field, general, reach, function
        )
        _register(made)
        return function

    return register


def fault(
    code: str,
    *,
    title: str,
    es: str,
    en: str,
    cause: str,
    remedy: str,
    severity: Severity = "error",
    source: str = "",
    since: str = "0.1.0",
    retired: str | None = None,
) -> Callable[[Judge], Judge]:
    """Register a function as the rule of a code about single cells. Order of registration is order of telling."""

    def register(function: Judge) -> Judge:
        _register(Rule(code, title, es, en, cause, remedy, severity, source, since, retired, judges=function))
        return function

    return register


def literal_details(details: Mapping[str, str]) -> str | None:
    """Details that are the same for every row, in the stored form."""
    return json.dumps(dict(details), ensure_ascii=False) if details else None
