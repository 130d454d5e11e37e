"""Breakers of what the sender, the entity and its control record are held to."""

from datetime import date, timedelta

from pisis_batch.breaking.changing import CHANGERS, Changer, breaks, registered, unregister
from pisis_batch.breaking.draft import Draft, Row
from pisis_batch.breaking.world import entity

_STRANGER, _OTHER_ENTITY = ("CC", "10000050"), "900654321"


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


def _entity(made: Draft) -> Row:
    return made.tables["entities"][0]


@breaks("REM001")
def nobody_sends(made: Draft) -> None:
    made.sender = None


@breaks("REM002")
def a_stranger_sends(made: Draft) -> None:
    made.sender = "CC10000099"


@breaks("REM003")
def another_entity_sends(made: Draft) -> None:
    _elsewhere(made)


@breaks("CTL001")
def entity_unknown(made: Draft) -> None:
    _elsewhere(made)
    made.tables["entities"] = made.tables["entities"][1:]
    made.tables["users"] = []


@breaks("CTL002")
def entity_inactive(made: Draft) -> None:
    _entity(made)["activa"] = "0"


@breaks("CTL003")
def mail_unconfirmed(made: Draft) -> None:
    _entity(made)["correo_confirmado"] = "0"


@breaks("CTL004")
def other_legal_name(made: Draft) -> None:
    _entity(made)["razon_social"] = "ENTIDAD DE OTRO NOMBRE"


@breaks("CTL005")
def other_alternate_nit(made: Draft) -> None:
    made.control["nit_alterno"] = _OTHER_ENTITY


def _numbered(made: Draft, number: str) -> None:
    """The file speaks of an entity of this number, which is not registered."""
    entity_unknown(made)
    made.state(made.layout.entity.number, number)


@breaks("CTL006")
def with_check_digit(made: Draft) -> None:
    _numbered(made, "9001234568")


@breaks("CTL007")
def short_nit(made: Draft) -> None:
    _numbered(made, "90012345")


def _renamed_head(made: Draft, who: str, number: str) -> None:
    """The representative or contact has another number, in the file and in the registry."""
    registered(made, made.control, f"_{who}")["num_id"] = number
    made.control[f"num_id_{who}"] = number
    column = {"representante": "rep_num_id", "contacto": "contacto_num_id"}[who]
    _entity(made)[column] = number
    made.sender = _entity(made)["rep_tipo_id"] + _entity(made)["rep_num_id"]


@breaks("CTL008")
def short_number_of_representative(made: Draft) -> None:
    _renamed_head(made, "representante", "12")


@breaks("CTL009")
def short_number_of_contact(made: Draft) -> None:
    _renamed_head(made, "contacto", "12")


@breaks("CTL010")
def unregistered_representative(made: Draft) -> None:
    unregister(made, made.control, "_representante")


@breaks("CTL011")
def unregistered_contact(made: Draft) -> None:
    unregister(made, made.control, "_contacto")


def _name_breaker(who: str, column: str) -> Changer:
    def changer(made: Draft) -> None:
        registered(made, made.control, f"_{who}")[column] = "OTRO"

    return changer


for _code, _who, _column in (
    ("CTL012", "representante", "primer_nombre"),
    ("CTL013", "representante", "primer_apellido"),
    ("CTL014", "contacto", "primer_nombre"),
    ("CTL015", "contacto", "primer_apellido"),
):
    CHANGERS[_code] = _name_breaker(_who, _column)


@breaks("CTL016")
def other_representative(made: Draft) -> None:
    made.sender = _entity(made)["contacto_tipo_id"] + _entity(made)["contacto_num_id"]
    _entity(made)["rep_num_id"] = "10000077"


@breaks("CTL017")
def other_contact(made: Draft) -> None:
    _entity(made)["contacto_num_id"] = "10000077"


@breaks("CTL020")
def future_cut(made: Draft) -> None:
    made.state(made.layout.cut_date, (made.today + timedelta(days=1)).isoformat())


def _period(made: Draft, cut: date, opens: date, closes: date) -> None:
    days = {"inicio": cut - timedelta(days=30), "corte": cut, "reporte_desde": opens, "reporte_hasta": closes}
    made.tables["periods"] = [{"anexo": made.layout.annex, **{name: day.isoformat() for name, day in days.items()}}]


@breaks("CTL021")
def cut_of_no_period(made: Draft) -> None:
    _period(made, made.today - timedelta(days=3), made.today, made.today)


@breaks("CTL022")
def closed_window(made: Draft) -> None:
    _period(made, made.today, made.today + timedelta(days=1), made.today + timedelta(days=5))


@breaks("CTL030")
def other_address(made: Draft) -> None:
    _entity(made)["correo_institucional"] = "otro@entidad.example"


@breaks("CTL031")
def contact_without_tilde(made: Draft) -> None:
    made.control["apellido_contacto"] = "PENA"
    registered(made, made.control, "_contacto")["primer_apellido"] = "PEÑA"
