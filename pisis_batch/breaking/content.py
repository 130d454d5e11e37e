"""Breakers of the rules that ask the registry: each changes the file or the registry of a good file in one thing."""

from collections.abc import Callable
from datetime import date, timedelta

from pisis_batch.breaking.draft import Draft, Row, draft
from pisis_batch.layouts import Layout

Changer = Callable[[Draft], None]
CHANGERS: dict[str, Changer] = {}
_HEAD, _STRANGER, _OTHER_ENTITY = ("CC", "10000001"), ("CC", "10000050"), "900654321"
_SEEDS = 300


def _breaks(code: str) -> Callable[[Changer], Changer]:
    def keep(changer: Changer) -> Changer:
        CHANGERS[code] = changer
        return changer

    return keep


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


def _elsewhere(made: Draft) -> None:
    """The sender is the head of another entity: registered, whatever becomes of this file's own."""
    made.tables["entities"].append(
        entity(
            ("NI", _OTHER_ENTITY),
            "OTRA ENTIDAD FICTICIA",
            head=_STRANGER,
            contact=("", ""),
            mail="otra@entidad.example",
        )
    )
    made.sender = "".join(_STRANGER)


def _user(made: Draft) -> Row:
    """A user who is linked by the file and has no profile line."""
    return made.records["usuario"][2]


def _leaving(made: Draft) -> Row:
    return made.records["usuario"][3]


def _person(made: Draft, row: Row, suffix: str = "") -> Row:
    """The registered person of a line."""
    key = (row[f"tipo_id{suffix}"], row[f"num_id{suffix}"])
    return next(one for one in made.tables["persons"] if (one["tipo_id"], one["num_id"]) == key)


def _entity(made: Draft) -> Row:
    return made.tables["entities"][0]


@_breaks("REM001")
def nobody_sends(made: Draft) -> None:
    made.sender = None


@_breaks("REM002")
def a_stranger_sends(made: Draft) -> None:
    made.sender = "CC10000099"


@_breaks("REM003")
def another_entity_sends(made: Draft) -> None:
    _elsewhere(made)


@_breaks("CTL001")
def entity_unknown(made: Draft) -> None:
    _elsewhere(made)
    made.tables["entities"] = made.tables["entities"][1:]
    made.tables["users"] = []


@_breaks("CTL002")
def entity_inactive(made: Draft) -> None:
    _entity(made)["activa"] = "0"


@_breaks("CTL003")
def mail_unconfirmed(made: Draft) -> None:
    _entity(made)["correo_confirmado"] = "0"


@_breaks("CTL004")
def other_legal_name(made: Draft) -> None:
    _entity(made)["razon_social"] = "ENTIDAD DE OTRO NOMBRE"


@_breaks("CTL005")
def other_alternate_nit(made: Draft) -> None:
    made.control["nit_alterno"] = _OTHER_ENTITY


def _numbered(made: Draft, number: str) -> None:
    """The file speaks of an entity of this number, which is not registered."""
    entity_unknown(made)
    made.state(made.layout.entity.number, number)


@_breaks("CTL006")
def with_check_digit(made: Draft) -> None:
    _numbered(made, "9001234568")


@_breaks("CTL007")
def short_nit(made: Draft) -> None:
    _numbered(made, "90012345")


def _renamed_head(made: Draft, who: str, number: str) -> None:
    """The representative or contact has another number, in the file and in the registry."""
    _person(made, made.control, f"_{who}")["num_id"] = number
    made.control[f"num_id_{who}"] = number
    column = {"representante": "rep_num_id", "contacto": "contacto_num_id"}[who]
    _entity(made)[column] = number
    made.sender = _entity(made)["rep_tipo_id"] + _entity(made)["rep_num_id"]


@_breaks("CTL008")
def short_number_of_representative(made: Draft) -> None:
    _renamed_head(made, "representante", "12")


@_breaks("CTL009")
def short_number_of_contact(made: Draft) -> None:
    _renamed_head(made, "contacto", "12")


def _unregistered(made: Draft, row: Row, suffix: str = "") -> None:
    made.tables["persons"].remove(_person(made, row, suffix))


@_breaks("CTL010")
def unregistered_representative(made: Draft) -> None:
    _unregistered(made, made.control, "_representante")


@_breaks("CTL011")
def unregistered_contact(made: Draft) -> None:
    _unregistered(made, made.control, "_contacto")


def _name_breaker(who: str, column: str) -> Changer:
    def changer(made: Draft) -> None:
        _person(made, made.control, f"_{who}")[column] = "OTRO"

    return changer


for _code, _who, _column in (
    ("CTL012", "representante", "primer_nombre"),
    ("CTL013", "representante", "primer_apellido"),
    ("CTL014", "contacto", "primer_nombre"),
    ("CTL015", "contacto", "primer_apellido"),
):
    CHANGERS[_code] = _name_breaker(_who, _column)


