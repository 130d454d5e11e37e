"""What annexes without an effect of their own leave behind: stored records, their history, and `pisis data`."""

import csv
import dataclasses
import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from annexes import APORTES, NOVEDADES
from click.testing import CliRunner
from test_service import drop, mails
from worlds import NOW

from pisis_batch import service
from pisis_batch.adapters import sql_runs
from pisis_batch.adapters.direct_judge import DirectJudge
from pisis_batch.cli import root
from pisis_batch.layouts import Shelf, parse
from pisis_batch.model import Id, Outcome
from pisis_batch.ports import Ports

CUT = date(2026, 6, 30)
SHELF = Shelf((parse(APORTES), parse(NOVEDADES)))


def knowing(ports: Ports, shelf: Shelf) -> Ports:
    return dataclasses.replace(ports, shelf=shelf, judge=DirectJudge(shelf))


@pytest.fixture
def stores(ports: Ports) -> Ports:
    return knowing(ports, SHELF)


def aportes(rows: list[str], cut: date = CUT) -> tuple[str, bytes]:
    lines = [f"1|900123456|{cut.isoformat()}|{len(rows)}", *(f"2|{row}" for row in rows)]
    return f"XYZ100APOR{cut:%Y%m%d}NI000900123456.TXT", "\r\n".join(lines).encode("cp1252")


def novedades(rows: list[str], cut: date = CUT) -> tuple[str, bytes]:
    name, content = aportes(rows, cut)
    return name.replace("APOR", "NOVE"), content


def sent(workspace: Path, ports: Ports, file: tuple[str, bytes], days: int = 0) -> Outcome:
    drop(workspace, file[1], name=file[0])
    later = dataclasses.replace(ports, clock=lambda: NOW + timedelta(days=days))
    (outcome,) = service.once(later)
    return outcome


def held(ports: Ports, annex: str, record: str = "aporte", **how: Any) -> list[tuple[str, ...]]:
    frame = pl.concat(ports.registry.data(annex, record, **how))
    return [tuple(row) for row in frame.select("numero", "valor").iter_rows()]


def test_a_loaded_file_is_stored_and_the_answer_says_how_much(workspace: Path, stores: Ports) -> None:
    outcome = sent(workspace, stores, aportes(["A1|10.50", "A2|0.10"]))
    assert outcome.verdict == "cargado"
    assert held(stores, "XYZ100APOR") == [("A1", "10.50"), ("A2", "0.10")]
    assert stores.registry.stored("XYZ100APOR") == {"cabeza": True, "aporte": False}
    (control,) = pl.concat(stores.registry.data("XYZ100APOR", "cabeza")).to_dicts()
    assert (control["nit"], control["_linea"], control["_guid"]) == ("900123456", 1, outcome.received.guid)
    folder = workspace / "outbox/CC10000001" / outcome.received.guid
    assert json.loads((folder / "ack.json").read_text("utf-8"))["changes"]["stored"] == 2
    text = next(m for m in mails(workspace) if str(m["Subject"]).startswith("Cargado")).get_body(("plain",))
    assert text is not None
    assert "Registros almacenados: 2" in text.get_content()
    assert "PISIS Cliente Neo" not in text.get_content()


def test_a_rejected_file_stores_nothing_and_the_same_bytes_nothing_more(workspace: Path, stores: Ports) -> None:
    assert sent(workspace, stores, aportes(["A1|10.555"])).verdict == "rechazado"
    assert stores.registry.stored("XYZ100APOR") == {}
    sent(workspace, stores, aportes(["A1|10.50"]))
    assert sent(workspace, stores, aportes(["A1|10.50"])).verdict == "sin cambios"
    assert held(stores, "XYZ100APOR") == [("A1", "10.50")]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_a_period_is_replaced_and_its_past_can_be_asked(workspace: Path, stores: Ports) -> None:
    sent(workspace, stores, aportes(["A1|10.50", "A2|0.10"]))
    sent(workspace, stores, aportes(["B1|7.00"], date(2026, 5, 31)))
    second = sent(workspace, stores, aportes(["A1|11.00"]), days=2)
    assert second.facts
    assert second.facts.kept
    assert second.facts.kept.rows == 2
    page = (workspace / "outbox/CC10000001" / second.received.guid / "resultado.html").read_text("utf-8")
    assert "Reemplazan los del mismo período" in page
    assert sorted(held(stores, "XYZ100APOR")) == [("A1", "11.00"), ("B1", "7.00")]
    assert held(stores, "XYZ100APOR", period=CUT) == [("A1", "11.00")]
    assert held(stores, "XYZ100APOR", period=CUT, as_of=NOW.date()) == [("A1", "10.50"), ("A2", "0.10")]
    assert held(stores, "XYZ100APOR", as_of=NOW.date() - timedelta(days=1)) == []
    assert held(stores, "XYZ100APOR", entity=Id("NI", "900654321")) == []
    assert len(held(stores, "XYZ100APOR", history=True)) == 4


def test_an_empty_file_empties_its_period(workspace: Path, stores: Ports) -> None:
    sent(workspace, stores, aportes(["A1|10.50"]))
    assert sent(workspace, stores, aportes([])).verdict == "cargado"
    assert held(stores, "XYZ100APOR") == []


