"""A workspace with the fictitious registry of `worlds`, on real folders and a real database.

The database is SQLite unless a test is marked `BOTH`: then it runs on a PostgreSQL server too.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import postgresql as pg
import pytest
import radosgw
from browser import chromium  # noqa: F401 the one browser of a run
from worlds import NOW

from pisis_batch import wiring
from pisis_batch.adapters import registry_csv
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, TEMPLATE, Settings

REGISTRY = {
    "entities": """tipo_id,num_id,razon_social,tipo_entidad,municipio,correo_institucional,correo_confirmado,rep_tipo_id,rep_num_id,contacto_tipo_id,contacto_num_id,activa
NI,900123456,ESE HOSPITAL EJEMPLO,IPS,PASTO - NARIÑO,contacto@ese.gov.co,1,CC,10000001,CC,10000002,1
NI,900654321,EPS FICTICIA,EPS,BOGOTA D.C.,contacto@eps.example,0,CC,10000050,,,1
""",
    "persons": """tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal
CC,10000001,LUISA,,PEREZ,,luisa.perez@correo.example
CC,10000002,ANA,,GOMEZ,,ana.gomez@correo.example
CC,10000050,EVA,,DIAZ,,eva.diaz@correo.example
CC,1090000001,JUAN,,PEREZ,,
CC,1090000002,MARIA,,GOMEZ,,
CC,1090000003,PEDRO,,RUIZ,,
""",
    "users": """entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo
NI,900123456,CC,1090000003,3000000003,CONDUCTOR,1,,pedro.ruiz@ese.gov.co
""",
    "profiles": """codigo,nombre,cod_aplicacion,nombre_aplicacion,tipos_entidad,habilitado
1274,SI-APS FICTICIO,186,APLICACION 186,IPS;EPS,1
1300,SI-APS OTRO FICTICIO,186,APLICACION 186,,1
1212,THS Consulta Mesa Ayuda y Externos,001,THS,,1
""",
}
GOOD = """2|1|CC|1090000001|JUAN|PEREZ|V|3150000000|MEDICO GENERAL|1||JUAN.PEREZ@ESE.GOV.CO
2|2|CC|1090000002|MARIA|GOMEZ|V|3160000000|ENFERMERA|0|2026-12-31|maria.gomez@ese.gov.co
2|3|CC|1090000003|PEDRO|RUIZ|O|||||
3|4|CC|1090000001|186|A|1274"""


def load(ports: Ports, table: str, text: str, at: datetime = NOW) -> int:
    """Load a table as `pisis registry load` does."""
    rows, problems = registry_csv.read(table, text.encode())
    assert problems == []
    return ports.registry.load(table, rows, at)


def filled(ports: Ports) -> Ports:
    """The same ports with the fictitious registry in them."""
    for table, text in REGISTRY.items():
        load(ports, table, text)
    return ports


BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[pg.PostgreSQL]:
    """The server of this session of tests, started by the first test that needs it."""
    with pg.running() as server:
        yield server


@pytest.fixture(autouse=True)
def judged_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child for every test would cost a second each; `test_isolation` has its own."""
    monkeypatch.setenv("PISIS_ISOLATION", "false")


@pytest.fixture(scope="session")
def object_server() -> Iterator[str]:
    """The address of an S3-compatible server that speaks HTTP on this machine."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 it takes its time to load

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def gateway() -> Iterator[radosgw.Gateway]:
    """A real S3 server, where Debian's is installed."""
    if lacks := radosgw.missing():
        pytest.skip(f"no {', '.join(lacks)}: Debian's radosgw, ceph-mon and ceph-osd bring them")
    with radosgw.running() as server:
        yield server


#: The S3 servers that the adapters are held to: an imitation that is everywhere, and a real one.
STORES = ("moto", "radosgw")
EACH_STORE = pytest.mark.parametrize("bucket", STORES, indirect=True)


@pytest.fixture
def new_bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A new bucket at a server of `STORES`, as `PISIS_STORAGE` would say it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", radosgw.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", radosgw.SECRET)

    def made(server: str) -> str:
        of: dict[str, Callable[[], str]] = {
            "moto": lambda: str(request.getfixturevalue("object_server")),
            "radosgw": lambda: str(request.getfixturevalue("gateway").url),
        }
        url, name = of[server](), f"pisis-{uuid.uuid4()}"
        radosgw.create(url, name)
        return f"s3://{name}/nacional?endpoint={url}"

    return made


@pytest.fixture
def bucket(request: pytest.FixtureRequest, new_bucket: Callable[[str], str]) -> str:
    """What `PISIS_STORAGE` would say: a new bucket."""
    return new_bucket(getattr(request, "param", "moto"))


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str | None:
    """The address of the workspace's database; None for the SQLite file it has by default."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    server: pg.PostgreSQL = request.getfixturevalue("postgresql")
    return server.database()


@pytest.fixture
def workspace(tmp_path: Path, database: str | None) -> Path:
    settings = TEMPLATE if database is None else f'{TEMPLATE}database = "{database}"\n'
    (tmp_path / FILE).write_text(settings, "utf-8")
    return tmp_path


@pytest.fixture
def ports(workspace: Path) -> Iterator[Ports]:
    made = filled(wiring.ports(Settings.load(workspace, now=NOW, settle_seconds=0)))
    yield made
    made.registry.close()  # type: ignore[attr-defined]  # the database adapter has it
