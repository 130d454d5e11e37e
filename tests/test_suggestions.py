"""What a finding suggests: the value expected, a sentence a clerk can act on, nothing of the registry unmasked."""

import dataclasses

import polars as pl
import pytest
from test_causes import judged
from worlds import CONTROL, ENTITY, NAME, NOW, facts, file_of

from pisis_batch import pipeline, reports, validators
from pisis_batch.layouts import shelf
from pisis_batch.model import PERSONS, Facts, Id, Limits, Outcome, Received
from pisis_batch.suggestions import SUGGESTERS, suggested

GOOD = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||JUAN@ESE.GOV.CO"
FIXED = "2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|0|{}|JUAN@ESE.GOV.CO"
GRANT = "3|2|CC|1090000001|{}|A|{}"


def told(outcome: Outcome, *, mask: bool = False) -> dict[str, tuple[str, str]]:
    """By code, the expected value and the sentence of its first finding."""
    rows = suggested(validators.described(outcome.findings, outcome.examined.layout, mask=mask), outcome, mask=mask)
    return {row["code"]: (row["expected"], row["suggestion"]) for row in rows.reverse().iter_rows(named=True)}


def with_facts(lines: str, known: Facts) -> Outcome:
    examined = pipeline.examine(Received("g", NAME, file_of(lines), NOW, None), shelf(), Limits())
    return pipeline.judge(examined, known, sender_judged=False)


def _with(field: int, value: str) -> str:
    cells = GOOD.split("|")
    cells[field] = value
    return "|".join(cells)


@pytest.mark.parametrize(
    ("line", "code", "expected"),
    [
        (_with(4, "José"), "EST021", "JOSE"),
        (_with(5, "PÉREZ"), "EST022", "PEREZ"),
        (_with(4, " JUAN"), "EST025", "JUAN"),
        (_with(4, '"JUAN"'), "EST026", "JUAN"),
        (_with(4, "JU\\x09AN"), "EST027", "JUAN"),
        (_with(5, "MU\\xc3\\x91OZ"), "EST028", "MUÑOZ"),
        (_with(5, "M\\xc3\\xa1RQUEZ"), "EST028", "MARQUEZ"),
        (_with(1, "001"), "EST017", "1"),
        (_with(7, "315-000-0000"), "EST016", "3150000000"),
        (_with(7, "315O000000"), "EST016", "3150000000"),
        (FIXED.format("31/12/2026"), "EST019", "2026-12-31"),
        (FIXED.format("12/31/2026"), "EST019", "2026-12-31"),
        (FIXED.format("2026-1-5"), "EST019", "2026-01-05"),
        (FIXED.format("20261231"), "EST019", "2026-12-31"),
        (FIXED.format("46387"), "EST019", "2026-12-31"),
        (FIXED.format("2026-31-12"), "EST020", "2026-12-31"),
        (_with(6, "VINCULAR"), "EST014", "V"),
        (_with(9, "SI"), "EST014", "1"),
        (_with(9, "01"), "EST014", "1"),
        (_with(2, "C.C."), "EST015", "CC"),
        (_with(2, "PASAPORTE"), "EST015", "PA"),
        (_with(2, "CEDULA DE CIUDADANIA"), "EST015", "CC"),
        (_with(4, "JU4N"), "EST029", "JUAN"),
        (_with(5, "PEREZ."), "EST029", "PEREZ"),
        (_with(3, "1.090.000.001"), "EST023", "1090000001"),
        (_with(8, "MEDICO Nº 2"), "EST023", "MEDICO N 2"),
        (_with(11, "JUAN.PEREZ@GMAIL,COM"), "EST024", "JUAN.PEREZ@GMAIL.COM"),
        (_with(11, "JUAN.PEREZ@GMAILCOM"), "EST024", "JUAN.PEREZ@GMAIL.COM"),
        (_with(11, "juan@hotmial"), "EST024", "juan@hotmail.com"),
        (_with(11, "JUAN@@ESE.GOV.CO"), "EST024", "JUAN@ESE.GOV.CO"),
    ],
)
def test_a_cell_says_what_it_should_hold(line: str, code: str, expected: str) -> None:
    value, sentence = told(judged(line))[code]
    assert value == expected
    assert f"«{expected}»" in sentence


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (_with(3, "1.09E+09"), "EST023"),
        (FIXED.format("31/31/2026"), "EST019"),
        (FIXED.format("2027-02-30"), "EST020"),
        (_with(6, "Z"), "EST014"),
        (_with(2, "TI"), "EST015"),
        (_with(11, "SIN CORREO"), "EST024"),
        (_with(7, "NO TIENE"), "EST016"),
    ],
)
def test_nothing_is_suggested_where_nothing_can_be_known(line: str, code: str) -> None:
    assert told(judged(line))[code] == ("", "")


def test_the_file_as_a_whole() -> None:
    assert told(judged(CONTROL.format(total=5) + "\n" + GOOD))["ARC006"][0] == "1"
    assert told(judged(GOOD.replace("2|1|", "2|7|")))["ARC005"] == ("1", "Escriba «1»")
    other = told(judged(CONTROL.format(total=1).replace("2026-07-15", "2026-07-14") + "\n" + GOOD))
    assert other["ARC009"][0] == "SEG500USIN20260714NI000900123456.TXT"
    hyphen = told(judged(CONTROL.format(total=1).replace("900123456", "900123456-8") + "\n" + GOOD))
    assert hyphen["EST016"] == ("900123456", "Escriba «900123456», sin el dígito de verificación")