def test_an_older_file_does_not_replace_a_newer_one(workspace: Path, stores: Ports) -> None:
    old = sent(workspace, stores, aportes(["A1|10.555"]))  # rejected
    sent(workspace, stores, aportes(["A1|11.00"]))
    looser = parse(APORTES.replace("decimals = 2", "decimals = 3"))
    now = knowing(stores, Shelf((looser,)))
    again = service.reprocess(old.received.guid, now, apply=True)
    assert [finding.code for finding in again.findings] == ["REG003"]
    assert held(stores, "XYZ100APOR") == [("A1", "11.00")]


def test_reprocessing_a_loaded_file_stores_it_once(workspace: Path, stores: Ports) -> None:
    first = sent(workspace, stores, aportes(["A1|10.50"]))
    assert service.reprocess(first.received.guid, stores, apply=True).verdict == "cargado"
    assert held(stores, "XYZ100APOR", history=True) == [("A1", "10.50")]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_lines_insert_update_and_annul(workspace: Path, stores: Ports) -> None:
    sent(workspace, stores, novedades(["A1|I|10.50", "A2|I|2.00", "A3|NA|3.00"]))
    assert held(stores, "XYZ100NOVE") == [("A1", "10.50"), ("A2", "2.00")]
    second = sent(workspace, stores, novedades(["A1|A|11.00", "A2|E|2.00"], date(2026, 5, 31)), days=1)
    assert second.changes.counts()["stored"] == 2
    assert held(stores, "XYZ100NOVE") == [("A1", "11.00")]
    assert held(stores, "XYZ100NOVE", as_of=NOW.date()) == [("A1", "10.50"), ("A2", "2.00")]
    assert held(stores, "XYZ100NOVE", period=CUT) == []
    past = pl.concat(stores.registry.data("XYZ100NOVE", "aporte", history=True))
    assert past.filter(pl.col("numero") == "A2")["_accion"].to_list() == ["insertar", "anular"]
    assert past.filter(pl.col("numero") == "A2")["_hasta"].to_list() == [(NOW + timedelta(days=1)).isoformat(), None]
    third = sent(workspace, stores, novedades(["A2|A|5.00", "A9|E|1.00", "A1|I|12.00"], date(2026, 4, 30)))
    assert [(f.code, f.line, f.field) for f in third.findings] == [
        ("REG002", 2, "accion"),
        ("REG002", 3, "accion"),
        ("REG001", 4, "accion"),
    ]
    assert sent(workspace, stores, novedades(["A2|I|5.00", "A1|I|12.00"], date(2026, 4, 30))).verdict == "cargado"
    assert sorted(held(stores, "XYZ100NOVE")) == [("A1", "12.00"), ("A2", "5.00")]


def test_fields_of_another_version_stand_beside(workspace: Path, stores: Ports) -> None:
    sent(workspace, stores, aportes(["A1|10.50"]))
    newer = parse(
        APORTES.replace("2026-01-01", "2026-07-01")
        .replace('version = "1"', 'version = "2"')
        .replace('  { name = "valor"', '  { name = "sede", label = "Sede", type = "A", max = 3 },\n  { name = "valor"')
    )
    both = knowing(stores, Shelf((*SHELF, newer)))
    sent(workspace, both, aportes(["B1|S1|9.00"], date(2026, 7, 10)))
    frame = pl.concat(stores.registry.data("XYZ100APOR", "aporte"))
    assert frame.select("numero", "sede", "valor").rows() == [("A1", None, "10.50"), ("B1", "S1", "9.00")]


def test_nothing_is_stored_without_the_verdict(workspace: Path, stores: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(sql_runs, "insert_mails", fails)
        drop(workspace, aportes(["A1|10.50"])[1], name=aportes([])[0])
        service.take_in(stores)
        (waiting,) = stores.registry.pending()
        service.process(waiting.guid, stores)
    assert stores.registry.stored("XYZ100APOR") == {}
    service.process(waiting.guid, stores)
    assert held(stores, "XYZ100APOR") == [("A1", "10.50")]


def test_the_command_writes_csv_json_and_parquet(workspace: Path, stores: Ports) -> None:
    sent(workspace, stores, aportes(["A1|10.50", "0002|0.10"]))

    def pisis(*arguments: str) -> Any:
        return CliRunner().invoke(root, ["-w", str(workspace), "data", *arguments])

    rows = list(csv.DictReader(io.StringIO(pisis("XYZ100APOR").stdout)))
    assert [(row["numero"], row["valor"], row["_entidad_numero"]) for row in rows] == [
        ("A1", "10.50", "900123456"),
        ("0002", "0.10", "900123456"),
    ]
    shown = json.loads(pisis("XYZ100APOR", "--record", "cabeza", "--format", "json").stdout)
    assert [row["total"] for row in shown] == ["2"]
    assert json.loads(pisis("XYZ100APOR", "--entity", "NI:1", "--format", "json").stdout) == []
    target = workspace / "aportes.parquet"
    assert "2 registros" in pisis("XYZ100APOR", "--format", "parquet", "--output", str(target)).stdout
    assert pl.read_parquet(target)["numero"].to_list() == ["A1", "0002"]
    assert pisis("XYZ100APOR", "--format", "parquet").exit_code == 2
    assert pisis("XYZ100APOR", "--record", "nada").exit_code == 2
    assert pisis("XYZ100NOVE").exit_code == 1
