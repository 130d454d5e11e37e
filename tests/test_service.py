"""The whole way on real folders and a real database: drop, verdict, registry, documents, mails; kill it anywhere."""

import dataclasses
import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import BOTH, GOOD, filled, load
from worlds import CONTROL, NAME, NOW, file_of

from pisis_batch import service, wiring
from pisis_batch.adapters.watchdog_hints import WatchdogHints
from pisis_batch.model import Id, Limits, Received
from pisis_batch.ports import Ports
from pisis_batch.settings import Settings

CRASHES = [
    "claimed",
    "archived",
    "accepted",
    "released",
    "attempted",
    "before_commit",
    "committed",
    "published",
    "sent",
]


def drop(workspace: Path, content: bytes, *, sender: str = "CC10000001", name: str = NAME) -> None:
    folder = workspace / "inbox" / sender
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f".{name}").write_bytes(content)
    (folder / f".{name}").rename(folder / name)


def mails(workspace: Path) -> list[email.message.EmailMessage]:
    found = sorted((workspace / "outbox/correo").glob("*.eml"))
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in found]


def linked(ports: Ports) -> list[str]:
    found = ports.registry.entity(Id("NI", "900123456"))
    assert found
    return [f"{user['num_id']} {' '.join(user['perfiles'])}" for user in found[1]]


