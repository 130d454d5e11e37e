"""A workspace of many entities with sound files to drop, for the benches that run the whole service."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from pisis_batch import wiring
from pisis_batch.adapters import registry_csv
from pisis_batch.ports import Ports
from pisis_batch.settings import FILE, Settings

NOW = datetime.now(UTC)
#: Whatever would stop a large file on purpose is out of its way.
_SETTINGS = """settle_seconds = 0.0
remind_days = 0
max_file_bytes = 4294967296
judge_seconds = 3600
brake_users = 1000000000
brake_percent = 0
"""
_PEOPLE = sa.text(
    "INSERT INTO person (tipo_id, num_id, primer_nombre, segundo_nombre, primer_apellido, segundo_apellido, correo_personal) "
    "SELECT 'CC', (1090000000 + place)::text, 'JUAN', '', 'PEREZ', '', '' FROM generate_series(:first, :last) place"
)
_ENTITY = "NI,{number},ESE {number},IPS,PASTO,contacto@e{number}.example,1,CC,{head},CC,{head},1"


def number(place: int) -> str:
    return f"9001{place:05}"


def head(place: int) -> str:
    return f"10{place:06}"


def text(place: int, lines: int, day: str) -> bytes:
    """A sound file: users of an entity, all new, with one profile for every second of them."""
    control = (
        f"1|NI|{number(place)}|{day}|{lines}|ESE {number(place)}||CC|{head(place)}|LUISA|PEREZ"
        f"|CC|{head(place)}|LUISA|PEREZ|CONTACTO@E{number(place)}.EXAMPLE"
    )
    users = [
        f"2|{n}|CC|{1_090_000_000 + n}|JUAN|PEREZ|V|3150000000|MEDICO GENERAL|1||J{n}@E{number(place)}.EXAMPLE"
        for n in range(1, lines + 1)
    ]
    return "\r\n".join([control, *users]).encode()


@contextmanager
def workspace(database: str, entities: int, people: int) -> Iterator[tuple[Path, Settings]]:
    """A workspace with its registry filled."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / FILE).write_text(f'database = "{database}"\n{_SETTINGS}', "utf-8")
        settings = Settings.load(root)
        ports = wiring.ports(settings)
        rows = "\n".join(_ENTITY.format(number=number(e), head=head(e)) for e in range(entities))
        persons = "\n".join(
            [f"CC,{head(e)},LUISA,,PEREZ,,l@p.example" for e in range(entities)]
            + [f"CC,{1_090_000_000 + n},JUAN,,PEREZ,," for n in range(1, people + 1)]
        )
        columns = "tipo_id,num_id,razon_social,tipo_entidad,municipio,correo_institucional,correo_confirmado"
        for table, said in {
            "entities": f"{columns},rep_tipo_id,rep_num_id,contacto_tipo_id,contacto_num_id,activa\n{rows}\n",
            "persons": "tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal\n"
            f"{persons}\n",
        }.items():
            frame, problems = registry_csv.read(table, said.encode())
            assert not problems, problems[:3]  # noqa: S101
            ports.registry.load(table, frame, NOW)
        ports.registry.close()  # type: ignore[attr-defined]
        yield root, settings


def drop(root: Path, place: int, content: bytes, day: str) -> None:
    at(root, place, day).write_bytes(content)


def at(root: Path, place: int, day: str) -> Path:
    """Where an entity's file of a day is dropped."""
    folder = root / "inbox" / f"CC{head(place)}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"SEG500USIN{day.replace('-', '')}NI{int(number(place)):012}.TXT"


def drop_large(root: Path, place: int, lines: int, day: str) -> None:
    """A file of so many lines, written a piece at a time, beside the inbox and then moved into it."""
    control, *_ = text(place, 1, day).split(b"\r\n")
    whole = root / "large.TXT"
    with whole.open("wb") as file:
        file.write(control.replace(f"|{day}|1|".encode(), f"|{day}|{lines}|".encode()))
        for start in range(1, lines + 1, 100_000):
            numbers = range(start, min(start + 100_000, lines + 1))
            rows = [
                f"\r\n2|{n}|CC|{1_090_000_000 + n}|JUAN|PEREZ|V|3150000000|MEDICO GENERAL|1||J{n}@E{number(place)}.EXAMPLE"
                for n in numbers
            ]
            file.write("".join(rows).encode())
    whole.rename(at(root, place, day))


def register(ports: Ports, first: int, last: int) -> None:
    """The users of a large file as persons, straight into PostgreSQL's table."""
    with ports.registry.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(_PEOPLE, {"first": first, "last": last})


def left(ports: Ports) -> int:
    with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]
        return int(connection.scalar(sa.text("SELECT count(*) FROM receipt WHERE state IN ('recibido', 'procesando')")))


def verdicts(ports: Ports) -> dict[str, int]:
    """How many files ended how: a rejected one is no measure."""
    with ports.registry.engine.connect() as connection:  # type: ignore[attr-defined]
        rows = connection.execute(sa.text("SELECT verdict, count(*) FROM run GROUP BY verdict"))
        return {str(verdict): int(many) for verdict, many in rows}


def day(back: int) -> str:
    return (NOW - timedelta(days=1 + back)).strftime("%Y-%m-%d")
