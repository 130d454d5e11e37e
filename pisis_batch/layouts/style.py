"""What a layout may say and still be unfinished or unclear: found by `pisis layouts lint`, not by reading it."""

import re
from collections.abc import Iterator

from pisis_batch.layouts.layout import Layout, Record

#: A comment that `pisis layouts new` leaves where the annex's table did not say.
MISSING = re.compile(r"#\s*FALTA:?\s*(.+)")


def gaps(text: str) -> list[str]:
    """What a draft still marks as missing, as `línea n: sentence`."""
    found = ((number, MISSING.search(line)) for number, line in enumerate(text.split("\n"), start=1))
    return [f"línea {number}: falta {what[1].strip()}" for number, what in found if what]


def unclear(layout: Layout) -> list[str]:
    """Labels that do not tell fields apart, values without meaning, conditions that can never hold together."""
    return [problem for record in layout.records for problem in (*_labels(record), *_chains(record))]


def _labels(record: Record) -> Iterator[str]:
    seen: dict[str, str] = {}
    for number, field in enumerate(record.fields):
        path = f"record.{record.name}.fields[{number}] ({field.name})"
        if field.label == field.name or not any(c.isalpha() for c in field.label):
            yield f"{path}.label: escriba el nombre del campo como lo imprime el anexo"
        elif field.label in seen and "label" not in field.unread and not field.note:  # a note owns up to it
            yield f"{path}.label: «{field.label}» es también el rótulo de {seen[field.label]}"
        seen.setdefault(field.label, field.name)
        yield from (
            f"{path}.values: el valor «{value}» no tiene significado"
            for value, meaning in (field.values or {}).items()
            if value.isdigit() and not meaning.strip() and not {"meaning", "values"} & set(field.unread)
        )


def _chains(record: Record) -> Iterator[str]:
    """A field that is filled only when another is, while that other is filled only under a condition it excludes."""
    for number, field in enumerate(record.fields):
        for name in field.only_if or {}:
            governing = record.by_name.get(name)
            for shared in set(governing.only_if or {} if governing else {}) & set(field.only_if or {}):
                mine, other = _texts(field.only_if, shared), _texts(governing.only_if if governing else None, shared)
                if mine and other and not mine & other:
                    yield (
                        f"record.{record.name}.fields[{number}] ({field.name}).only_if: nunca se cumple, porque "
                        f"«{name}» está vacío cuando {shared} es {' o '.join(sorted(mine))}"
                    )


def _texts(condition: object, name: str) -> set[str]:
    """The values a plain clause lists; empty for any other clause."""
    clause = condition.get(name) if isinstance(condition, dict) else None
    return set(clause) if isinstance(clause, tuple) else set()
