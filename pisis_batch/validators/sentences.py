"""A few findings in words, one after another in plain Python: starting polars takes longer than to word some hundred.

The same words as `texts.described` makes of columns, from the same sentences (held to it in tests).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from string import Formatter
from typing import Any, Literal, NamedTuple

from pisis_batch.layouts import Layout
from pisis_batch.validators.rule import RULES, Rule

Language = Literal["es", "en"]
#: What is written after a sentence that has an official code.
OFFICIAL = {"es": " (código oficial {})", "en": " (official code {})"}
LONGEST = 80  # characters of a value in a line of a report
#: Characters that nobody sees, as a class of an expression.
INVISIBLE = "[\x01-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
_DRAWN = {0: "␀", 9: "⇥", **dict.fromkeys((n for n in range(1, 0x20) if n != 9), "⍰")}  # noqa: PLR2004 the tabulator
_DRAWN |= dict.fromkeys(
    (*range(0x7F, 0xA0), 0xAD, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x206A), 0xFEFF), "⍰"
)
HIDDEN, _LAST = "••••", 4
ID_LIKE = frozenset({"num_id", "num_id_representante", "num_id_contacto"})


class Worded(NamedTuple):
    """A finding (schema FINDINGS) with what is said of it, and the value expected with a sentence, where there is one."""

    code: str
    severity: str
    stage: str
    line: int | None
    record: str | None
    field_no: int | None
    field: str | None
    value: str | None
    details: str | None
    message: str
    label: str
    shown: str
    title: str
    remedy: str
    expected: str = ""
    suggestion: str = ""


def worded(
    rows: Iterable[Sequence[Any]], layout: Layout | None, *, language: Language = "es", mask: bool = False
) -> list[Worded]:
    """Findings as rows (schema FINDINGS) in words. `mask` hides identifiers."""
    known, private = (layout.labels, layout.ids) if layout else ({}, frozenset[str]())
    told = []
    for row in rows:
        code, line, record, field, value, details = row[0], row[3], row[4], row[6], row[7], row[8]
        pair = f"{record or ''}.{field or ''}"
        shown = value or ""
        if mask and shown and (pair in private or code.startswith("REM")):
            shown = masked(shown)
        shown = short(visible(shown))
        label = known.get(pair, field or "")
        own = {"valor": shown, "campo": label, "linea": "" if line is None else str(line)}
        rule = RULES[code]
        message = _sentence(rule, language, own, _facts(rule, details, mask=mask))
        told.append(Worded._make((*row, message, label, shown, rule.title, rule.remedy, "", "")))
    return told


def _facts(rule: Rule, details: str | None, *, mask: bool) -> dict[str, str]:
    """What the sentence of a finding names beside the finding, and the official code."""
    if not details or not (rule.placeholders or '"oficial"' in details):
        return {}
    facts = {name: visible(value) for name, value in json.loads(details).items() if value is not None}
    return {name: masked(value) if mask and name in ID_LIKE else value for name, value in facts.items()}


def _sentence(rule: Rule, language: Language, own: dict[str, str], facts: dict[str, str]) -> str:
    said = [
        text if name is None else own[name] if name in own else facts.get(name, "")
        for text, name in pieces(rule.es if language == "es" else rule.en)
    ]
    if official := facts.get("oficial"):
        said.append(OFFICIAL[language].format(official))
    return "".join(said)


@lru_cache(maxsize=1024)
def pieces(template: str) -> tuple[tuple[str, str | None], ...]:
    """A sentence in pieces: texts, and (with an empty one) the names that stand between them."""
    found: list[tuple[str, str | None]] = []
    for text, name, _, _ in Formatter().parse(template):
        if text:
            found.append((text, None))
        if name:
            found.append(("", name))
    return tuple(found)


def visible(text: str) -> str:
    """Control, bidirectional and invisible characters drawn as ␀ or ⍰."""
    return text if text.isprintable() else text.translate(_DRAWN)


def short(text: str) -> str:
    """At most 80 characters: a line of a report."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def masked(value: str) -> str:
    """All but the last four characters hidden; a value of four or fewer is hidden whole."""
    return HIDDEN if len(value) <= _LAST else HIDDEN + value[-_LAST:]
