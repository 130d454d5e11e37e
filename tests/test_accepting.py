"""What the accepting expressions vouch for has no fault; what they do not understand they leave to the rules."""

import random
from datetime import date

import polars as pl
import pytest
from annexes import APORTES, NOVEDADES, of_cells
from lines_of import line_of

from pisis_batch import accepting, reading
from pisis_batch.layouts import Layout, Record, parse, shelf
from pisis_batch.model import Limits
from pisis_batch.validators import structure
from pisis_batch.validators.celdas import first_fault
from pisis_batch.writing import sample

#: Every attribute in the company it is most often misread in.
TANGLED = of_cells(
    "XYZ100TANG",
    """\
  { name = "clase", label = "Clase", type = "A", max = 2, required = false, values = { A = "a", B = "b", C = "c" } },
  { name = "solo_a", label = "Solo A", type = "N", max = 3, only_if = { clase = "A" }, values = { 0 = "no", 1 = "si" } },
  { name = "luego", label = "Luego", type = "F", only_if = { solo_a = "1" } },
  { name = "no_b", label = "No B", type = "T", max = 9, min = 2, required_if = { clase = { not = ["B"] } } },
  { name = "dos", label = "Dos", type = "A", max = 5, chars = "-. '", only_if = { clase = ["B", "C"], abierto = "X" } },
  { name = "abierto", label = "Abierto", type = "A", max = 3, required = false },
  { name = "lleno", label = "Lleno", type = "D", max = 6, decimals = 1, required_if = { abierto = { not = "" } } },
  { name = "valor", label = "Valor", type = "D", max = 9, decimals = 0 },
  { name = "cuenta", label = "Cuenta", type = "N", max = 4, min = 2 },
  { name = "telefono", label = "Telefono", type = "N", max = 4, min = 2, leading_zeros = true, required = false },
  { name = "raro", label = "Raro", type = "T", max = 9, values = { "a.b" = "x", "'q'" = "x", "X (1)" = "x", "<>" = "y" } },
  { name = "corto", label = "Corto", type = "T", max = 1 },
  { name = "nombre", label = "Nombre", type = "T", max = 6, format = "nombre" },
  { name = "tipo", label = "Tipo id", type = "A", max = 2, catalog = "TipoIdPersona" },
  { name = "nada", label = "Nada", type = "T", max = 5, reserved = true },
  { name = "peso", label = "Peso", type = "D", max = 8, decimals = 2, integers = 3, digits = 4, negative = true },
  { name = "hora", label = "Hora", type = "H" },
  { name = "libre", label = "Libre", type = "T", max = 6, case = "any", accents = true, empty_if = { clase = "C" } },
  { name = "fecha", label = "Fecha", type = "F", sentinels = ["1845-01-01"] },
  { name = "calla", label = "Calla", type = "A", max = 2, required_if = { libre = { not = "x" } }, empty_if = { clase = ["A"] } },
""",
)
#: Of the built-in layouts, those of ordinary width: a record of 125 fields takes minutes here and shows nothing more.
EVERY = [
    *(layout for layout in shelf() if max(len(record.fields) for record in layout.records) <= 20),
    *map(parse, (APORTES, NOVEDADES, TANGLED)),
]
RECORDS = [(layout, record) for layout in EVERY for record in layout.record.values()]
EACH = pytest.mark.parametrize(("layout", "record"), RECORDS, ids=lambda x: getattr(x, "annex", "") or x.name)
#: Cells around every limit, and cells that have fooled readers before.
ODD = [
    *(
        "",
        " ",
        "0",
        "00",
        "01",
        "1",
        "9",
        "-1",
        "1.5",
        "1,5",
        "A",
        "Ñ",
        "ñ",
        "á",
        "AÑO",
        "CC",
        "TI",
        "NI",
        "XX",
        "V",
        "O",
    ),
    *("2026-02-29", "2028-02-29", "1900-02-29", "2000-02-29", "2100-02-29", "1899-12-31", "2200-01-01", "2026-04-31"),
    *("20260715", "2026-1-5", "+026-01-01", "2026-13-01", "2026-07-15", "a@b.co", "A@B", "a..b@c.co", ".a@b.co"),
    *(
        "a@-b.co",
        "a@b-.co",
        "'A'",
        "'",
        '"A"',
        "A ",
        " A",
        "A  B",
        "A-",
        "D'A",
        "\x81",
        "Ã‘",
        "Â¿",
        "\xa0A",
        "A\t",
        "€",
    ),
    *(
        "x" * 64 + "@b.co",
        "x" * 65 + "@b.co",
        "a@" + "b" * 95 + ".co",
        "a@" + "b" * 96 + ".co",
        "-",
        "_",
        "~",
        "{",
        "`",
    ),
]