@BOTH
def test_a_good_file_is_loaded_and_answered(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    assert outcome.verdict == "cargado"
    assert linked(ports) == ["1090000001 186/1274 PISIS/NEO", "1090000002 PISIS/NEO"]
    assert not list((workspace / "inbox").rglob("*.TXT"))
    folder = workspace / "outbox/CC10000001" / outcome.received.guid
    assert sorted(path.name for path in folder.iterdir()) == [
        "ack.json",
        "acta.html",
        "anotado.txt",
        "hallazgos.csv",
        "hallazgos.xlsx",
        "informe.html",
        "resultado.html",
    ]
    ack = json.loads((folder / "ack.json").read_text("utf-8"))
    assert ack["changes"] == {"linked": 2, "updated": 0, "unlinked": 1, "assigned": 3, "withdrawn": 1, "stored": 0}
    assert ports.archive.fetch(ack["sha256"]) == file_of(GOOD)
    sent = mails(workspace)
    assert {message["To"] for message in sent} == {"luisa.perez@correo.example", "contacto@ese.gov.co"}
    assert {str(message["Subject"]).split(":")[0] for message in sent} == {"Cargado", "Estructura correcta"}


@BOTH
def test_the_same_bytes_again_change_nothing_and_say_so(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    (first,) = service.once(ports)
    before = ports.registry.user(Id("CC", "1090000001"))
    drop(workspace, file_of(GOOD))
    (second,) = service.once(ports)
    assert second.verdict == "sin cambios"
    assert second.facts
    assert second.facts.earlier
    assert second.facts.earlier.guid == first.received.guid
    assert ports.registry.user(Id("CC", "1090000001")) == before


@BOTH
def test_history_tells_who_was_linked_when_and_why(workspace: Path, ports: Ports) -> None:
    drop(workspace, file_of(GOOD))
    (outcome,) = service.once(ports)
    user = ports.registry.user(Id("CC", "1090000003"))
    assert user
    (link,) = user["links"]
    assert (link["from_guid"], link["to_guid"], link["to_line"]) == ("registro", outcome.received.guid, 4)
    assert all(grant["valid_to"] for grant in user["grants"])


@BOTH
def test_a_rejected_file_changes_nothing_and_flips_after_the_registry_is_put_right(
    workspace: Path, ports: Ports
) -> None:
    lines = GOOD.replace("186|A|1274", "186|A|4444")
    drop(workspace, file_of(lines))
    (outcome,) = service.once(ports)
    assert outcome.verdict == "rechazado"
    assert linked(ports) == ["1090000003 PISIS/NEO"]
    load(
        ports,
        "profiles",
        "codigo,nombre,cod_aplicacion,nombre_aplicacion,tipos_entidad,habilitado\n4444,NUEVO,186,A,,1\n",
    )
    guid = outcome.received.guid
    assert service.reprocess(guid, ports, apply=False).verdict == "cargado"
    assert linked(ports) == ["1090000003 PISIS/NEO"]
    assert service.reprocess(guid, ports, apply=True).verdict == "cargado"
    assert linked(ports) == ["1090000001 186/4444 PISIS/NEO", "1090000002 PISIS/NEO"]
    assert ports.registry.runs()[0]["verdict"] == "cargado"
    service.publish(ports)
    assert service.deliver(ports)[0] > 0


def test_an_unconfirmed_entity_is_asked_to_confirm_and_gets_no_report(workspace: Path, ports: Ports) -> None:
    control = CONTROL.format(total=1).replace("900123456", "900654321").replace("ESE HOSPITAL EJEMPLO", "EPS FICTICIA")
    control = control.replace("10000001|LUISA|PEREZ|CC|10000002|ANA|GOMEZ", "10000050|EVA|DIAZ|CC|10000050|EVA|DIAZ")
    content = file_of(control + "\n2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO|1||J@EPS.EXAMPLE")
    drop(workspace, content, sender="CC10000050", name=NAME.replace("900123456", "900654321"))
    (outcome,) = service.once(ports)
    assert [finding.code for finding in outcome.findings] == ["CTL003"]
    to_entity = [message for message in mails(workspace) if message["To"] == "contacto@eps.example"]
    assert [str(message["Subject"]).split(":")[0] for message in to_entity] == ["Confirme su correo"]
    assert "1090000001" not in to_entity[0].as_string()


def test_a_file_in_the_root_is_answered_as_nobodys(workspace: Path, ports: Ports) -> None:
    (workspace / "inbox" / NAME).write_bytes(file_of(GOOD))
    (outcome,) = service.once(ports)
    assert [finding.code for finding in outcome.findings] == ["REM001"]
    assert (workspace / "outbox/_sin_remitente" / outcome.received.guid / "ack.json").is_file()


@BOTH
def test_a_crashing_file_is_quarantined_and_the_next_goes_on(
    workspace: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = ports.archive.fetch
    bad = file_of(GOOD.replace("JUAN", "JOSE"))

    def failing(sha256: str) -> bytes:
        content = fetch(sha256)
        if content == bad:
            raise RuntimeError("1090000001 must not be logged")
        return content

    monkeypatch.setattr(ports.archive, "fetch", failing)
    drop(workspace, bad)
    drop(workspace, file_of(GOOD), sender="CC10000002")
    outcomes = service.once(ports)
    assert sorted(str(outcome.verdict) for outcome in outcomes) == ["cargado", "rechazado"]
    states = {run["sender"]: run["state"] for run in ports.registry.runs()}
    assert states == {"CC10000001": "cuarentena", "CC10000002": "terminado"}
    tried = {run["sender"]: ports.registry.receipt(run["guid"]) for run in ports.registry.runs()}
    assert {sender: receipt.attempts for sender, receipt in tried.items() if receipt} == {
        "CC10000001": 3,
        "CC10000002": 1,
    }
    told = [message for message in mails(workspace) if str(message["Subject"]).startswith("En espera")]
    assert told
    monkeypatch.undo()
    guid = next(run["guid"] for run in ports.registry.runs() if run["state"] == "cuarentena")
    assert service.reprocess(guid, ports, apply=True).findings.by_code() != [("SIS001", 1)]


def test_check_has_no_effect(workspace: Path, ports: Ports) -> None:
    received = Received("-", NAME, file_of(GOOD), NOW, None)
    outcome = service.check(received, ports, shelf=ports.shelf, limits=Limits())
    assert outcome.verdict == "cargado"
    assert ports.registry.runs() == []
    offline = service.check(received, None, shelf=ports.shelf, limits=Limits())
    assert offline.verdict == "cargado"


def test_an_operator_submits_a_file_and_keeps_it(workspace: Path, ports: Ports, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(file_of(GOOD))
    guid = service.submit(path, "CC10000001", ports)
    outcome = service.process(guid, ports)
    assert outcome
    assert outcome.verdict == "cargado"
    assert path.exists()
    assert service.process(guid, ports) is None


@BOTH
def test_the_watcher_serves_until_it_is_stopped(workspace: Path, ports: Ports) -> None:
    stop, seen = threading.Event(), []
    quick = dataclasses.replace(ports, clock=ports.clock)
    thread = threading.Thread(
        target=service.watch,
        args=(quick, WatchdogHints(workspace / "inbox")),
        kwargs={"rescan_seconds": 0.5, "stop": stop, "on_outcome": seen.append},
    )
    thread.start()
    (workspace / "inbox/CC10000001").mkdir(parents=True, exist_ok=True)
    (workspace / "inbox/CC10000001" / f"{NAME}.part").write_bytes(b"half a file")
    drop(workspace, file_of(GOOD))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and len(list((workspace / "outbox/correo").glob("*.eml"))) < 4:
        time.sleep(0.05)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert [outcome.verdict for outcome in seen] == ["cargado"]
    assert len(mails(workspace)) == 4
    assert (workspace / "inbox/CC10000001" / f"{NAME}.part").exists()


@pytest.mark.parametrize(
    ("point", "database"),
    [(point, "sqlite") for point in CRASHES] + [(point, "postgresql") for point in ("attempted", "committed")],
    indirect=["database"],
)
def test_killed_at_any_durable_step_nothing_is_lost_or_done_twice(point: str, workspace: Path) -> None:
    settings = Settings.load(workspace, now=NOW, settle_seconds=0)
    first = filled(wiring.ports(settings))
    drop(workspace, file_of(GOOD))
    program = (
        "from datetime import datetime\nfrom pathlib import Path\nfrom pisis_batch import service, wiring\n"
        "from pisis_batch.settings import Settings\n"
        f"now = datetime.fromisoformat({NOW.isoformat()!r})\n"
        f"service.once(wiring.ports(Settings.load(Path({str(workspace)!r}), now=now, settle_seconds=0)))\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PISIS_CRASH_AT": point}, check=False)
    assert killed.returncode == -signal.SIGKILL
    service.once(first)
    (run,) = first.registry.runs()
    assert (run["verdict"], run["state"]) == ("cargado", "terminado")
    assert linked(first) == ["1090000001 186/1274 PISIS/NEO", "1090000002 PISIS/NEO"]
    user = first.registry.user(Id("CC", "1090000001"))
    assert user
    assert len(user["links"]) == 1
    assert len(user["grants"]) == 2
    assert run["mails"] == {"enviado": 4}
    assert len(mails(workspace)) == 4
    assert (workspace / "outbox/CC10000001" / run["guid"] / "ack.json").is_file()
    first.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
