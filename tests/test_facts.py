"""Each built-in layout against the facts of its annex, field by field: a difference is red, with the annex's number.

The facts (`tests/facts/*.json`) are numbers, codes and names read from transcriptions of the norm each file names;
`max` null means that nobody read it. MED114MCOM, DIS113DVEN and the APS124CCFP of 2025 have no facts: only positions of
one generator.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from pisis_batch.layouts import Field, Layout, Record, shelf
from pisis_batch.layouts.explain import page

FACTS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((Path(__file__).parent / "facts").glob("*.json"))
}
#: Mandatory by the facts and optional here, with the reason: an implementer leaves them empty when the question before
#: them is answered no, or they apply from an age on (then a `[[check]]` asks for them).
RELAXED = {
    "APS124CCFP": {
        "2": {4, 51, 52, 56, 57, 65, 72, 74, 91, *range(93, 104), 115, 123, 124},
        "3": {39, 40, 44, 45},
    },
}
#: Closed lists the facts give whole although the source had seen only some of their values.
FIELDS = [
    (annex, record["type"], fact)
    for annex, facts in FACTS.items()
    for record in facts["records"]
    for fact in record["fields"]
]


def layout_of(annex: str) -> Layout:
    found = shelf().get(annex)
    assert found
    return found


def record_of(annex: str, mark: str) -> Record:
    return next(record for record in layout_of(annex).records if record.mark == mark)


@pytest.mark.parametrize("annex", FACTS)
def test_the_whole(annex: str) -> None:
    layout, facts = layout_of(annex), FACTS[annex]
    assert layout.file_name.width == facts["name_length"]
    assert layout.separator == facts["delimiter"]
    assert [record.mark for record in layout.records] == [record["type"] for record in facts["records"]]
    for fact in facts["records"]:
        record = record_of(annex, fact["type"])
        assert len(record.fields) == len(fact["fields"])
        if "key" in fact:
            assert [record.number(name) for name in record.unique] == fact["key"]


def required(field: Field) -> str:
    if field.condition:
        return "conditional"
    return "yes" if field.required and not field.reserved else "no"


def length(field: Field) -> int | None:
    if field.type == "F":
        return 10
    if field.digits is not None or field.max is not None:
        return field.digits or field.max
    return len(field.constant) if field.constant else None


def compared(field: Field, fact: dict[str, Any], annex: str, mark: str) -> list[str]:
    """Every difference, in words."""
    range_ = f"{fact['range'][0]}..{fact['range'][1]}" if "range" in fact else None
    said = {
        "label": (field.label, fact["name"]),
        "type": (field.type, "N" if fact["no"] == 0 else fact["type"]),
        "length": (length(field), fact["max"]),
        "unread": ("max" in field.unread, fact["max"] is None),
        "constant": (field.constant, fact.get("constant")),
        "list": (field.list is not None, fact.get("list", False)),
        "exclusive": (list(field.exclusive), fact.get("exclusive", [])),
    }
    if fact["type"] == "D":
        said["decimals"] = (field.decimals, fact.get("decimals"))
    if range_:
        said["range"] = (str(field.range), range_)
    if "codes" in fact:
        said["codes"] = (list(field.options), fact["codes"])
    if "pattern" in fact:
        said["pattern"] = (field.pattern, fact["pattern"])
    if "sentinels" in fact:
        said["sentinels"] = (list(field.sentinels or ()), fact["sentinels"])
    if fact["no"] not in RELAXED.get(annex, {}).get(mark, ()):
        # where a line stops, what was conditional is mandatory until it stops
        stops = record_of(annex, mark).stop is not None and field.empty_if is not None
        told = "conditional" if stops and fact["required"] == "conditional" else required(field)
        said["required"] = (told, fact["required"])
    return [f"{key}: {here!r} here, {there!r} in the facts" for key, (here, there) in said.items() if here != there]


@pytest.mark.parametrize(("annex", "mark", "fact"), FIELDS, ids=lambda x: str(x["no"]) if isinstance(x, dict) else x)
def test_field(annex: str, mark: str, fact: dict[str, Any]) -> None:
    field = record_of(annex, mark).fields[fact["no"]]
    assert compared(field, fact, annex, mark) == []


def test_versions_of_one_annex_are_chosen_by_cut_date() -> None:
    widths = {}
    for day in ("20251020", "20260531", "20260601", "20260706"):
        found = shelf().find(f"APS124CCFP{day}NI000900123456.TXT")
        assert found
        widths[day] = [len(record.fields) for record in found.records]
    assert widths == {
        "20251020": [6, 85, 39],
        "20260531": [6, 85, 39],
        "20260601": [6, 125, 119],
        "20260706": [6, 125, 119],
    }


def test_what_was_not_read_is_shown_on_the_page() -> None:
    for layout in shelf():
        told = page(layout)
        unread = [field for record in layout.records for field in record.fields if "max" in field.unread]
        assert told.count("**no leída**") == len(unread)


def test_the_official_codes_of_sgd280rped_are_kept() -> None:
    layout = layout_of("SGD280RPED")
    person = layout.record["persona"]
    assert person.by_name["resultado_minimental"].alias == {"EST014": "504"}
    orders = [check for check in layout.check if check.kind == "order" and isinstance(check.alias, dict)]
    assert {code for check in orders for code in dict(check.alias).values()} >= {"120", "159", "171", "643", "666"}
    off = [check for check in layout.check if check.off]
    assert [check.alias for check in off] == ["673"]
    assert "575" in off[0].off
    warned = {check.alias for check in layout.check if check.severity == "advertencia"}
    assert warned == {"674", "675", "555", "581", "307"}
