"""Codes of loadable tables: judged when they are loaded, with their days in force, and left alone when they are not."""

from collections.abc import Iterator
from pathlib import Path

import examples
import pytest
from worlds import NOW

from pisis_batch import pipeline
from pisis_batch.adapters.folder_layouts import shelf_with
from pisis_batch.layouts import LayoutError, Shelf, catalogs
from pisis_batch.model import Limits, Received

ANNEX = """
fields = [
  { name = "municipio", label = "Municipio", type = "A", max = 5, catalog = "Municipio", sentinels = "0" },
  { name = "servicios", label = "Servicios", type = "A", max = 30, catalog = "CUPS", list = ",", required = false },
]
"""
MUNICIPIOS = "codigo;nombre;desde;hasta\n52001;PASTO FICTICIO;;\n52002;NUEVO;2026-07-01;\n52003;VIEJO;;2026-07-14\n"
LINES = ["2|52001|", "2|52002|", "2|52003|", "2|52009|", "2|0|", "2|52001|890101,890102", "2|52001|890101,890199"]


@pytest.fixture(autouse=True)
def nothing_stays_loaded() -> Iterator[None]:
    yield
    catalogs.add({})
    catalogs.load({})


def faulty() -> list[tuple[int | None, str | None, str | None]]:
    received = Received("g", examples.NAME, examples.file_of("\n".join(LINES)), NOW, None)
    examined = pipeline.examine(received, Shelf((examples.layout_of(ANNEX),)), Limits())
    return [(one.line, one.field, one.value) for one in examined.findings if one.code == "EST043"]


def test_a_table_that_nobody_loaded_is_not_judged() -> None:
    assert faulty() == []


def test_a_loaded_table_is_judged_at_the_cut_date() -> None:
    catalogs.load({"Municipio": MUNICIPIOS})
    assert faulty() == [(4, "municipio", "52003"), (5, "municipio", "52009")]
    catalogs.load({"CUPS": "codigo\n890101\n890102\n"})
    assert faulty() == [(8, "servicios", "890101,890199")]


def test_the_folder_of_layouts_brings_its_tables(tmp_path: Path) -> None:
    (tmp_path / "catalogos").mkdir()
    (tmp_path / "catalogos" / "Municipio.csv").write_text(MUNICIPIOS, "utf-8")
    shelf_with(tmp_path)
    assert len(faulty()) == 2
    (tmp_path / "catalogos" / "Otra.csv").write_text("codigo\n1\n", "utf-8")
    with pytest.raises(LayoutError, match="Otra: no es una tabla cargable"):
        shelf_with(tmp_path)
    (tmp_path / "catalogos" / "Otra.csv").unlink()
    (tmp_path / "catalogos" / "CUPS.csv").write_text("codigo,desde\n1,01/02/2020\n", "utf-8")
    with pytest.raises(LayoutError, match="CUPS: línea 2"):
        shelf_with(tmp_path)
