"""The page of a code, the same in the terminal and in the documentation."""

from collections.abc import Iterator

from pisis_batch.validators.rule import Rule

_SEVERITIES = {"error": "error: el archivo se rechaza", "advertencia": "advertencia: no bloquea", "informativo": "nota"}


def rule_page(rule: Rule) -> str:
    """A rule as Markdown."""
    return "\n".join(_lines(rule)) + "\n"


def _lines(rule: Rule) -> Iterator[str]:
    yield f"## {rule.code}: {rule.title}"
    yield ""
    yield f"- **Gravedad**: {_SEVERITIES[rule.severity]}"
    yield f"- **Validación**: {rule.stage}"
    if rule.source:
        yield f"- **Fuente**: {rule.source}"
    yield f"- **Desde la versión**: {rule.since}"
    yield ""
    yield f"**Qué dice**: {rule.es}."
    yield ""
    yield f"**In English**: {rule.en}."
    yield ""
    yield f"**Por qué pasa**: {rule.cause}"
    yield ""
    yield f"**Qué hacer**: {rule.remedy}"
    if rule.annex:
        yield ""
        yield "Con un anexo que dice:"
        yield ""
        yield "```toml"
        yield rule.annex
        yield "```"
    for title, blocks in (("Se rechaza", rule.rejects), ("Se acepta", rule.accepts)):
        for block in blocks:
            yield ""
            yield f"{title}:"
            yield ""
            yield "```text"
            yield block
            yield "```"
