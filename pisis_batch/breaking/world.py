"""The registry in which a good file is loaded without a finding: what breakers of content start from."""

from datetime import date

from pisis_batch.breaking.draft import Draft, Row, draft
from pisis_batch.layouts import Layout

_HEAD = ("CC", "10000001")
_SEEDS = 300


def world(layout: Layout, today: date) -> Draft:
    """A good file with the registry in which it is loaded without a finding, sent by the entity's representative."""
    made = _people(layout, today) if layout.effect.kind == "usuarios" else draft(layout, today)
    control = made.control
    if "nit_alterno" in control:
        control["nit_alterno"] = ""
    key = layout.entity
    head = (control["tipo_id_representante"], control["num_id_representante"]) if _has_heads(made) else _HEAD
    contact = (control["tipo_id_contacto"], control["num_id_contacto"]) if _has_heads(made) else ("", "")
    values = made.stated | control
    made.tables["entities"] = [
        entity(
            (values[key.type], values[key.number]),
            values.get(key.name or "", "") or "ENTIDAD FICTICIA",
            head=head,
            contact=contact,
            mail=control.get("correo_institucional", "contacto@entidad.example").lower(),
        )
    ]
    made.tables["persons"] = _registered(made, head)
    made.tables["users"] = [linked(made, row) for row in made.records.get("usuario", []) if row["accion"] == "O"]
    pairs = {(row["perfil"], row["aplicacion"]) for row in made.records.get("perfil", [])}
    made.tables["profiles"] = [profile(code, application) for code, application in sorted(pairs)]
    made.sender = "".join(head)
    return made


def _has_heads(made: Draft) -> bool:
    return "num_id_representante" in made.control


def _people(layout: Layout, today: date) -> Draft:
    """Three people linked and one unlinked, a profile assigned to the first."""
    for seed in range(_SEEDS):
        made = draft(layout, today, seed=seed)
        users = sorted(made.records["usuario"], key=lambda row: row["accion"] != "V")
        if [row["accion"] for row in users] != ["V", "V", "V", "O"] or len({row["num_id"] for row in users}) < len(
            users
        ):
            continue
        made.records["usuario"] = users
        asked = next((row for row in made.records["perfil"] if row["accion"] == "A"), None)
        if asked is None:
            continue
        made.records["perfil"] = [asked | {name: users[0][name] for name in ("tipo_id", "num_id")}]
        made.renumbered()
        return made
    raise LookupError(f"no sample of {layout.annex} has three people to link and one to unlink")


def entity(id_: tuple[str, str], name: str, *, head: tuple[str, str], contact: tuple[str, str], mail: str) -> Row:
    """A row of the entities table."""
    return {
        "tipo_id": id_[0],
        "num_id": id_[1],
        "razon_social": name,
        "tipo_entidad": "IPS",
        "municipio": "PASTO - NARIÑO",
        "correo_institucional": mail,
        "correo_confirmado": "1",
        "rep_tipo_id": head[0],
        "rep_num_id": head[1],
        "contacto_tipo_id": contact[0],
        "contacto_num_id": contact[1],
        "activa": "1",
    }


def person(type_: str, number: str, first: str, last: str) -> Row:
    """A row of the persons table."""
    return {
        "tipo_id": type_,
        "num_id": number,
        "primer_nombre": first,
        "segundo_nombre": "",
        "primer_apellido": last,
        "segundo_apellido": "",
        "correo_personal": "",
    }


def _registered(made: Draft, head: tuple[str, str]) -> list[Row]:
    """Everybody the file names, as Mi Seguridad Social has them."""
    control, found = made.control, [person(*head, "LUISA", "PEREZ")]
    if _has_heads(made):
        found = [
            person(*(control[f"{name}_{who}"] for name in ("tipo_id", "num_id", "nombre", "apellido")))
            for who in ("representante", "contacto")
        ]
    users = made.records.get("usuario", []) if made.layout.effect.kind == "usuarios" else []
    found += [
        person(*(row[name] for name in ("tipo_id", "num_id", "primer_nombre", "primer_apellido"))) for row in users
    ]
    return list({(row["tipo_id"], row["num_id"]): row for row in found}.values())


def linked(made: Draft, row: Row) -> Row:
    """A row of the users table: a person of the file, linked already."""
    control, key = made.control, made.layout.entity
    return {
        "entidad_tipo_id": control[key.type],
        "entidad_num_id": control[key.number],
        "tipo_id": row["tipo_id"],
        "num_id": row["num_id"],
        "telefono": "6020000000",
        "cargo": "AUXILIAR",
        "contrato_indefinido": "1",
        "fecha_fin": "",
        "correo": "usuario@entidad.example",
    }


def profile(code: str, application: str, *, enabled: bool = True, kinds: str = "") -> Row:
    """A row of the profiles table."""
    return {
        "codigo": code,
        "nombre": "PERFIL FICTICIO",
        "cod_aplicacion": application,
        "nombre_aplicacion": "APLICACION FICTICIA",
        "tipos_entidad": kinds,
        "habilitado": str(int(enabled)),
    }