def sound(lines: list[str], record: Record) -> list[str]:
    """The lines in which the rule table finds nothing."""
    names = [field.name for field in record.fields]
    cells = [line.split("|") for line in lines]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row")
    faulty = frame.select(pl.any_horizontal(first_fault(field, record).is_not_null() for field in record.fields))
    return [line for line, bad in zip(lines, faulty.to_series(), strict=True) if not bad]


@EACH
def test_every_line_an_expression_can_match_is_sound(layout: Layout, record: Record) -> None:
    pattern = accepting.expression(record)
    if pattern is None:
        pytest.skip("the record says something that is not understood, so no line of it is vouched for")
    chance = random.Random(7)
    lines = [line_of(pattern, chance) for _ in range(500)]
    assert all(line.count("|") == len(record.fields) - 1 for line in lines)
    assert sound(lines, record) == lines


@EACH
def test_a_cell_changed_at_random_is_not_vouched_for_wrongly(layout: Layout, record: Record) -> None:
    pattern, matcher = accepting.expression(record), accepting.matcher(record)
    if pattern is None or matcher is None:
        return
    chance = random.Random(11)
    changed = []
    for _ in range(500):
        cells = line_of(pattern, chance).split("|")
        place = chance.randrange(len(cells))
        longer = cells[place] + chance.choice([*cells[place][-1:], "A", "1", "x", " "])
        cells[place] = chance.choice([longer, cells[place][:-1], chance.choice(ODD), cells[place].lower()])
        changed.append("|".join(cells))
    accepted = [line for line in changed if matcher.fullmatch(line)]
    assert sound(accepted, record) == accepted
    assert len(accepted) < len(changed)
    rust = pl.Series(changed).str.contains(f"^(?:{pattern})$")
    assert [line for line, hit in zip(changed, rust, strict=True) if hit] == accepted


@pytest.mark.parametrize("layout", EVERY[:-1], ids=lambda layout: layout.annex)
def test_ordinary_lines_are_accepted(layout: Layout) -> None:
    name, content = sample(layout, 40, cut=date(2026, 7, 15), seed=3)
    batch = reading.read(content, layout, name, Limits())
    for record in layout.records:
        if accepting.expression(record) is not None:
            assert structure.suspicious(batch[record.name], record).is_empty(), record.name


class _Strange(Record):
    never_heard_of: bool = False


def test_an_attribute_that_is_not_understood_refuses_the_record() -> None:
    record = EVERY[0].control
    assert accepting.expression(record.but(fields=(record.fields[0].but(), *record.fields[1:]))) is not None
    assert (
        accepting.expression(_Strange(**{name: getattr(record, name) for name in record.keys}, never_heard_of=True))
        is None
    )


@EACH
def test_all_engines_find_the_same(layout: Layout, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    rows = [[chance.choice(ODD) if n else record.mark for n, _ in enumerate(record.fields)] for _ in range(300)]
    if pattern := accepting.expression(record):  # and lines that are nearly right, so that their cases are told apart
        for _ in range(300):
            cells = line_of(pattern, chance).split("|")
            for _ in range(chance.randrange(1, 4)):
                place = chance.randrange(len(cells))
                cells[place] = chance.choice([chance.choice(ODD), cells[place] + "A", cells[place].lower()])
            rows.append(cells)
    frame = pl.DataFrame(rows, schema={f.name: pl.String for f in record.fields}, orient="row")
    frame = frame.with_row_index("line", offset=1)
    few = structure.cell_findings(frame, record).sort("line", "field_no")
    monkeypatch.setattr(structure, "MANY", 0)
    assert few.equals(structure.cell_findings(frame, record).sort("line", "field_no"))
    monkeypatch.setattr(structure, "MANY", 1_000_000)
    monkeypatch.setattr(structure, "FEW", 0)
    assert few.equals(structure.cell_findings(frame, record).sort("line", "field_no"))
    assert few["line"].n_unique() > 200


@EACH
def test_most_cells_of_ordinary_lines_are_vouched_for_one_by_one(layout: Layout, record: Record) -> None:
    pattern = accepting.expression(record)
    if pattern is None:
        return
    chance = random.Random(3)
    lines = [line_of(pattern, chance).split("|") for _ in range(50)]
    frame = pl.DataFrame(lines, schema={f.name: pl.String for f in record.fields}, orient="row")
    table = structure._table(record)
    cased = frame if table.case is None else frame.with_columns(table.case.alias(structure._CASE))
    if table.doubtful:
        assert not cased.select(pl.any_horizontal(table.doubtful.values()).any()).item()
