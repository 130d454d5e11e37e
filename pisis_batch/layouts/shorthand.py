"""What a layout says once, spelt out in every field: defaults by type, shared lists, and where a line stops.

    [defaults]  T = { max = 200 }          every text field takes it unless it says otherwise
    [lists]     LstSINO = { 1 = "SI" }     values = "LstSINO"
    stop = { when = …, after = "accion" }  every later field is empty when it holds

Nothing here judges: what is misspelt stays as it is for the model to refuse with its path.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any


def spelt_out(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same layout with nothing implied."""
    records = content.get("record")
    if not isinstance(records, Mapping):
        return dict(content)
    defaults, lists = content.get("defaults", {}), content.get("lists", {})
    whole = {name: _named(name, _record(record, defaults, lists)) for name, record in records.items()}
    return {**content, "record": whole}


def _named(name: str, record: Any) -> Any:
    return {**record, "name": name} if isinstance(record, Mapping) else record


def _record(record: Any, defaults: Any, lists: Any) -> Any:
    if not isinstance(record, Mapping) or not isinstance(record.get("fields"), list):
        return record
    fields = [_field(field, defaults, lists) if isinstance(field, Mapping) else field for field in record["fields"]]
    return {**record, "fields": _stopped(fields, record.get("stop"))}


def _field(field: Mapping[str, Any], defaults: Any, lists: Any) -> dict[str, Any]:
    own = defaults.get(field.get("type", "N"), {}) if isinstance(defaults, Mapping) else {}
    whole = {**(own if isinstance(own, Mapping) and "is" not in field else {}), **field}
    named = whole.get("values")
    if isinstance(named, str) and isinstance(lists, Mapping) and named in lists:
        whole["values"] = lists[named]
        if named[0].isupper():  # a list of the annex's own table; the layout's own lists have small letters
            whole.setdefault("table", named)
    return whole


def _stopped(fields: list[Any], stop: Any) -> list[Any]:
    """The fields after the last one filled are empty when the line stops; those it keeps may be either."""
    if not isinstance(stop, Mapping) or not isinstance(when := stop.get("when"), Mapping):
        return fields
    names = [field.get("name") if isinstance(field, Mapping) else None for field in fields]
    if stop.get("after") not in names:
        return fields
    place = names.index(stop["after"])
    keep = stop.get("keep", ())
    later = [
        _kept(field, when) if field.get("name") in keep else {"empty_if": when, **field}
        for field in fields[place + 1 :]
    ]
    return [*fields[: place + 1], *later]


def _kept(field: Mapping[str, Any], when: Mapping[str, Any]) -> dict[str, Any]:
    if field.get("required", True) is False or len(when) != 1 or {"required_if", "only_if"} & set(field):
        return dict(field)
    ((name, value),) = when.items()
    return {**field, "required": False, "required_if": {name: {"not": value}}}


_PIECE = re.compile(r"\{([^}]*)\}|(#+)|([^{#]+)")


def pieces(template: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each piece of a template of `derived`: `field`, `digits` (as many signs) or `text`."""
    for found in _PIECE.finditer(template):
        yield ("field", found[1]) if found[1] else ("digits", found[2]) if found[2] else ("text", found[3] or "")


def template_fields(template: str) -> list[str]:
    """The fields that a template names."""
    return [text for kind, text in pieces(template) if kind == "field"]
