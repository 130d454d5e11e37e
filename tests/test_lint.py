"""Mistakes seeded one at a time in a layout that is right: each is named, with the path to it."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from examples import content_of

from pisis_batch.layouts import Check, Field, LayoutError, Stop, Test, parse_content
from pisis_batch.validators import check_layout

RIGHT = """
sentinels = { 1845-01-01 = "No aplica" }
unique = ["numero"]
fields = [
  { name = "tipo", label = "Tipo", type = "A", max = 2, values = { CC = "", CE = "" } },
  { name = "numero", label = "Número", type = "A", max = 17, length_by = { tipo = { CC = "..10", CE = "3..7" } } },
  { name = "nacimiento", label = "Fecha de nacimiento", type = "F" },
  { name = "sexo", label = "Sexo", type = "A", max = 1, values = { F = "", M = "" } },
  { name = "medios", label = "Medios", type = "A", max = 9, list = ",", values = { 1 = "Bus", 2 = "Moto", 9 = "Ninguno" }, exclusive = "9" },
  { name = "otro", label = "Otro", type = "T", max = 50, required_if = { medios = { has = "2" } } },
  { name = "fecha", label = "Fecha", type = "F", sentinels = "1845-01-01" },
  { name = "peso", label = "Peso", type = "D", max = 5, integers = 3, decimals = 1, range = "1..250" },
  { name = "kilos", label = "Kilos", type = "D", max = 20, decimals = 4 },
  { name = "suma", label = "Suma", type = "D", max = 20, decimals = 4 },
  { name = "clase", label = "Clase", max = 1, values = { 1 = "Alta", 2 = "Baja" } },
  { name = "territorio", label = "Territorio", type = "A", max = 3, pattern = "T[0-9]{2}" },
  { name = "llave", label = "Llave", type = "A", max = 9 },
]
check = [
  { kind = "value", on = "dato", when = { nacimiento = { years = "..9" } }, then = { clase = "2" } },
  { kind = "order", on = "dato", low = "nacimiento", high = "fecha" },
  { kind = "together", on = "dato", fields = ["fecha", "otro"] },
  { kind = "bands", on = "dato", field = "clase", bands = { 1 = { peso = "100.." }, 2 = { peso = "..99" } } },
  { kind = "derived", on = "dato", field = "llave", template = "{territorio}H####" },
  { kind = "count", field = "control.total", over = "dato" },
  { kind = "distinct", field = "control.total", of = "dato.numero" },
  { kind = "sum", field = "control.total", of = "dato.peso" },
  { kind = "computed", on = "dato", field = "suma", plus = ["peso", "kilos"] },
]
"""
#: (what is written instead of what, where the mistake is, part of what is said)
SEEDED = [
    ("an unknown key", "max = 17", "maximo = 17", "record.dato.fields[2] (numero).maximo", "no es una clave"),
    ("no length", 'type = "T", max = 50', 'type = "T"', "record.dato.fields[6] (otro).max", "longitud máxima"),
    ("a condition on nothing", "medios = { has", "medio = { has", "fields[6] (otro).required_if", '"medio"'),
    ("a code that is no option", 'has = "2"', 'has = "7"', "fields[6] (otro).required_if.medios", "nunca se cumple"),
    ("an unknown clause", 'has = "2"', 'hass = "2"', "(otro).required_if.medios.test.hass", "no es una clave"),
    ("an exclusive stranger", 'exclusive = "9"', 'exclusive = "8"', "(medios).exclusive", "no es una opción"),
    ("exclusive without a list", 'list = ",", values', "values", "(medios).exclusive", "solo para listas"),
    ("a wildcard misspelt", 'sentinels = "1845-01-01"', 'sentinels = "1854-01-01"', "(fecha).sentinels", "comodines"),
    ("a range turned round", '"1..250"', '"250..1"', "(peso).range", "al revés"),
    ("a range that is none", '"1..250"', '"1-250"', "(peso).range", "no es un rango"),
    ("a range of dates on a number", '"1..250"', '"2020-01-01.."', "(peso).range", "límites"),
    ("decimals on text", 'type = "D", max = 5, integers = 3', 'type = "T", max = 5', "(peso).decimals", "tipo D"),
    ("a broken pattern", "T[0-9]{2}", "T[0-9{2}", "(territorio).pattern", "mal escrita"),
    ("an anchored pattern", "T[0-9]{2}", "^T[0-9]{2}$", "(territorio).pattern", "sobra"),
    ("length by nothing", "length_by = { tipo", "length_by = { tipos", "(numero).length_by", '"tipos"'),
    ("length by a stranger", 'CE = "3..7" } }', 'XX = "3..7" } }', "(numero).length_by.tipo", '"XX"'),
    ("a key that is no field", 'unique = ["numero"]', 'unique = ["nombre"]', "record.dato.unique", '"nombre"'),
    ("a check on no record", 'on = "dato", low', 'on = "datos", low', "check[1] (order).on", '"datos"'),
    ("a check on no field", 'high = "fecha"', 'high = "fechas"', "check[1] (order).high", '"fechas"'),
    ("dates against numbers", 'high = "fecha"', 'high = "peso"', "check[1] (order)", "fechas con números"),
    (
        "an impossible consequence",
        'then = { clase = "2" }',
        'then = { clase = "5" }',
        "check[0] (value).then.clase",
        '"5"',
    ),
    ("an age from no date", "nacimiento = { years", "peso = { years", "check[0] (value).when.peso", "edad"),
    (
        "an age where no cut is",
        'required_if = { medios = { has = "2" } }',
        'required_if = { nacimiento = { years = "18.." } }',
        "(otro).required_if",
        "edades",
    ),
    ("a class that is none", "bands = { 1 =", "bands = { 7 =", "check[3] (bands).bands", '"7"'),
    ("a template of nothing", "{territorio}H", "{territorios}H", "check[4] (derived).template", '"territorios"'),
    ("a total of no record", 'over = "dato" }', 'over = "datos" }', "check[5] (count).over", '"datos"'),
    ("a sum of no field", 'of = "dato.numero"', 'of = "dato.numeros"', "check[6] (distinct).of", '"dato.numeros"'),
    ("a sum of text", 'of = "dato.peso"', 'of = "dato.numero"', "check[7] (sum).of", "no es un número"),
    (
        "a sum too wide",
        'label = "Kilos", type = "D", max = 20',
        'label = "Kilos", type = "D", max = 21',
        "(computed)",
        "20 cifras",
    ),
    ("an unknown kind", 'kind = "order"', 'kind = "orden"', "check[1]", "orden"),
    (
        "a check twice",
        'kind = "order", on = "dato", low = "nacimiento", high = "fecha"',
        'kind = "together", on = "dato", fields = ["fecha", "otro"]',
        "check[2]",
        "repite check[1]",
    ),
    ("no label", 'label = "Clase"', 'label = " "', "(clase).label", "falta el nombre"),
    ("two fields of one name", 'name = "clase"', 'name = "sexo"', "record.dato.fields", "repetido"),
    ("an unknown table", "max = 9 },\n]", 'max = 9, catalog = "NoHay" },\n]', "(llave).catalog", '"NoHay"'),
]


def problems(content: dict[str, Any]) -> list[str]:
    try:
        return check_layout(parse_content(content))
    except LayoutError as error:
        return error.problems


def test_the_layout_itself_is_right() -> None:
    assert problems(content_of(RIGHT)) == []


@pytest.mark.parametrize(("what", "right", "wrong", "path", "said"), SEEDED, ids=lambda x: x[:24])
def test_a_seeded_mistake_is_named_with_its_path(what: str, right: str, wrong: str, path: str, said: str) -> None:
    assert RIGHT.count(right) >= 1
    text = RIGHT.replace(right, wrong, 1)
    tomllib.loads(text)
    found = problems(content_of(text))
    assert any(path in one and said in one for one in found), found


def test_a_name_is_checked_too() -> None:
    content = content_of(RIGHT)
    content["file_name"] = content["file_name"].replace(".TXT", "{regimen:1}.TXT")
    assert problems(content) == ['file_name: "regimen" no es un campo del control ni está en name_parts']
    content["name_parts"] = {"regimen": {"label": "Régimen"}, "sede": {"label": "Sede"}}
    assert problems(content) == ['name_parts.sede: el nombre no tiene la parte "sede"']


PAGE = (Path(__file__).parent.parent / "docs/lenguaje-anexos.md").read_text("utf-8")


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL), ids=lambda x: str(len(x)))
def test_the_examples_of_the_language_load(block: str) -> None:
    assert problems(content_of(block)) == []


def test_the_page_of_the_language_names_every_key_and_kind() -> None:
    kinds = {get_args(one.__annotations__["kind"])[0] for one in get_args(get_args(Check)[0])}
    own = {"name", "label", "type", "constant", "table", "case", "accents", "min", "format", "datum"}  # said elsewhere
    keys = {*Field.keys, *Test.keys, *Stop.keys} - own
    assert sorted(word for word in kinds | keys if word not in PAGE) == []
