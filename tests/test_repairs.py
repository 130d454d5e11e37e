"""The corrected copy: what is certain is done, nothing else is, twice is once, and nobody becomes somebody else."""

import contextlib
import dataclasses
import random
from datetime import date

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from worlds import CONTROL, NAME, NOW, file_of

from pisis_batch import pipeline, repairs
from pisis_batch.layouts import Layout, shelf
from pisis_batch.model import Corrected, Limits, Received
from pisis_batch.repairs.evident import nothing_certain as evident_
from pisis_batch.repairs.lineas import encoded
from pisis_batch.validators.escritura import fold
from pisis_batch.writing import sample

LIMITS = Limits()
GOOD = """2|1|CC|1090000001|JUAN|MUÑOZ|V|3150000000|MEDICO GENERAL|1||JUAN.PEREZ@ESE.GOV.CO
2|2|CC|1090000002|MARIA|GOMEZ|V|3160000000|ENFERMERA|0|2026-12-31|maria.gomez@ese.gov.co
2|3|CC|1090000003|PEDRO|RUIZ|O|||||
3|4|CC|1090000001|186|A|1274"""


def fix(content: bytes, name: str = NAME) -> Corrected:
    made = repairs.correct(Received("g", name, content, NOW, None), shelf(), LIMITS)
    assert made is not None
    return made


def lines(made: Corrected) -> list[str]:
    return made.content.decode("cp1252").split("\r\n")


def done(made: Corrected) -> set[str]:
    return set(" ".join(made.done["code"]).split())


def test_a_right_file_comes_back_byte_for_byte() -> None:
    for content in (file_of(GOOD), file_of(GOOD) + b"\r\n", file_of(GOOD).replace(b"\r\n", b"\n")):
        made = fix(content)
        assert made.content == content
        assert made.name == NAME
        assert made.repairs.is_empty()