@_breaks("CTL016")
def other_representative(made: Draft) -> None:
    made.sender = _entity(made)["contacto_tipo_id"] + _entity(made)["contacto_num_id"]
    _entity(made)["rep_num_id"] = "10000077"


@_breaks("CTL017")
def other_contact(made: Draft) -> None:
    _entity(made)["contacto_num_id"] = "10000077"


@_breaks("CTL020")
def future_cut(made: Draft) -> None:
    made.state(made.layout.cut_date, (made.today + timedelta(days=1)).isoformat())


def _period(made: Draft, cut: date, opens: date, closes: date) -> None:
    days = {"inicio": cut - timedelta(days=30), "corte": cut, "reporte_desde": opens, "reporte_hasta": closes}
    made.tables["periods"] = [{"anexo": made.layout.annex, **{name: day.isoformat() for name, day in days.items()}}]


@_breaks("CTL021")
def cut_of_no_period(made: Draft) -> None:
    _period(made, made.today - timedelta(days=3), made.today, made.today)


@_breaks("CTL022")
def closed_window(made: Draft) -> None:
    _period(made, made.today, made.today + timedelta(days=1), made.today + timedelta(days=5))


@_breaks("CTL030")
def other_address(made: Draft) -> None:
    _entity(made)["correo_institucional"] = "otro@entidad.example"


@_breaks("CTL031")
def contact_without_tilde(made: Draft) -> None:
    made.control["apellido_contacto"] = "PENA"
    _person(made, made.control, "_contacto")["primer_apellido"] = "PEÑA"


def _new_number(made: Draft, row: Row, number: str) -> None:
    _person(made, row)["num_id"] = number
    row["num_id"] = number


@_breaks("USR010")
def short_number(made: Draft) -> None:
    _new_number(made, _user(made), "12")


@_breaks("USR020")
def unregistered_user(made: Draft) -> None:
    _unregistered(made, _user(made))


@_breaks("USR021")
def user_without_tilde(made: Draft) -> None:
    _user(made)["primer_apellido"] = "PENA"
    _person(made, _user(made))["primer_apellido"] = "PEÑA"


@_breaks("USR022")
def user_of_another_name(made: Draft) -> None:
    _person(made, _user(made))["primer_nombre"] = "OTRO"


@_breaks("USR023")
def leaver_of_another_name(made: Draft) -> None:
    _person(made, _leaving(made))["primer_nombre"] = "OTRO"


@_breaks("USR030")
def contract_over(made: Draft) -> None:
    _user(made).update(contrato_indefinido="0", fecha_fin=made.today.isoformat())


@_breaks("USR031")
def misspelt_domain(made: Draft) -> None:
    _user(made)["correo"] = "USUARIO@GMIAL.COM"


@_breaks("USR040")
def leaver_not_linked(made: Draft) -> None:
    made.tables["users"] = []


def _profile(made: Draft) -> Row:
    return made.records["perfil"][0]


def _asked_for(made: Draft, who: Row) -> None:
    _profile(made).update(tipo_id=who["tipo_id"], num_id=who["num_id"])


@_breaks("PRF010")
def profile_of_nobody(made: Draft) -> None:
    _asked_for(made, {"tipo_id": "CC", "num_id": "1090000000"})


@_breaks("PRF011")
def profile_of_the_leaving(made: Draft) -> None:
    _asked_for(made, _leaving(made))


@_breaks("PRF012")
def profile_of_a_short_number(made: Draft) -> None:
    _asked_for(made, {"tipo_id": "CC", "num_id": "12"})


@_breaks("PRF020")
def application_unknown(made: Draft) -> None:
    _profile(made)["aplicacion"] = "ZZZ"


@_breaks("PRF021")
def profile_unknown(made: Draft) -> None:
    _profile(made)["perfil"] = "ZZZZ"


@_breaks("PRF022")
def profile_of_another_application(made: Draft) -> None:
    made.tables["profiles"].append(profile("ZZZZ", "YYY"))
    _profile(made)["perfil"] = "ZZZZ"


@_breaks("PRF023")
def profile_disabled(made: Draft) -> None:
    made.tables["profiles"] = [row | {"habilitado": "0"} for row in made.tables["profiles"]]


@_breaks("PRF024")
def profile_of_another_kind(made: Draft) -> None:
    made.tables["profiles"] = [row | {"tipos_entidad": "EPS"} for row in made.tables["profiles"]]


@_breaks("PRF030")
def nothing_to_withdraw(made: Draft) -> None:
    _profile(made).update(accion="R", perfil="")


@_breaks("PRF031")
def profile_replaced(made: Draft) -> None:
    """The same file went before with another profile of the application."""
    application, asked = _profile(made)["aplicacion"], _profile(made)["perfil"]
    made.tables["profiles"].append(profile("ZZZZ", application))
    leaving, made.records["usuario"] = _leaving(made), made.records["usuario"][:3]
    _profile(made)["perfil"] = "ZZZZ"
    made.renumbered()
    made.before.append(made.written())
    made.records["usuario"].append(leaving)
    _profile(made)["perfil"] = asked
    made.renumbered()
