"""Breakers of what users and their profiles are held to."""

from pisis_batch.breaking.changing import breaks, registered, unregister
from pisis_batch.breaking.draft import Draft, Row
from pisis_batch.breaking.world import profile


def _user(made: Draft) -> Row:
    """A user who is linked by the file and has no profile line."""
    return made.records["usuario"][2]


def _leaving(made: Draft) -> Row:
    return made.records["usuario"][3]


def _new_number(made: Draft, row: Row, number: str) -> None:
    registered(made, row)["num_id"] = number
    row["num_id"] = number


@breaks("USR010")
def short_number(made: Draft) -> None:
    _new_number(made, _user(made), "12")


@breaks("USR020")
def unregistered_user(made: Draft) -> None:
    unregister(made, _user(made))


@breaks("USR021")
def user_without_tilde(made: Draft) -> None:
    _user(made)["primer_apellido"] = "PENA"
    registered(made, _user(made))["primer_apellido"] = "PEÑA"


@breaks("USR022")
def user_of_another_name(made: Draft) -> None:
    registered(made, _user(made))["primer_nombre"] = "OTRO"


@breaks("USR023")
def leaver_of_another_name(made: Draft) -> None:
    registered(made, _leaving(made))["primer_nombre"] = "OTRO"


@breaks("USR030")
def contract_over(made: Draft) -> None:
    _user(made).update(contrato_indefinido="0", fecha_fin=made.today.isoformat())


@breaks("USR031")
def misspelt_domain(made: Draft) -> None:
    _user(made)["correo"] = "USUARIO@GMIAL.COM"


@breaks("USR040")
def leaver_not_linked(made: Draft) -> None:
    made.tables["users"] = []


def _profile(made: Draft) -> Row:
    return made.records["perfil"][0]


def _asked_for(made: Draft, who: Row) -> None:
    _profile(made).update(tipo_id=who["tipo_id"], num_id=who["num_id"])


@breaks("PRF010")
def profile_of_nobody(made: Draft) -> None:
    _asked_for(made, {"tipo_id": "CC", "num_id": "1090000000"})


@breaks("PRF011")
def profile_of_the_leaving(made: Draft) -> None:
    _asked_for(made, _leaving(made))


@breaks("PRF012")
def profile_of_a_short_number(made: Draft) -> None:
    _asked_for(made, {"tipo_id": "CC", "num_id": "12"})


@breaks("PRF020")
def application_unknown(made: Draft) -> None:
    _profile(made)["aplicacion"] = "ZZZ"


@breaks("PRF021")
def profile_unknown(made: Draft) -> None:
    _profile(made)["perfil"] = "ZZZZ"


@breaks("PRF022")
def profile_of_another_application(made: Draft) -> None:
    made.tables["profiles"].append(profile("ZZZZ", "YYY"))
    _profile(made)["perfil"] = "ZZZZ"


@breaks("PRF023")
def profile_disabled(made: Draft) -> None:
    made.tables["profiles"] = [row | {"habilitado": "0"} for row in made.tables["profiles"]]


@breaks("PRF024")
def profile_of_another_kind(made: Draft) -> None:
    made.tables["profiles"] = [row | {"tipos_entidad": "EPS"} for row in made.tables["profiles"]]


@breaks("PRF030")
def nothing_to_withdraw(made: Draft) -> None:
    _profile(made).update(accion="R", perfil="")


@breaks("PRF031")
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