@pytest.mark.parametrize("letter", ["ƒ", "µ"])
def test_a_letter_whose_capital_no_file_can_hold_stays(letter: str) -> None:
    made = fix(file_of(GOOD).replace(b"MEDICO GENERAL", f"Medico {letter}".encode("cp1252")))
    assert f"|Medico {letter}|".encode("cp1252") in made.content


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda good: b"\xef\xbb\xbf" + good.decode("cp1252").encode("utf-8"), "EST028"),
        (lambda good: good.decode("cp1252").encode("utf-8").decode("cp1252", "replace").encode("utf-8"), "EST028"),
        (lambda good: good.decode("cp1252").encode("utf-16"), "EST028"),
        (lambda good: b"\xef\xbb\xbf" + good, "EST004"),
        (lambda good: good + b"\x1a", "EST006"),
        (lambda good: good.replace(b"\r\n2|2", b"\r\n\r\n  \r\n2|2"), "EST005"),
        (lambda good: good.replace(b"\r\n", b"|||\r\n"), "EST009"),
        (lambda good: good.replace(b"MEDICO GENERAL", "Médico  General ".encode("cp1252")), "EST025"),
        (lambda good: good.replace(b"|MARIA|", b'|"Maria"|'), "EST026"),
        (lambda good: good.replace(b"2|2|CC", b'"2"|"2"|"CC"'), "EST026"),
        (lambda good: good.replace(b"|V|3150", b"|v|3150"), "EST021"),
        (lambda good: good.replace(b"2026-12-31", b"31/12/2026"), "EST019"),
        (lambda good: good.replace(b"2026-12-31", b"2026/12/31"), "EST019"),
        (lambda good: good.replace(b"2026-12-31", b"20261231"), "EST019"),
        (lambda good: good.replace(b"2026-12-31", b"2026-12-31 00:00:00"), "EST019"),
        (lambda good: good.replace(b"3|4|CC", b"3|1|CC"), "ARC005"),
        (lambda good: good.replace(b"07-15|4|", b"07-15|5|"), "ARC006"),
        (lambda good: b"\r\n".join(good.split(b"\r\n")[n] for n in (0, 4, 1, 2, 3)), "ARC004"),
        (lambda good: good.replace(b"|", b";"), "EST008"),
        (lambda good: good.replace(b"\r\n2|2", b"\n2|2"), ""),
    ],
)
def test_what_can_only_mean_one_thing_is_repaired(wrong, code: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    good = file_of(GOOD)
    made = fix(wrong(good))
    assert made.examined.sound, made.examined.findings.frame
    repaired = made.content.replace(b"MEDICO  GENERAL", b"MEDICO GENERAL")
    assert sorted(repaired.split(b"\r\n")) == sorted(good.split(b"\r\n"))
    assert code in done(made) or code == ""
    assert made.done.height > 0
    again = fix(made.content)
    assert (again.content, again.repairs.height) == (made.content, 0)


def test_every_change_is_told_with_its_line_field_and_reason() -> None:
    made = fix(file_of(GOOD.replace("|MARIA|", "|María |")))
    (row,) = made.repairs.to_dicts()
    assert row == {
        "line": 3,
        "record": "usuario",
        "field_no": 4,
        "field": "primer_nombre",
        "before": "María ",
        "after": "MARIA",
        "code": "EST025 EST021 EST022",
        "confidence": "cierta",
        "applied": True,
    }


def test_the_name_is_made_from_the_control_record() -> None:
    for name in ("SEG500USIN20260715NI000900123456 (1).TXT", "SEG500USIN-julio.txt", NAME + ".txt"):
        made = fix(file_of(GOOD), name)
        assert made.name == NAME
        assert done(made) == {"NOM002"}
        assert made.examined.sound
    assert fix(file_of(GOOD), NAME.lower()).name == NAME.lower()  # read without regard to case: no fault


def test_what_is_doubtful_is_only_proposed() -> None:
    wrong = (
        GOOD.replace("2026-12-31", "05/07/2027")
        .replace("|3150000000|", "|315-000-0000|")
        .replace("CC|1090000002", "CC|1.090.000.002")
        .replace("maria.gomez@ese.gov.co", "maria.gomez @ese.gov.co")
        .replace("PEDRO|RUIZ|O|||||", "PEDRO|RUIZ|O")
    )
    content = file_of(wrong).replace(b"|900123456|", b"|9001234568|")
    made = fix(content)
    assert made.content == content
    proposed = {row["before"]: (row["after"], row["confidence"]) for row in made.proposals.to_dicts()}
    assert proposed["05/07/2027"] == ("2027-07-05", "media")
    assert proposed["315-000-0000"] == ("3150000000", "alta")
    assert proposed["1.090.000.002"] == ("1090000002", "alta")
    assert proposed["maria.gomez @ese.gov.co"] == ("maria.gomez@ese.gov.co", "media")
    assert proposed["9001234568"] == ("900123456", "alta")
    assert proposed["faltan campos al final"][1] == "media"
    near = fix(file_of(GOOD.replace("|V|3150", "|Z|3150").replace("CC|1090000002", "C|1090000002")))
    assert near.content.count(b"|Z|") == 1
    assert {row["field"] for row in near.proposals.to_dicts()} <= {"accion", "tipo_id"}


def test_what_cannot_be_read_is_kept_where_it_was() -> None:
    broken = GOOD.replace("2|2|CC|1090000002|MARIA|GOMEZ|V|", "2|2|CC|1090000002|MA|RIA|GOMEZ|V|") + "\nTOTAL 4"
    made = fix(file_of("3|4|CC|1090000001|186|A|1274\n" + broken.replace("\n3|4|CC|1090000001|186|A|1274", "")))
    assert [line.split("|")[0] for line in lines(made)] == ["1", "2", "2", "2", "TOTAL 4", "3"]
    assert "2|2|CC|1090000002|MA|RIA|GOMEZ|V|3160000000|ENFERMERA|0|2026-12-31|maria.gomez@ese.gov.co" in lines(made)
    two = fix((CONTROL.format(total=4) + "\r\n").encode() + file_of(GOOD))  # two reports in one: nothing is moved
    assert two.content.startswith(CONTROL.format(total=4).encode())


def test_nothing_is_made_of_what_is_no_text() -> None:
    for content in (b"", b"PK\x03\x04....", b"hola\nmundo\n"):
        assert repairs.correct(Received("g", NAME, content, NOW, None), shelf(), LIMITS) is None
    assert repairs.correct(Received("g", "USUARIOS.TXT", file_of(GOOD), NOW, None), shelf(), LIMITS) is None
    layout = shelf().get("SEG500USIN")
    made = repairs.correct(Received("g", "USUARIOS.TXT", file_of(GOOD), NOW, None), shelf(), LIMITS, layout)
    assert made is not None
    assert (made.name, made.examined.sound) == (NAME, True)


def test_the_parts_stand_alone() -> None:
    made = fix(file_of(GOOD.replace("|JUAN|", "|JU4N|").replace("|3160000000|", "|316|")))
    faulty = made.examined.findings.where("error").frame["line"].drop_nulls()
    rejected = repairs.part(made, faulty, LIMITS, which="rejected")
    correct = repairs.part(made, faulty, LIMITS, which="correct")
    assert rejected is not None
    assert correct is not None
    assert [line.split("|")[:4] for line in lines(rejected)[1:]] == [
        ["2", "1", "CC", "1090000001"],
        ["2", "2", "CC", "1090000002"],
        ["3", "3", "CC", "1090000001"],  # the profile goes with its person
    ]
    assert lines(rejected)[0].split("|")[4] == "3"
    assert lines(correct)[1:] == ["2|1|CC|1090000003|PEDRO|RUIZ|O|||||"]
    assert correct.examined.sound
    assert rejected.name == correct.name == NAME


LAYOUTS = {layout.annex: layout for layout in shelf()}


def spoiled(content: bytes, layout: Layout, chance: random.Random) -> bytes:
    """A valid file with a few things wrong, of every kind that people and programs do."""
    text = content.decode(layout.encoding)
    cells = [[*line.split(layout.separator)] for line in text.split("\r\n")]
    spoil = [
        str.lower,
        lambda cell: f" {cell}",
        lambda cell: f"{cell}\t",
        lambda cell: f'"{cell}"',
        lambda cell: cell.replace("A", "Á").replace("O", "ó"),
        lambda cell: cell.replace("-", "/"),
        lambda cell: cell.replace("Ñ", "Ã‘"),
        lambda cell: "'" + cell + "' ",
        lambda cell: cell[::-1],
        lambda cell: "",
        lambda cell: f'"{cell}',
        lambda cell: f"0{cell}",
    ]
    for _ in range(chance.randrange(1, 12)):
        row = chance.choice(cells)
        place = chance.randrange(len(row))
        row[place] = chance.choice(spoil)(row[place])
    rows = [layout.separator.join(row) for row in cells]
    if chance.random() < 0.3:
        chance.shuffle(rows)
    if chance.random() < 0.3:
        rows.insert(chance.randrange(len(rows)), chance.choice(["", "   ", "NOTA", rows[0]]))
    if chance.random() < 0.3:
        rows = [row + layout.separator * chance.randrange(3) for row in rows]
    made = chance.choice(["\r\n", "\n"]).join(rows)
    encoded = made.encode(chance.choice([layout.encoding, "utf-8"]), "replace")
    return chance.choice([b"", b"", b"\xef\xbb\xbf"]) + encoded + chance.choice([b"", b"", b"\x1a", b"\r\n\r\n"])


@settings(max_examples=25, deadline=None)
@given(annex=st.sampled_from(sorted(LAYOUTS)), seed=st.integers(0, 10**6))
def test_twice_is_once_for_any_annex(annex: str, seed: int) -> None:
    layout = LAYOUTS[annex]
    chance = random.Random(seed)
    name, content = sample(layout, 4, cut=date(2026, 6, 30), seed=seed)
    first = repairs.correct(Received("g", name, spoiled(content, layout, chance), NOW, None), shelf(), LIMITS)
    if first is None:
        return
    again = repairs.correct(Received("g", first.name, first.content, NOW, None), shelf(), LIMITS)
    assert again is not None
    assert (again.name, again.content.split(b"\n")) == (first.name, first.content.split(b"\n"))
    assert again.done.to_dicts() == []


@settings(max_examples=15, deadline=None)
@example(seed=756)  # a name in the wrong encoding twice over
@given(seed=st.integers(0, 10**6))
def test_nobody_becomes_somebody_else(seed: int) -> None:
    layout = shelf().get("SEG500USIN")
    assert layout is not None
    chance = random.Random(seed)
    name, content = sample(layout, 4, cut=date(2026, 6, 30), seed=seed)
    received = Received("g", name, spoiled(content, layout, chance), NOW, None)
    made = repairs.correct(received, shelf(), LIMITS)
    if made is None:
        return
    identity = {f.name for record in layout.records for f in record.fields if f.datum in {"id", "nombre"}}
    for row in made.done.filter(pl.col("field").is_in(identity)).to_dicts():
        assert meant(row["before"]) == meant(row["after"]), row


def meant(text: str) -> str:
    """Letters and digits of a value, whatever its encoding, case and accents."""
    with contextlib.suppress(UnicodeError):
        while not text.isascii():  # taken for another encoding once, or twice
            text = encoded(text, LAYOUTS["SEG500USIN"]).decode("utf-8")
    return "".join(c for c in fold(text) if c.isalnum())


def test_a_correction_is_offered_only_when_something_is_certain() -> None:
    def offered(content: bytes) -> Corrected | None:
        examined = pipeline.examine(Received("g", NAME, content, NOW, None), shelf(), LIMITS)
        return repairs.offered(pipeline.conclude(examined, None), shelf(), LIMITS).corrected

    assert offered(file_of(GOOD)) is None
    assert offered(file_of(GOOD.replace("JUAN|", "JU4N|"))) is None
    assert offered(file_of(GOOD.replace("JUAN|", "Juan|"))) is not None
    assert dataclasses.fields(Corrected)


def test_where_nothing_certain_is_told_at_a_glance_nothing_is_repaired() -> None:
    chance, evident = random.Random(7), 0
    slips = ["X{}", "{}X", "", "{}.", "-{}", "2026-13-40", "{}{}", "Z", "0{}", "{},5", "{} ", "á{}", "{}--{}", "'{}'"]
    for _ in range(36):
        cells = [line.split("|") for line in file_of(GOOD).decode("cp1252").split("\r\n")]
        for _ in range(chance.choice([1, 1, 2])):
            row = chance.choice(cells)
            place = chance.randrange(1, len(row))
            row[place] = chance.choice(slips).replace("{}", row[place])
        end = chance.choice(["\r\n", "\r\n", "\r\n", "\n"])
        content = end.join("|".join(row) for row in cells).encode("cp1252", "replace")
        received = Received("g", NAME, content, NOW, None)
        examined = pipeline.examine(received, shelf(), LIMITS)
        made = repairs.correct(received, shelf(), LIMITS)
        assert made
        done = bool(made.repairs["applied"].any())
        told = repairs.correct(received, shelf(), LIMITS, known=examined, certain=True)
        assert (told is not None) == done
        assert told is None or (told.content, told.repairs.rows()) == (made.content, made.repairs.rows())
        if evident_(examined):
            evident += 1
            assert not done, content
    assert evident > 5


def test_what_is_not_a_cell_alone_is_not_told_at_a_glance() -> None:
    wrong = file_of(GOOD.replace("3150000000", "X15"))
    for content in (
        wrong.replace(b"\r\n", b"\n", 1),
        wrong + b"\r\n#! EST016 campo 7",
        wrong.replace(b"|1|CC|1090000001|JUAN", b"|X|CC|1090000001|JUAN"),
        wrong + b"\r\n",
        wrong + b"\x1a",
    ):
        examined = pipeline.examine(Received("g", NAME, content, NOW, None), shelf(), LIMITS)
        made = repairs.correct(examined.received, shelf(), LIMITS)
        assert made
        assert not (evident_(examined) and made.repairs["applied"].any()), content
