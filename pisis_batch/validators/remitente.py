"""REM: who sent the file. Nobody acts for another: an error here keeps every other fact of the registry unsaid."""

from __future__ import annotations

from pisis_batch.frames import pl
from pisis_batch.model import Batch, Facts
from pisis_batch.validators.rule import NOTHING, Found, rule


def _if(objected: bool, login: str = "") -> Found:  # noqa: FBT001 the one thing it is asked
    return pl.DataFrame({"value": [login]}, schema={"value": pl.String}) if objected else NOTHING


@rule(
    "REM001",
    reach="control",
    general=True,
    title="Archivo sin remitente",
    es="El archivo no llegó por la carpeta de ningún usuario, así que no se sabe quién lo envía",
    en="The file did not come through the folder of any user, so nobody is known to send it",
    cause="El archivo se dejó en la raíz del buzón y no en la carpeta del usuario que lo reporta.",
    remedy="Envíe el archivo desde la carpeta del usuario registrado en SISPRO, por ejemplo CC10000001.",
    source="A3.7",
)
def without_sender(batch: Batch, facts: Facts) -> Found:
    """A file comes through the folder of a user.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    Given:
        sender = ""
    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    return _if(facts.sender is not None and not facts.sender.login)


@rule(
    "REM002",
    reach="control",
    general=True,
    title="Remitente no registrado",
    es="El usuario {valor} no está registrado en SISPRO y no puede enviar archivos",
    en="User {valor} is not registered in SISPRO and may not send files",
    cause="Quien envía no está vinculado a ninguna entidad ni es representante legal o contacto.",
    remedy="El representante legal o el contacto de la entidad debe enviar el archivo, o vincular primero al usuario.",
    source="A3.7",
)
def sender_not_registered(batch: Batch, facts: Facts) -> Found:
    """The sender is a registered user.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    Given:
        sender = "CC10000099"
    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    sender = facts.sender
    return _if(sender is not None and bool(sender.login) and not sender.registered, sender.login if sender else "")


@rule(
    "REM003",
    reach="control",
    general=True,
    title="Remitente no autorizado por la entidad",
    es="El usuario {valor} no está vinculado a la entidad que reporta el archivo, ni es su representante legal o contacto",
    en="User {valor} is neither linked to the entity of the file nor its legal representative or contact",
    cause="Se envió el archivo de una entidad con el usuario de otra.",
    remedy="Envíe el archivo con un usuario de la misma entidad, su representante legal o su contacto.",
    source="A2.1, A3.7",
)
def sender_not_entitled(batch: Batch, facts: Facts) -> Found:
    """The sender belongs to the entity of the file.

    Accepts:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    Given:
        sender = "CC10000050"
    Rejects:
        2|1|CC|1090000001|JUAN|PEREZ|O|||||
    """
    sender = facts.sender
    known = sender is not None and sender.registered and facts.entity is not None
    return _if(known and sender is not None and not sender.entitled, sender.login if sender else "")
