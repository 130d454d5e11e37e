"""The demonstration's fictitious world: two entities, forty people, a catalogue, and the files they send.

Every name, number and address is made up; the shapes are those of real files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pisis_batch import writing
from pisis_batch.adapters import registry_csv
from pisis_batch.layouts import Layout

HOSPITAL, EPS = "900123456", "900654321"
SENDER, EPS_SENDER = "CC10000001", "CC10000003"
_FIRST = ("ANA", "LUISA", "PEDRO", "JUAN", "MARIA", "ROSA", "EVA", "LUZ", "SARA", "IVAN")
_LAST = ("FICTICIO", "EJEMPLO", "MUESTRA", "PRUEBA")


def person(place: int) -> tuple[str, str, str]:
    """Number, first name and surname of a fictitious person; the first four are heads and contacts."""
    number = 10_000_000 + place if place <= 4 else 1_090_000_000 + place  # noqa: PLR2004 see above
    return str(number), _FIRST[place % len(_FIRST)], _LAST[place % len(_LAST)]


def registry() -> dict[str, str]:
    """The registry's tables as the CSV files that `pisis registry load` takes."""
    persons = ["tipo_id,num_id,primer_nombre,segundo_nombre,primer_apellido,segundo_apellido,correo_personal"]
    for place in range(1, 41):
        number, first, last = person(place)
        persons.append(f"CC,{number},{first},,{last},,persona{place}@correo.example")
    entities = [
        ",".join(registry_csv.TABLES["entities"][0]),
        f"NI,{HOSPITAL},ESE HOSPITAL EJEMPLO,IPS,PASTO - NARIÑO,gerencia@hospital.example,1,CC,10000001,CC,10000002,1",
        eps_row(confirmed=False),
    ]
    users = ["entidad_tipo_id,entidad_num_id,tipo_id,num_id,telefono,cargo,contrato_indefinido,fecha_fin,correo"]
    users += [
        f"NI,{HOSPITAL},CC,{person(place)[0]},6020000000,AUXILIAR,1,,usuario{place}@hospital.example"
        for place in range(30, 35)
    ]
    profiles = [
        "codigo,nombre,cod_aplicacion,nombre_aplicacion,tipos_entidad,habilitado",
        "1212,THS Consulta Mesa Ayuda y Externos,900,APLICACION FICTICIA THS,,1",
        "1274,PERFIL DE LA APLICACION 186,186,APLICACION 186,IPS;EPS,1",
        "9001,PERFIL FICTICIO RETIRADO,186,APLICACION 186,IPS,0",
        "9002,PERFIL FICTICIO SOLO EPS,186,APLICACION 186,EPS,1",
    ]
    tables = {"entities": entities, "persons": persons, "users": users, "profiles": profiles}
    return {name: "\n".join(lines) + "\n" for name, lines in tables.items()}


def eps_row(*, confirmed: bool) -> str:
    """The second entity, before and after it confirms its address."""
    return f"NI,{EPS},EPS FICTICIA,EPS,BOGOTA D.C.,contacto@eps.example,{int(confirmed)},CC,10000003,CC,10000004,1"


@dataclass(frozen=True, slots=True)
class Drop:
    """A file that somebody sends, why it is in the demonstration and the verdict it must get."""

    title: str
    sender: str
    name: str
    content: bytes
    verdict: str


def drops(layout: Layout, today: date) -> Iterator[Drop]:
    """The files of the demonstration, in the order they are sent."""
    good = _file(layout, today, _good(today))
    yield Drop("vincula, desvincula, asigna y retira", SENDER, *good, "cargado")
    yield Drop("una docena de errores distintos", SENDER, *_file(layout, today, _bad(today)), "rechazado")
    wrong = _file(layout, today, _good(today), razon_social="OTRO HOSPITAL", num_id_contacto="10000077")
    yield Drop("el registro de control no es el registrado", SENDER, *wrong, "rechazado")
    name, content = _file(layout, today, ["2||CC|1090000009|PIÑA|MUÑOZ|V|6020000001|MEDICO|1||A@HOSPITAL.EXAMPLE"])
    yield Drop("guardado en UTF-8", SENDER, name, content.decode("cp1252").encode("utf-8"), "rechazado")
    yield Drop("el primer archivo otra vez", SENDER, *good, "sin cambios")
    number, first, last = person(20)
    line = f"2||CC|{number}|{first}|{last}|V|6010000000|AUDITORA|1||A@EPS.EXAMPLE"
    other = _file(layout, today, [line], entity=EPS, razon_social="EPS FICTICIA")
    yield Drop("una entidad que no ha confirmado su correo", EPS_SENDER, *other, "rechazado")


