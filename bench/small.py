"""Small files in a warm process: CPU of the validation alone, and from the folder to the committed verdict.

python bench/small.py validate|answer TIMES -> JSON list of milliseconds (CPU, or wall; the judge in its child, warm)
python bench/small.py mailed FILES          -> JSON list of seconds from the drop to the last mail, settling included
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import structlog

from pisis_batch import pipeline, service, wiring
from pisis_batch.adapters import registry_csv
from pisis_batch.layouts import shelf
from pisis_batch.model import Limits, Received
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, TEMPLATE, Settings

_USERS, _PROFILES = 35, 15
_MAILS = 4  # Acta and Resultado, to sender and entity
_MAIL = "luisa.perez@correo.example"


def _entity(number: int) -> str:
    return f"NI,{900_000_000 + number},ESE HOSPITAL {number},IPS,PASTO,contacto@ese.example,1,CC,10000001,CC,10000001,1"


def tables(entities: int) -> dict[str, str]:
    """A registry of so many entities, all represented by one person, and the people of the files."""
    people = "\n".join(f"CC,{1_090_000_000 + n},JUAN,,PEREZ,,j{n}@correo.example" for n in range(_USERS))
    return {
        "entities": "tipo_id,num_id,razon_social,tipo_entidad,municipio,correo_institucional,correo_confirmado,"
        "rep_tipo_id,rep_num_id,contacto_tipo_id,contacto_num_id,activa\n"
        + "\n".join(_entity(n) for n in range(entities))
        + "\n",
        "persons": "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n"
        f"CC,10000001,LUISA,,PEREZ,,{_MAIL}\n{people}\n",
        "profiles": "codigo,nombre,cod_aplicacion,nombre_aplicacion,tipos_entidad,habilitado\n"
        "1274,SI-APS FICTICIO,186,APLICACION 186,IPS;EPS,1\n",
    }


def content(entity: int, turn: int = 0, day: str = "2026-07-15") -> tuple[str, bytes]:
    """A file of fifty records of an entity, cut on that day."""
    control = (
        f"1|NI|{900_000_000 + entity}|{day}|{_USERS + _PROFILES}|ESE HOSPITAL {entity}||CC|10000001|LUISA|PEREZ|CC"
        "|10000001|LUISA|PEREZ|CONTACTO@ESE.EXAMPLE"
    )
    users = [
        f"2|{n + 1}|CC|{1_090_000_000 + n}|JUAN|PEREZ|V|315{turn:07}|MEDICO GENERAL|1||JUAN{n}@HOSPITAL.EXAMPLE"
        for n in range(_USERS)
    ]
    profiles = [f"3|{_USERS + n + 1}|CC|{1_090_000_000 + n}|186|A|1274" for n in range(_PROFILES)]
    lines = [control, *users, *profiles]
    return f"SEG500USIN{day.replace('-', '')}NI{900_000_000 + entity:012}.TXT", "\r\n".join(lines).encode("cp1252")


def workspace(folder: Path, entities: int) -> Ports:
    """A workspace with its registry."""
    (folder / FILE).write_text(TEMPLATE, "utf-8")
    ports = wiring.ports(Settings.load(folder, settle_seconds=0))
    for table, text in tables(entities).items():
        rows, problems = registry_csv.read(table, text.encode())
        if problems:
            raise ValueError(problems)
        ports.registry.load(table, rows, ports.clock())
    return ports


def validate(times: int) -> list[float]:
    """CPU milliseconds of both validations of a file of fifty records."""
    with tempfile.TemporaryDirectory() as name:
        ports = workspace(Path(name), 1)
        file, raw = content(0)
        received = Received("g", file, raw, ports.clock(), "CC10000001")
        facts = ports.registry.ask(pipeline.questions(pipeline.examine(received, shelf(), Limits())))
        spent = []
        for _ in range(times):
            start = time.process_time()
            outcome = pipeline.judge(pipeline.examine(received, shelf(), Limits()), facts)
            spent.append((time.process_time() - start) * 1000)
    assert str(outcome.verdict) == "cargado", outcome.findings.frame  # noqa: S101 a bench that measures a rejection lies
    return spent


def answer(times: int) -> list[float]:
    """Wall milliseconds from the claim to the committed verdict with its letters and documents."""
    with tempfile.TemporaryDirectory() as name:
        ports = workspace(Path(name), 1)
        inbox = Path(name) / "inbox" / "CC10000001"
        inbox.mkdir(parents=True)
        ports.judge.warm()
        spent = []
        for turn in range(times):
            file, raw = content(0, turn)
            (inbox / file).write_bytes(raw)
            start = time.perf_counter()
            (guid,) = service.take_in(ports)
            service.process(guid, ports)
            spent.append((time.perf_counter() - start) * 1000)
    return spent


def mailed(files: int) -> list[float]:
    """Seconds from the drop of a file to its last mail at a mail server, with `pisis watch` idle; settling included."""
    from aiosmtpd.controller import Controller  # noqa: PLC0415 only here

    taken: list[float] = []

    class Sink:
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802 its name
            del server, session, envelope
            taken.append(time.time())
            return "250 ok"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sink = Controller(Sink(), hostname="127.0.0.1", port=port)
    sink.start()
    spent = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace(folder, files + 1).registry.close()
        (folder / FILE).write_text(f'mail = "smtp://127.0.0.1:{port}?tls=none"\n', "utf-8")
        inbox = folder / "inbox" / "CC10000001"
        inbox.mkdir(parents=True)
        pisis = Path(sys.executable).with_name("pisis")
        service_ = subprocess.Popen(  # noqa: S603 ours
            [pisis, "-w", folder, "watch"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(8)  # it is idle, and its children are warm
        for entity in range(files + 1):
            file, raw = content(entity)
            before, start = len(taken), time.time()
            (inbox / f".{file}").write_bytes(raw)
            (inbox / f".{file}").rename(inbox / file)
            while len(taken) < before + _MAILS and time.time() - start < 60:
                time.sleep(0.005)
            spent.append(taken[-1] - start if len(taken) >= before + _MAILS else float("inf"))
            time.sleep(1.5)
        service_.terminate()
        service_.wait()
    sink.stop()
    return spent[1:]  # the first waits for what is loaded when it is first needed


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the figures are alone in the output
    modes = {"validate": validate, "answer": answer, "mailed": mailed}
    print(json.dumps(modes[sys.argv[1]](int(sys.argv[2]))))
