"""What a layout writes it accepts; a new annex is one TOML text; mistakes are named with their path."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import NOW

from pisis_batch import pipeline
from pisis_batch.layouts import Layout, LayoutError, Record, Shelf, json_schema, parse, shelf, shelf_for, travels
from pisis_batch.model import Limits, Received
from pisis_batch.writing import sample

SOURCE = Path("pisis_batch/layouts/SEG500USIN.toml")
NEW = """
annex = "XYZ100PRUE"
version = "1"
valid_from = 2026-01-01
title = "Anexo de prueba"
file_name = "XYZ100PRUE{fecha_corte:AAAAMMDD}{tipo:2}{numero:012}.TXT"
order = ["control", "dato"]
sequence = { field = "consecutivo", over = ["dato"] }
total = { field = "control.total", over = ["dato"] }
entity = { type = "tipo", number = "numero", name = "nombre" }
cut_date = "fecha_corte"
[record.control]
label = "Control"
occurs = "1"
fields = [
  { name = "marca", label = "Tipo de registro", is = "1" },
  { name = "tipo", label = "Tipo", type = "A", max = 2 },
  { name = "numero", label = "Número", type = "N", max = 12 },
  { name = "nombre", label = "Nombre", type = "T", max = 50 },
  { name = "fecha_corte", label = "Fecha de corte", type = "F" },
  { name = "total", label = "Total", type = "N", max = 5 },
]
[record.dato]
label = "Datos"
occurs = "1.."
fields = [
  { name = "marca", label = "Tipo de registro", is = "2" },
  { name = "consecutivo", label = "Consecutivo", type = "N", max = 5 },
  { name = "valor", label = "Valor", type = "D", max = 9, decimals = 2 },
  { name = "opcion", label = "Opción", type = "A", max = 1, required = false, values = { A = "uno", B = "dos" } },
]
"""


def examined(layout: Layout, name: str, content: bytes) -> list[tuple[int | None, str]]:
    found = pipeline.examine(Received("g", name, content, NOW, None), Shelf((layout,)), Limits())
    return [(finding.line, finding.code) for finding in found.findings]


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 30), seed=st.integers(0, 10**6), cut=st.dates(date(2011, 1, 1), date(2090, 1, 1)))
@pytest.mark.parametrize("layout", [shelf().get("SEG500USIN"), parse(NEW)], ids=lambda layout: layout.annex)
def test_what_a_layout_writes_it_accepts(layout: Layout, rows: int, seed: int, cut: date) -> None:
    if cut < layout.valid_from:
        return
    name, content = sample(layout, rows, cut=cut, seed=seed)
    assert examined(layout, name, content) == []
    stated = layout.file_name.read(name)
    assert isinstance(stated, dict)
    assert layout.file_name.write(stated) == name


def test_a_new_annex_is_one_toml_file_and_finds_faults() -> None:
    layout = parse(NEW)
    name, content = sample(layout, 3, cut=date(2026, 7, 15))
    assert examined(layout, name, content.replace(b"2|2|", b"2|2|x", 1)) == [(3, "EST018")]
    assert examined(layout, name, content + b"\r\n2|4|1.00|C") == [(1, "ARC006"), (5, "EST014")]


@pytest.mark.parametrize(
    "check",
    [
        'kind = "sum", field = "control.total", of = "dato.valor"',
        'kind = "computed", on = "dato", field = "doble", plus = ["valor", "valor"]',
    ],
)
def test_figures_too_wide_to_be_added_are_told_as_too_wide(check: str) -> None:
    """Two of thirty-four digits no longer fit any decimal: the rule of their length tells, and none that adds raises."""
    double = NEW.replace(
        '  { name = "opcion"',
        '  { name = "doble", label = "Doble", type = "D", max = 9, decimals = 2 },\n  { name = "opcion"',
    )
    layout = parse(double.replace("[record.control]", f"check = [{{ {check} }}]\n[record.control]", 1))
    name, content = sample(layout, 3, cut=date(2026, 7, 15))
    lines = [line.split(b"|") for line in content.split(b"\r\n")]
    for digits in (20, 21, 34, 35, 5000):
        lines[1][2] = lines[2][2] = b"9" * digits
        found = examined(layout, name, b"\r\n".join(b"|".join(line) for line in lines))
        assert {(2, "EST012"), (3, "EST012")} <= set(found)


def test_every_mistake_of_a_layout_is_named_with_its_path() -> None:
    text = SOURCE.read_text("utf-8")
    with pytest.raises(LayoutError, match=r"record\.usuario\.fields\[7\] \(telefono\)\.maximo"):
        parse(text.replace("max = 26", "maximo = 26"))
    with pytest.raises(LayoutError) as caught:
        parse(text.replace('accion = "V"', 'acion = "V"').replace("TipoIdPersona", "NoExiste"))
    assert len(caught.value.problems) == 5 + 4
    with pytest.raises(LayoutError, match="nunca se cumple"):
        parse(text.replace('accion = "A" }', 'accion = "Z" }'))


@pytest.mark.parametrize("path", sorted(SOURCE.parent.glob("[A-Z]*.toml")), ids=lambda path: path.stem)
def test_what_travels_and_is_built_unjudged_stands_every_judgement_and_is_the_same(path: Path) -> None:
    judged = parse(path.read_text("utf-8"), path.name)
    (own,) = (one for one in shelf() if (one.annex, one.version) == (judged.annex, judged.version))
    assert own is not judged
    assert own == judged
    assert own.written() == judged.written()


def test_a_table_of_a_layout_is_a_value() -> None:
    record = parse(NEW).control
    assert record.but() == record
    assert hash(record.but()) == hash(record)
    assert record.but(label="Otro") != record
    assert record.but(label="Otro").said - record.but(note="una duda").said == set()
    with pytest.raises(AttributeError):
        record.label = "Otro"  # type: ignore[misc]
    with pytest.raises(TypeError, match="never_heard_of"):
        record.but(never_heard_of=1)
    with pytest.raises(TypeError, match="label"):
        Record(fields=())  # type: ignore[call-arg]


def test_versions_are_chosen_by_cut_date() -> None:
    old, new = parse(NEW), parse(NEW.replace("2026-01-01", "2026-09-01").replace('version = "1"', 'version = "2"'))
    both = Shelf((new, old))
    for day, version in (("20260801", "1"), ("20260901", "2")):
        found = both.find(f"XYZ100PRUE{day}NI000900123456.TXT")
        assert found
        assert found.version == version
    assert both.find("XYZ100PRUE20250101NI000900123456.TXT") is None


def test_the_schema_for_editors_is_fresh() -> None:
    assert json.loads(SOURCE.with_name("layout.schema.json").read_text("utf-8")) == json_schema()


def test_a_name_finds_the_same_layout_whether_all_were_read_or_only_what_it_asks_for() -> None:
    everything = shelf()
    for layout in everything:
        for cut in ("20250101", "20260701"):
            name = f"{layout.annex.lower()}{cut}NI000900123456.TXT"
            few = shelf_for([name])
            assert len(few.layouts) < len(everything.layouts)
            assert few.find(name) is everything.find(name) is not None
            assert travels(everything.find(name) or layout)
    assert shelf_for(["NADA.TXT"]) is everything
    assert shelf_for([f"{one.annex}.TXT" for one in everything]).layouts == everything.layouts
    assert not travels(everything.layouts[0].but())