def _user(place: int, rest: str) -> str:
    number, first, last = person(place)
    return f"2||CC|{number}|{first}|{last}|{rest}"


def _good(today: date) -> list[str]:
    ends = (today + timedelta(days=180)).isoformat()
    joining = [_user(n, f"V|60200000{n}|ENFERMERA|0|{ends}|USUARIO{n}@HOSPITAL.EXAMPLE") for n in range(5, 15)]
    leaving = [_user(30, "O|||||")]
    asked = [f"3||CC|{person(n)[0]}|186|A|1274" for n in range(5, 10)]
    return [*joining, *leaving, *asked, f"3||CC|{person(31)[0]}|186|R|"]


def _bad(today: date) -> list[str]:
    past = (today - timedelta(days=30)).isoformat()
    fine = "V|6020000000|MEDICO|1||A@HOSPITAL.EXAMPLE"
    return [
        _user(15, fine),
        f"2||CC|{person(16)[0]}|Luz|PRUEBA|{fine}",
        f"2||CC|{person(17)[0]}|JOSÉ|PRUEBA|{fine}",
        _user(18, "V|602-0000|MEDICO|1||A@HOSPITAL.EXAMPLE"),
        _user(19, "V||MEDICO|1||A@HOSPITAL.EXAMPLE"),
        _user(20, "V|6020000000|MEDICO|0|31/12/2026|A@HOSPITAL.EXAMPLE"),
        _user(21, "V|6020000000|MEDICO|0|2027-02-30|A@HOSPITAL.EXAMPLE"),
        _user(22, "V|6020000000|MEDICO|1||A.HOSPITAL.EXAMPLE"),
        _user(23, "X|6020000000|MEDICO|1||A@HOSPITAL.EXAMPLE"),
        f"2||TI|{person(24)[0]}|ANA|PRUEBA|{fine}",
        f"2||CC|{person(15)[0]}|ANA|PRUEBA|{fine}",
        f'2||CC|{person(26)[0]}|"ANA"|PRUEBA|{fine}',
        _user(27, f"V|6020000000|MEDICO|1|{past}|A@HOSPITAL.EXAMPLE"),
        f"3||CC|{person(15)[0]}|186|A|",
    ]


def _file(layout: Layout, today: date, lines: list[str], entity: str = HOSPITAL, **control: str) -> tuple[str, bytes]:
    """Lines as a file with its control record: consecutives and total are filled in here."""
    heads = ("3", "4") if entity == EPS else ("1", "2")
    head, contact = (person(int(one)) for one in heads)
    values = {
        "tipo_registro": "1",
        "tipo_id_entidad": "NI",
        "num_id_entidad": entity,
        "fecha_corte": today.isoformat(),
        "total_registros": str(len(lines)),
        "razon_social": "ESE HOSPITAL EJEMPLO",
        "nit_alterno": "",
        "tipo_id_representante": "CC",
        "num_id_representante": head[0],
        "nombre_representante": head[1],
        "apellido_representante": head[2],
        "tipo_id_contacto": "CC",
        "num_id_contacto": contact[0],
        "nombre_contacto": contact[1],
        "apellido_contacto": contact[2],
        "correo_institucional": "CONTACTO@EPS.EXAMPLE" if entity == EPS else "GERENCIA@HOSPITAL.EXAMPLE",
    } | control
    frames = {layout.control.name: pl.DataFrame([values])}
    numbered = [line.replace("||", f"|{place}|", 1).split("|") for place, line in enumerate(lines, start=1)]
    for record in layout.details:
        own = [cells for cells in numbered if cells[0] == record.mark]
        if own:
            frames[record.name] = pl.DataFrame(own, schema=[field.name for field in record.fields], orient="row")
    return layout.file_name.write(values), writing.write(layout, frames)