def test_a_number_says_which_type_it_looks_like() -> None:
    found = told(judged(_with(2, "CE")))
    assert found["USR010"][0] == "CC"
    assert "parece de tipo CC (cédula de ciudadanía)" in found["USR010"][1]
    assert told(judged(_with(3, "AB1234")))["USR010"][0] == "PA"
    assert told(judged(_with(3, "0109000000")))["USR010"] == ("109000000", "Escriba «109000000»")


ROSTER = [("CC", "1090000090", "ANA", "RUIZ"), ("CE", "10900000", "EVA", "DIAZ"), ("CC", "1090000777", "LUZ", "MORA")]


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        (
            "1090000009",
            "ANA|RUIZ",
            "CC ••••0090, con el mismo nombre: el número escrito tiene dos cifras cambiadas de lugar",
        ),
        ("1090000778", "LUZ|MORA", "••••0777, con el mismo nombre: el número escrito tiene una cifra distinta"),
        ("10900007770", "LUZ|MORA", "una cifra de más"),
        ("109000777", "LUZ|DIAZ", "una cifra de menos"),
        ("10900000", "EVA|DIAZ", "está CE ••••0000, con el mismo nombre: revise el tipo de identificación"),
    ],
)
def test_a_stranger_may_be_a_slip_away_from_a_linked_user(number: str, name: str, words: str) -> None:
    known = dataclasses.replace(facts(), roster=pl.DataFrame(ROSTER, schema=PERSONS, orient="row"))
    outcome = with_facts(f"2|1|CC|{number}|{name}|O|||||", known)
    expected, sentence = told(outcome).get("USR040", told(outcome).get("USR010", ("", "")))
    if len(number) > 10:  # unlike its type, and told so first
        return
    assert words in sentence
    for _, whole, _, _ in ROSTER:
        if whole != number:
            assert whole not in expected + sentence


def test_a_profile_for_nobody_names_the_user_of_the_same_file() -> None:
    lines = GOOD + "\n" + GRANT.format("186", "1274").replace("1090000001", "1090000010")
    expected, sentence = told(judged(lines))["PRF010"]
    assert expected == "1090000001"
    assert sentence == "En este archivo está CC 1090000001: el número escrito tiene dos cifras cambiadas de lugar"
    expected, sentence = told(judged(lines), mask=True)["PRF010"]
    assert expected == "••••0001"


def test_catalogue_codes_that_are_nearly_right() -> None:
    assert told(judged(GOOD + "\n" + GRANT.format("168", "1274")))["PRF020"][0] == "186"
    assert told(judged(GOOD + "\n" + GRANT.format("1", "1212")))["PRF020"][0] == "001"
    assert told(judged(GOOD + "\n" + GRANT.format("186", "1247")))["PRF021"][0] == "1274"
    assert told(judged(GOOD + "\n" + GRANT.format("001", "9999")))["PRF021"][0] == "1212"
    assert "1274 (SI-APS FICTICIO), 1300" in told(judged(GOOD + "\n" + GRANT.format("186", "0777")))["PRF023"][1]


def test_names_the_other_way_round() -> None:
    found = told(
        judged(_with(4, "PEREZ").replace("|PEREZ|PEREZ|", "|PEREZ|JUAN|"), 'persons = ["CC 1090000001 JUAN PEREZ"]')
    )
    assert found["USR022"][1] == "El nombre y el apellido están cambiados de lugar: intercámbielos"
    near = told(judged(_with(5, "PERES"), 'persons = ["CC 1090000001 JUAN PEREZ"]'))
    assert "una o dos letras" in near["USR022"][1]


def test_the_head_of_the_entity_is_named_masked() -> None:
    control = CONTROL.format(total=1).replace("10000001|LUISA|PEREZ", "10000010|LUISA|PEREZ")
    assert ENTITY["representante"] == Id("CC", "10000001")
    expected, sentence = told(judged(control + "\n" + GOOD))["CTL010"]
    assert expected == "••••0001"
    assert "Como representante legal de la entidad está CC ••••0001" in sentence
    assert "10000001" not in sentence


def test_a_domain_that_is_nearly_known() -> None:
    assert told(judged(_with(11, "JUAN@GMIAL.COM")))["USR031"] == (
        "GMAIL.COM",
        "¿Quiso escribir el dominio «GMAIL.COM»?",
    )
    assert "USR031" not in told(judged(_with(11, "JUAN@HOTMAIL.ES")))


def test_what_is_worked_out_from_an_identifier_is_masked_like_it() -> None:
    assert told(judged(_with(3, "1.090.000.001")), mask=True)["EST023"] == ("••••0001", "Escriba «••••0001»")


def test_the_documents_carry_the_suggestions() -> None:
    outcome = judged(_with(4, "Juan"))
    (finding,) = (one for one in reports.ack(outcome)["findings"] if one["code"] == "EST021")
    assert (finding["expected"], finding["suggestion"]) == ("JUAN", "Escriba «JUAN»")
    made = {one.name: one.content for one in reports.answer(outcome, NOW).documents}
    assert "Escriba «JUAN»" in made["hallazgos.csv"].decode("utf-8-sig")
    assert "Escriba «JUAN»" in made["acta.html"].decode()


def test_a_million_findings_cost_what_their_values_cost() -> None:
    outcome = judged(_with(4, "Juan"))
    rows = validators.described(outcome.findings, outcome.examined.layout)
    many = pl.concat([rows.filter(pl.col("code") == "EST021")] * 200_000)
    told_ = suggested(many, outcome)
    assert told_["expected"].unique().to_list() == ["JUAN"]
    assert told_.height == many.height


def test_every_suggester_is_of_a_code() -> None:
    assert set(SUGGESTERS) <= set(validators.RULES)
