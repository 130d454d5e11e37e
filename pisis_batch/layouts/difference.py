"""A new version of an annex in words, for those who report: what is new, what went, what is written otherwise."""

from collections.abc import Iterator

from pisis_batch.layouts.explain import help_of
from pisis_batch.layouts.explain_checks import checks_in_words
from pisis_batch.layouts.field import Field
from pisis_batch.layouts.layout import Layout, Record


def difference(old: Layout, new: Layout) -> list[str]:
    """Markdown lines in Spanish; empty when nothing changes for who reports."""
    whole = list(_whole(old, new))
    lines = [*(["## El archivo", "", *whole] if whole else [])]
    for record in new.records:
        before = old.record.get(record.name) or next((r for r in old.records if r.mark == record.mark), None)
        told = list(_record(before, record)) if before else [f"- Es un registro nuevo, de {len(record.fields)} campos."]
        lines += [*([""] if lines else []), f"## {record.label}", "", *told] if told else []
    kept = {r.name for r in new.records} | {r.mark for r in new.records}
    gone = [r for r in old.records if r.name not in kept and r.mark not in kept]
    lines += [line for r in gone for line in ("", f"## {r.label}", "", "- Este registro ya no se envía.")]
    checks = list(_checks(old, new))
    lines += ["", "## Comprobaciones entre campos y registros", "", *checks] if checks else []
    if lines:
        title = f"# {new.annex}: qué cambia de la versión {old.version} a la {new.version}"
        lines = [title, "", f"Rige para fechas de corte desde {new.valid_from.isoformat()}.", "", *lines]
    return lines


def _whole(old: Layout, new: Layout) -> Iterator[str]:
    pairs = [
        ("El nombre del archivo", old.file_name.pattern, new.file_name.pattern),
        ("El signo que separa los campos", old.separator, new.separator),
        ("La codificación del texto", old.encoding, new.encoding),
        ("El orden de los registros", ", ".join(old.order), ", ".join(new.order)),
    ]
    yield from (f"- {what} era `{a}` y ahora es `{b}`." for what, a, b in pairs if a != b)
    if old.sequence != new.sequence:
        over = ", ".join(new.sequence.over) if new.sequence else ""
        yield f"- El consecutivo cambia: ahora corre por {over}." if over else "- Ya no hay consecutivo."
    if old.total != new.total:
        yield "- Cambia qué registros cuenta el total del control."
    added, gone = sorted(set(new.rules) - set(old.rules)), sorted(set(old.rules) - set(new.rules))
    yield from [f"- Se aplican también las reglas {', '.join(added)}."] if added else []
    yield from [f"- Ya no se aplican las reglas {', '.join(gone)}."] if gone else []


def _record(old: Record, new: Record) -> Iterator[str]:
    if len(old.fields) != len(new.fields):
        yield f"- Tenía {len(old.fields)} campos y ahora tiene {len(new.fields)}: cada línea cambia."
    if old.occurs != new.occurs:
        yield "- Cambia cuántas veces puede ocurrir."
    if old.unique != new.unique:
        key = ", ".join(f"«{new.by_name[name].label}»" for name in new.unique)
        yield f"- No se puede repetir: {key}." if key else "- Ya puede repetirse."
    match = _matched(old, new)
    for number, field in enumerate(new.fields):
        before = match.get(field.name)
        where = f"Campo {number}, «{field.label}»"
        if before is None:
            form, more = help_of(field, new)
            yield f"- {where}: es **nuevo**. {form}{'. ' + more if more else ''}."
            continue
        place = old.number(before.name)
        moved = [f"era el campo {place}"] if place != number else []
        told = [*moved, *_changes(before, field, old, new)]
        if told:
            yield f"- {where}: {'; '.join(told)}."
    matched = {field.name for field in match.values()}
    yield from (
        f"- «{field.label}» (era el campo {n}): **se quita**."
        for n, field in enumerate(old.fields)
        if field.name not in matched
    )


def _matched(old: Record, new: Record) -> dict[str, Field]:
    """Field of the new version -> the old one it continues: by short name, else by label."""
    labels = {field.label.casefold(): field for field in old.fields}
    found = {field.name: old.by_name[field.name] for field in new.fields if field.name in old.by_name}
    taken = {field.name for field in found.values()}
    for field in new.fields:
        same = labels.get(field.label.casefold())
        if field.name not in found and same is not None and same.name not in taken:
            found[field.name] = same
            taken.add(same.name)
    return found


def _changes(old: Field, new: Field, before: Record, after: Record) -> Iterator[str]:
    if old.label != new.label:
        yield f"se llamaba «{old.label}»"
    lost, won = _codes(old, new), _codes(new, old)
    if won:
        yield f"se puede escribir también {', '.join(won)}"
    if lost:
        yield f"ya no se puede escribir {', '.join(lost)}"
    renamed = [
        f"{code} es ahora «{meaning}»"
        for code, meaning in (new.values or {}).items()
        if old.values and old.values.get(code, meaning) != meaning
    ]
    yield from renamed
    (old_form, old_more), (new_form, new_more) = help_of(old, before), help_of(new, after)
    if old_form != new_form:
        yield f"era «{old_form}» y ahora es «{new_form}»"
    if old_more != new_more and not (won or lost or renamed) and (old.note or "") == (new.note or ""):
        yield f"ahora: {new_more}" if new_more else f"ya no se pide: {old_more}"


def _codes(here: Field, there: Field) -> list[str]:
    if not here.values or not there.values:
        return []
    return [
        f"{code} ({meaning})" if meaning else code for code, meaning in here.values.items() if code not in there.values
    ]


def _checks(old: Layout, new: Layout) -> Iterator[str]:
    before, after = list(checks_in_words(old)), list(checks_in_words(new))
    yield from (f"- Nueva: {line.removeprefix('- ')}" for line in after if line.startswith("- ") and line not in before)
    yield from (f"- Ya no: {line.removeprefix('- ')}" for line in before if line.startswith("- ") and line not in after)
