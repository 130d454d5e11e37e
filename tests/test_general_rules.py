"""The rules about sender, entity and calendar hold for any annex: they look where its layout says."""

import pytest
from annexes import APORTES
from worlds import NOW, facts

from pisis_batch import pipeline
from pisis_batch.layouts import Layout, Shelf, parse
from pisis_batch.model import Limits, Received

LAYOUT = parse(APORTES)


def judged(
    given: str, nit: str = "900123456", cut: str = "2026-06-30", layout: Layout = LAYOUT
) -> list[tuple[str, str | None, str | None, str]]:
    name = f"{layout.annex}{cut.replace('-', '')}NI{nit.zfill(12)}.TXT"
    content = f"1|{nit}|{cut}|1\r\n2|A1|10.50".encode()
    examined = pipeline.examine(Received("g", name, content, NOW, "CC10000001"), Shelf((layout,)), Limits())
    assert examined.sound, examined.findings.frame
    assert str(examined.entity) == f"NI {nit}"
    known = facts(given)
    if nit != "900123456":
        known = type(known)(today=known.today, sender=known.sender, periods=known.periods)
    found = pipeline.judge(examined, known).findings
    return [(f.code, f.record, f.field, f.value or "") for f in found]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", None),
        ('sender = ""', ("REM001", None, None, "")),
        ('sender = "CC10000099"', ("REM002", None, None, "CC10000099")),
        ('sender = "CC10000050"', ("REM003", None, None, "CC10000050")),
        ("entity = { activa = false }", ("CTL002", "cabeza", "nit", "900123456")),
        ("entity = { correo_confirmado = false }", ("CTL003", "cabeza", "nit", "900123456")),
        (
            'periods = ["2026-05-01 2026-05-31 2026-06-01 2026-07-31"]',
            ("CTL021", "cabeza", "fecha_final", "2026-06-30"),
        ),
        (
            'periods = ["2026-06-01 2026-06-30 2026-07-01 2026-07-10"]',
            ("CTL022", "cabeza", "fecha_final", "2026-06-30"),
        ),
    ],
)
def test_each_is_found_at_the_layouts_own_field(given: str, expected: tuple[str, ...] | None) -> None:
    assert judged(given) == ([expected] if expected else [])


def test_an_unknown_entity_and_a_future_date() -> None:
    assert judged("", nit="900999999") == [("CTL001", "cabeza", "nit", "900999999")]
    assert judged("", nit="9001234568") == [("CTL006", "cabeza", "nit", "9001234568")]
    assert judged("", nit="5001") == [("CTL007", "cabeza", "nit", "5001")]
    assert judged("", cut="2026-07-16") == [("CTL020", "cabeza", "fecha_final", "2026-07-16")]


@pytest.mark.parametrize(("cut", "told"), [("2026-06-30", []), ("2026-06-14", ["CTL023"])])
def test_a_late_limit_counts_from_the_cut_date_where_there_is_no_calendar(cut: str, told: list[str]) -> None:
    limited = LAYOUT.but(late_days=30)
    assert [code for code, *_ in judged("", cut=cut, layout=limited)] == told
    calendar = f'periods = ["2026-01-01 {cut} 2026-06-01 2026-07-31"]'
    assert judged(calendar, cut=cut, layout=limited) == []
