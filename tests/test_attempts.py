"""Two attempts compared by record: a line more or less changes nothing, and what was right is known to have been."""

import json
import random
from pathlib import Path

from click.testing import CliRunner
from conftest import BOTH
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import NAME, NOW, file_of

from pisis_batch import attempts, pipeline, service
from pisis_batch.cli import root
from pisis_batch.layouts import shelf
from pisis_batch.model import Attempt, Limits, Progress, Received
from pisis_batch.ports import Ports

FIRST = """2|1|CC|1090000001|JU4N|PEREZ|V|3150000000|Medico|1||JUAN.PEREZ@ESE.GOV.CO
2|2|CC|1090000002|MARIA|GOMEZ|V|316|ENFERMERA|0|2026-12-31|maria.gomez@ese.gov.co
2|3|CC|1090000003|PEDRO|RUIZ|O|||||"""


def attempt(lines: str) -> Attempt:
    examined = pipeline.examine(Received("g", NAME, file_of(lines), NOW, "CC10000001"), shelf(), Limits())
    return Attempt(examined.received, examined.findings.frame, examined.batch)


def statuses(progress: Progress) -> set[tuple[str, str, int | None, int | None]]:
    return {(row["status"], row["code"], row["line_before"], row["line_after"]) for row in progress.rows.to_dicts()}


def renumbered(lines: list[str]) -> str:
    cells = [line.split("|") for line in lines]
    return "\n".join("|".join([row[0], str(place), *row[2:]]) for place, row in enumerate(cells, start=1))


def test_corrected_still_there_new_and_damaged() -> None:
    second = renumbered(
        [
            "2|1|CC|1090000004|Eva|DIAZ|O|||||",
            *FIRST.replace("JU4N", "JUAN").replace("|RUIZ|", "|Ruiz|").split("\n"),
        ]
    )
    progress = attempts.compare(attempt(FIRST), attempt(second))
    assert statuses(progress) == {
        ("corregido", "EST029", 2, None),
        ("sigue", "EST021", 2, 3),
        ("sigue", "EST013", 3, 4),
        ("nuevo", "EST021", None, 2),
        ("dañado", "EST021", None, 5),
    }
    assert progress.counts() == {"corregido": 1, "sigue": 2, "nuevo": 1, "dañado": 1, "pendiente": 0}


def test_another_error_in_the_same_cell_is_new_not_damage() -> None:
    progress = attempts.compare(attempt(FIRST), attempt(FIRST.replace("JU4N", "Juan")))
    assert ("nuevo", "EST021", None, 2) in statuses(progress)
    assert ("corregido", "EST029", 2, None) in statuses(progress)


def test_errors_of_the_whole_file_are_known_by_code_and_field() -> None:
    wrong = file_of(FIRST).replace(b"|3|ESE", b"|9|ESE")
    examined = pipeline.examine(Received("g", NAME, wrong, NOW, None), shelf(), Limits())
    before = Attempt(examined.received, examined.findings.frame, examined.batch)
    assert ("corregido", "ARC006", 1, None) in statuses(attempts.compare(before, attempt(FIRST)))
    assert ("dañado", "ARC006", None, 1) in statuses(attempts.compare(attempt(FIRST), before))
    ragged = FIRST.replace("2|2|CC|1090000002|MARIA|", "2|2|CC|1090000002|MARIA|X|")
    moved = renumbered(["2|1|CC|1090000005|EVA|DIAZ|O|||||", *ragged.split("\n")])
    assert ("sigue", "EST030", 3, 4) in statuses(attempts.compare(attempt(ragged), attempt(moved)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), many=st.integers(1, 3))
def test_good_records_at_the_top_change_nothing(seed: int, many: int) -> None:
    chance = random.Random(seed)
    lines = [
        line.replace(chance.choice(["|CC|", "|1|", "|V|", "MARIA", "RUIZ", "3150000000"]), chance.choice(["|xx|", "|ñ|", "||"]), 1)
        for line in FIRST.split("\n")
    ]  # fmt: skip
    before = attempt(renumbered(lines))
    good = [f"2|0|CC|109100000{n}|ANA|DIAZ|O|||||" for n in range(many)]
    progress = attempts.compare(before, attempt(renumbered([*good, *lines])))
    assert set(progress.rows["status"]) <= {"sigue"}
    assert progress.rows.height == attempts.compare(before, before).rows.height


def drop(workspace: Path, ports: Ports, lines: str) -> str:
    folder = workspace / "inbox/CC10000001"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_bytes(file_of(lines))
    (outcome,) = service.once(ports)
    return outcome.received.guid


def acta(workspace: Path, guid: str, name: str = "acta.html") -> str:
    return (workspace / "outbox/CC10000001" / guid / name).read_text("utf-8")


@BOTH
def test_a_second_attempt_is_answered_with_what_changed(workspace: Path, ports: Ports) -> None:
    first = drop(workspace, ports, FIRST)
    assert "Frente a su envío" not in acta(workspace, first)
    second = drop(workspace, ports, FIRST.replace("JU4N", "JUAN").replace("|RUIZ|", "|Ruiz|"))
    said = f"(GUID {first[:8]}): 1 error corregido, 2 siguen y 1 en un dato que estaba bien."
    assert said in acta(workspace, second)
    assert "estaba bien y ahora está mal" in acta(workspace, second, "diferencia.csv")
    content = FIRST.replace("JU4N", "JUAN").replace("Medico", "MEDICO").replace("|316|", "|3160000000|")
    third = drop(workspace, ports, content.replace("1090000003|PEDRO", "1090000009|PEDRO"))
    assert "3 errores corregidos y 1 nuevo." in acta(workspace, third, "resultado.html")
    fourth = drop(workspace, ports, content)
    assert "1 error corregido" in acta(workspace, fourth, "resultado.html")
    fifth = drop(workspace, ports, FIRST)
    assert "Frente a su envío" not in acta(workspace, fifth)  # what came before it was accepted


def test_two_receipts_are_compared_in_the_terminal(workspace: Path, ports: Ports) -> None:
    first = drop(workspace, ports, FIRST)
    second = drop(workspace, ports, FIRST.replace("JU4N", "JUAN").replace("|RUIZ|", "|Ruiz|"))
    content = FIRST.replace("JU4N", "JUAN").replace("Medico", "MEDICO").replace("|316|", "|3160000000|")
    third = drop(workspace, ports, content.replace("1090000003|PEDRO", "1090000009|PEDRO"))
    env = {"PISIS_NOW": "2026-07-15T21:37:45", "COLUMNS": "140"}
    told = CliRunner().invoke(root, ["-w", str(workspace), "runs", "diff", first[:8], second[:8]], env=env)
    assert "estaba bien y ahora está mal" in told.output
    said_json = CliRunner().invoke(
        root, ["-w", str(workspace), "runs", "diff", second, third, "--format", "json"], env=env
    )
    assert json.loads(said_json.output)["counts"]["nuevo"] == 1
    reversed_ = CliRunner().invoke(
        root, ["-w", str(workspace), "runs", "diff", third, second, "--format", "json"], env=env
    )
    assert json.loads(reversed_.output)["counts"]["pendiente"] == 1


def test_a_stranger_learns_nothing_of_the_attempt_before(workspace: Path, ports: Ports) -> None:
    drop(workspace, ports, FIRST)
    folder = workspace / "inbox/CC10000050"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(file_of(FIRST))
    (outcome,) = service.once(ports)
    out = workspace / "outbox/CC10000050" / outcome.received.guid
    assert not (out / "diferencia.csv").exists()
    assert "Frente a su envío" not in (out / "acta.html").read_text("utf-8")
